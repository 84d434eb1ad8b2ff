/** The programs that `npm run add-service` writes, as real processes: each language behaves alike. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request, type IncomingMessage } from "node:http";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { after, suite, test, type TestContext } from "node:test";
import { projectDir } from "../../../tools/cli/paths.ts";
import { onPath } from "../../../tools/cli/run.ts";

const templates = join(projectDir, "tools/addService/template");
const folder = mkdtempSync(join(tmpdir(), "programs-"));
after(() => {
  rmSync(folder, { recursive: true });
});

type Kind = "web" | "worker";
interface Language {
  /** Why it cannot run here; false if it can. */
  readonly skip: string | false;
  /** The program and its arguments. */
  readonly command: (kind: Kind) => readonly [string, ...string[]];
}

const needs = (program: string) => (onPath(program) === undefined ? `there is no ${program} on this machine` : false);

const languages: Readonly<Record<string, Language>> = {
  node: { skip: false, command: (kind) => [process.execPath, join(templates, "node", kind, "main.mjs")] },
  python: {
    skip: needs("python3"),
    command: (kind) => ["python3", "-I", join(templates, "python", kind, "main.py")],
  },
  go: {
    skip: needs("go"),
    command: (kind) => {
      const program = join(folder, kind);
      const env = { ...process.env, CGO_ENABLED: "0" };
      const cwd = join(templates, "go", kind);
      const { status, stderr } = spawnSync("go", ["build", "-o", program, "."], { cwd, env, encoding: "utf8" });
      assert.equal(status, 0, stderr);
      return [program];
    },
  },
};

interface Program {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly printed: { out: string; err: string };
}

function start(context: TestContext, { command }: Language, kind: Kind, env: Record<string, string> = {}): Program {
  const [program, ...args] = command(kind);
  const child = spawn(program, args, {
    cwd: "/",
    env: { PATH: process.env["PATH"], VERSION: "1", HOSTNAME: "pod", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  context.after(() => child.kill("SIGKILL"));
  const printed = { out: "", err: "" };
  child.stdout.on("data", (data: Buffer) => (printed.out += data.toString()));
  child.stderr.on("data", (data: Buffer) => (printed.err += data.toString()));
  return { child, printed };
}

async function freePort(): Promise<number> {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  taken.close();
  return port;
}

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly connection: string | undefined;
  readonly text: string;
}

async function answerOf(response: IncomingMessage): Promise<Answer> {
  const text = Buffer.concat((await response.toArray()) as Buffer[]).toString();
  const { "content-type": type, connection } = response.headers;
  return { status: response.statusCode, type, connection, text };
}

async function startWeb(context: TestContext, language: Language) {
  const port = await freePort();
  const program = start(context, language, "web", { PORT: String(port) });
  const agent = new Agent({ keepAlive: true });
  context.after(() => {
    agent.destroy();
  });
  const send = (path: string, method = "GET", headers = {}) =>
    request({ host: "127.0.0.1", port, path, method, agent, headers });
  const ask = async (path: string, method?: string, body?: string, headers?: Record<string, string>) => {
    const sent = send(path, method, headers);
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    return answerOf(response);
  };
  for (let tries = 200; tries > 0; tries--) {
    const answered = await ask("/healthz").then(Boolean, () => sleep(50));
    if (answered === true) return { ...program, port, send, ask };
  }
  return assert.fail(`no answer: ${program.printed.err}`);
}

for (const [name, language] of Object.entries(languages))
  suite(name, () => {
    const { skip } = language;
    test(
      "a web service answers probes in text and requests in JSON, and logs the latter without the query",
      { skip },
      async (context) => {
        const { ask, printed } = await startWeb(context, language);
        const health = { status: 200, type: "text/plain", text: "ok\n" };
        assert.partialDeepStrictEqual(await ask("/healthz"), health);
        const { text, ...rest } = await ask("/deep/a%2Fb?token=secret", "POST", "x".repeat(1_000_000));
        assert.partialDeepStrictEqual(rest, { status: 200, type: "application/json; charset=utf-8" });
        const answer = { service: "new-service", version: "1", pod: "pod", method: "POST", path: "/deep/a%2Fb" };
        assert.equal(text, `${JSON.stringify(answer, null, 2)}\n`);
        for (let tries = 100; tries > 0 && !printed.out.endsWith("\n"); tries--) await sleep(20);
        const [line = "", ...others] = printed.out.split("\n");
        const { milliseconds, ...logged } = JSON.parse(line) as Record<string, unknown>;
        assert.deepEqual(logged, { method: "POST", path: "/deep/a%2Fb", status: 200 });
        assert.equal(typeof milliseconds, "number");
        assert.deepEqual([others, printed.err], [[""], ""]);
      },
    );

    test(
      "a web service keeps a connection, and finds the next request on it behind any body",
      { skip },
      async (context) => {
        const { port, printed } = await startWeb(context, language);
        const socket = connect(port, "127.0.0.1");
        let received = "";
        socket.on("data", (data) => (received += data.toString()));
        const head = (line: string, headers = "") => `${line} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`;
        socket.write(head("POST /length", "Content-Length: 5\r\n") + "GET /");
        socket.write(
          head("PUT /chunked", "Transfer-Encoding: chunked\r\n") + "5\r\nGET /\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n",
        );
        socket.write(head("HEAD /head") + head("DELETE /last", "Connection: close\r\n"));
        await once(socket, "close");
        const paths = [...received.matchAll(/"path": "([^"]*)"/g)].map(([, path]) => path);
        assert.deepEqual(paths, ["/length", "/chunked", "/last"], received); // HEAD has no body.
        assert.equal(received.match(/^HTTP\/1\.1 200 OK\r$/gm)?.length, 4);
        assert.equal(printed.err, "");
      },
    );

    test(
      "a web service that gets SIGTERM under load finishes every request in progress, and waits for no idle connection",
      { skip },
      async (context) => {
        const { child, send, ask, printed } = await startWeb(context, language);
        const slow = Array.from({ length: 20 }, () => send("/slow", "POST", { "Content-Length": "10" }));
        for (const each of slow) each.write("first");
        const answers = slow.map(async (each) => {
          const [response] = (await once(each, "response")) as [IncomingMessage];
          return answerOf(response);
        });
        await Promise.all([ask("/healthz"), ask("/healthz")]); // Their connections stay open, and idle.
        await sleep(200);
        const exit = once(child, "exit");
        const began = Date.now();
        child.kill("SIGTERM");
        await sleep(300);
        for (const each of slow) each.end("last.");
        const all = await Promise.all(answers);
        assert.deepEqual(
          new Set(all.map(({ status, connection }) => `${status ?? 0} ${connection ?? ""}`)),
          new Set(["200 close"]),
        );
        assert.deepEqual(await exit, [0, null]);
        assert.ok(Date.now() - began < 5000);
        assert.deepEqual([printed.out.match(/"\/slow"/g)?.length, printed.err], [20, ""]);
      },
    );

    test("a worker works, and ends on SIGTERM without waiting for its pause", { skip }, async (context) => {
      const { child, printed } = start(context, language, "worker");
      await once(child.stdout, "data");
      const line = { worker: "new-service", version: "1", pod: "pod", did: "nothing" };
      assert.deepEqual(JSON.parse(printed.out), line);
      child.kill("SIGTERM");
      const began = Date.now();
      assert.deepEqual(await once(child, "exit"), [0, null]);
      assert.ok(Date.now() - began < 5000);
      assert.deepEqual([printed.out.split("\n").length, printed.err], [2, ""]);
    });
  });
