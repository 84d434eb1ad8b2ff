import assert from "node:assert/strict";
import { test } from "node:test";
import * as k8s from "@pulumi/kubernetes";
import { WorkloadIdentity, type WorkloadIdentityArgs } from "../../../components/workloads/workloadIdentity.ts";
import { mockPulumi, settled, valueOf } from "../../../tools/testing/mocks.ts";

const types = {
  account: "gcp:serviceaccount/account:Account",
  use: "gcp:serviceaccount/iAMMember:IAMMember",
  grant: "gcp:projects/iAMMember:IAMMember",
  kubernetes: "kubernetes:core/v1:ServiceAccount",
};
const args: WorkloadIdentityArgs = {
  project: "acme-staging",
  stack: "staging",
  service: "hoge",
  namespace: "apps",
  roles: ["roles/pubsub.publisher", "projects/acme-staging/roles/orders"],
};
const email = "staging-svc-hoge@acme-staging.iam.gserviceaccount.com";

async function make(change: Partial<WorkloadIdentityArgs> = {}) {
  const recording = await mockPulumi({
    outputs: { [types.account]: () => ({ email, name: `projects/acme-staging/serviceAccounts/${email}` }) },
  });
  const provider = new k8s.Provider("cluster");
  const identity = new WorkloadIdentity("hoge-identity", { ...args, ...change }, { provider });
  await settled();
  return { recording, identity, urn: await valueOf(identity.urn), provider: await valueOf(provider.urn) };
}

test("a Google service account, its roles, and the Kubernetes ServiceAccount that may use it: nothing else", async () => {
  const { recording, identity, urn, provider } = await make();
  assert.equal(urn, "urn:pulumi:test::gke-microservices::gke-microservices:index:WorkloadIdentity::hoge-identity");
  const children = recording.resources.filter(({ parent }) => parent === urn);
  assert.deepEqual(children.map(({ type, name }) => `${type} ${name}`).sort(), [
    `${types.grant} hoge-identity-projects-acme-staging-roles-orders`,
    `${types.grant} hoge-identity-roles-pubsub.publisher`,
    `${types.account} hoge-identity-account`,
    `${types.use} hoge-identity-use`,
    `${types.kubernetes} hoge-identity-serviceaccount`,
  ]);

  assert.deepEqual(recording.one(types.account).inputs, {
    project: "acme-staging",
    accountId: "staging-svc-hoge",
    displayName: "Service hoge of the stack staging",
  });
  assert.deepEqual(
    recording.all(types.grant).map(({ inputs }) => inputs),
    args.roles.map((role) => ({ project: "acme-staging", role, member: `serviceAccount:${email}` })),
  );
  assert.deepEqual(recording.one(types.use).inputs, {
    serviceAccountId: `projects/acme-staging/serviceAccounts/${email}`,
    role: "roles/iam.workloadIdentityUser",
    member: "serviceAccount:acme-staging.svc.id.goog[apps/hoge]",
  });
  const kubernetes = recording.one(types.kubernetes);
  assert.equal(kubernetes.provider, provider);
  assert.deepEqual(kubernetes.inputs, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      name: "hoge",
      namespace: "apps",
      labels: { "app.kubernetes.io/name": "hoge", "app.kubernetes.io/part-of": "gke-microservices" },
      annotations: { "iam.gke.io/gcp-service-account": email },
    },
    automountServiceAccountToken: false,
  });
  assert.equal(await valueOf(identity.serviceAccountName), "hoge");
  assert.equal(await valueOf(identity.email), email);
});

test("the account's name resolves only after all roles are granted", async () => {
  const { recording } = await make();
  const { dependencies } = recording.one(types.kubernetes);
  for (const grant of [...recording.all(types.grant), recording.one(types.use)])
    assert.ok(dependencies.includes(grant.urn), grant.name);
});

test("the account's ID is valid, unique for each service and stack, and never that of the nodes", async () => {
  const idOf = async (stack: string, service: string) => {
    const { recording } = await make({ stack, service });
    return String(recording.one(types.account).inputs["accountId"]);
  };
  const ids = [
    await idOf("staging", "nodes"),
    await idOf("a", "b"),
    await idOf("a-stack-of-24-characters", "a-service-name-of-forty-characters-in-al"),
    await idOf("a-stack-of-24-characters", "a-service-name-of-forty-characters-in-am"),
  ];
  assert.equal(ids[0], "staging-svc-nodes");
  for (const id of ids) assert.match(id, /^[a-z][a-z0-9-]{4,28}[a-z0-9]$/);
  assert.equal(new Set(ids).size, ids.length);
});
