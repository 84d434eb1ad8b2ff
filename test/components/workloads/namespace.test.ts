import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { createNamespace } from "../../../components/workloads/namespace.ts";
import { stackLabelValue } from "../../../names/kubernetes.ts";
import { mockPulumi, settled } from "../../../tools/testing/mocks.ts";

async function make(shared: boolean) {
  const recording = await mockPulumi({ project: "shop", stack: "blue" });
  const provider = new k8s.Provider("own");
  const claimProvider = shared ? new k8s.Provider("claim") : undefined;
  createNamespace({ name: "apps", stack: "blue", claimProvider }, { provider });
  await settled();
  return recording;
}

test("in a shared cluster, the namespace is claimed first, without force", async () => {
  const recording = await make(true);
  const claim = recording.one("kubernetes:core/v1:NamespacePatch");
  const namespace = recording.one("kubernetes:core/v1:Namespace");
  assert.deepEqual(claim.inputs["metadata"], { name: "apps", labels: { "gke-microservices/stack": "shop.blue" } });
  assert.match(claim.provider, /::claim$/);
  assert.equal(claim.retainOnDelete, true);
  assert.ok(namespace.dependencies.includes(claim.urn));
  assert.match(namespace.provider, /::own$/);
});

test("in its own cluster, a stack labels its namespace without a claim", async () => {
  const recording = await make(false);
  assert.deepEqual(recording.all("kubernetes:core/v1:NamespacePatch"), []);
  assert.deepEqual(recording.one("kubernetes:core/v1:Namespace").inputs["metadata"], {
    name: "apps",
    labels: { "pod-security.kubernetes.io/enforce": "restricted", "gke-microservices/stack": "shop.blue" },
  });
});

test("a stack's label is a valid value, and differs for each project and stack", () => {
  const long = "a".repeat(80);
  const names = [
    ["shop", "blue"],
    ["shop", "_blue_"],
    ["shop", `${long}1`],
    ["shop", `${long}2`],
    ["_", "."],
  ].map(([project = "", stack = ""]) => stackLabelValue(project, stack));
  assert.equal(names[0], "shop.blue");
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/);
});
