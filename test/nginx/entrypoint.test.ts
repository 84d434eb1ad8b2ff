/** The image's entry point in this machine's shell, with files and programs of its own instead of a pod's. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { renderResolver } from "../../nginx/upstreams.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import { freePort } from "./realNginx.ts";
import { nginxProgram, placeConfig } from "../../tools/programs/nginx.ts";

const script = readFileSync(join(import.meta.dirname, "../../nginx/entrypoint.sh"), "utf8");

interface Pod {
  readonly folder: string;
  readonly entrypoint: string;
  readonly env: NodeJS.ProcessEnv;
}

/** @param getent, nginx shell scripts in place of the programs */
function podWith(context: TestContext, resolvConf: string, getent = "exit 0", nginx = 'echo "$@"'): Pod {
  const folder = mkdtempSync(join(tmpdir(), "entrypoint-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  let text = script;
  for (const [path, own] of [
    ["/etc/resolv.conf", "resolv.conf"],
    ["/tmp/resolver.conf", "resolver.conf"],
    ["/usr/sbin/nginx", "nginx"],
  ] as const) {
    assert.ok(text.includes(path), path);
    text = text.replaceAll(path, join(folder, own));
  }
  writeFileSync(join(folder, "resolv.conf"), resolvConf);
  for (const [name, content] of Object.entries({ "entrypoint.sh": text, getent, nginx })) {
    writeFileSync(join(folder, name), name === "entrypoint.sh" ? content : `#!/bin/sh\n${content}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  return { folder, entrypoint: join(folder, "entrypoint.sh"), env };
}

const written = ({ folder }: Pod) => readFileSync(join(folder, "resolver.conf"), "utf8");

for (const [where, resolvConf, servers] of [
  [
    "kube-dns",
    "search apps.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
    "10.96.0.10",
  ],
  ["a cache on the node", "nameserver 169.254.20.10", "169.254.20.10"],
  ["Cloud DNS", "nameserver\t169.254.169.254  \n", "169.254.169.254"],
  ["two families", "nameserver 10.96.0.10\nnameserver fd00::a\n", "10.96.0.10 [fd00::a]"],
  [
    "what nginx cannot read",
    "nameserver fe80::1%eth0\n#nameserver 1.1.1.1\nnameserver\nnameserver a;b\nnameserver 10.0.0.9\n",
    "10.0.0.9",
  ],
  ["no name server: resolv.conf(5) takes this host then", "", "127.0.0.1"],
] as const)
  test(`name servers: ${where}`, (context) => {
    const pod = podWith(context, resolvConf);
    const { status, stdout, stderr } = spawnSync(pod.entrypoint, { env: pod.env, encoding: "utf8" });
    assert.deepEqual([status, stdout, stderr], [0, "-e stderr -g daemon off;\n", ""]);
    assert.equal(written(pod), `resolver ${servers} valid=5s ipv6=off;\n`);
    // As in the text for a resolver from the config.
    assert.ok(renderResolver(servers).startsWith(written(pod)));
  });

test("nginx starts once DNS answers, with the name that every cluster has", (context) => {
  const getent = 'echo "$@" >>$0.log; [ $(wc -l <$0.log) -ge 2 ]';
  const pod = podWith(context, "nameserver 10.96.0.10\n", getent);
  const { status, stdout, stderr } = spawnSync(pod.entrypoint, { env: pod.env, encoding: "utf8" });
  assert.deepEqual([status, stdout], [0, "-e stderr -g daemon off;\n"]);
  assert.equal(stderr, "DNS at 10.96.0.10 does not answer; nginx starts when it does\n");
  const asked = readFileSync(join(pod.folder, "getent.log"), "utf8");
  assert.equal(asked, "hosts kubernetes.default.svc.cluster.local.\n".repeat(2));
});

test("an image without getent starts nginx at once, and says so in one line", (context) => {
  const pod = podWith(context, "nameserver 10.96.0.10\n");
  rmSync(join(pod.folder, "getent"));
  // Nothing else stands in the PATH: what the shell needs besides is built in.
  const { status, stdout, stderr } = spawnSync(pod.entrypoint, {
    env: { PATH: pod.folder },
    encoding: "utf8",
    timeout: 5_000,
  });
  assert.deepEqual([status, stdout], [0, "-e stderr -g daemon off;\n"]);
  assert.equal(stderr, "the image has no getent: nginx starts without waiting for DNS at 10.96.0.10\n");
  assert.equal(written(pod), "resolver 10.96.0.10 valid=5s ipv6=off;\n");
});

test("while it waits for DNS, the image's stop signal ends it", async (context) => {
  const pod = podWith(context, "nameserver 10.96.0.10\n", "exit 2", "touch $0.started");
  const waiting = spawn(pod.entrypoint, { env: pod.env, stdio: "ignore" });
  const exited = once(waiting, "exit");
  await sleep(300);
  waiting.kill("SIGQUIT");
  assert.deepEqual(await exited, [0, null]);
  assert.equal(existsSync(join(pod.folder, "nginx.started")), false);
});

test("a real nginx starts with these name servers, and lives although no name resolves", async (context) => {
  const pod = podWith(context, "nameserver 127.0.0.1\nnameserver ::1\n");
  const routes = renderRoutes({
    client: { trustedProxies: [], entry: "last" },
    upstreams: [{ service: "web", address: "web.shop.svc.cluster.local", port: 8080 }],
    routes: [{ service: "web", path: "/", keepPrefix: false }],
  });
  const [http, grpc, health] = [await freePort(), await freePort(), await freePort()];
  const config = await placeConfig(pod.folder, routes, { http, grpc, health });
  writeFileSync(join(pod.folder, "nginx"), `#!/bin/sh\nexec ${await nginxProgram()} -c ${config} "$@"\n`);
  const nginx = spawn(pod.entrypoint, { env: pod.env, stdio: "ignore" });
  const exited = once(nginx, "exit");
  const ask = (port: number, path: string) =>
    fetch(`http://127.0.0.1:${port}${path}`).then(
      ({ status }) => status,
      () => 0,
    );
  try {
    for (let attempt = 0; attempt < 100 && (await ask(health, "/healthz")) !== 200; attempt += 1) await sleep(50);
    assert.equal(await ask(health, "/healthz"), 200);
    assert.equal(await ask(http, "/"), 502);
    assert.equal(written(pod), "resolver 127.0.0.1 [::1] valid=5s ipv6=off;\n");
  } finally {
    nginx.kill("SIGTERM");
    await exited;
  }
});
