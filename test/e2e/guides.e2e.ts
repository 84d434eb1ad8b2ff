/** Follows the README and the guides like a new user: in a fresh copy, with the commands that they name. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { get } from "../../tools/verify/request.ts";
import { copyCheckout } from "./support/checkout.ts";
import { command, stop } from "./support/commands.ts";

const folder = mkdtempSync(join(tmpdir(), "guides-"));
const copy = join(folder, "another-name");
const stackFile = join(copy, "Pulumi.local.yaml");

/** `run("start")` is `npm start` in the copy. */
const run = (script: string, ...args: string[]) =>
  command("npm", ["--prefix", copy, "run", "--silent", script, "--", ...args]);
const git = async (...args: string[]) => {
  const { status, text } = await command("git", [
    "-C",
    copy,
    "-c",
    "user.name=t",
    "-c",
    "user.email=t@example.com",
    ...args,
  ]);
  assert.equal(status, 0, text);
};
const start = async () => {
  const { status, text } = await run("start", "--engine", "kubectl");
  assert.equal(status, 0, text);
  return text;
};
const edit = (file: string, from: string | RegExp, to: string) => {
  const before = readFileSync(file, "utf8");
  const text = before.replace(from, to);
  assert.notEqual(text, before, `${String(from)} is not in ${file}`);
  writeFileSync(file, text);
};
const endpoint = () => ({
  address: "127.0.0.1",
  httpPort: 80,
  httpsPort: 443,
  ca: readFileSync(join(copy, ".local-ca/ca.crt"), "utf8"),
});
const page = (path: string, scheme: "http" | "https" = "https", host = "shop.localhost") =>
  get(endpoint(), scheme, host, path);

/** Waits for a status. nginx resolves names every 5 s; until then it does not know a new service. */
async function pageOnce(status: number, path: string, host?: string): Promise<string> {
  const end = Date.now() + 60_000;
  for (;;) {
    const answer = await page(path, "https", host);
    if (answer.status === status) return answer.body;
    assert.ok(Date.now() < end, `${answer.status} ${answer.body}`);
    await sleep(500);
  }
}

/** Waits for the response of a release. nginx resolves addresses every 5 s; until then it uses terminating pods. */
async function answerOf(path: string, release: number | undefined): Promise<{ readonly version: string }> {
  const end = Date.now() + 60_000;
  for (;;) {
    const answer = JSON.parse((await page(path)).body) as { readonly release?: number; readonly version: string };
    if (answer.release === release) return answer;
    assert.ok(Date.now() < end, JSON.stringify(answer));
    await sleep(1000);
  }
}

/** Serial number of the certificate that the edge presents. */
async function servedSerial(): Promise<string> {
  const socket = connect({ host: "127.0.0.1", port: 443, servername: "shop.localhost", ca: endpoint().ca });
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

/** The change of a route that the README proposes. */
function changeInReadme() {
  const text = readFileSync(join(copy, "README.md"), "utf8").replaceAll(/\s+/g, " ");
  const instruction =
    /in `Pulumi\.local\.yaml`, add `(\{[^`]*\})` to the routes of `(\w+)`, run `npm start` again, and open <https:\/\/shop\.localhost([^>]*)>/;
  const [, route, service, path] =
    instruction.exec(text) ?? assert.fail("the README does not say how to change a route");
  return { route: route ?? "", service: service ?? "", path: path ?? "" };
}

before(stop);
after(async () => {
  await run("stop");
  rmSync(folder, { recursive: true, force: true });
});

test(
  "from a copy to a changed route in under five minutes, after the first build",
  { timeout: 25 * 60_000 },
  async (context) => {
    copyCheckout(copy); // Compiled programs are in the machine's cache, unless this is the first build.
    await start(); // May be the first build.
    await run("stop");
    rmSync(copy, { recursive: true });

    const began = Date.now();
    copyCheckout(copy);
    edit(join(copy, "Pulumi.yaml"), /^name: .*$/m, "name: another-name");
    await start();
    const { route, service, path } = changeInReadme();
    edit(stackFile, new RegExp(`(  ${service}:\\n[^]*?routes: \\[)`), `$1${route}, `);
    await start();
    assert.match((await page(`${path}deep`)).body, new RegExp(`"service": "${service}"[^]*"path": "/deep"`));
    const seconds = (Date.now() - began) / 1000;
    context.diagnostic(`${seconds} s`);
    assert.ok(seconds < 300, `${seconds} s`);
  },
);

test("a service is added by one command, and answers", async () => {
  const added = await run("add-service", "orders", "--stack", "local", "--stack", "staging");
  assert.equal(added.status, 0, added.text);
  assert.match(await start(), /ok +https:\/\/shop\.localhost\/orders\//);
  assert.partialDeepStrictEqual(JSON.parse(await pageOnce(200, "/orders/1")), { service: "orders", path: "/1" });
});

test("services in Python and Go are added, built and answer; so does a worker of each", async () => {
  const original = readFileSync(stackFile, "utf8");
  for (const language of ["python", "go"])
    for (const kind of ["web", "worker"]) {
      const added = await run("add-service", `${language}-${kind}`, "--language", language, "--kind", kind);
      assert.equal(added.status, 0, added.text);
    }
  const text = await start(); // Waits for every rollout, those of the workers too.
  for (const language of ["python", "go"]) {
    const service = `${language}-web`;
    assert.match(text, new RegExp(`ok +https://shop\\.localhost/${service}/`));
    assert.partialDeepStrictEqual(JSON.parse(await pageOnce(200, `/${service}/1`)), { service, path: "/1" });
  }
  // With the next start: the tests below need none of them.
  writeFileSync(stackFile, original);
});

test("a release is rolled back by git revert", async () => {
  const program = join(copy, "services/orders/main.mjs");
  await git("init", "--quiet");
  await git("add", "services", "Pulumi.local.yaml");
  await git("commit", "--quiet", "--message", "orders");
  const { version } = await answerOf("/orders/", undefined);

  edit(program, 'service: "orders"', 'service: "orders", release: 2');
  await git("commit", "--quiet", "--all", "--message", "orders 2");
  assert.match(await start(), /applied .*Deployment\/orders/);
  assert.notEqual((await answerOf("/orders/", 2)).version, version);

  await git("revert", "--no-edit", "HEAD");
  assert.match(await start(), /applied .*Deployment\/orders/);
  assert.equal((await answerOf("/orders/", undefined)).version, version);
});

test("a preview environment is added and removed without changing the proxy", async () => {
  const lines = "  proxy:\n    wildcards: { subdomain: { allow: [preview-*] } }\n";
  edit(stackFile, "  proxy:\n", lines);
  await start();
  const previewed = (status: number) => pageOnce(status, "/deep", "preview-login.shop.localhost");
  assert.match(await previewed(502), /service unknown or down/);
  const original = readFileSync(stackFile, "utf8");
  const name = "preview-login";
  const preview = { build: { context: "./services/sample" }, env: { NAME: name }, replicas: 1, health: "/readyz" };
  edit(stackFile, "\n  services:\n", `\n  services:\n    ${name}: ${JSON.stringify(preview)}\n`);
  const text = await start();
  assert.match(text, /applied .*Deployment\/preview-login/);
  assert.doesNotMatch(text, /Deployment\/nginx-proxy/);
  assert.partialDeepStrictEqual(JSON.parse(await previewed(200)), { service: name, path: "/deep" });
  writeFileSync(stackFile, original);
  assert.match(await start(), /pruned .*Deployment\/preview-login/);
  await previewed(502);
  edit(stackFile, lines, "  proxy:\n");
  await start();
});

test("from HTTP to HTTPS: first both, then with the redirect", async () => {
  const tls = /^ {4}mode: supplied\n {4}certFile: .*\n {4}keyFile: .*\n/m;
  const [supplied = ""] = tls.exec(readFileSync(stackFile, "utf8")) ?? [];
  edit(stackFile, tls, "    mode: none\n");
  await start();
  assert.equal((await page("/hoge/", "http")).status, 200);
  edit(stackFile, "    mode: none\n", `${supplied}    redirectHttp: false\n`);
  await start();
  assert.deepEqual([(await page("/hoge/", "http")).status, (await page("/hoge/")).status], [200, 200]);
  edit(stackFile, "    redirectHttp: false\n", "");
  await start();
  assert.deepEqual([(await page("/hoge/", "http")).status, (await page("/hoge/")).status], [301, 200]);
});

test("a removed certificate is issued again, and served", async () => {
  const before = await servedSerial();
  for (const file of ["tls.crt", "tls.key"]) rmSync(join(copy, ".local/tls", file));
  await start();
  assert.notEqual(await servedSerial(), before);
});
