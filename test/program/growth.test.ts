/** The cost of one more service, as counts: seconds differ by machine, but counts show superlinear growth. */
import assert from "node:assert/strict";
import { mock, suite, test } from "node:test";
import type { Recorded } from "../../tools/testing/mocks.ts";
import { record } from "../../tools/testing/recorded.ts";

const role = "roles/storage.objectViewer";
const small = 10;
const large = 20;

/** The staging stack with so many services, each with two routes and its own Google identity. */
async function withServices(count: number) {
  const services = Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `s${index}`,
      {
        image: `registry.example.com/s:1.0.${index}`,
        health: "/readyz",
        routes: [{ path: `/s${index}/` }, { host: `s${index}` }],
        roles: [role],
      },
    ]),
  );
  const parse = mock.method(JSON, "parse");
  const { recording } = await record("staging", { services });
  const reads = parse.mock.calls.filter(({ arguments: [text] }) => text === JSON.stringify(services));
  parse.mock.restore();
  return { recording, resources: recording.resources, reads: reads.length };
}

const few = await withServices(small);
const many = await withServices(large);

/** How much one service adds to a count of the stack's resources. */
function perService(count: (resources: readonly Recorded[]) => number): number {
  return (count(many.resources) - count(few.resources)) / (large - small);
}

/** By name and type, the names of each resource's dependencies. */
const edges = (resources: readonly Recorded[]) =>
  new Map(
    resources.map(({ type, name, dependencies }) => [
      `${name} ${type}`,
      dependencies.map((urn) => urn.split("::").at(-1) ?? "").sort(),
    ]),
  );

suite("one more service", () => {
  test("registers only its own resources", () => {
    const isComponent = ({ type }: Recorded) => type.startsWith("gke-microservices:");
    // Microservice and WorkloadIdentity.
    assert.equal(
      perService((all) => all.filter(isComponent).length),
      2,
    );
    // Deployment, two Services, disruption budget and a network policy for its route; for the identity, one for Google's
    // APIs, two accounts and two grants.
    assert.equal(
      perService((all) => all.filter((each) => !isComponent(each)).length),
      5 + 5,
    );
  });

  test("adds few dependencies, as many in a large stack as in a small one", () => {
    const sum = perService((all) => all.reduce((total, { dependencies }) => total + dependencies.length, 0));
    assert.ok(Number.isInteger(sum) && sum <= 23, `${sum} dependencies per service`);
    const inFew = edges(few.resources);
    const inMany = edges(many.resources);
    for (const [resource, before] of inFew)
      if (resource.startsWith("s3")) assert.deepEqual(inMany.get(resource), before, resource);
  });

  test("is a dependency of only one resource of the proxy", () => {
    const inFew = edges(few.resources);
    const grown = [...edges(many.resources)].filter(
      ([resource, after]) => inFew.has(resource) && inFew.get(resource)?.length !== after.length,
    );
    assert.deepEqual(
      grown.map(([resource]) => resource),
      ["nginx-proxy gke-microservices:index:NginxProxy"],
    );
    const proxy = many.recording.one("gke-microservices:index:NginxProxy");
    const ofServices = proxy.dependencies.filter((urn) => urn.includes(":Microservice$"));
    // The Deployment, and the Service that finds its pods.
    assert.equal(ofServices.length, 2 * large);
  });

  test("is registered before the last service is created", () => {
    const order = many.resources.map(({ type, name }) => `${name} ${type}`);
    const firstIsThere = order.indexOf("s0-deployment kubernetes:apps/v1:Deployment");
    const lastBegins = order.indexOf(`s${large - 1} gke-microservices:index:Microservice`);
    assert.ok(firstIsThere >= 0 && firstIsThere < lastBegins, order.join("\n"));
  });

  test("depends on no other service", () => {
    for (const [resource, dependencies] of edges(many.resources)) {
      const [, own] = /^(?:network-policies-)?(s\d+)\b/.exec(resource) ?? [];
      if (own === undefined) continue;
      const others = dependencies.filter((name) => /\bs\d+\b/.test(name) && !new RegExp(`\\b${own}\\b`).test(name));
      assert.deepEqual(others, [], resource);
    }
  });

  test("depends on one resource of the cluster, not on all", () => {
    const cluster = many.recording.one("gke-microservices:index:GkeCluster").urn;
    const parts = new Set(many.resources.filter(({ parent }) => parent === cluster).map(({ urn }) => urn));
    const provider = many.recording.one("pulumi:providers:kubernetes").urn;
    for (const { name, parent, dependencies } of many.resources)
      if (parent !== cluster)
        for (const urn of dependencies.filter((each) => parts.has(each) && each !== provider))
          assert.match(urn, /::staging-cluster$/, `${name} waits for ${urn}`);
  });
});

test("with any number of services there is one provider, one read of the config, and one call to Google", () => {
  for (const { recording, reads } of [few, many]) {
    const { urn } = recording.one("pulumi:providers:kubernetes");
    for (const { type, name, provider } of recording.resources)
      if (type.startsWith("kubernetes:")) assert.equal(provider, urn, name);
    assert.equal(reads, 1);
    assert.equal(recording.calls.length, 1);
  }
});

test("nginx resolves one name per service, for any number of routes", () => {
  for (const [{ recording }, count] of [
    [few, small],
    [many, large],
  ] as const) {
    const { data } = recording.one("kubernetes:core/v1:ConfigMap").inputs as { data: Record<string, string> };
    const asked = [...(data["routes.conf"] ?? "").matchAll(/^\s*server (\S+):\d+ resolve\b/gm)].map(([, name]) => name);
    assert.equal(asked.length, count);
    assert.equal(new Set(asked).size, count);
  }
});
