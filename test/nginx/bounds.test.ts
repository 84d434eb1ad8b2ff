/** What clients can take of the proxy: computed from its memory and routes, and enforced by a real nginx. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { boundsOf } from "../../nginx/bounds.ts";
import type { ProxyRoutes } from "../../nginx/model.ts";
import { addressOf, ask, proxyRoutes, startNameServer, startService } from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

const web = { service: "web", path: "/", keepPrefix: false };
const small: ProxyRoutes = {
  client: { trustedProxies: [], entry: "last" },
  upstreams: [{ service: "web", address: "web.shop.svc.cluster.local", port: 8080 }],
  routes: [web],
};
const bodiesOf = (...routes: ProxyRoutes["routes"][number]["settings"][]) => {
  const { bodies, diskMb } = boundsOf({ ...small, routes: routes.map((settings) => ({ ...web, settings })) });
  return [[...bodies], diskMb];
};

test("the number of requests follows from the memory, and from the largest buffers", () => {
  const requests = (more: Partial<ProxyRoutes>) => boundsOf({ ...small, ...more }).requests;
  assert.equal(requests({}), 879);
  assert.equal(requests({ memoryMb: 256 }), 1962);
  assert.equal(requests({ memoryMb: 1024 }), 3000, "what the workers' connections carry");
  assert.equal(requests({ memoryMb: 20 }), 64);
  assert.equal(requests({ routes: [{ ...web, settings: { maxResponseHeaderKb: 64 } }] }), 339);
  const { requestsPerClient } = boundsOf(small);
  assert.equal(requestsPerClient, 440);
  assert.equal(boundsOf({ ...small, requestsPerClient: 500 }).requestsPerClient, 500);
  assert.equal(boundsOf({ ...small, requestsPerClient: 5000 }).requestsPerClient, 879);
});

test("bodies of each size have an equal part of the disk, and a part holds two of them", () => {
  assert.deepEqual(bodiesOf({}), [[[10, 102]], 1024]);
  assert.deepEqual(bodiesOf({ maxBodyMb: 100 }), [[[10, 51], [100, 5]], 1024]); // prettier-ignore
  assert.deepEqual(bodiesOf({ maxBodyMb: 512 }, { maxBodyMb: 300 }), [[[10, 34], [300, 2], [512, 2]], 1964]); // prettier-ignore
  assert.deepEqual(bodiesOf({ maxBodyMb: 9000, buffering: false }), [[[10, 102]], 1024], "passed on as they come");
  const grpc = { ...web, protocol: "grpc" as const, settings: { maxBodyMb: 100 } };
  assert.deepEqual([...boundsOf({ ...small, routes: [grpc] }).bodies], [[10, 102]]);
});

/** Files that nginx's workers hold open, deleted ones included. */
function openFiles({ pid, folder }: RunningNginx): { path: string; bytes: number }[] {
  return workersOf(pid).flatMap((worker) =>
    readdirSync(`/proc/${worker}/fd`).flatMap((descriptor) => {
      const file = `/proc/${worker}/fd/${descriptor}`;
      const path = readlinkSync(file);
      return path.startsWith(join(folder, "client_body")) ? [{ path, bytes: statSync(file).size }] : [];
    }),
  );
}
const workersOf = (pid: number) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
/** MiB that the master and its workers have of their own. Pages that they share count once. */
const memoryMb = (pid: number) =>
  [String(pid), ...workersOf(pid)]
    .map((each) => Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${each}/smaps_rollup`, "utf8"))?.[1]) / 1024)
    .reduce((sum, each) => sum + each, 0);

/** Sends the beginning of a request, and keeps the connection open. */
async function begin(
  port: number,
  from: string,
  text: string | Buffer,
): Promise<{ socket: Socket; answer: () => string }> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  let answer = "";
  socket
    .setEncoding("latin1")
    .on("data", (data: string) => (answer += data))
    .on("error", () => undefined);
  await once(socket, "connect");
  socket.write(text);
  return { socket, answer: () => answer };
}
const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);

async function withSystem(
  more: Partial<ProxyRoutes>,
  settings: ProxyRoutes["routes"][number]["settings"],
  use: (nginx: RunningNginx) => Promise<void>,
) {
  await using nameServer = await startNameServer();
  await using service = await startService("web", (request, response) => {
    request.resume();
    if (request.url === "/large") response.end(Buffer.alloc(4 * 2 ** 20));
    else if (request.url !== "/held") response.end("ok");
  });
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  const routes = [{ ...web, settings }];
  await withProxy({ ...proxyRoutes(nameServer, { web: service.port }, routes), ...more }, use);
}

test("one client has half of the requests; others are served, and so is it after one ends", () =>
  withSystem({ memoryMb: 20 }, {}, async ({ port }) => {
    const held = await Promise.all(Array.from({ length: 32 }, () => begin(port, "127.0.0.9", "GET /held HTTP/1.1\r\nHost: a\r\n\r\n"))); // prettier-ignore
    await sleep(300);
    const refused = await ask(port, "/", { from: "127.0.0.9" });
    assert.equal(refused.status, 429);
    assert.partialDeepStrictEqual(JSON.parse(refused.body), { error: "too many requests" });
    assert.equal((await ask(port, "/", { from: "127.0.0.8" })).status, 200);
    held[0]?.socket.destroy();
    await sleep(300);
    assert.equal((await ask(port, "/", { from: "127.0.0.9" })).status, 200);
    for (const { socket } of held) socket.destroy();
  }));

test("a thousand slow clients that read nothing do not take more memory than the pod has", () =>
  withSystem({ memoryMb: 64 }, {}, async (nginx) => {
    const { requests } = boundsOf({ ...small, memoryMb: 64 });
    assert.ok(requests > 300 && requests < 400, `${requests}`);
    const before = memoryMb(nginx.pid);
    // Each with a header as large as nginx reads, and an answer that it does not read.
    const header = Array.from({ length: 2 }, (_, index) => `X-${index}: ${"x".repeat(15_500)}\r\n`).join("");
    const clients = await Promise.all(
      Array.from({ length: 1000 }, async (_, index) => {
        const client = await begin(nginx.port, `127.0.1.${1 + (index % 200)}`, `GET /large HTTP/1.1\r\nHost: a\r\n${header}\r\n`); // prettier-ignore
        client.socket.pause();
        return client;
      }),
    );
    await sleep(3000);
    const taken = memoryMb(nginx.pid);
    assert.ok(taken < 64, `${taken.toFixed(1)} MiB, of ${before.toFixed(1)} before`);
    for (const { socket } of clients) socket.destroy();
    await sleep(500);
    assert.equal((await ask(nginx.port, "/")).status, 200);
  }));

test("unfinished bodies take as much disk as the bound says, deleted files included; small bodies are not counted", () =>
  withSystem({}, { maxBodyMb: 200 }, async (nginx) => {
    const [kept = 0] = [...boundsOf({ ...small, routes: [{ ...web, settings: { maxBodyMb: 200 } }] }).bodies.values()].slice(1); // prettier-ignore
    assert.equal(kept, 2);
    const post = (from: string, length: string) =>
      begin(
        nginx.port,
        from,
        // Of a body, or of a chunk of 64 MiB.
        Buffer.concat([
          Buffer.from(`POST / HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\n`),
          Buffer.from(length.includes("chunked") ? "4000000\r\n" : ""),
          Buffer.alloc(2 ** 20),
        ]),
      );
    const length = `Content-Length: ${100 * 2 ** 20}`;
    const first = [await post("127.0.0.9", length), await post("127.0.0.8", "Transfer-Encoding: chunked")];
    await sleep(500);
    const more = await Promise.all(
      ["127.0.0.7", "127.0.0.9"].flatMap((from) => [post(from, length), post(from, "Transfer-Encoding: chunked")]),
    );
    await sleep(500);
    assert.deepEqual(
      more.map(({ answer }) => statusOf(answer())),
      [429, 429, 429, 429],
    );
    const files = openFiles(nginx);
    assert.ok(files.length <= kept, JSON.stringify(files));
    assert.equal((await ask(nginx.port, "/", { method: "POST", body: "x".repeat(16_000) })).status, 200);
    for (const { socket } of [...first, ...more]) socket.destroy();
    await sleep(500);
    assert.deepEqual(openFiles(nginx), []);
    assert.equal((await ask(nginx.port, "/", { method: "POST", body: "x".repeat(50_000) })).status, 200);
  }));
