/** The log and nginx's own answers name the service that nginx chose for a request, in a real nginx. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ProxyRoutes, Route } from "../../nginx/model.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "../../tools/testing/loopback.ts";
import { askGrpc, startGrpcService, type GrpcService } from "./grpcPeers.ts";
import { withProxy } from "./realNginx.ts";

let nameServer: NameServer;
let web: Service;
let orders: GrpcService;
before(async () => {
  nameServer = await startNameServer();
  web = await startService("web");
  orders = await startGrpcService("orders");
  for (const name of ["web", "orders", "dead"]) nameServer.names.set(addressOf(name), "127.0.0.1");
});
after(async () => {
  await web[Symbol.asyncDispose]();
  await orders[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

const toDead: Partial<Route> = { versions: [{ header: "x-version", value: "next", service: "dead" }] };
const proxy = (): ProxyRoutes =>
  // Nobody listens on port 1 of loopback.
  proxyRoutes(nameServer, { web: web.port, orders: orders.port, dead: 1 }, [
    { service: "web", path: "/", keepPrefix: false },
    { service: "web", path: "/kept/", keepPrefix: true, ...toDead },
    { service: "web", path: "/stripped/", keepPrefix: false, ...toDead },
    { service: "web", path: "/exact", keepPrefix: false, ...toDead },
    { service: "web", path: "/half/", keepPrefix: false, canary: { service: "dead", percent: 50 } },
    { service: "web", path: "/closed/", keepPrefix: false, maintenance: true, ...toDead },
    { service: "orders", path: "/shop.v1.Orders/", protocol: "grpc", keepPrefix: false, ...toDead },
  ]);

const next = { "x-version": "next" };
/** The service of each line of the access log, by the request's id. */
const serviceOf = (log: readonly string[]) =>
  new Map(
    log.map((line) => {
      const { requestId, service } = JSON.parse(line) as { requestId: string; service: string };
      return [requestId, service];
    }),
  );

test("the log and a 502 name the version's service, the route's own only where it was chosen", () =>
  withProxy(proxy(), async ({ port, log }) => {
    for (const path of ["/kept/x", "/stripped/x", "/exact"]) {
      const answer = await ask(port, path, { headers: { ...next, "x-request-id": `next${path}` } });
      assert.equal(answer.status, 502, path);
      assert.deepEqual(JSON.parse(answer.body), {
        error: "service unknown or down",
        service: "dead",
        requestId: `next${path}`,
      });
      assert.equal((await ask(port, path, { headers: { "x-request-id": `own${path}` } })).status, 200, path);
    }
    const closed = await ask(port, "/closed/", { headers: next });
    assert.equal((JSON.parse(closed.body) as { service: string }).service, "web", "no service was chosen");
    const services = serviceOf(await log());
    for (const path of ["/kept/x", "/stripped/x", "/exact"])
      assert.deepEqual([services.get(`next${path}`), services.get(`own${path}`)], ["dead", "web"], path);
  }));

test("with a canary, the log and the answers name the side that each client got", () =>
  withProxy(proxy(), async ({ port, log }) => {
    const clients = Array.from({ length: 40 }, (_, index) => `127.1.0.${index + 1}`);
    const failed = new Set<string>();
    for (const from of clients) {
      const { status, body } = await ask(port, "/half/", { from, headers: { "x-request-id": from } });
      if (status === 200) continue;
      failed.add(from);
      assert.equal((JSON.parse(body) as { service: string }).service, "dead");
    }
    assert.ok(failed.size > 5 && failed.size < 35, `${failed.size} of 40`);
    const services = serviceOf(await log());
    for (const from of clients) assert.equal(services.get(from), failed.has(from) ? "dead" : "web", from);
  }));

test("gRPC answers and their log name the version's service, without the prefix of its upstream", () =>
  withProxy(proxy(), async ({ grpcPort, log }) => {
    const dead = await askGrpc(grpcPort, "/shop.v1.Orders/Get", { headers: { ...next, "x-request-id": "next" } });
    assert.equal(dead.headers["grpc-message"], "service unknown or down: dead; request next");
    const own = await askGrpc(grpcPort, "/shop.v1.Orders/Get", { headers: { "x-request-id": "own" } });
    assert.equal(own.trailers["grpc-status"], "0");
    const services = serviceOf(await log());
    assert.deepEqual([services.get("next"), services.get("own")], ["dead", "orders"]);
  }));
