/** gRPC from a real client through the edge (Ingress and Gateway) and the proxy to a pod with a gRPC health check. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { kubectlObjects } from "../../tools/cli/kubectl.ts";
import { projectDir } from "../../tools/cli/paths.ts";
import { get } from "../../tools/verify/request.ts";
import { call, withClient } from "../nginx/grpcPeers.ts";
import { localTarget, stackFile, stop } from "./support/commands.ts";
import { endpoint, start } from "./support/path.ts";

const original = readFileSync(stackFile, "utf8");
const modules = join(projectDir, "test/e2e/grpc/node_modules");
/** Files that a server needs at run time: the base image has only Node. */
const packages = ["@grpc/grpc-js/build/src", "@js-sdsl/ordered-map/dist/cjs"];

for (const code of packages) {
  const owner = code.split("/").slice(0, 2).join("/");
  for (const part of [code, `${owner}/package.json`])
    cpSync(join(projectDir, "node_modules", part), join(modules, part), {
      recursive: true,
      filter: (path) => !/\.(ts|map)$/.test(path),
    });
}
after(async () => {
  writeFileSync(stackFile, original);
  rmSync(modules, { recursive: true });
  await stop();
});

/** Writes the local stack with the service, on a path of a shared host and on its own host. */
function write(edit: (text: string) => string = (text) => text): void {
  const service = `    orders:
      build: { context: ./test/e2e/grpc }
      port: 50051
      routes: [{ path: /shop.v1.Orders/ }, { host: grpc }]
      routeDefaults: { protocol: grpc }
      resources: { cpu: 50m }
`;
  writeFileSync(stackFile, edit(original.replace("config:", "config:\n  rolloutSeconds: 40") + service));
}
const objects = (kind: string, ...more: string[]) =>
  kubectlObjects(localTarget, ["--namespace", "apps", "get", kind, ...more]);

/** Makes every kind of call through both routes of the service. */
async function assertCalls(): Promise<void> {
  const { ca, httpsPort } = endpoint();
  for (const host of ["shop.localhost", "grpc.shop.localhost"])
    await withClient(
      httpsPort,
      host,
      async (client) => {
        const answer = await call(client, "get", { headers: { "x-forwarded-for": "198.51.100.9", "x-tenant": "7" } });
        const seen = answer["headers"] as Record<string, string>;
        assert.deepEqual([answer["service"], answer["host"], seen["x-tenant"]], ["orders", host, "7"]);
        assert.equal(seen["x-forwarded-proto"], "https");
        assert.match(seen["x-real-ip"] ?? "", /^(127|10)\./);

        const list = (await client.list({ count: 500 }).toArray()).map(({ index }: { index: number }) => index);
        assert.deepEqual(
          list,
          Array.from({ length: 500 }, (_, index) => index),
        );
        // Each message is answered before the next is sent: nothing buffers them.
        const chat = client.chat();
        for (const say of ["one", "two"]) {
          chat.write({ say });
          assert.deepEqual(((await once(chat, "data")) as [unknown])[0], { said: say });
        }
        chat.end();
        await once(chat.resume(), "end");
      },
      ca,
    );
  const web = await get(endpoint(), "https", "shop.localhost", "/");
  assert.match(web.body, /"service": "web"/, "the host's other paths");
}

test(
  "a gRPC service behind an Ingress is ready by its own health check, and can be called",
  { timeout: 25 * 60_000 },
  async () => {
    write();
    const { status, text } = await start();
    assert.equal(status, 0, text);
    assert.match(text, /ok +grpc:\/\/shop\.localhost\/shop\.v1\.Orders\/ +grpc-status 12 from orders/);
    assert.match(text, /ok +grpc:\/\/grpc\.shop\.localhost\/ +grpc-status 0 from orders/);
    await assertCalls();
  },
);

test("its pods have gRPC probes, and policies allow the edge to reach the proxy's gRPC port, and the proxy the service", async () => {
  interface Pod {
    readonly containers: readonly { readonly readinessProbe?: { readonly grpc?: { readonly port: number } } }[];
  }
  for (const { metadata, ...pod } of await objects("pods", "--selector", "app.kubernetes.io/name=orders"))
    assert.equal((pod["spec"] as Pod).containers[0]?.readinessProbe?.grpc?.port, 50051, metadata.name);
  interface Policy {
    readonly ingress: readonly { readonly ports: readonly { readonly port: number | string }[] }[];
  }
  const ports = async (name: string) => {
    const [policy] = await objects("networkpolicies", "--field-selector", `metadata.name=${name}`);
    return (policy?.["spec"] as Policy).ingress.flatMap((rule) => rule.ports.map(({ port }) => port));
  };
  assert.ok((await ports("nginx-proxy")).includes(8443));
  assert.deepEqual(await ports("orders.from.nginx-proxy"), [50051]);
});

test("a client of the Service stays with one pod; a client of the pods' name spreads its calls", async (context) => {
  const caller = `    caller:
      like: orders
      args: [spread.mjs]
      health: /healthz
      env: { ONE: { service: orders }, EACH: { pods: orders } }
      replicas: 1
      routes: [{ path: /spread/ }]
`;
  write((text) => text.replace("port: 50051", "port: 50051\n      replicas: 4") + caller);
  const { status, text } = await start();
  assert.equal(status, 0, text);
  const { body } = await get(endpoint(), "https", "shop.localhost", "/spread/");
  context.diagnostic(body);
  const { one, each } = JSON.parse(body) as Record<"one" | "each", Readonly<Record<string, number>>>;
  assert.equal(Object.keys(one).length, 1, body);
  assert.deepEqual(Object.values(each), [100, 100, 100, 100]);
});

test("a release with the status NOT_SERVING is never ready and gets no calls; the previous one keeps serving", async () => {
  write((text) =>
    text.replace("port: 50051", 'port: 50051\n      env: { SERVING: "false" }').replace("Seconds: 40", "Seconds: 10"),
  );
  const { status, text } = await start();
  assert.equal(status, 1, text);
  assert.match(text, /rollout of orders did not complete/);
  await assertCalls();
});

test("the same calls work behind a Gateway, also on a host with more paths than one HTTPRoute can have", async () => {
  const paths = (service: string) =>
    Array.from({ length: 40 }, (_, index) => `{ path: /many.v1.${service}${index}/ }`).join(", ");
  const more = `    carts:
      build: { context: ./test/e2e/grpc }
      port: 50051
      replicas: 1
      routes: [${paths("Carts")}]
      routeDefaults: { protocol: grpc }
      resources: { cpu: 50m }
`;
  write(
    (text) =>
      text.replace("kind: ingress", "kind: gateway").replace("{ host: grpc }]", `{ host: grpc }, ${paths("Orders")}]`) +
      more,
  );
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.equal((await objects("httproutes")).length, 5, "one more than hosts, and the redirect");
  for (const [path, service] of [
    ["Carts0", "carts"],
    ["Carts39", "carts"],
    ["Orders0", "orders"],
    ["Orders39", "orders"],
  ] as const)
    assert.match(text, new RegExp(`ok +grpc://shop\\.localhost/many\\.v1\\.${path}/ +grpc-status 12 from ${service}`));
  await assertCalls();
});

test("without the service, the stack has no gRPC objects", async () => {
  writeFileSync(stackFile, original);
  const { status, text } = await start();
  assert.equal(status, 0, text);
  for (const kind of ["services", "secrets", "deployments", "configmaps", "networkpolicies", "gateways", "httproutes"])
    assert.doesNotMatch(
      JSON.stringify((await objects(kind)).map(({ metadata }) => metadata.name)),
      /grpc|orders|carts|gateway/,
    );
  assert.equal((await get(endpoint(), "https", "shop.localhost", "/hoge/")).status, 200);
  assert.match((await start()).text, /nothing to apply/);
});
