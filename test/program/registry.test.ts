/** Which stacks make a repository for images: those on GKE, and no other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { fullKey } from "../../names/project.ts";
import { readStackFile, stackFile, withPlaceholderFiles } from "../../tools/stack/stackFile.ts";
import { recordConfig } from "../../tools/testing/recorded.ts";
import { refusal, valid } from "../config/refusal.ts";
import { projectDir } from "./rendered.ts";

const image = "registry.example.com/apps/a:1";
const images = { proxy: { image }, services: { web: { image, routes: [{ path: "/" }] } } };
const existing = {
  cluster: { kind: "existing", context: "kind-shop" },
  edge: { kind: "ingress", className: "contour" },
  tls: { mode: "none" },
};

/** The Google resources for images that a stack makes, with its file changed. */
async function registriesOf(like: string, changes: Readonly<Record<string, object>>) {
  const { [fullKey("registry")]: _, ...file } = readStackFile(stackFile(like));
  const changed = Object.entries(changes).map(([key, value]) => [fullKey(key), JSON.stringify(value)] as const);
  const config = withPlaceholderFiles({ ...file, ...Object.fromEntries(changed) });
  const { warnings } = checkConfig(config, like, projectDir);
  assert.deepEqual(warnings, []);
  const { recording } = await recordConfig(like, config);
  return recording.resources
    .map(({ type, name }) => `${type} ${name}`)
    .filter((each) => /Repository|ImageRegistry|-api-(artifactregistry|containerscanning)/.test(each));
}
const made = [
  "gcp:artifactregistry/repository:Repository staging-repository",
  "gcp:projects/service:Service staging-api-artifactregistry",
  "gke-microservices:index:ImageRegistry staging",
];

test("an existing cluster with images alone needs neither a registry nor a project", async () => {
  assert.deepEqual(await registriesOf("local", { ...existing, ...images }), []);
  assert.deepEqual(
    await registriesOf("local", { ...existing, ...images, registry: { kind: "artifact-registry" } }),
    [],
  );
});

test("on GKE, a stack keeps its registry when it builds nothing any more: a rollback may need its images", async () => {
  for (const changes of [{}, images])
    assert.deepEqual(
      (await registriesOf("staging", changes)).filter((each) => made.includes(each)).sort(),
      made,
      JSON.stringify(changes),
    );
});

test("a build for an existing cluster is refused, with both ways out", () => {
  const { registry: _, ...rest } = valid;
  for (const [key, config] of [
    ["proxy\\.build", rest],
    [
      "services\\.hoge\\.build",
      { ...rest, proxy: { image }, services: { hoge: { build: { context: "./services/sample" } } } },
    ],
  ] as const)
    assert.match(
      refusal(config),
      new RegExp(
        `${key}\\n.* needs a registry to push to, and only a stack with cluster\\.kind gke has one; set gke-microservices:registry\\.kind to node, or give an image`,
      ),
    );
});
