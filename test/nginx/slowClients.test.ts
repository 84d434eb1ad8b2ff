/** Clients that use too many connections or too much time. The tests run concurrently, because they mostly wait. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import type { ServerResponse } from "node:http";
import { addressOf, ask, proxyRoutes, startNameServer, startService } from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

/** A service that holds requests to /held, and sends more than socket buffers hold at /large. */
async function withService(use: (nginx: RunningNginx, held: ServerResponse[]) => Promise<void>): Promise<void> {
  const held: ServerResponse[] = [];
  await using nameServer = await startNameServer();
  await using service = await startService("web", ({ url }, response) => {
    if (url === "/held" || url === "/large") held.push(response);
    if (url === "/large") response.end(Buffer.alloc(64 * 2 ** 20));
    else if (url !== "/held") response.end();
  });
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  const routes = [
    { service: "web", path: "/", keepPrefix: false },
    { service: "web", path: "/held", keepPrefix: false, settings: { limit: { connections: 2 } } },
  ];
  await withProxy(proxyRoutes(nameServer, { web: service.port }, routes), (nginx) => use(nginx, held));
}

const secondsSince = (began: number) => (performance.now() - began) / 1000;

describe("a client", { concurrency: true }, () => {
  test("has no more concurrent connections than the route allows, and can open others afterwards", () =>
    withService(async ({ port }, held) => {
      const asking = Array.from({ length: 2 }, () => ask(port, "/held"));
      while (held.length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      const { status, body } = await ask(port, "/held");
      assert.equal(status, 429);
      assert.match(body, /"error":"too many requests","service":"web"/);
      const other = ask(port, "/held", { from: "127.0.0.9" });
      while (held.length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const response of held) response.end();
      for (const answer of [...asking, other]) assert.equal((await answer).status, 200);
      const again = ask(port, "/held");
      while (held.length < 4) await new Promise((resolve) => setTimeout(resolve, 20));
      held[3]?.end();
      assert.equal((await again).status, 200);
    }));

  test("that pauses in the middle of a body is cut off after 20 s", () =>
    withService(async ({ port }) => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      socket.resume().write("POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\nab");
      const began = performance.now();
      await new Promise((resolve) => socket.once("close", resolve));
      const seconds = secondsSince(began);
      assert.ok(seconds > 18 && seconds < 26, `${seconds} s`);
    }));

  test("that stops reading is cut off after 30 s, and the service is free", () =>
    withService(async ({ port }, held) => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      socket.pause().write("GET /large HTTP/1.1\r\nHost: a.example\r\n\r\n");
      const began = performance.now();
      while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const [response] = held;
      assert.ok(response !== undefined);
      await once(response, "close");
      const seconds = secondsSince(began);
      socket.destroy();
      assert.equal(response.writableFinished, false);
      assert.ok(seconds > 28 && seconds < 40, `${seconds} s`);
    }));
});
