/** In which order a changed stack is applied; a script plays kubectl. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { apply } from "../../../tools/apply/apply.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { folder, installKubectl, program } from "./kubectlScript.ts";

const calls = join(folder, "calls");
installKubectl(
  "*--dry-run=server*) cat",
  `*" apply "*) cat >> ${calls}; echo >> ${calls}`,
  `*) echo '{"kind":"List","items":[]}'`,
);

const object = (apiVersion: string, kind: string, name: string) => ({
  apiVersion,
  kind,
  metadata: { name, namespace: "apps" },
});

test("objects of the edge are applied after what they refer to", async () => {
  const objects = [
    object("v1", "Secret", "ingress-tls-2"),
    object("networking.k8s.io/v1", "Ingress", "edge"),
    object("gateway.networking.k8s.io/v1", "HTTPRoute", "edge"),
    object("v1", "Service", "nginx-proxy-grpc"),
  ];
  const kinds = ["Secret", "Ingress.networking.k8s.io", "HTTPRoute.gateway.networking.k8s.io", "Service"];
  const target = { kubectl: program, context: "apply.test" };
  const changes = await apply(target, { namespace: "apps", kinds, objects: [] }, objects, 1, () => undefined);
  assert.deepEqual(changes, {
    applied: objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`),
    pruned: [],
  });
  const applied = readFileSync(calls, "utf8")
    .trim()
    .split("\n")
    .map((call) => (JSON.parse(call) as { items: { kind: string }[] }).items.map(({ kind }) => kind));
  assert.deepEqual(applied, [
    ["Secret", "Service"],
    ["Ingress", "HTTPRoute"],
  ]);
});

const deployment = (name: string) => ({
  ...object("apps/v1", "Deployment", name),
  metadata: { ...object("apps/v1", "Deployment", name).metadata, generation: 1 },
  spec: { replicas: 1 },
  status: { observedGeneration: 1, updatedReplicas: 1, availableReplicas: 1, replicas: 1 },
});

test("services are rolled out before the proxy, and what pods still use is deleted after they have drained", async () => {
  const [steps, rolledOut, pods] = [join(folder, "steps"), join(folder, "rolled-out"), join(folder, "pods")];
  writeFileSync(steps, "");
  writeFileSync(
    rolledOut,
    JSON.stringify({ kind: "List", items: ["new", "nginx-proxy"].map((name) => deployment(name)) }),
  );
  const until = Math.floor(Date.now() / 1000) * 1000 + 43_000;
  const old = {
    ...object("v1", "Pod", "nginx-proxy-old"),
    metadata: {
      ...object("v1", "Pod", "nginx-proxy-old").metadata,
      deletionTimestamp: new Date(until).toISOString(),
      deletionGracePeriodSeconds: 50,
    },
    spec: { containers: [{ lifecycle: { preStop: { sleep: { seconds: 10 } } } }] },
  };
  writeFileSync(pods, JSON.stringify({ kind: "List", items: [old] }));
  installKubectl(
    "*--dry-run=server*) cat",
    `*" apply "*) cat >> ${steps}; echo >> ${steps}`,
    `*" delete "*) cat >> ${steps}; echo >> ${steps}`,
    `*"get deployments.apps"*) echo '"rollouts"' >> ${steps}; cat ${rolledOut}`,
    `*"get pods"*) cat ${pods}`,
    `*) echo '{"kind":"List","items":[]}'`,
  );
  const target = { kubectl: program, context: "order.test" };
  const kinds = ["Deployment.apps", "Service", "NetworkPolicy.networking.k8s.io", "Ingress.networking.k8s.io"];
  const ended = [
    object("v1", "Service", "old"),
    object("networking.k8s.io/v1", "NetworkPolicy", "old.from.nginx-proxy"),
  ];
  const set = createHash("sha256").update("gke-microservices.apps.Secret.").digest("base64url");
  const labels = { "applyset.kubernetes.io/part-of": `applyset-${set}-v1` };
  const live = ended.map((each) => ({ ...each, metadata: { ...each.metadata, labels } }));
  const objects = [
    object("networking.k8s.io/v1", "Ingress", "edge"),
    object("apps/v1", "Deployment", "nginx-proxy"),
    object("apps/v1", "Deployment", "new"),
    object("v1", "Service", "new"),
  ];
  await apply(target, { namespace: "apps", kinds, objects: live }, objects, 1, () => undefined);
  const seen = readFileSync(steps, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as string | { items: { kind: string; metadata: { name: string } }[] })
    .map((step) =>
      typeof step === "string" ? step : step.items.map(({ kind, metadata }) => `${kind}/${metadata.name}`).join(),
    );
  assert.deepEqual(seen, [
    "Deployment/new,Service/new",
    "rollouts",
    "Deployment/nginx-proxy",
    "rollouts",
    "Ingress/edge",
    "Service/old,NetworkPolicy/old.from.nginx-proxy",
  ]);
  // The old pod was asked to end 7 s ago, and sleeps for 10.
  assert.ok(Date.now() >= until - 50_000 + 10_000, "deleted while the old pod still got requests");
});

const namespace = (stack: string | undefined) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "apps", ...(stack !== undefined && { labels: { "gke-microservices/stack": stack } }) },
});
const applyOver = (found: string | undefined, ours: string | undefined) => {
  const live = { namespace: "apps", kinds: ["Secret"], objects: [namespace(found)] };
  const target = { kubectl: program, context: "apply.test" };
  return apply(target, live, [namespace(ours)], 1, () => undefined);
};

test("a namespace that is being deleted is refused before anything is applied", async () => {
  writeFileSync(calls, "");
  const { metadata, ...ours } = namespace("shop.local");
  const ending = { ...ours, metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
  const live = { namespace: "apps", kinds: ["Secret"], objects: [ending] };
  const target = { kubectl: program, context: "apply.test" };
  await assert.rejects(
    apply(target, live, [namespace("shop.local")], 1, () => undefined),
    /The namespace apps is being deleted, .* Nothing was changed\.$/,
  );
  assert.equal(readFileSync(calls, "utf8"), "");
});

test("a namespace of another stack is refused before anything is applied", async () => {
  writeFileSync(calls, "");
  await assert.rejects(applyOver("shop.staging", "shop.local"), (error) => {
    assert.ok(error instanceof Problem);
    assert.match(error.message, /The namespace apps belongs to the stack shop\.staging/);
    assert.match(error.fix, /kubectl label namespace apps gke-microservices\/stack-/);
    return true;
  });
  assert.equal(readFileSync(calls, "utf8"), "");
});

test("the stack's own namespace is taken, and one without a label", async () => {
  for (const [found, ours] of [
    ["shop.local", "shop.local"],
    [undefined, "shop.local"],
    ["shop.local", undefined],
  ])
    await applyOver(found, ours);
});

const autoscaler = (name: string) => ({
  ...object("autoscaling/v2", "HorizontalPodAutoscaler", name),
  spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name } },
});
const setKinds = ["Deployment.apps", "HorizontalPodAutoscaler.autoscaling"];
const owner = `applyset-${createHash("sha256").update("gke-microservices.apps.Secret.").digest("base64url")}-v1`;

test("the number of pods is the autoscaler's, once it has set it", async () => {
  const [steps, live] = [join(folder, "scaled-steps"), join(folder, "scaled-live")];
  const managed = (name: string, replicas: number, manager: string, operation: string) => ({
    ...deployment(name),
    metadata: {
      ...deployment(name).metadata,
      managedFields: [{ manager, operation, fieldsV1: { "f:spec": { "f:replicas": {} } } }],
    },
    spec: { replicas },
    status: { observedGeneration: 1, updatedReplicas: replicas, availableReplicas: replicas, replicas },
  });
  const items = [
    managed("ours", 10, "gke-microservices", "Apply"),
    managed("scaled", 7, "kube-controller-manager", "Update"),
    managed("by-hand", 0, "kubectl", "Update"),
    managed("fixed", 3, "gke-microservices", "Apply"),
  ];
  writeFileSync(live, JSON.stringify({ kind: "List", items }));
  installKubectl(
    "*--dry-run=server*) cat",
    `*" apply "*) cat >> ${steps}; echo >> ${steps}`,
    `*"get deployments.apps"*) cat ${live}`,
    `*) echo '{"kind":"List","items":[]}'`,
  );
  const names = ["ours", "scaled", "by-hand", "fixed", "new"];
  const objects = names.flatMap((name) => [
    { ...object("apps/v1", "Deployment", name), spec: { replicas: 2, paused: false } },
    ...(name === "fixed" ? [] : [autoscaler(name)]),
  ]);
  const target = { kubectl: program, context: "scaled.test" };
  const state = { namespace: "apps", kinds: setKinds, objects: [] };
  await assert.rejects(
    apply(target, state, objects, 1, () => undefined),
    /new/,
  );
  const [first = ""] = readFileSync(steps, "utf8").split("\n");
  const sent = (JSON.parse(first) as { items: { kind: string; metadata: { name: string }; spec: unknown }[] }).items;
  assert.deepEqual(
    Object.fromEntries(
      sent.filter(({ kind }) => kind === "Deployment").map(({ metadata, spec }) => [metadata.name, spec]),
    ),
    {
      ours: { replicas: 10, paused: false },
      scaled: { paused: false },
      "by-hand": { replicas: 2, paused: false },
      fixed: { replicas: 2, paused: false },
      new: { replicas: 2, paused: false },
    },
  );
});

test("an autoscaler that the config no longer has is deleted before the number of pods is set", async () => {
  const steps = join(folder, "unscaled-steps");
  writeFileSync(steps, "");
  const rolled = join(folder, "unscaled");
  writeFileSync(rolled, JSON.stringify({ kind: "List", items: [deployment("shop")] }));
  installKubectl(
    "*--dry-run=server*) cat",
    `*" apply "*) cat >> ${steps}; echo >> ${steps}`,
    `*" delete "*) cat >> ${steps}; echo >> ${steps}`,
    `*"get deployments.apps"*) cat ${rolled}`,
    `*) echo '{"kind":"List","items":[]}'`,
  );
  const old = {
    ...autoscaler("shop"),
    metadata: { ...autoscaler("shop").metadata, labels: { "applyset.kubernetes.io/part-of": owner } },
  };
  const objects = [{ ...object("apps/v1", "Deployment", "shop"), spec: { replicas: 6 } }];
  const target = { kubectl: program, context: "unscaled.test" };
  await apply(target, { namespace: "apps", kinds: setKinds, objects: [old] }, objects, 5, () => undefined);
  const kinds = readFileSync(steps, "utf8")
    .trim()
    .split("\n")
    .map((call) => (JSON.parse(call) as { items: { kind: string }[] }).items.map(({ kind }) => kind));
  assert.deepEqual(kinds.slice(0, 2), [["HorizontalPodAutoscaler"], ["Deployment"]]);
});
