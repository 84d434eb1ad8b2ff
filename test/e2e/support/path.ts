/** Tests of the path from client to service, for any kind of edge. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { caFile } from "../../../tools/stack/localCertificate.ts";
import { get } from "../../../tools/verify/request.ts";
import { command, editStack, local } from "./commands.ts";
import { underLoad } from "./load.ts";

export const start = (...args: string[]) => local("start.ts", "--engine", "kubectl", ...args);
const ports = { address: "127.0.0.1", httpPort: 80, httpsPort: 443 };
export const endpoint = () => ({ ...ports, ca: readFileSync(caFile, "utf8") });
export const answered = (service: string) => (status: number, body: string) =>
  status === 200 && body.includes(`"service": "${service}"`);

/** Registers the tests. They use the stack file at the time when they run. */
export function pathTests(): void {
  test("npm start prints a table of hops that all work", { timeout: 25 * 60_000 }, async () => {
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
        // Another loopback address: the service must receive it as the client's address.
        "--interface",
        "127.0.0.9",
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
      assert.equal(seen.headers["x-real-ip"], "127.0.0.9");
      assert.equal(seen.headers["x-forwarded-proto"], "https");
      assert.equal(seen.headers["x-forwarded-ssl"], "on");
      assert.equal(seen.headers["x-forwarded-host"], host);
    }
  });

  test("an upload of 30 MB is refused with the proxy's answer, over HTTP/1.1 and over HTTP/2", async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "upload-"));
    context.after(() => {
      rmSync(folder, { recursive: true });
    });
    writeFileSync(join(folder, "body"), Buffer.alloc(30_000_000));
    for (const version of ["--http1.1", "--http2"]) {
      const { status, text } = await command("curl", [
        ...["--silent", "--show-error", version, "--header", "Expect:", "--upload-file", join(folder, "body")],
        ...["--cacert", caFile, "--resolve", "shop.localhost:443:127.0.0.1", "--write-out", "%{http_code}"],
        "https://shop.localhost/hoge/upload",
      ]);
      assert.equal(status, 0, `${version}: ${text}`);
      assert.match(text, /^\{"error":"body too large",.*\}\n413$/, version);
    }
  });

  test("a client without the CA rejects the certificate", async () => {
    await assert.rejects(get({ ...ports, ca: undefined }, "https", "shop.localhost", "/"), /certificate/);
  });

  test("a client cannot choose its own address or scheme", async () => {
    const { body } = await get(endpoint(), "https", "shop.localhost", "/", {
      "x-forwarded-for": "198.51.100.9",
      "x-real-ip": "198.51.100.9",
      "x-forwarded-proto": "http",
    });
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    assert.notEqual(headers["x-real-ip"], "198.51.100.9");
    assert.equal(headers["x-forwarded-proto"], "https");
  });

  test("a second start applies nothing and reports it", async () => {
    const { status, text } = await start();
    assert.equal(status, 0, text);
    assert.match(text, /nothing to apply/);
  });

  test("an edited route changes only the proxy's routes, and loses no request", async (context) => {
    editStack(context, (text) =>
      text.replace(
        "routes: [{ path: /hoge/ }, { host: hoge }]",
        "routes: [{ path: /hoge/ }, { host: hoge }, { path: /new/ }]",
      ),
    );
    const { result, load } = await underLoad(
      { url: "https://shop.localhost/hoge/", ca: endpoint().ca, good: answered("hoge") },
      () => start(),
    );
    assert.equal(result.status, 0, result.text);
    assert.match(
      result.text,
      /applied ConfigMap\/nginx-proxy-routes-\w+, Deployment\/nginx-proxy; pruned ConfigMap\/nginx-proxy-routes-\w+\n/,
    );
    assert.equal((await get(endpoint(), "https", "shop.localhost", "/new/")).status, 200);
    assert.deepEqual(load.failures, []);
    assert.ok(load.sent > 500, `${load.sent} requests`);
  });

  test("switching to plain HTTP and back to TLS loses no request", async (context) => {
    await test("to none", async (inner) => {
      editStack(inner, (text) =>
        text.replace(/ {4}mode: supplied\n {4}certFile: .*\n {4}keyFile: .*\n/, "    mode: none\n"),
      );
      const { status, text } = await start();
      assert.equal(status, 0, text);
      assert.match(text, /ok +http:\/\/shop\.localhost\/hoge\//);
    });
    context.diagnostic("from none to supplied");
    // With TLS, plain HTTP gets a redirect, which is a good response too.
    const good = (status: number, body: string) => answered("hoge")(status, body) || status === 301;
    const { result, load } = await underLoad({ url: "http://shop.localhost/hoge/", good }, () => start());
    assert.equal(result.status, 0, result.text);
    assert.deepEqual(load.failures, []);
  });
}
