/** After `npm stop` the machine is as it was before `npm start`: processes, mounts, network, rules, cgroups, files. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { cacheDir, stateDir } from "../../local/paths.ts";
import { command, local } from "./commands.ts";

const lines = (text: string) => text.split("\n").filter((line) => line !== "");

/** What the machine is like, as far as a cluster could change it. */
async function machine(): Promise<Record<string, string[]>> {
  const listing = async (program: string, ...args: string[]) => lines((await command(program, args)).text).sort();
  return {
    processes: readdirSync("/proc")
      .filter((pid) => /^\d+$/.test(pid))
      .flatMap(clusterProcess)
      .sort(),
    mounts: lines(readFileSync("/proc/self/mounts", "utf8")).sort(),
    links: lines(readFileSync("/proc/net/dev", "utf8"))
      .slice(2)
      .map((line) => line.split(":")[0]?.trim() ?? "")
      .sort(),
    addresses: await listing("ip", "-brief", "address"),
    routes: await listing("ip", "route", "show", "table", "all"),
    namespaces: existsSync("/run/netns") ? readdirSync("/run/netns").sort() : [],
    tables: existsSync("/proc/net/ip_tables_names")
      ? lines(readFileSync("/proc/net/ip_tables_names", "utf8")).sort()
      : [],
    forwarding: lines(readFileSync("/proc/sys/net/ipv4/ip_forward", "utf8")),
    cgroups: await listing("find", "/sys/fs/cgroup", "-maxdepth", "3", "-type", "d", "-name", "*gke-microservices*"),
    files: [
      "/var/lib/kubelet",
      "/var/lib/containerd",
      "/run/containerd",
      "/etc/cni",
      "/opt/cni",
      "/var/log/pods",
    ].filter((path) => existsSync(path)),
  };
}

/** Programs that only a cluster runs; others come and go by themselves. */
function clusterProcess(pid: string): string[] {
  try {
    const [program = "", ...rest] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    const isOurs = /^(kube[\w-]*|etcd|containerd[\w-]*|runc|coredns|contour|envoy|unshare|nginx|pause)$/.test(
      basename(program),
    );
    return isOurs ? [[program, ...rest].join(" ").trim()] : [];
  } catch {
    return []; // It ended meanwhile.
  }
}

test("npm stop leaves the machine as it was before npm start", { timeout: 25 * 60_000 }, async () => {
  await local("stop.ts", "--keep-cache");
  const before = await machine();
  const started = await local("start.ts", "--engine", "kubectl");
  assert.equal(started.status, 0, started.text);
  assert.notDeepEqual(await machine(), before, "a running cluster is to be seen");
  const stopped = await local("stop.ts", "--keep-cache");
  assert.equal(stopped.status, 0, stopped.text);
  assert.deepEqual(await machine(), before);
  assert.equal(existsSync(stateDir), false);
  assert.equal(existsSync(cacheDir), true);
});

test("npm stop after a start that was killed leaves nothing either", { timeout: 5 * 60_000 }, async () => {
  const before = await machine();
  const start = join(import.meta.dirname, "../../local/start.ts");
  await command("timeout", ["--signal", "KILL", "6", process.execPath, start, "--engine", "kubectl"]);
  const stopped = await local("stop.ts", "--keep-cache");
  assert.equal(stopped.status, 0, stopped.text);
  assert.deepEqual(await machine(), before);
});

test("npm stop where nothing runs says so", async () => {
  const { status, text } = await local("stop.ts", "--keep-cache");
  assert.equal(status, 0, text);
  assert.match(text, /nothing/i);
});

test("without --keep-cache the cache goes too", async (context) => {
  const home = mkdtempSync(join(tmpdir(), "cache-"));
  context.after(() => {
    rmSync(home, { recursive: true, force: true });
  });
  // A cache of its own, so that the one with the compiled programs stays for other suites.
  symlinkSync("/nonexistent", join(home, "other"));
  const cache = join(home, "gke-microservices");
  await command("mkdir", ["-p", join(cache, "debian")]);
  const script = join(import.meta.dirname, "../../local/stop.ts");
  const { status, text } = await command(process.execPath, [script], { XDG_CACHE_HOME: home });
  assert.equal(status, 0, text);
  assert.equal(existsSync(cache), false);
  assert.deepEqual(readdirSync(home), ["other"]);
});
