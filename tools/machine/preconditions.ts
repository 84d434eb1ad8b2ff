/** Preconditions of the local Kubernetes. Each fails with one message that says what to do. */
import { setTimeout as sleep } from "node:timers/promises";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { link } from "./node/addresses.ts";
import { stateDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { listener } from "../cli/procfs.ts";
import { findSandboxes } from "./sandbox.ts";

/** @throws Problem */
export function requireLinuxRoot(): void {
  const other = "use an existing cluster: npm start -- --context NAME";
  if (process.platform !== "linux")
    throw new Problem(
      `The local Kubernetes needs Linux, but this is ${process.platform}.`,
      `Run it in a Debian 12 virtual machine, or ${other}`,
    );
  if (process.getuid?.() !== 0)
    throw new Problem(
      "The local Kubernetes needs root, for namespaces, mounts and cgroups.",
      `Run the same command as root (sudo), or ${other}`,
    );
}

/** There can be only one on a machine: its addresses and its device are the same in every checkout. @throws Problem */
export function requireFreeNetwork(): void {
  const other = findSandboxes().find(({ state }) => state !== stateDir);
  if (other !== undefined) {
    const checkout = dirname(other.state);
    throw new Problem(
      `The local Kubernetes of another checkout is running (${checkout}).`,
      `Stop it first: npm stop, in ${checkout}`,
    );
  }
  if (existsSync(`/sys/class/net/${link.host}`))
    throw new Problem(
      `The network device ${link.host} already exists, but no local Kubernetes is running.`,
      `Remove it: ip link delete ${link.host}`,
    );
}

/**
 * Waits a moment: the processes of a cluster that was just killed may still be about to end.
 * @throws Problem that names the process that uses the port, if it is known
 */
export async function requireFreePorts(address: string, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    let holder = listener(port);
    for (let tries = 0; tries < 30 && holder !== undefined; tries++) {
      await sleep(100);
      holder = listener(port);
    }
    if (holder === undefined) continue;
    const who = holder === "unknown" ? "another process" : `${holder.name} (process ${holder.pid})`;
    throw new Problem(
      `Port ${port} on ${address} is in use by ${who}.`,
      "End it, or choose other ports: npm start -- --http-port 8080 --https-port 8443",
    );
  }
}
