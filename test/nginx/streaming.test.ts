/** Large, slow or endless bodies through a real nginx: which are streamed, which are buffered, and where. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { globSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { request, type ClientRequest, type IncomingMessage, type RequestListener } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { RequestSettings } from "../../nginx/model.ts";
import {
  addressOf,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

const mebibyte = 1024 * 1024;
const block = randomBytes(mebibyte);
const hashOf = (blocks: number) => {
  const hash = createHash("sha256");
  for (let count = 0; count < blocks; count += 1) hash.update(block);
  return hash.digest("hex");
};

/** Progress of the service with the current request. */
let received = 0;
let finished = false;
/** Lets the service send its next event. */
let next: () => void = () => undefined;

const listener: RequestListener = (incoming, answer) => {
  [received, finished] = [0, false];
  if (incoming.method === "PUT") {
    const hash = createHash("sha256");
    incoming.on("data", (data: Buffer) => {
      received += data.length;
      hash.update(data);
    });
    incoming.on("end", () => answer.end(hash.digest("hex")));
  } else if (incoming.url?.includes("events") === true) {
    // Like an HTTP/1.0 service.
    if (incoming.url.includes("closed")) {
      answer.useChunkedEncodingByDefault = false;
      answer.shouldKeepAlive = false;
    }
    answer.writeHead(200, { "content-type": "text/event-stream" });
    let count = 0;
    next = () => {
      count += 1;
      answer.write(`data: ${count}\n\n`);
      if (count === 3) answer.end();
    };
    next();
  } else if (incoming.url?.includes("blocks") === true) {
    answer.on("finish", () => (finished = true));
    let left = blocks;
    const send = () => {
      while (left > 0) {
        left -= 1;
        if (!answer.write(block)) return void answer.once("drain", send);
      }
      answer.end();
    };
    send();
  } else answer.end("ok");
};
const blocks = 64;

let nameServer: NameServer;
let service: Service;
before(async () => {
  [nameServer, service] = [await startNameServer(), await startService("web", listener)];
  nameServer.names.set(addressOf("web"), "127.0.0.1");
});
after(async () => {
  await service[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

const paths: Record<string, RequestSettings> = {
  "/": {},
  "/live/": { buffering: false, maxBodyMb: 0 },
  "/kept/": { maxBodyMb: 100 },
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

const start = (port: number, path: string, method = "GET", headers: Record<string, number> = {}): ClientRequest =>
  request({ host: "127.0.0.1", port, path, method, headers, agent: false });
const answerTo = async (asking: ClientRequest): Promise<IncomingMessage> => {
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  return answer;
};
async function write(asking: ClientRequest, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) if (!asking.write(block)) await once(asking, "drain");
}
async function until(what: string, holds: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt += 1) {
    if (holds()) return;
    await sleep(10);
  }
  assert.fail(`not within 10 s: ${what}`);
}

const workersOf = ({ pid }: RunningNginx) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
/** Peak memory of any worker, MiB. */
function peakMemory(nginx: RunningNginx): number {
  const peaks = workersOf(nginx).map(
    (worker) => /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${worker}/status`, "utf8"))?.[1],
  );
  return Math.max(...peaks.map(Number)) / 1024;
}
/** Bytes in nginx's open temporary files; nginx unlinks them right after opening. */
function kept(nginx: RunningNginx, name: "client_body" | "proxy"): number {
  const files = workersOf(nginx).flatMap((worker) => globSync(`/proc/${worker}/fd/*`));
  return files
    .filter((file) => readlinkSync(file).startsWith(join(nginx.folder, name)))
    .reduce((sum, file) => sum + statSync(file).size, 0);
}

for (const path of ["/live/events", "/events"])
  test(`${path}: each event arrives before the next is sent`, () =>
    withWeb(async ({ port }) => {
      const asking = start(port, path).end();
      const answer = await answerTo(asking);
      const events = answer.setEncoding("utf8")[Symbol.asyncIterator]() as AsyncIterator<string>;
      for (const count of [1, 2, 3]) {
        const event = await Promise.race([events.next(), sleep(10_000, "nothing came", { ref: false })]);
        assert.deepEqual(event, { done: false, value: `data: ${count}\n\n` });
        if (count < 3) next();
      }
      assert.equal((await events.next()).done, true);
    }));

test("if only closing the connection ends the answer, buffering delays events", () =>
  withWeb(async ({ port }) => {
    for (const [path, early] of [
      ["/until-closed-events", 0],
      ["/live/until-closed-events", 2],
    ] as const) {
      const before = service.count();
      const asking = start(port, path).end();
      let events = "";
      asking.on("response", (answer) => answer.setEncoding("utf8").on("data", (text: string) => (events += text)));
      const ended = once(asking, "close");
      await until("the service is asked", () => service.count() > before);
      next();
      await sleep(300);
      assert.equal(events, ["data: 1\n\n", "data: 2\n\n"].slice(0, early).join(""), path);
      next();
      await ended;
      assert.equal(events, "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    }
  }));

test("an upload without buffering is streamed to the service, and uses neither memory nor disk", () =>
  withWeb(async (nginx) => {
    const asking = start(nginx.port, "/live/upload", "PUT", { "content-length": blocks * mebibyte });
    await write(asking, 8);
    await until("the service has the beginning", () => received >= 4 * mebibyte);
    assert.equal(kept(nginx, "client_body"), 0);
    await write(asking, blocks - 8);
    const answer = await answerTo(asking.end());
    assert.equal((await answer.toArray()).join(""), hashOf(blocks));
    assert.ok(peakMemory(nginx) < 32, `${peakMemory(nginx)} MiB`);
  }));

test("an upload with buffering is stored on disk first: a slow client does not keep the service waiting", () =>
  withWeb(async (nginx) => {
    const before = service.count();
    const asking = start(nginx.port, "/kept/upload", "PUT", { "transfer-encoding": "chunked" } as never);
    await write(asking, blocks - 1);
    await until("nginx has most of it on disk", () => kept(nginx, "client_body") > (blocks - 4) * mebibyte);
    assert.equal(service.count(), before, "the service was called before the body was complete");
    await write(asking, 1);
    const answer = await answerTo(asking.end());
    assert.equal((await answer.toArray()).join(""), hashOf(blocks));
    assert.ok(peakMemory(nginx) < 32, `${peakMemory(nginx)} MiB`);
    await until("nothing is left of it", () => kept(nginx, "client_body") === 0);
  }));

test("a body over the limit is refused before it is sent, and one of unknown length once it exceeds the limit", () =>
  withWeb(async (nginx) => {
    const before = service.count();
    const announced = start(nginx.port, "/upload", "PUT", { "content-length": 11 * mebibyte });
    announced.flushHeaders();
    assert.equal((await answerTo(announced)).statusCode, 413);
    announced.destroy();

    const unknown = start(nginx.port, "/upload", "PUT");
    unknown.on("error", () => undefined);
    const refused = answerTo(unknown);
    void write(unknown, 64).catch(() => undefined);
    assert.equal((await refused).statusCode, 413);
    unknown.destroy();
    assert.equal(service.count(), before);
  }));

test("a body over the limit is read before the answer, which a client could miss while it sends", () =>
  withWeb(async (nginx) => {
    const before = service.count();
    const size = 30 * mebibyte;
    const asking = start(nginx.port, "/upload", "PUT", { "content-length": size });
    const answered = answerTo(asking);
    await write(asking, 30);
    asking.end();
    const answer = await answered;
    assert.ok(asking.writableFinished, "the answer came before the body was sent");
    assert.equal(answer.statusCode, 413);
    assert.partialDeepStrictEqual(JSON.parse((await answer.toArray()).join("")), { error: "body too large" });
    assert.equal(kept(nginx, "client_body"), 0);
    assert.equal(service.count(), before);
  }));

for (const path of ["/blocks", "/live/blocks"])
  test(`${path}: a slow reader gets everything; meanwhile the service waits, and no disk space is used`, () =>
    withWeb(async (nginx) => {
      const answer = await answerTo(start(nginx.port, path).end());
      const hash = createHash("sha256");
      let bytes = 0;
      for await (const data of answer as AsyncIterable<Buffer>) {
        if (bytes < mebibyte && bytes + data.length >= mebibyte) {
          await sleep(700);
          assert.equal(finished, false, "the service sent everything");
          assert.equal(kept(nginx, "proxy"), 0);
        }
        hash.update(data);
        bytes += data.length;
      }
      assert.equal(hash.digest("hex"), hashOf(blocks));
      assert.ok(peakMemory(nginx) < 32, `${peakMemory(nginx)} MiB`);
    }));
