/** Shutdown of nginx, seen by clients: it finishes active requests and accepts no new ones. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, request, type ClientRequest, type IncomingMessage } from "node:http";
import { type Socket } from "node:net";
import { test } from "node:test";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { addressOf, ask, proxyRoutes, startNameServer, startService } from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

const download = 4 * 2 ** 20;
const half = Buffer.alloc(64 * 2 ** 10, "x");

/** A service behind nginx that answers slowly, sends a large answer, or reports the size of an upload. */
async function withService(use: (nginx: RunningNginx) => Promise<void>): Promise<void> {
  await using nameServer = await startNameServer();
  await using service = await startService("hoge", (incoming, response) => {
    void (async () => {
      const body = await text(incoming);
      if (incoming.url === "/slow") await sleep(1500);
      response.end(incoming.url === "/large" ? Buffer.alloc(download) : String(body.length));
    })();
  });
  nameServer.names.set(addressOf("hoge"), "127.0.0.1");
  await withProxy(
    proxyRoutes(nameServer, { hoge: service.port }, [{ service: "hoge", path: "/", keepPrefix: false }]),
    use,
  );
}

const answerOf = async (asking: ClientRequest): Promise<IncomingMessage> =>
  ((await once(asking, "response")) as [IncomingMessage])[0];

test("nginx finishes a slow answer, a large download and an upload before it exits", async () => {
  await withService(async ({ port, quit }) => {
    const slow = ask(port, "/slow");
    const downloading = await answerOf(request({ port, path: "/large", agent: false }).end());
    const uploading = request({
      port,
      path: "/",
      method: "POST",
      agent: false,
      headers: { "content-length": half.length * 2 },
    });
    uploading.write(half);
    await sleep(200);

    let ended = false;
    const quitting = quit().then(() => (ended = true));
    await sleep(200);
    await assert.rejects(ask(port, "/"), /ECONNREFUSED/);

    uploading.end(half);
    assert.equal(await text(await answerOf(uploading)), String(half.length * 2));
    assert.equal((await slow).body, "0");
    assert.equal(ended, false, "the download is still in progress");
    let received = 0;
    for await (const chunk of downloading) received += (chunk as Buffer).length;
    assert.equal(received, download);
    await quitting;
  });
});

test("idle kept-alive connections are closed at once, active ones after the answer", async () => {
  await withService(async ({ port, quit }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const asking = request({ port, path: "/", agent }).end();
    const [idle] = (await once(asking, "socket")) as [Socket];
    await text(await answerOf(asking));
    const closed = once(idle, "close");
    const busy = request({ port, path: "/slow", agent: new Agent({ keepAlive: true }) }).end();
    await sleep(200);
    const began = Date.now();
    const quitting = quit();
    await closed;
    assert.ok(Date.now() - began < 1000, "an idle connection is closed at once");
    const answer = await answerOf(busy);
    assert.equal(await text(answer), "0");
    assert.equal(answer.headers.connection, "close", "the client must not reuse the connection");
    await quitting;
    agent.destroy();
  });
});
