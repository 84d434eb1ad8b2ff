/** State of the machine that a cluster could change, to compare before a start and after a stop. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { debianPackages } from "../../../tools/programs/debian.ts";
import { authorityDir, projectDir } from "../../../tools/cli/paths.ts";
import { allProcesses, commandLine } from "../../../tools/cli/procfs.ts";

export async function machine(): Promise<Record<string, string[]>> {
  const root = await debianPackages(["iptables"]);
  // Ignore packet counters and times.
  const rules = (program: string) =>
    listing("chroot", root, program).map((line) => line.replaceAll(/^#.*|\[\d+:\d+\]/g, ""));
  return {
    processes: allProcesses().flatMap(clusterProcess).sort(),
    mounts: lines(readFileSync("/proc/self/mountinfo", "utf8")),
    links: readdirSync("/sys/class/net").sort(),
    addresses: listing("ip", "-brief", "address"),
    routes: listing("ip", "route", "show", "table", "all"),
    namespaces: existsSync("/run/netns") ? readdirSync("/run/netns").sort() : [],
    rules: ["iptables-nft-save", "iptables-legacy-save"].flatMap(rules),
    tables: existsSync("/proc/net/ip_tables_names") ? lines(readFileSync("/proc/net/ip_tables_names", "utf8")) : [],
    settings: ["kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "net/ipv4/ip_forward"].map((name) =>
      readFileSync(`/proc/sys/${name}`, "utf8"),
    ),
    cgroups: listing("find", "/sys/fs/cgroup", "-type", "d", "-name", "*gke-microservices*"),
    files: listing("find", "/etc", "/run", "/srv", "/var/lib", "/var/log", "-xdev"),
    cni: ["/opt/cni"].filter((path) => existsSync(path)),
    // The local CA outlives a stop.
    checkout: readdirSync(projectDir)
      .filter((name) => name !== basename(authorityDir))
      .sort(),
  };
}

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
const listing = (program: string, ...args: string[]) =>
  lines(spawnSync(program, args, { encoding: "utf8" }).stdout).sort();

/** Processes of programs that only a cluster runs. */
function clusterProcess(pid: number): string[] {
  const [program = "", ...rest] = commandLine(pid);
  const isOurs = /^(kube[\w-]*|etcd|containerd[\w-]*|runc|coredns|contour|envoy|unshare|nginx|pause)$/;
  return isOurs.test(basename(program)) ? [[program, ...rest].join(" ").trim()] : [];
}
