import assert from "node:assert/strict";
import { test } from "node:test";

import * as pulumi from "@pulumi/pulumi";
import { ImageRegistry } from "../../../components/images/imageRegistry.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const args = { project: "acme-staging", region: "asia-northeast1", stack: "staging", scan: true, immutableTags: false };
const url = "asia-northeast1-docker.pkg.dev/acme-staging/staging-images";
const login = "gcp:organizations/getClientConfig:getClientConfig";
const imageType = "docker:index/image:Image";

test("ImageRegistry creates a private Docker repository with cleanup, and requests no token", async () => {
  const recording = await mockPulumi();
  const registry = new ImageRegistry("staging-registry", args);
  const urn = await valueOf(registry.urn);
  await settled();

  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:ImageRegistry::staging-registry");
  const repository = recording.one("gcp:artifactregistry/repository:Repository");
  assert.deepEqual(repository.inputs, {
    project: "acme-staging",
    location: "asia-northeast1",
    repositoryId: "staging-images",
    format: "DOCKER",
    description: "Images built by the stack staging",
    labels: { project: "gke-microservices", stack: "staging" },
    vulnerabilityScanningConfig: { enablementConfig: "INHERITED" },
    cleanupPolicyDryRun: false,
    cleanupPolicies: [
      { id: "keep-newest", action: "KEEP", mostRecentVersions: { keepCount: 30 } },
      { id: "delete-old", action: "DELETE", condition: { tagState: "ANY", olderThan: "2592000s" } },
    ],
  });
  assert.equal(repository.parent, urn);
  const apis = recording.all("gcp:projects/service:Service");
  assert.deepEqual(
    apis.map(({ inputs }) => inputs["service"]),
    ["artifactregistry.googleapis.com", "containerscanning.googleapis.com"],
  );
  for (const { urn } of apis) assert.ok(repository.dependencies.includes(urn));

  assert.equal(await valueOf(registry.url), url);
  assert.deepEqual(recording.all(imageType), []);
  assert.deepEqual(recording.calls, []);
});

test("the stack configures retention, scans and immutable tags", async () => {
  const recording = await mockPulumi();
  new ImageRegistry("staging-registry", { ...args, keep: 5, scan: false, immutableTags: true });
  await settled();
  const { inputs } = recording.one("gcp:artifactregistry/repository:Repository");
  assert.deepEqual(inputs["dockerConfig"], { immutableTags: true });
  assert.deepEqual(inputs["vulnerabilityScanningConfig"], { enablementConfig: "DISABLED" });
  const [keeps] = inputs["cleanupPolicies"] as object[];
  assert.deepEqual(keeps, { id: "keep-newest", action: "KEEP", mostRecentVersions: { keepCount: 5 } });
  // The scanning API serves the whole project and costs per image: a stack without scans does not enable it.
  assert.equal(recording.one("gcp:projects/service:Service").inputs["service"], "artifactregistry.googleapis.com");
});

test("image builds for linux/amd64, pushes with a secret token and returns the digest", async () => {
  const digest = `${url}/hoge@sha256:${"0".repeat(64)}`;
  const recording = await mockPulumi({
    outputs: { [imageType]: () => ({ repoDigest: digest }) },
    calls: { [login]: { accessToken: "a-short-lived-token" } },
  });
  const registry = new ImageRegistry("staging-registry", args);
  const reference = registry.image("hoge", { context: "./services/sample", tag: "abc123" });
  assert.equal(await valueOf(reference), digest);
  await settled();

  const image = recording.one(imageType);
  assert.equal(image.name, "staging-registry-hoge");
  assert.equal(image.parent, await valueOf(registry.urn));
  assert.deepEqual(image.inputs, {
    imageName: `${url}/hoge:abc123`,
    build: { context: "./services/sample", platform: "linux/amd64", builderVersion: "BuilderBuildKit" },
    buildOnPreview: false,
    skipPush: false,
    registry: {
      server: "asia-northeast1-docker.pkg.dev",
      username: "oauth2accesstoken",
      password: "a-short-lived-token",
    },
  });
  // The SDK marks the object that contains a secret, not the field.
  assert.deepEqual(image.secrets, ["registry"]);
  assert.ok(image.dependencies.includes(recording.one("gcp:artifactregistry/repository:Repository").urn));
});

test("a Dockerfile and build arguments are forwarded, and all images share one token", async () => {
  const recording = await mockPulumi({
    outputs: { [imageType]: (name) => ({ repoDigest: `${name}@sha256:1` }) },
    calls: { [login]: { accessToken: "a-short-lived-token" } },
  });
  const registry = new ImageRegistry("staging-registry", args);
  registry.image("nginx", {
    context: "./nginx",
    tag: "1",
    dockerfile: "./nginx/Dockerfile",
    buildArgs: { BASE: "nginx:1.29" },
  });
  registry.image("web", { context: "./services/sample", tag: "2" });
  await settled();

  assert.deepEqual(recording.one(imageType, "staging-registry-nginx").inputs["build"], {
    context: "./nginx",
    platform: "linux/amd64",
    builderVersion: "BuilderBuildKit",
    dockerfile: "./nginx/Dockerfile",
    args: { BASE: "nginx:1.29" },
  });
  assert.equal(recording.all(imageType).length, 2);
  assert.deepEqual(recording.calls, [login]);
});

test("the colon of a domain-scoped project is a slash in the address", async () => {
  await mockPulumi();
  const registry = new ImageRegistry("staging-registry", { ...args, project: "example.com:shop" });
  assert.equal(await valueOf(registry.url), "asia-northeast1-docker.pkg.dev/example.com/shop/staging-images");
  await settled();
});

test("a preview of builds without a Docker daemon says what to do, once", async (t) => {
  const warn = t.mock.method(pulumi.log, "warn", () => Promise.resolve());
  t.mock.property(process, "env", { ...process.env, DOCKER_HOST: "unix:///nowhere/docker.sock" });
  for (const preview of [false, true]) {
    await mockPulumi({ preview, calls: { [login]: { accessToken: "token" } } });
    const registry = new ImageRegistry("staging-registry", args);
    for (const name of ["web", "hoge"]) registry.image(name, { context: "services/web", tag: "1" });
    await settled();
  }
  const said = warn.mock.calls.map(({ arguments: [text] }) => text);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /builds images, web .* no Docker daemon at \/nowhere\/docker\.sock: start Docker/);
});
