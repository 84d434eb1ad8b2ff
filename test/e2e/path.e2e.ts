/** The main job, as its user sees it: start, look, edit, start again. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { projectDir } from "../../local/paths.ts";
import { caFile } from "../../local/tls.ts";
import { get } from "../../local/verify.ts";
import { command, editStack, local } from "./commands.ts";
import { underLoad } from "./load.ts";

const start = (...args: string[]) => local("start.ts", "--engine", "kubectl", ...args);
const ports = { address: "127.0.0.1", httpPort: 80, httpsPort: 443 };
const entrance = () => ({ ...ports, ca: readFileSync(caFile, "utf8") });
const answered = (service: string) => (status: number, body: string) =>
  status === 200 && body.includes(`"service": "${service}"`);

after(() => local("stop.ts", "--keep-cache"));

test("npm start ends in a table of hops that all held", { timeout: 25 * 60_000 }, async () => {
  const { status, text } = await start();
  assert.equal(status, 0, text);
  for (const hop of [
    "http://shop.localhost/",
    "https://shop.localhost/",
    "https://shop.localhost/hoge/",
    "https://hoge.shop.localhost/",
  ]) {
    assert.match(text, new RegExp(`ok +${hop.replaceAll(".", "\\.")} `));
  }
});

test("curl with the local CA gets hoge's pod, by path with the prefix stripped and by host", async () => {
  for (const [url, host] of [
    ["https://shop.localhost/hoge/deep?a=1", "shop.localhost"],
    ["https://hoge.shop.localhost/deep?a=1", "hoge.shop.localhost"],
  ] as const) {
    const { status, text } = await command("curl", [
      "--silent",
      "--show-error",
      "--fail",
      "--cacert",
      caFile,
      "--resolve",
      `${host}:443:127.0.0.1`,
      url,
    ]);
    assert.equal(status, 0, text);
    const seen = JSON.parse(text) as { service: string; path: string; pod: string; headers: Record<string, string> };
    assert.equal(seen.service, "hoge");
    assert.equal(seen.path, "/deep");
    assert.match(seen.pod, /^hoge-/);
    assert.equal(seen.headers["x-forwarded-proto"], "https");
    assert.equal(seen.headers["x-forwarded-ssl"], "on");
    assert.equal(seen.headers["x-forwarded-host"], host);
  }
});

test("a client without the CA is not served", async () => {
  await assert.rejects(get({ ...ports, ca: undefined }, "https", "shop.localhost", "/"), /certificate/);
});

test("a client cannot choose its own address or scheme", async () => {
  const { body } = await get(entrance(), "https", "shop.localhost", "/", {
    "x-forwarded-for": "198.51.100.9",
    "x-real-ip": "198.51.100.9",
    "x-forwarded-proto": "http",
  });
  const { headers } = JSON.parse(body) as { headers: Record<string, string> };
  assert.notEqual(headers["x-real-ip"], "198.51.100.9");
  assert.equal(headers["x-forwarded-proto"], "https");
});

test("a second start applies nothing and says so", async () => {
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(text, /nothing to apply/);
});

test("an edited route changes the proxy's routes alone, and loses no request", async (context) => {
  editStack(context, (text) =>
    text.replace(
      "routes: [{ path: /hoge/ }, { host: hoge }]",
      "routes: [{ path: /hoge/ }, { host: hoge }, { path: /new/ }]",
    ),
  );
  const { result, load } = await underLoad(
    { url: "https://shop.localhost/hoge/", ca: entrance().ca, good: answered("hoge") },
    () => start(),
  );
  assert.equal(result.status, 0, result.text);
  assert.match(
    result.text,
    /applied ConfigMap\/nginx-proxy-routes-\w+, Deployment\/nginx-proxy; pruned ConfigMap\/nginx-proxy-routes-\w+\n/,
  );
  assert.equal((await get(entrance(), "https", "shop.localhost", "/new/")).status, 200);
  assert.deepEqual(load.failures, []);
  assert.ok(load.sent > 500, `${load.sent} requests`);
});

test("a new version of a service loses no request", async (context) => {
  const file = join(projectDir, "services/hoge/main.mjs");
  const before = readFileSync(file, "utf8");
  context.after(() => {
    writeFileSync(file, before);
  });
  writeFileSync(file, `${before}\n// another version\n`);
  const { result, load } = await underLoad(
    { url: "https://hoge.shop.localhost/", ca: entrance().ca, good: answered("hoge") },
    () => start(),
  );
  assert.equal(result.status, 0, result.text);
  assert.match(result.text, /applied .*Deployment\/hoge/);
  assert.deepEqual(load.failures, []);
});

test("an image that is not there leaves the old release serving, and the error names the cause", async (context) => {
  editStack(context, (text) =>
    text
      .replace("build: { context: ./services/web }", "image: localhost/nowhere/web:1")
      .replace("config:", "config:\n  gke-microservices:rolloutSeconds: 15"),
  );
  const { result, load } = await underLoad(
    { url: "https://shop.localhost/", ca: entrance().ca, good: answered("web") },
    () => start(),
  );
  assert.equal(result.status, 1, result.text);
  assert.match(result.text, /rollout of web did not finish/);
  assert.match(result.text, /ErrImagePull|ImagePullBackOff/);
  assert.deepEqual(load.failures, []);
});

test("going to plain HTTP and back to TLS loses no request", async (context) => {
  await test("to none", async (inner) => {
    editStack(inner, (text) =>
      text.replace(/ {4}mode: supplied\n {4}certFile: .*\n {4}keyFile: .*\n/, "    mode: none\n"),
    );
    const { status, text } = await start();
    assert.equal(status, 0, text);
    assert.match(text, /ok +http:\/\/shop\.localhost\/hoge\//);
  });
  context.diagnostic("from none to supplied");
  // With TLS on, plain HTTP is answered by a redirect, which is what a client may expect.
  const good = (status: number, body: string) => answered("hoge")(status, body) || status === 301;
  const { result, load } = await underLoad({ url: "http://shop.localhost/hoge/", good }, () => start());
  assert.equal(result.status, 0, result.text);
  assert.deepEqual(load.failures, []);
});

test("a config that is refused changes nothing", async (context) => {
  editStack(context, (text) => text.replace("domain:", "domian:"));
  const { status, text } = await start();
  assert.equal(status, 1);
  assert.match(text, /did you mean "domain"\?/);
  assert.doesNotMatch(text, /\n\s+at /);
});

test("another engine on the running stack is refused with the way out", async () => {
  const { status, text } = await local("start.ts", "--engine", "pulumi");
  assert.equal(status, 1);
  assert.match(text, /npm stop -- --keep-cache/);
});

test("a context that does not exist is refused, and those that do are named", async () => {
  const { status, text } = await start("--context", "nowhere");
  assert.equal(status, 1);
  assert.match(text, /There is no kubectl context "nowhere"/);
});

test("a start that is interrupted is mended by the next one", { timeout: 10 * 60_000 }, async () => {
  await local("stop.ts", "--keep-cache");
  for (const milliseconds of [500, 3000, 8000, 14_000]) {
    await command("timeout", [
      "--signal",
      "INT",
      "--kill-after",
      "5",
      `${milliseconds / 1000}`,
      process.execPath,
      join(projectDir, "local/start.ts"),
      "--engine",
      "kubectl",
    ]);
  }
  const { status, text } = await start();
  assert.equal(status, 0, text);
});

test("a port in use is named, with the way out", async (context) => {
  await local("stop.ts", "--keep-cache");
  const server = createServer().listen(443, "127.0.0.1");
  context.after(() => server.close());
  const { status, text } = await start();
  assert.equal(status, 1);
  assert.match(text, /Port 443 on 127\.0\.0\.1 is in use by .*--https-port/s);
});
