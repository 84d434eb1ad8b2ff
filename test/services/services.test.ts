/** The sample server as a real process on a loopback port, with and without a name. */
import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { suite, test, type TestContext } from "node:test";
import { parse } from "yaml";
import { projectDir, stacksDir } from "../../tools/cli/paths.ts";

const program = join(projectDir, "services/sample/main.mjs");

interface StackFile {
  readonly config: {
    readonly services: Record<
      string,
      { readonly build?: { readonly context: string }; readonly env?: Record<string, string> }
    >;
  };
}

interface Service {
  readonly port: number;
  readonly process: ChildProcessByStdio<null, Readable, null>;
  readonly log: Record<string, unknown>[];
}

async function start(context: TestContext, env: Record<string, string>): Promise<Service> {
  const child = spawn(process.execPath, [program], {
    env: { PORT: "0", VERSION: "1.2.3", HOSTNAME: "this-pod", SECRET: "do-not-tell", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const log: Record<string, unknown>[] = [];
  const lines = createInterface(child.stdout);
  lines.on("line", (line) => log.push(JSON.parse(line) as Record<string, unknown>));
  await once(lines, "line");
  return { port: Number(log[0]?.["port"]), process: child, log };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Options {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent;
}

function ask(port: number, path: string, { body, ...options }: Options = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode, headers: response.headers, body: text });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

for (const [name, named] of [
  ["hoge", { NAME: "hoge" }],
  ["sample", {}],
] as const) {
  suite(name, { concurrency: true }, () => {
    test("programs get JSON that shows the request", async (context) => {
      const { port } = await start(context, named);
      const headers = {
        Host: "hoge.shop.localhost",
        Referer: "https://shop.localhost/",
        "X-Real-IP": "192.0.2.7",
        "X-Forwarded-For": "192.0.2.7",
        "X-Forwarded-Proto": "https",
        "X-Request-ID": "abc",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      };
      const secret = { Cookie: "session=1", Authorization: "Bearer 1" };
      const answer = await ask(port, "/a%2Fb?c=d?e", { headers: { ...headers, ...secret } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["content-type"], "application/json; charset=utf-8");
      assert.deepEqual(JSON.parse(answer.body), {
        service: name,
        version: "1.2.3",
        pod: "this-pod",
        method: "GET",
        path: "/a%2Fb",
        query: "c=d?e",
        host: "hoge.shop.localhost",
        client: "192.0.2.7",
        bodyBytes: 0,
        headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value])),
      });
    });

    test("browsers get HTML that escapes the request", async (context) => {
      const { port } = await start(context, named);
      const attack = `"><script>alert('1')</script>`;
      const answer = await ask(port, `/${attack}?${attack}`, {
        headers: { Accept: "text/html,*/*;q=0.8", Host: attack, Referer: attack, "X-Real-IP": attack },
      });
      assert.equal(answer.headers["content-type"], "text/html; charset=utf-8");
      assert.match(String(answer.headers["content-security-policy"]), /default-src 'none'/);
      assert.equal(answer.body.split("<script").length - 1, 1); // its own
      assert.doesNotMatch(answer.body, /alert\('/);
      assert.equal(answer.body.split("&#60;script&#62;").length - 1, 9); // path, query, three headers, host and client twice
      assert.doesNotMatch(answer.body, /do-not-tell/);
    });

    test("the only script that may run is the page's own; JSON allows none", async (context) => {
      const { port } = await start(context, named);
      const policy = ({ headers }: Answer) => String(headers["content-security-policy"]);
      const html = await ask(port, "/", { headers: { Accept: "text/html" } });
      const script = /<script>([^]*)<\/script>/.exec(html.body)?.[1] ?? "";
      const hash = createHash("sha256").update(script).digest("base64");
      const none = "default-src 'none'; style-src 'unsafe-inline'";
      assert.equal(policy(html), `${none}; script-src 'sha256-${hash}'`);
      assert.equal(policy(await ask(port, "/")), none);
    });

    test("people see the hops that the request passed, and what to do next", async (context) => {
      const { port } = await start(context, named);
      const seen = async (headers: Record<string, string>) => {
        const { body } = await ask(port, "/", { headers: { Accept: "text/html", ...headers } });
        const hops = [...body.matchAll(/<li id="(\w+)">/g)].map((match) => match[1]);
        return { body, hops, commands: [...body.matchAll(/"command">([^<]*)/g)].map((match) => match[1]) };
      };
      const proxied = { "X-Request-ID": "abc", "X-Forwarded-Proto": "https" };
      const local = await seen({ ...proxied, Host: "hoge.shop.localhost:8443" });
      assert.deepEqual(local.hops, ["browser", "dns", "edge", "proxy", "pod"]);
      assert.match(local.body, /where TLS ends[^]*request abc[^]*this-pod, version 1\.2\.3/);
      assert.match(local.body, /data-ms="\d+\.\d\d">\d+\.\d ms/);
      assert.deepEqual(local.commands, [
        "npm start",
        "npm run add-service -- NAME",
        "npm run doctor -- local",
        "npm run diagram -- local --out stack.svg",
      ]);
      for (const [, guide = ""] of local.body.matchAll(/Guide: <code>([^<]*)/g)) readFileSync(join(projectDir, guide));
      const direct = await seen({ Host: "shop.example.com" });
      assert.deepEqual(direct.hops, ["browser", "dns", "edge", "pod"]);
      assert.match(direct.body, /passed no proxy/);
      assert.equal(direct.commands[0], "npx pulumi up -s STACK --policy-pack policy");
    });

    test("links lead to the front page and below the service's root, with any stripped prefix", async (context) => {
      const { port } = await start(context, named);
      for (const path of ["/", "/one", "/one/", "/one/two/three", "//double"]) {
        const { body } = await ask(port, path, { headers: { Accept: "text/html" } });
        const links = [...body.matchAll(/href="([^"]*)"/g)].map((match) => match[1] ?? "");
        const paths = links.map((link) => new URL(link, `http://shop.localhost/prefix${path}`).pathname);
        assert.deepEqual(paths, ["/", "/prefix/some/path"], path);
      }
    });

    test("a body is counted, HEAD has none", async (context) => {
      const { port } = await start(context, named);
      const posted = await ask(port, "/", { method: "POST", body: "ü".repeat(50_000) });
      assert.equal((JSON.parse(posted.body) as { bodyBytes: number }).bodyBytes, 100_000);
      const head = await ask(port, "/", { method: "HEAD" });
      assert.equal(head.body, "");
      assert.ok(Number(head.headers["content-length"]) > 100);
    });

    test("each request is one JSON line without the query; probes are not logged", async (context) => {
      const { port, log } = await start(context, named);
      assert.deepEqual((await ask(port, "/healthz")).body, "ok\n");
      assert.equal((await ask(port, "/readyz")).status, 200);
      await ask(port, "/x?token=secret", { headers: { "X-Request-ID": "abc" } });
      await sleep(50);
      assert.equal(log.length, 2);
      assert.partialDeepStrictEqual(log[1], { method: "GET", path: "/x", status: 200, requestId: "abc" });
      assert.doesNotMatch(JSON.stringify(log), /secret/);
    });

    test("bad input gets 400 or a closed connection, and the service continues", async (context) => {
      const { port } = await start(context, named);
      const raw = async (text: string, half = false): Promise<string> => {
        const socket = connect(port, "127.0.0.1");
        let received = "";
        socket.on("data", (chunk) => (received += chunk.toString()));
        socket.on("error", () => undefined);
        socket.write(text);
        if (half) setTimeout(() => socket.destroy(), 20);
        await once(socket, "close");
        return received;
      };
      assert.match(await raw("nonsense\r\n\r\n"), /^HTTP\/1.1 400 /);
      assert.match(await raw("GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1.1 400 /); // without Host
      assert.match(await raw("OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), /^HTTP\/1.1 200 /);
      assert.match(
        await raw("GET http://[ HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n"),
        / 200 /,
      );
      assert.match(await raw(`GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${"x".repeat(20_000)}\r\n\r\n`), / 431 /);
      await raw("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf", true);
      assert.equal((await ask(port, "/healthz")).status, 200);
    });

    test("SIGTERM under kept-alive load loses no request", async (context) => {
      const { port, process: child, log } = await start(context, { ...named, DRAIN_SECONDS: "1.5" });
      const agent = new Agent({ keepAlive: true, maxSockets: 8 });
      context.after(() => {
        agent.destroy();
      });
      const statuses = new Map<number | undefined, number>();
      let pull = true;
      const load = Array.from({ length: 8 }, async () => {
        while (pull) {
          const { status } = await ask(port, "/", { agent, method: "POST", body: "x" }); // a failure rejects
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      });
      await sleep(300);
      const exit = once(child, "exit");
      child.kill("SIGTERM");
      await sleep(300);
      const ready = await ask(port, "/readyz");
      assert.deepEqual([ready.status, ready.headers.connection], [503, "close"]);
      assert.equal((await ask(port, "/healthz")).status, 200);
      assert.equal((await ask(port, "/")).headers.connection, "close");
      pull = false; // the proxies have dropped the pod by now
      await Promise.all(load);
      assert.deepEqual([...statuses.keys()], [200]);
      assert.ok((statuses.get(200) ?? 0) > 20);
      assert.deepEqual(await exit, [0, null]);
      assert.equal(log.at(-1)?.["message"], "stopped");
    });

    test("a request that is active when the drain ends is finished", async (context) => {
      const { port, process: child } = await start(context, { ...named, DRAIN_SECONDS: "0.1" });
      const exit = once(child, "exit");
      const slow = request({ host: "127.0.0.1", port, method: "POST", agent: new Agent({ keepAlive: true }) });
      slow.write("first");
      await sleep(100);
      child.kill("SIGTERM");
      await sleep(400);
      slow.end("second");
      const [response] = (await once(slow, "response")) as [Readable & { statusCode: number }];
      assert.equal(response.statusCode, 200);
      assert.match(Buffer.concat((await response.toArray()) as Buffer[]).toString(), /"bodyBytes": 11/);
      assert.equal(response.readableEnded, true);
      assert.deepEqual(await exit, [0, null]);
    });
  });
}

test("a service built from it gets its own name", () => {
  for (const stack of ["local", "staging"]) {
    const { config } = parse(readFileSync(join(stacksDir, `Pulumi.${stack}.yaml`), "utf8")) as StackFile;
    for (const [service, { build, env }] of Object.entries(config.services))
      if (build?.context === "./services/sample") assert.equal(env?.["NAME"], service, stack);
  }
});
