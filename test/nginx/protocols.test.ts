/** HTTP/1 and websockets through a real nginx: kinds of requests and answers, and their timeouts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage, type RequestListener, type RequestOptions } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import type { RequestSettings } from "../../nginx/model.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

const whole = "0123456789".repeat(200);
const zipped = gzipSync(whole);

/** Echoes what the service received: method, headers about the body, and the body. */
const echo: RequestListener = (incoming, answer) => {
  const { method, url = "", headers } = incoming;
  if (url === "/ready") answer.end();
  else if (url.startsWith("/silent")) setTimeout(() => answer.end("late"), 1500);
  else if (url === "/zipped")
    answer
      .writeHead(200, { "content-encoding": "gzip", etag: '"strong"', vary: "accept-encoding" })
      .end(headers["accept-encoding"] === "gzip" ? zipped : "");
  else if (url === "/range")
    answer
      .writeHead(headers.range === "bytes=10-19" ? 206 : 200, {
        "content-range": `bytes 10-19/${whole.length}`,
        "content-length": method === "HEAD" ? whole.length : 10,
      })
      .end(whole.slice(10, 20));
  else if (url === "/trailers") {
    answer.writeHead(200, { trailer: "x-sum" });
    answer.write(whole);
    answer.addTrailers({ "x-sum": "42" });
    answer.end();
  } else if (url === "/chunks") {
    answer.write(whole.slice(0, 1000));
    setTimeout(() => answer.end(whole.slice(1000)), 20);
  } else
    void text(incoming).then((body) => {
      const { "content-length": length, "transfer-encoding": coding, expect, trailer } = headers;
      answer.end(JSON.stringify({ method, length, coding, expect, trailer, body }));
    });
};

let nameServer: NameServer;
let service: Service;
before(async () => {
  [nameServer, service] = [await startNameServer(), await startService("web", echo)];
  nameServer.names.set(addressOf("web"), "127.0.0.1");
});
after(async () => {
  await service[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

const paths: Record<string, RequestSettings> = {
  "/": {},
  "/live/": { buffering: false },
  "/hasty/": { timeoutSeconds: 1 },
};
const withWeb = (use: (nginx: RunningNginx) => Promise<void>) =>
  withProxy(
    proxyRoutes(
      nameServer,
      { web: service.port },
      Object.entries(paths).map(([path, settings]) => ({ service: "web", path, keepPrefix: false, settings })),
    ),
    use,
  );

/** One request whose body is sent in the given parts, with pauses. */
async function send(port: number, options: RequestOptions, ...parts: string[]): Promise<[IncomingMessage, string]> {
  const asking = request({ host: "127.0.0.1", port, agent: false, ...options });
  const response = once(asking, "response") as Promise<[IncomingMessage]>;
  for (const part of parts) {
    asking.write(part);
    await sleep(50);
  }
  asking.end();
  const [answer] = await response;
  return [answer, await text(answer)];
}

test("a chunked body arrives whole: with its length if buffered, otherwise in chunks", () =>
  withWeb(async ({ port }) => {
    const [, kept] = await send(port, { method: "POST", path: "/x" }, "one,", "two,", "three");
    assert.deepEqual(JSON.parse(kept), { method: "POST", length: "13", body: "one,two,three" });
    const [, live] = await send(port, { method: "POST", path: "/live/x" }, "one,", "two,", "three");
    assert.deepEqual(JSON.parse(live), { method: "POST", coding: "chunked", body: "one,two,three" });
  }));

test("trailers of a request are dropped, and with them the header that announces them", () =>
  withWeb(async ({ port }) => {
    for (const path of ["/x", "/live/x"]) {
      const headers = { trailer: "X-Sum", "transfer-encoding": "chunked" };
      const asking = request({ host: "127.0.0.1", port, path, method: "POST", headers, agent: false });
      const response = once(asking, "response") as Promise<[IncomingMessage]>;
      asking.write("hello");
      asking.addTrailers({ "X-Sum": "42" });
      asking.end();
      const seen = JSON.parse(await text((await response)[0])) as Record<string, unknown>;
      assert.deepEqual([seen["body"], seen["trailer"]], ["hello", undefined], path);
    }
  }));

test("Expect: 100-continue is answered with 100 or an error", () =>
  withWeb(async ({ port }) => {
    for (const path of ["/x", "/live/x"]) {
      const headers = { expect: "100-continue", "content-length": 5 };
      const asking = request({ host: "127.0.0.1", port, path, method: "PUT", headers, agent: false });
      asking.flushHeaders();
      await once(asking, "continue", { signal: AbortSignal.timeout(5000) });
      const response = once(asking, "response") as Promise<[IncomingMessage]>;
      asking.end("hello");
      const [answer] = await response;
      assert.deepEqual(JSON.parse(await text(answer)), { method: "PUT", length: "5", body: "hello" });
    }
    const headers = { expect: "100-continue", "content-length": 11 * 1024 * 1024 };
    const large = request({ host: "127.0.0.1", port, path: "/x", method: "PUT", headers, agent: false });
    large.on("continue", () => assert.fail("received 100 Continue"));
    large.flushHeaders();
    const [answer] = (await once(large, "response")) as [IncomingMessage];
    assert.equal(answer.statusCode, 413);
    large.destroy();
  }));

test("methods, ranges, trailers and encodings are forwarded unchanged", () =>
  withWeb(async ({ port }) => {
    for (const method of ["OPTIONS", "DELETE", "PATCH", "PROPFIND"])
      assert.partialDeepStrictEqual(JSON.parse((await ask(port, "/x", { method })).body), { method });

    const range = await ask(port, "/range", { headers: { range: "bytes=10-19" } });
    assert.deepEqual([range.status, range.body], [206, "0123456789"]);
    assert.equal(range.headers["content-range"], `bytes 10-19/${whole.length}`);
    const head = await ask(port, "/range", { method: "HEAD" });
    assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, String(whole.length), ""]);

    assert.equal((await ask(port, "/trailers")).body, whole);
    assert.equal((await ask(port, "/chunks")).body, whole);

    const asking = request({ host: "127.0.0.1", port, path: "/zipped", headers: { "accept-encoding": "gzip" } }).end();
    const [answer] = (await once(asking, "response")) as [IncomingMessage];
    assert.deepEqual(Buffer.concat((await answer.toArray()) as Buffer[]), zipped);
    const { "content-encoding": encoding, etag, vary } = answer.headers;
    assert.deepEqual([encoding, etag, vary], ["gzip", '"strong"', "accept-encoding"]);
    assert.equal((await ask(port, "/chunks", { headers: { "accept-encoding": "gzip" } })).body, whole);
  }));

test("an HTTP/1.0 client gets an answer that it understands", () =>
  withWeb(async ({ port }) => {
    const socket = connect(port, "127.0.0.1");
    socket.write("GET /chunks HTTP/1.0\r\nHost: shop.localhost\r\n\r\n");
    const [head = "", body] = (await text(socket)).split("\r\n\r\n");
    assert.match(head, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(head, /transfer-encoding/i);
    assert.equal(body, whole);
  }));

test("each route has its own timeout", () =>
  withWeb(async ({ port }) => {
    const began = performance.now();
    const [hasty, patient] = await Promise.all([
      ask(port, "/hasty/silent").then((answer) => ({ ...answer, after: performance.now() - began })),
      ask(port, "/silent"),
    ]);
    assert.equal(hasty.status, 504);
    assert.partialDeepStrictEqual(JSON.parse(hasty.body), { error: "too slow", service: "web" });
    assert.ok(hasty.after > 900, `${hasty.after} ms`);
    assert.deepEqual([patient.status, patient.body], [200, "late"]);
  }));

/** A websocket at the level of bytes: the service echoes them. */
async function openSocket(port: number, path: string): Promise<Socket> {
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  const asking = request({ host: "127.0.0.1", port, path, headers, agent: false }).end();
  const [, socket] = (await once(asking, "upgrade")) as [IncomingMessage, Socket];
  return socket.setEncoding("utf8").on("error", () => undefined);
}

async function echoed(socket: Socket, words: string): Promise<string> {
  const answer = once(socket, "data", { signal: AbortSignal.timeout(5000) }) as Promise<[string]>;
  socket.write(words);
  return (await answer)[0];
}

test("an active websocket stays open, and an idle one until its route's timeout", () =>
  withWeb(async ({ port }) => {
    const began = performance.now();
    const [speaking, silent, patient] = await Promise.all(
      ["/hasty/", "/hasty/", "/"].map((path) => openSocket(port, path)),
    );
    assert.ok(speaking !== undefined && silent !== undefined && patient !== undefined);
    const cut = once(silent, "close").then(() => performance.now() - began);
    for (let count = 0; count < 6; count += 1) {
      await sleep(400);
      assert.equal(await echoed(speaking, `ping ${count}`), `ping ${count}`);
    }
    const after = await cut;
    assert.ok(after > 900 && after < 5000, `cut after ${after} ms`);
    assert.equal(await echoed(patient, "still there"), "still there");
    for (const socket of [speaking, patient]) socket.destroy();
  }));
