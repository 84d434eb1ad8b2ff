/** The proxy behind a stand-in for Google's load balancer: the client's address, and the tracing of a request. */
import assert from "node:assert/strict";
import { request, type IncomingHttpHeaders } from "node:http";
import { request as secureRequest } from "node:https";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAuthority } from "../../tools/cli/pki.ts";
import { frontAddress, startGoogleFront, type GoogleFront, type GoogleFrontOptions } from "./googleFront.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  seenAt,
  startNameServer,
  startService,
  type NameServer,
  type Seen,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

let nameServer: NameServer;
let web: Service;
before(async () => {
  [nameServer, web] = [await startNameServer(), await startService("web")];
  for (const service of ["web", "gone"]) nameServer.names.set(addressOf(service), "127.0.0.1");
});
after(async () => {
  await web[Symbol.asyncDispose]();
  await nameServer[Symbol.asyncDispose]();
});

async function behindFront(
  use: (front: GoogleFront, nginx: RunningNginx) => Promise<void>,
  options: Partial<GoogleFrontOptions> = {},
): Promise<void> {
  const routes = proxyRoutes(nameServer, { web: web.port, gone: 1 }, [
    { service: "web", path: "/", keepPrefix: false },
    { service: "gone", path: "/gone/", keepPrefix: false },
  ]);
  const trusting = { ...routes, client: { ...routes.client, trustedProxies: [`${frontAddress}/32`] } };
  await withProxy(trusting, async (nginx) => {
    await using front = await startGoogleFront({ proxyPort: nginx.port, ...options });
    await use(front, nginx);
  });
}

interface LogLine {
  readonly httpRequest: { readonly remoteIp: string; readonly requestUrl: string };
  readonly "logging.googleapis.com/trace": string;
  readonly requestId: string;
}

/** The log line of the request for `path`, which nginx writes within a second. */
async function logged({ log }: RunningNginx, path: string): Promise<LogLine> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const lines = (await log()).map((line) => JSON.parse(line) as LogLine);
    const line = lines.find(({ httpRequest }) => new URL(httpRequest.requestUrl).pathname === path);
    if (line !== undefined) return line;
    await sleep(25);
  }
  return assert.fail(`nothing was logged of ${path}`);
}

const client = "127.0.0.77";

test("the client is the load balancer's peer, whatever X-Forwarded-For it sends", () =>
  behindFront(async (front, nginx) => {
    const claims: (string | string[] | undefined)[] = [
      undefined,
      "6.6.6.6",
      "6.6.6.6, 6.6.6.7, 6.6.6.8",
      "6.6.6.6,198.51.100.1",
      '"evil", ,,unknown, _hidden:80',
      "2001:db8::666, [2001:db8::667]:443",
      ["6.6.6.6", "6.6.6.7, 6.6.6.8"],
      "6".repeat(4000),
      ",",
      "",
    ];
    for (const [index, claim] of claims.entries()) {
      const path = `/claim-${index}`;
      const headers = claim === undefined ? {} : { "x-forwarded-for": claim };
      const seen = (await seenAt(front.port, path, { from: client, headers })).headers;
      assert.deepEqual([seen["x-real-ip"], seen["x-forwarded-for"]], [client, client], String(claim));
      assert.equal((await logged(nginx, path)).httpRequest.remoteIp, client, String(claim));
    }
  }));

test("no other header about the client is forwarded", async () => {
  const authority = await createAuthority("an authority");
  const tls = await authority.issue({ commonName: "front", names: ["shop.localhost"] });
  await behindFront(
    async ({ port }) => {
      const claims = {
        host: "shop.localhost",
        "x-real-ip": "6.6.6.6",
        X_Forwarded_For: "6.6.6.6",
        "x-forwarded-proto": "gopher",
        "x-forwarded-host": "evil.example",
        "x-forwarded-server": "evil.example",
        "x-forwarded-port": "666",
        "x-forwarded-ssl": "off",
        "x-forwarded-prefix": "/evil",
        forwarded: "for=6.6.6.6;host=evil.example",
        proxy: "http://evil.example/",
      };
      const options = { host: "127.0.0.1", port, ca: authority.certificate, localAddress: client, headers: claims };
      const body = await new Promise<string>((resolve, reject) => {
        const asking = secureRequest({ ...options, agent: false }, (answer) => {
          text(answer).then(resolve, reject);
        });
        asking.on("error", reject).end();
      });
      const { headers } = JSON.parse(body) as Seen;
      const about = Object.entries(headers).filter(([name]) =>
        /^(host|forwarded|proxy|x[-_](forwarded|real).*)$/.test(name),
      );
      assert.deepEqual(Object.fromEntries(about), {
        host: "shop.localhost",
        "x-real-ip": client,
        "x-forwarded-for": client,
        "x-forwarded-host": "shop.localhost",
        "x-forwarded-server": "shop.localhost",
        "x-forwarded-proto": "https",
        "x-forwarded-ssl": "on",
      });
    },
    { tls },
  );
});

test("a peer that bypasses the load balancer and imitates it is not trusted", () =>
  behindFront(async (_front, nginx) => {
    const headers = { "x-forwarded-for": "6.6.6.6,198.51.100.1", "x-forwarded-proto": "https", via: "1.1 google" };
    const seen = (await seenAt(nginx.port, "/around", { from: client, headers })).headers;
    assert.deepEqual([seen["x-real-ip"], seen["x-forwarded-for"], seen["x-forwarded-proto"]], [client, client, "http"]);
    const line = await logged(nginx, "/around");
    assert.equal(line.httpRequest.remoteIp, client);
    assert.match(line.httpRequest.requestUrl, /^http:/);
  }));

test("trace and request ID reach the service and the log; malformed ones are replaced", () =>
  behindFront(async (front, nginx) => {
    const [mine, googles] = ["0af7651916cd43dd8448eb211c80319c", "105445aa7843bc8bf206b12000100000"];
    const traceOf = ({ "x-cloud-trace-context": context }: IncomingHttpHeaders) => String(context).split("/")[0];
    const parent = `00-${mine}-b7ad6b7169203331-01`;
    const check = async (path: string, headers: Record<string, string>, trace?: string, id?: string) => {
      const seen = (await seenAt(front.port, path, { headers })).headers;
      const line = await logged(nginx, path);
      assert.equal(line["logging.googleapis.com/trace"], trace ?? traceOf(seen), path);
      assert.match(traceOf(seen) ?? "", /^[0-9a-f]{32}$/, path);
      assert.equal(line.requestId, seen["x-request-id"], path);
      if (id === undefined) assert.match(line.requestId, /^[0-9a-f]{32}$/, path);
      else assert.equal(line.requestId, id, path);
      return seen;
    };
    assert.equal(
      (await check("/parent", { traceparent: parent, "x-request-id": "cart-42" }, mine, "cart-42")).traceparent,
      parent,
    );
    await check("/google", { "x-cloud-trace-context": `${googles}/7;o=1` }, googles);
    await check("/both", { traceparent: parent, "x-cloud-trace-context": `${googles}/7;o=1` }, mine);
    // Without a valid header, the load balancer's own trace is used.
    await check("/neither", {});
    for (const [index, traceparent] of [
      "00-short-b7ad6b7169203331-01",
      `00-${mine.toUpperCase()}-b7ad6b7169203331-01`,
      `00-${"0".repeat(32)}-b7ad6b7169203331-01`,
      `ff-${mine}-b7ad6b7169203331-01`,
      `"},{"${mine}`,
    ].entries())
      await check(`/malformed-${index}`, { traceparent });
    for (const [index, id] of ['"}', "a b", "x".repeat(129), "é", ""].entries())
      await check(`/bad-id-${index}`, { "x-request-id": Buffer.from(id).toString("latin1") });
  }));

test("its connections to the proxy are kept; a POST is never sent twice", async () => {
  await behindFront(async (front) => {
    for (let count = 0; count < 20; count += 1) await seenAt(front.port, "/");
    assert.equal(front.connections(), 1);
  });
  for (const [method, count] of [
    ["GET", 2],
    ["POST", 1],
  ] as const) {
    await using breaking = await startService("proxy", ({ socket }) => socket.destroy());
    await using front = await startGoogleFront({ proxyPort: breaking.port });
    assert.equal((await ask(front.port, "/", { method, body: method === "POST" ? "x" : "" })).status, 502);
    assert.equal(breaking.count(), count, method);
  }
});

test("the load balancer's own answers differ from the proxy's", () =>
  behindFront(async (front, { port: proxyPort }) => {
    await using slow = await startService("slow", () => undefined);
    await using gateway = await startGoogleFront({ proxyPort: slow.port, edge: "gateway", timeoutSeconds: 0.2 });
    const answerOf = async ({ port }: GoogleFront, path = "/") => {
      const { status, headers, body } = await ask(port, path);
      assert.equal(headers.via, "1.1 google");
      return [status, headers["content-type"]?.split(";")[0], body.trim()] as const;
    };
    assert.deepEqual(await answerOf(gateway), [504, "text/plain", "upstream request timeout"]);
    gateway.condition = "unhealthy";
    assert.deepEqual(await answerOf(gateway), [503, "text/plain", "no healthy upstream"]);
    gateway.condition = "unconnected";
    assert.deepEqual(await answerOf(gateway), [404, "text/plain", "fault filter abort"]);

    front.condition = "unconnected";
    assert.deepEqual(await answerOf(front), [404, "text/plain", "default backend - 404"]);
    front.condition = "backend-not-found";
    assert.match((await answerOf(front)).join(" "), /^404 text\/plain .*backend NotFound/);
    front.condition = "unhealthy";
    assert.match((await answerOf(front)).join(" "), /^502 text\/html .*<title>502 Server Error</s);
    front.condition = "serving";
    const [status, type, body] = await answerOf(front, "/gone/");
    assert.deepEqual([status, type], [502, "application/json"]);
    assert.partialDeepStrictEqual(JSON.parse(body), { error: "service unknown or down", service: "gone" });
    assert.equal((await ask(proxyPort, "/gone/")).headers.via, undefined);
  }));

test("header names arrive in lower case, and hop-by-hop headers are not forwarded", async () => {
  let names: string[] = [];
  await using bare = await startService("bare", ({ rawHeaders }, response) => {
    names = rawHeaders.filter((_, index) => index % 2 === 0);
    response.end();
  });
  await using front = await startGoogleFront({ proxyPort: bare.port });
  const headers = { "X-Mixed-Case": "1", "Keep-Alive": "timeout=5", TE: "trailers" };
  await new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port: front.port, headers }, (answer) => answer.resume().on("end", resolve))
      .on("error", reject)
      .end();
  });
  assert.ok(names.includes("x-mixed-case"));
  for (const name of ["X-Mixed-Case", "keep-alive", "te"]) assert.ok(!names.includes(name), name);
});
