/** The load counts each attempt and each failure once, for the table of faults. */
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoadResult } from "./openLoad.ts";
import { signsOf } from "./table.ts";

test("a rejected websocket counts as one attempt and one failure, and is retried after a pause", async (t) => {
  const server = createServer((request, response) => {
    request.resume();
    // Like a busy server.
    setTimeout(() => response.end('{"service":"echo"}'), 300);
  }).listen(0, "127.0.0.1");
  server.on("upgrade", (_, socket) => socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"));
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const options = JSON.stringify({ url: `http://localhost:${port}/`, rate: 100 });
  const child = fork(join(import.meta.dirname, "openLoad.ts"), [options]);
  t.after(() => child.kill());
  await sleep(3000);
  const answer = once(child, "message") as Promise<[LoadResult]>;
  child.send("stop");
  const [{ sent, seconds, failures, p50 }] = await answer;

  const refused = failures.filter(({ kind }) => kind === "websocket");
  assert.deepEqual(signsOf(refused), [`${refused.length} × websocket 503`]);
  assert.equal(sent.websocket, refused.length);
  // Ten clients, each at most twice a second.
  assert.ok(refused.length >= 10 && refused.length <= 10 * (2 * seconds + 1), `${refused.length} in ${seconds} s`);
  const http = sent["kept alive"] + sent.fresh + sent.upload + sent.download;
  assert.ok(http > 0.9 * 100 * seconds, `${http} requests in ${seconds} s`);
  assert.ok(p50 >= 295, `${p50} ms`);
});

test("failures are grouped by who answered, or by how the connection ended", () => {
  const seen = [
    ["fresh", '502 {"error":"service unknown or down","service":"echo"}'],
    ["kept alive", "503 no healthy upstream"],
    ["kept alive", "503 no healthy upstream"],
    ["kept alive", "503 upstream connect error or disconnect/reset before headers"],
    ["upload", "socket hang up"],
    ["fresh", "connect ECONNREFUSED 127.0.0.1:443"],
    ["download", "the answer was cut off"],
    ["websocket", "Unexpected server response: 503"],
    ["websocket", "closed with 1006"],
    ["upload", "the service got another body"],
  ] as const;
  assert.deepEqual(signsOf(seen.map(([kind, what]) => ({ at: 0, kind, what }))), [
    "3 × edge's 503",
    "1 × proxy's 502",
    "1 × connection reset",
    "1 × connection refused",
    "1 × cut off",
    "1 × websocket 503",
    "1 × websocket cut off",
    "1 × the service got another body",
  ]);
});
