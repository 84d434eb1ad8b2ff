/** Malicious requests through the edge and the proxy. A service reports what reached it. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { get } from "../../tools/verify/request.ts";
import { stackFile, stop } from "./support/commands.ts";
import { host, numbered, type Bytes, type Frames } from "./hostileHttp/cases.ts";
import * as http1 from "./hostileHttp/http1.ts";
import * as http2 from "./hostileHttp/http2.ts";
import { open, ownAddress, sendBytes, sendHeaders, type Headers } from "./hostileHttp/peers.ts";
import { endpoint, start } from "./support/path.ts";

const original = readFileSync(stackFile, "utf8");
const service = `    echo:
      build: { context: ./test/e2e/echo }
      health: /
      replicas: 1
      routes: [{ path: /echo/ }, { host: echo }]
      resources: { cpu: 50m }
`;
before(
  async () => {
    writeFileSync(stackFile, original + service);
    const { status, text } = await start();
    assert.equal(status, 0, text);
  },
  { timeout: 25 * 60_000 },
);
after(async () => {
  writeFileSync(stackFile, original);
  await stop();
});

interface Recorded {
  readonly method: string;
  readonly url: string;
  /** Alternating names and values. */
  readonly headers: readonly string[];
  readonly body: string;
}
/** The requests that reached the service since the last call. This call is itself a valid request after the malicious ones. */
async function recorded(): Promise<Recorded[]> {
  const { status, body } = await get(endpoint(), "https", host, "/recorded");
  assert.equal(status, 200);
  const all = JSON.parse(body) as (Recorded | { malformed: string })[];
  for (const each of all)
    if ("malformed" in each) assert.fail(`no request at all reached the service: ${JSON.stringify(each)}`);
  return all as Recorded[];
}
const headersOf = ({ headers }: Recorded) =>
  headers.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), headers[index + 1] ?? ""] as const] : []));

/**
 * Sends all cases, a few at a time, then asks the service what reached it.
 * @returns by case, the responses, and what reached the service as "GET /own000 body"
 */
async function sendAll<T, A>(cases: Readonly<Record<string, T>>, send: (each: T, number: number) => Promise<A>) {
  await recorded();
  const names = Object.keys(cases);
  const answers = new Map<string, A>();
  const waiting = Object.entries(cases).map(([name, each], index) => ({ name, each, number: index + 1 }));
  const sender = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      answers.set(next.name, await send(next.each, next.number));
  };
  await Promise.all(Array.from({ length: 8 }, sender));
  const seen = new Map<string, string[]>(names.map((name) => [name, []]));
  for (const { method, url, body } of await recorded()) {
    const number = Number(/(?:own|smuggled)(\d{3})/.exec(url)?.[1]);
    const text = `${method} ${url}${body === "" ? "" : ` ${body}`}`.replaceAll(/(own|smuggled)\d{3}/g, "$1000");
    const name = names[number - 1] ?? assert.fail(`of no case: ${text}`);
    seen.get(name)?.push(text);
  }
  return { answers, seen };
}

const sendText = (each: string | Bytes, number: number) => {
  const { bytes, servername } = typeof each === "string" ? { bytes: each, servername: host } : each;
  return sendBytes(numbered(bytes, number), servername);
};
const sendFrames = (each: Headers | Frames, number: number) => {
  const { headers, body }: Frames = "headers" in each ? each : { headers: each };
  const named = headers.map(([name, value]) => [numbered(name, number), numbered(value, number)] as const);
  return sendHeaders(named, body === undefined ? undefined : numbered(body, number), host);
};

test("an ambiguous request gets one error, and no part of it reaches a service", async () => {
  const { answers, seen } = await sendAll(http1.refused, sendText);
  for (const [name, statuses] of answers) {
    assert.equal(statuses.length, 1, `${name}: answered ${statuses.join(" and ")}`);
    assert.ok([400, 403, 404, 405, 413, 414, 421, 431, 501].includes(statuses[0] ?? 0), `${name}: ${statuses[0]}`);
    assert.deepEqual(seen.get(name), [], name);
  }
});

test("an unambiguous request reaches a service once and unchanged", async () => {
  const { answers, seen } = await sendAll(http1.harmless, ({ bytes }, number) => sendText(bytes, number));
  for (const [name, { seen: expected }] of Object.entries(http1.harmless)) {
    assert.deepEqual(seen.get(name), expected, name);
    const count = Math.max(1, expected.length);
    assert.deepEqual(
      answers.get(name),
      Array.from({ length: count }, () => 200),
      name,
    );
  }
});

test("HTTP/2 headers cannot inject HTTP/1.1 lines: such requests fail, and no part of them reaches a service", async () => {
  const { answers, seen } = await sendAll(http2.refused, sendFrames);
  for (const [name, answer] of answers) {
    assert.ok(answer === "gone" || answer === "reset" || (answer >= 400 && answer < 500), `${name}: ${answer}`);
    assert.deepEqual(seen.get(name), [], name);
  }
});

test("other HTTP/2 requests reach a service unchanged", async () => {
  const { answers, seen } = await sendAll(http2.harmless, ({ frames }, number) => sendFrames(frames, number));
  for (const [name, { seen: expected }] of Object.entries(http2.harmless)) {
    assert.deepEqual([name, answers.get(name), seen.get(name)], [name, 200, [expected]]);
  }
});

test("an upgrade that a service rejects does not open a tunnel", async () => {
  await recorded();
  const headers = [`Host: ${host}`, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 777"];
  const inside = `GET /recorded HTTP/1.1\r\nHost: inside\r\n\r\n`;
  const statuses = await sendBytes(`GET /own HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${inside}`, host);
  assert.equal(statuses[0], 426);
  assert.ok(!statuses.includes(200), `${statuses.join()}: what was behind it is read by the edge, if at all`);
  assert.deepEqual(
    (await recorded()).map(({ url }) => url),
    ["/own"],
  );
});

test("a client's claims about its address and scheme do not reach a service", async () => {
  await recorded();
  const claimed = "198.51.100.9";
  const claims = {
    "x-forwarded-for": `${claimed}, 10.0.0.1`,
    "x-real-ip": claimed,
    forwarded: `for=${claimed};host=evil.example;proto=http`,
    "x-forwarded-host": "evil.example",
    "x-forwarded-server": "evil.example",
    "x-forwarded-port": "1",
    "x-forwarded-proto": "http",
    "x-forwarded-ssl": "off",
    "x-forwarded-prefix": "/evil",
    "x-envoy-external-address": claimed,
    "x-envoy-original-path": "/evil",
    "x-envoy-decorator-operation": "evil",
    proxy: "http://evil.example",
    x_real_ip: claimed,
    x_forwarded_for: claimed,
  };
  const text = Object.entries(claims).map(([name, value]) => `${name}: ${value}\r\n`);
  const trace = "x-cloud-trace-context: 0af7651916cd43dd8448eb211c80319c/1;o=1\r\n";
  assert.deepEqual(await sendBytes(`GET /one HTTP/1.1\r\nHost: ${host}\r\n${text.join("")}${trace}\r\n`, host), [200]);
  const pseudo = { ":method": "GET", ":scheme": "https", ":authority": host, ":path": "/two" };
  assert.equal(await sendHeaders(Object.entries({ ...pseudo, ...claims }), undefined, host), 200);
  const seen = await recorded();
  assert.deepEqual(
    seen.map(({ url }) => url),
    ["/one", "/two"],
  );
  for (const request of seen) {
    const headers = headersOf(request);
    const values = Object.fromEntries(headers);
    assert.doesNotMatch(JSON.stringify(headers), /198\.51\.100\.9|evil|10\.0\.0\.1|_/);
    assert.deepEqual(
      ["x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-ssl"].map(
        (name) => values[name],
      ),
      [ownAddress, ownAddress, host, "https", "on"],
    );
    assert.equal(
      values["x-forwarded-port"] ?? values["forwarded"] ?? values["proxy"] ?? values["x-forwarded-prefix"],
      undefined,
    );
  }
  // The trace context comes from the client: it is passed on, but not used for anything else.
  assert.match(JSON.stringify(seen[0]?.headers), /0af7651916cd43dd8448eb211c80319c\/1;o=1/);
});

test("plain HTTP redirects only to the stack's own hosts, never to a host that the client chose", async () => {
  const ask = async (request: string) => {
    const socket = connect(80, "127.0.0.1");
    let text = "";
    socket.on("error", () => undefined).on("data", (data: Buffer) => (text += data.toString("latin1")));
    socket.write(request, "latin1");
    for (const end = Date.now() + 5000; text === "" && Date.now() < end;) await sleep(20);
    socket.destroy();
    return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), location: /^location: (.*)\r$/im.exec(text)?.[1] };
  };
  const line = (target: string, name: string) => `GET ${target} HTTP/1.1\r\nHost: ${name}\r\n\r\n`;
  assert.deepEqual(await ask(line("/a?b=c", host)), { status: 301, location: `https://${host}/a?b=c` });
  assert.deepEqual(await ask(line("/%0d%0ax-smuggled:%20a", host)), {
    status: 301,
    location: `https://${host}/%0d%0ax-smuggled:%20a`,
  });
  for (const name of ["other.example", `${host}@other.example`, `other.example#${host}`]) {
    const { status, location } = await ask(line("/", name));
    assert.ok(status >= 400 && status < 500 && location === undefined, `${name}: ${status} ${location ?? ""}`);
  }
  const { location } = await ask(line("//other.example/", host));
  assert.match(location ?? "", new RegExp(`^https://${host.replaceAll(".", "\\.")}/`));
});

test("slow clients do not block others, and a stalled body is cut off", { timeout: 120_000 }, async () => {
  const head = `POST /own HTTP/1.1\r\nHost: ${host}\r\n`;
  const slow = Array.from({ length: 200 }, () => open("http/1.1", host));
  let began = performance.now();
  // Half of them never complete their headers, half send only a part of their body.
  for (const [index, socket] of slow.entries())
    socket.write(index % 2 === 0 ? `${head}X-A: ` : `${head}Content-Length: 100\r\n\r\nhello`);
  const dripping = setInterval(() => {
    for (const [index, socket] of slow.entries()) if (index % 2 === 0 && socket.writable) socket.write("a");
  }, 1000);
  const cut: number[] = [];
  for (const [index, socket] of slow.entries())
    if (index % 2 === 1) socket.resume().once("end", () => cut.push((performance.now() - began) / 1000));
  began = performance.now();
  let longest = 0;
  const bodies = slow.length / 2;
  while (cut.length < bodies && performance.now() - began < 60_000) {
    const asked = performance.now();
    assert.equal((await get(endpoint(), "https", host, "/good")).status, 200);
    longest = Math.max(longest, performance.now() - asked);
    await sleep(200);
  }
  clearInterval(dripping);
  for (const socket of slow) socket.destroy();
  assert.equal(cut.length, bodies, "each was ended by the other side");
  assert.ok(Math.min(...cut) > 15 && Math.max(...cut) < 45, `after ${Math.min(...cut)} to ${Math.max(...cut)} s`);
  assert.ok(longest < 3000, `a good request took ${longest} ms`);
  assert.ok(
    (await recorded()).every(({ url }) => url === "/good"),
    "nothing of them reached the service",
  );
});
