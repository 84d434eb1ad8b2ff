/** Starts a real control plane with fake nodes by kwok: their pods are ready at once, and cost nothing. https://kwok.sigs.k8s.io */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programsDir } from "../../machine/kubernetes.ts";
import { run } from "../../cli/run.ts";
import { withLock } from "../../cli/lock.ts";
import type { KubectlTarget } from "../../cli/kubectl.ts";
import { nodeRoot } from "../../machine/prepare.ts";
import { cacheLock } from "../../cli/paths.ts";
import { goPrograms } from "../goPrograms.ts";

const version = "v0.7.0";
const name = "bench";

/** One per component: with more, kwokctl panics. */
const extraArguments = [
  "kube-apiserver=service-cluster-ip-range=10.96.0.0/12", // The default range has only 254 addresses for Services.
  // With the default of 20 requests per second, a thousand rollouts take minutes, which would not even be measured.
  "kube-controller-manager=kube-api-qps=1000",
  "kube-scheduler=kube-api-qps=1000",
];

/** @param folder folder for all its files @param nodes number of nodes, with 110 pods each */
export async function startControlPlane(folder: string, nodes: number): Promise<KubectlTarget & AsyncDisposable> {
  const [kwok, root] = await withLock(cacheLock, async () => [
    await goPrograms(
      `kwok-${version}`,
      ["kwok", "kwokctl"].map((program) => `sigs.k8s.io/kwok/cmd/${program}@${version}`),
    ),
    await nodeRoot(),
  ]);
  // Debian's etcd needs Debian's loader and libraries.
  const etcd = join(folder, "etcd");
  mkdirSync(folder, { recursive: true });
  const libraries = join(root, "usr/lib/x86_64-linux-gnu");
  const loader = join(root, "lib64/ld-linux-x86-64.so.2");
  writeFileSync(etcd, `#!/bin/sh\nexec ${loader} --library-path ${libraries} ${root}/usr/bin/etcd "$@"\n`, {
    mode: 0o755,
  });
  const env = { KWOK_WORKDIR: join(folder, "work"), PATH: `${programsDir}:${process.env["PATH"] ?? ""}` };
  const kwokctl = (args: readonly string[]) =>
    run(join(kwok, "kwokctl"), ["--name", name, ...args], { env, timeout: 300_000 });
  const kubeconfig = join(folder, "kubeconfig");
  const components = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"];
  await kwokctl([
    ...["create", "cluster", "--runtime", "binary", "--kubeconfig", kubeconfig, "--etcd-binary", etcd],
    ...["--kwok-controller-binary", join(kwok, "kwok")],
    ...components.flatMap((component) => [`--${component}-binary`, join(programsDir, component)]),
    ...extraArguments.flatMap((argument) => ["--extra-args", argument]),
  ]);
  // The control plane outlives this process: delete it on a signal.
  const remove = ["--name", name, "delete", "cluster", "--kubeconfig", kubeconfig];
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      spawnSync(join(kwok, "kwokctl"), remove, { env: { ...process.env, ...env } });
      process.exit(1);
    });
  // The proxy's pods request ephemeral storage, of which fake nodes have none by default.
  const disk = ["--param", '.allocatable."ephemeral-storage"="1Ti"'];
  await kwokctl(["scale", "node", "--replicas", String(nodes), ...disk]);
  return {
    kubectl: join(programsDir, "kubectl"),
    context: `kwok-${name}`,
    kubeconfig,
    [Symbol.asyncDispose]: async () => {
      await kwokctl(["delete", "cluster", "--kubeconfig", kubeconfig]);
    },
  };
}
