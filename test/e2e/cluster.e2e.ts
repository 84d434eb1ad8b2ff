/** The local Kubernetes: it starts, recovers and stops completely. To run only this suite: `node --test test/e2e/cluster.e2e.ts`, as root. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { kubectlPath } from "../../tools/machine/kubernetes.ts";
import { clusterStatus, lockFile, startCluster, stopCluster } from "../../tools/machine/cluster.ts";
import { run } from "../../tools/cli/run.ts";
import { runInNode } from "../../tools/machine/exec.ts";
import { cacheDir, projectDir, stateDir } from "../../tools/cli/paths.ts";
import { allProcesses } from "../../tools/cli/procfs.ts";
import { createProgress } from "../../tools/cli/progress.ts";
import { link } from "../../tools/machine/node/addresses.ts";
import { findSandboxes } from "../../tools/machine/sandbox.ts";
import { machine } from "./support/machine.ts";

const ports = { httpPort: 18080, httpsPort: 18443 };
const progress = createProgress();
const start = () => startCluster(ports, progress);
const sandboxes = () => findSandboxes().filter(({ state }) => state === stateDir);
const kubectl = (...args: string[]) => run(kubectlPath, ["--kubeconfig", clusterStatus().kubeconfig, ...args]);

after(async () => {
  await stopCluster();
});

test("a stop restores the machine's state before the start", async (context) => {
  await stopCluster();
  const before = await machine();

  await context.test("it starts: a node, DNS for pods, an edge", async () => {
    await start();
    assert.match(await kubectl("version"), /Server Version: v1\.34\.4/);
    assert.match(await kubectl("get", "nodes", "--no-headers"), /^local +Ready /);
    assert.match(await runInNode("iptables-save", "-t", "nat"), /kube-system\/kube-dns:dns /);
  });

  await context.test("a second start finds it running, quickly", async () => {
    const [sandbox] = sandboxes();
    const began = Date.now();
    await start();
    assert.deepEqual(sandboxes(), [sandbox]);
    assert.ok(Date.now() - began < 10_000);
  });

  await context.test("a killed process is restarted", async () => {
    const dns = allProcesses().find((pid) => comm(pid) === "coredns");
    assert.ok(dns !== undefined);
    process.kill(dns, "SIGKILL");
    await start();
    await eventually(() => allProcesses().some((pid) => pid !== dns && comm(pid) === "coredns"));
  });

  await context.test("after all processes are killed, it starts with its previous objects", async () => {
    await kubectl("create", "namespace", "kept");
    for (const { outer } of sandboxes()) process.kill(outer, "SIGKILL");
    await eventually(() => !clusterStatus().running);
    await start();
    assert.match(await kubectl("get", "namespace", "kept", "-o", "name"), /namespace\/kept/);
  });

  await context.test(
    "a network that the kernel keeps after the last process does not prevent the next start",
    async () => {
      const held = await holdNetwork();
      context.after(() => held.kill());
      await stopCluster();
      assert.equal(existsSync(`/sys/class/net/${link.host}`), false);
      await start();
      assert.equal(held.exitCode, null);
    },
  );

  await context.test("a killed start does not prevent the next one", async () => {
    await stopCluster();
    for (const delay of [100, 1500, 4000]) {
      const script = `import { startCluster } from "./tools/machine/cluster.ts"; import { createProgress } from "./tools/cli/progress.ts"; await startCluster(${JSON.stringify(ports)}, createProgress());`;
      const killed = spawn(process.execPath, ["--input-type=module", "--eval", script], {
        cwd: projectDir,
        stdio: "ignore",
      });
      const exit = once(killed, "exit");
      await sleep(delay);
      killed.kill("SIGKILL");
      await exit;
    }
    await start();
    assert.equal(clusterStatus().running, true);
  });

  const inside = new Set(sandboxes().map(({ init }) => namespace(init ?? 0)));
  assert.ok(inside.size === 1 && !inside.has(namespace(process.pid)));
  const removed = await stopCluster();
  assert.equal(removed.length > 0, true);
  assert.deepEqual(
    allProcesses().filter((pid) => inside.has(namespace(pid))),
    [],
  );
  assert.deepEqual(await machine(), before);
  assert.ok(!existsSync(stateDir) && !existsSync(lockFile) && existsSync(cacheDir));
  assert.deepEqual(await stopCluster(), []);
});

/** A process outside the sandbox that uses its network. */
async function holdNetwork(): Promise<ChildProcess> {
  const network = (pid: number) => readlinkSync(`/proc/${pid}/ns/net`);
  const kubelet = allProcesses().find((pid) => comm(pid) === "kubelet") ?? 0;
  const child = spawn("nsenter", [`--net=/proc/${kubelet}/ns/net`, "sleep", "60"], { stdio: "ignore" });
  await eventually(() => network(child.pid ?? 0) === network(kubelet));
  assert.notEqual(network(kubelet), network(process.pid));
  return child;
}

function comm(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}

function namespace(pid: number): string | undefined {
  try {
    return readlinkSync(join("/proc", String(pid), "ns/pid"));
  } catch {
    return undefined;
  }
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && !holds(); tries++) await sleep(100);
  assert.ok(holds());
}
