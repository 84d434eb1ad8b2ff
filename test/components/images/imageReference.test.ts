import assert from "node:assert/strict";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { contextTag } from "../../../components/images/buildContext.ts";
import { imageReference, nodeImage } from "../../../components/images/imageReference.ts";
import { ImageRegistry } from "../../../components/images/imageRegistry.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const context = join(import.meta.dirname, "../../../services/sample");
const digest = `sha256:${"0".repeat(64)}`;
const imageType = "docker:index/image:Image";

async function withRegistry() {
  const recording = await mockPulumi({
    outputs: { [imageType]: (name) => ({ repoDigest: `registry.example.com/${name}@${digest}` }) },
    calls: { "gcp:organizations/getClientConfig:getClientConfig": { accessToken: "a-short-lived-token" } },
  });
  const registry = new ImageRegistry("staging", {
    project: "acme-staging",
    region: "asia-northeast1",
    stack: "staging",
    scan: true,
    immutableTags: false,
  });
  return { recording, registry };
}

test("a given image is deployed unchanged, and nothing is built", async () => {
  const { recording, registry } = await withRegistry();
  const image = "registry.example.com/hoge:1.4.2";
  assert.equal(await valueOf(imageReference("hoge", { image }, registry).image), image);
  await settled();
  assert.deepEqual(recording.all(imageType), []);
  assert.deepEqual(recording.calls, []);
});

test("a built image is tagged by its content and deployed by its digest", async () => {
  const { recording, registry } = await withRegistry();
  const reference = await valueOf(imageReference("hoge", { build: { context } }, registry).image);
  await settled();
  assert.equal(reference, `registry.example.com/staging-hoge@${digest}`);
  const image = recording.one(imageType);
  assert.match(String(image.inputs["imageName"]), new RegExp(`/hoge:${contextTag(context)}$`));
  assert.equal((image.inputs["build"] as { context: string }).context, context);
});

test("without a registry the image is the one on the node, named after its content", async () => {
  const recording = await mockPulumi();
  const reference = await valueOf(imageReference("hoge", { build: { context } }, undefined).image);
  await settled();
  assert.equal(reference, nodeImage("hoge", context));
  assert.match(reference, /^localhost\/gke-microservices\/hoge:[0-9a-f]{12}$/);
  assert.deepEqual(recording.resources, []);
});

test("a changed file changes the reference", (t) => {
  const copy = mkdtempSync(join(tmpdir(), "context-"));
  t.after(() => {
    rmSync(copy, { recursive: true });
  });
  cpSync(context, copy, { recursive: true });
  assert.equal(nodeImage("hoge", copy), nodeImage("hoge", context));
  writeFileSync(join(copy, "Dockerfile"), "FROM scratch\n");
  assert.notEqual(nodeImage("hoge", copy), nodeImage("hoge", context));
});
