/** The access log through a real nginx into a pipe: its lines are short and whole, whatever clients and services send. */
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { renderRoutes } from "../../nginx/routes.ts";
import { projectDir } from "../../tools/cli/paths.ts";
import {
  addressOf,
  ask,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withNginx } from "./realNginx.ts";

/** What a pipe takes in one piece: PIPE_BUF of Linux, https://man7.org/linux/man-pages/man7/pipe.7.html. Bytes. */
const longest = 4096;
/** The address of the clients: there are lines of others too. */
const from = "127.0.0.3";
/** All text is Latin-1, one character for each byte. */
const ellipsis = Buffer.from("…").toString("latin1");

/** What a client chooses. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly protocol: string;
  readonly host: string;
  readonly agent: string;
  readonly referer: string;
}

interface Line {
  readonly message: string;
  readonly requestId: string;
  readonly httpRequest: Readonly<
    Record<"requestMethod" | "requestUrl" | "userAgent" | "remoteIp" | "referer" | "protocol", string>
  >;
  readonly upstream: { readonly address: string };
}

/** Fits with the longest name that Kubernetes takes. */
const failing = "f".repeat(63);

let nameServer: NameServer;
let web: Service;
let down: Server;
before(async () => {
  nameServer = await startNameServer();
  web = await startService("web", (request, response) => {
    request.resume();
    response.setHeader("grpc-status", '"'.repeat(8000)).end();
  });
  down = createServer((socket) => socket.on("error", () => undefined).once("data", () => socket.destroy()));
  await once(down.listen(0, "127.0.0.1"), "listening");
  nameServer.names.set(addressOf("web"), "127.0.0.1");
  // Nobody listens at the second address, and both are tried.
  nameServer.names.set(addressOf(failing), "127.0.0.1 127.0.0.2");
});
after(async () => {
  await web[Symbol.asyncDispose]();
  down.close();
  await nameServer[Symbol.asyncDispose]();
});

const requestOf = ({ method, path, protocol, host, agent, referer }: Sent, id: string) =>
  [
    `${method} ${path}?secret ${protocol}`,
    `Host: ${host}`,
    `User-Agent: ${agent}`,
    `Referer: ${referer}?secret`,
    `X-Request-ID: ${id}`,
    `Traceparent: 00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    "Connection: close\r\n\r\n",
  ].join("\r\n");

async function send(port: number, bytes: string): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from }).on("error", () => undefined);
  const closed = once(socket.resume(), "close", { signal: AbortSignal.timeout(20_000) });
  socket.write(bytes, "latin1");
  await closed;
}

/** Sends the requests, many at a time. @returns the log's lines about them, in the order of the requests */
async function linesOf(requests: readonly Sent[]): Promise<{ line: Line; bytes: number }[]> {
  const ports = { web: web.port, [failing]: (down.address() as AddressInfo).port };
  const text = renderRoutes({
    ...proxyRoutes(nameServer, ports, [
      { service: "web", path: "/", keepPrefix: false },
      { service: failing, path: "/failing/", keepPrefix: true },
    ]),
    wildcards: [{ by: "path", allow: ["w-*"], domain: "a.example", suffix: "shop.svc.cluster.local", port: 8080 }],
  });
  let written: Promise<Buffer> | undefined;
  const idOf = (index: number) => String(index).padEnd(128, "-");
  await withNginx(
    text,
    async ({ port, quit, errors }) => {
      for (let attempt = 0; attempt < 100 && (await ask(port, "/")).status !== 200; attempt += 1) await sleep(50);
      const waiting = [...requests.entries()];
      const client = async () => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
          await send(port, requestOf(next[1], idOf(next[0])));
      };
      await Promise.all(Array.from({ length: 40 }, client));
      await quit();
      // Such as a regular expression that gives up.
      assert.doesNotMatch(errors(), /\[(?:alert|crit|emerg)\]/);
    },
    (accessLog) => {
      execFileSync("mkfifo", [accessLog]);
      written = buffer(spawn("cat", [accessLog], { stdio: ["ignore", "pipe", "inherit"] }).stdout);
    },
  );
  const lines = ((await written) ?? Buffer.alloc(0)).toString("latin1").split(/(?<=\n)/);
  const found = new Map<string, { line: Line; bytes: number }>();
  for (const each of lines) {
    assert.ok(each.endsWith("\n"), each);
    assert.ok(each.length <= longest, `${each.length} bytes: ${each}`);
    const line = JSON.parse(each) as Line;
    if (line.httpRequest.remoteIp !== from) continue;
    assert.ok(!found.has(line.requestId), "one line for each request");
    found.set(line.requestId, { line, bytes: each.length });
  }
  assert.equal(found.size, requests.length);
  return requests.map((_, index) => found.get(idOf(index)) ?? assert.fail(`no line for request ${index}`));
}

/** The text, or its beginning and an ellipsis; never a part of a character. */
function isBegin(logged: string, whole: string, what: string): void {
  if (logged === whole) return;
  assert.ok(logged.endsWith(ellipsis), `${what}: ${logged}`);
  assert.ok(whole.startsWith(logged.slice(0, -ellipsis.length)), `${what}: ${logged}`);
  if (isUtf8(Buffer.from(whole, "latin1"))) assert.ok(isUtf8(Buffer.from(logged, "latin1")), `${what}: ${logged}`);
}

/** Text of the units, of up to 3,000 bytes. */
const many = (unit: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.array(unit, { minLength: 1, maxLength: 30 }), fc.oneof(fc.nat(40), fc.nat(3000)))
    .map(([units, length]) => {
      const once = units.join("");
      return once.repeat(Math.floor(length / once.length));
    });
const bytesBut = (excluded: RegExp) =>
  fc.constantFrom(
    ...Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter((byte) => !excluded.test(byte)),
  );
/** Queries and what is after a `#` are not logged; the others are refused. */
const inPath = bytesBut(/[\0- \x7f?#%./\\]/);
const inHeader = bytesBut(/[\0\r\n?#]/);
const plain = fc.constantFrom("a", "B", "7", "-");
const character = fc
  .constantFrom("z", '"', "é", "\u0800", "€", "\uffee", "😀")
  .map((text) => Buffer.from(text).toString("latin1"));
const field = (any: fc.Arbitrary<string>) =>
  fc.oneof(many(plain), many(character), many(any), many(fc.oneof({ weight: 20, arbitrary: plain }, any)));
// nginx drops blanks at both ends.
const header = field(inHeader).map((text) => `"${text}"`);
const anyRequest: fc.Arbitrary<Sent> = fc.record({
  method: fc.oneof(
    fc.constantFrom("GET", "POST"),
    many(fc.constantFrom("A", "_", "-")).map((text) => `X${text}`),
  ),
  path: fc
    .tuple(fc.constantFrom("/", "/failing/", `/w-${"w".repeat(2000)}/`), field(inPath))
    .map(([begin, rest]) => `${begin}${rest}`),
  protocol: fc.oneof(fc.constant(0), fc.nat(2000)).map((zeros) => `HTTP/1.${"0".repeat(zeros)}1`),
  host: many(fc.constantFrom("a", "'", "_", "-")).map((text) => `a${text}`),
  agent: header,
  referer: header,
});

test("each line is whole JSON in at most 4,096 bytes, with the beginning of what is too long", async () => {
  const seed = Date.now();
  const requests = fc.sample(anyRequest, { numRuns: 600, seed });
  for (const [index, { line }] of (await linesOf(requests)).entries()) {
    const sent = requests[index] ?? assert.fail();
    const { requestMethod, requestUrl, userAgent, referer, protocol } = line.httpRequest;
    const why = (what: string) => `${what} of request ${index} with seed ${seed}`;
    isBegin(requestMethod, sent.method, why("the method"));
    isBegin(userAgent, sent.agent, why("the user agent"));
    isBegin(referer, sent.referer, why("the referer"));
    isBegin(protocol, sent.protocol, why("the protocol"));
    const [, host = "", path = ""] = /^http:\/\/([^/]*)(.*)$/s.exec(requestUrl) ?? [];
    isBegin(host, sent.host, why("the host"));
    isBegin(path, sent.path, why("the path"));
    assert.equal(line.message.split(" ")[1], path);
  }
});

/** Bytes that the variables of the log's format take at most; those that are cut follow from their expressions. */
const widths: Readonly<Record<string, number>> = {
  severity: 7,
  time_iso8601: 25,
  status: 3,
  status_number: 3,
  client_scheme: 5,
  request_length: 20,
  bytes_sent: 20,
  // The longest entry that client.ts reads.
  client_address: 54,
  request_time: 24,
  trace: 32,
  proxy_request_id: 128,
  // Of two tries, each with an address or the name of an upstream.
  upstream_addr: 2 * (63 + 8) + 2,
  upstream_status: 2 * 3 + 2,
  upstream_connect_time: 2 * 24 + 2,
  upstream_header_time: 2 * 24 + 2,
  upstream_response_time: 2 * 24 + 2,
};

test("the sum of what the values of a line take at most is 4,096 bytes at most", async () => {
  const config = await readFile(join(projectDir, "nginx/nginx.conf"), "utf8");
  const cut = [...config.matchAll(/map \S+ \$(logged_\w+) \{[^]*?"~\^\(\?<\w+>(\.|[^]*?\))\{(\d+)\}\)[^]*?…;/g)].map(
    // A method, a protocol and a service have nothing that JSON escapes.
    ([, name = "", unit, count]) => {
      const each = unit === "." && name !== "logged_grpc_status" ? 1 : 6;
      return [name, each * Number(count) + Buffer.byteLength("…")] as const;
    },
  );
  assert.equal(cut.length, 8);
  const all = new Map([...Object.entries(widths), ...cut]);
  const format = [...(/log_format cloud_logging escape=json([^]*?);\n/.exec(config)?.[1] ?? "").matchAll(/'(.*)'/g)];
  const line = format.map(([, text]) => text).join("");
  assert.ok(line.endsWith("}}"));
  const whole = line.replaceAll(/\$\{?(\w+)\}?/g, (_, name: string) =>
    "x".repeat(all.get(name) ?? assert.fail(`the width of $${name} is unknown`)),
  );
  assert.ok(whole.length + 1 <= longest, `${whole.length + 1} bytes`);
});

test("of the longest values as much is logged as a line holds, and usual ones are whole", async () => {
  const long = (text: string) => text.repeat(Math.floor(6000 / text.length));
  const usual: Sent = {
    method: "GET",
    path: Buffer.from(`/${"é".repeat(20)}/${"a".repeat(530)}`).toString("latin1"),
    protocol: "HTTP/1.1",
    host: `${"h".repeat(63)}.${"o".repeat(63)}.${"s".repeat(63)}.${"t".repeat(61)}`,
    agent: `Mozilla/5.0 (X11; "Linux") ${"a".repeat(400)}`,
    referer: `https://a.example/${"b".repeat(350)}`,
  };
  const worst = ["a", '"', "\x01", "\xff", "\xf0\x9f\x98\x80"].map((unit) => ({
    method: "M".repeat(4000),
    path: `/failing/${long(unit === "\x01" ? '"' : unit)}`,
    protocol: `HTTP/1.${"0".repeat(4000)}1`,
    host: "h".repeat(3000),
    agent: `"${long(unit)}"`,
    referer: `"${long(unit)}"`,
  }));
  const [first, ...others] = await linesOf([usual, ...worst]);
  const { requestMethod, requestUrl, userAgent, referer, protocol } = first?.line.httpRequest ?? assert.fail();
  assert.deepEqual([requestMethod, protocol, userAgent, referer], ["GET", "HTTP/1.1", usual.agent, usual.referer]);
  assert.equal(requestUrl, `http://${usual.host}${usual.path}`);
  for (const { line, bytes } of others) {
    assert.ok(bytes > 1200, `${bytes} bytes`);
    assert.match(line.upstream.address, /^127\.0\.0\.[12]:\d+, 127\.0\.0\.[12]:\d+$/);
    for (const field of ["requestMethod", "requestUrl", "userAgent", "referer", "protocol"] as const)
      assert.ok(line.httpRequest[field].endsWith(ellipsis), line.httpRequest[field]);
  }
});
