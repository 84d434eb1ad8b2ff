/** Waits until a started cluster is ready, component by component, and applies the objects that it needs. */
import { Resolver } from "node:dns/promises";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments } from "yaml";
import { kubectlPath, programsDir } from "./kubernetes.ts";
import { run } from "../cli/run.ts";
import { diskNeeded, requireDisk } from "../cli/disk.ts";
import { gatewayApiFile } from "./gatewayApi.ts";
import { imagesInNode, importImage, runInNode, sandboxInit } from "./exec.ts";
import { apiServiceAddress, nodeAddress } from "./node/addresses.ts";
import { nodeName } from "./node/credentials.ts";
import { bootstrapObjects, metricsObjects } from "./node/bootstrapObjects.ts";
import { bootstrapped, envoyAdminSocket, measured, policyQueue } from "./node/nodeFiles.ts";
import { pauseImage } from "./node/settings.ts";
import { kubeconfigPath, logsDir, nodeDir, stateDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import type { Step } from "../cli/progress.ts";

/** Waits until API server, node, DNS and edge answer, and pods can reach them. @throws Problem with the log of a component that does not */
export async function waitReady(step: Step): Promise<void> {
  step.detail("API server");
  await until("kube-apiserver", async () => (await kubectl(["get", "--raw", "/readyz"])) === "ok");
  if (!existsSync(join(nodeDir, bootstrapped))) {
    step.detail("bootstrap objects");
    await applyBootstrapObjects();
    writeFileSync(join(nodeDir, bootstrapped), "");
  }
  step.detail("node");
  await containerdReady();
  if (!(await imagesInNode()).includes(pauseImage)) await importImage(join(programsDir, "pause.tar"));
  const condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  await until("kubelet", async () => (await kubectl(["get", "node", nodeName, "-o", condition])) === "True");
  step.detail("DNS");
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([nodeAddress]);
  await until("coredns", async () =>
    (await resolver.resolve4("kubernetes.default.svc.cluster.local")).includes(apiServiceAddress),
  );
  step.detail("services");
  await until("kube-proxy", async () =>
    (await runInNode("iptables-save", "-t", "nat")).includes("kube-system/kube-dns:dns "),
  );
  step.detail("network policies");
  await until("network-policies", async () =>
    new RegExp(`^ *${policyQueue} `, "m").test(await runInNode("cat", "/proc/net/netfilter/nfnetlink_queue")),
  );
  step.detail("edge");
  await until("envoy", edgeReady);
}

/** Starts metrics-server in the running cluster, unless it runs there. @throws Problem with its log if it does not answer */
export async function startMetricsServer(step: Step): Promise<void> {
  step.detail("metrics");
  writeFileSync(join(nodeDir, measured), "");
  await applyObjects(metricsObjects(readFileSync(join(stateDir, "pki", "ca.crt"), "utf8")));
  const condition = 'jsonpath={.status.conditions[?(@.type=="Available")].status}';
  const service = ["get", "apiservice", "v1beta1.metrics.k8s.io", "-o", condition];
  await until("metrics-server", async () => (await kubectl(service)) === "True");
}

/** Waits until images can be imported. @throws Problem */
export function containerdReady(): Promise<void> {
  return until("containerd", async () => (await runInNode("ctr", "-n", "k8s.io", "version")) !== "");
}

async function applyBootstrapObjects(): Promise<void> {
  await kubectl([...apply, `${join(programsDir, "crds.yaml")},${gatewayApiFile}`]);
  await kubectl(["wait", "--for=condition=Established", "customresourcedefinitions", "--all"]);
  const role = parseAllDocuments(readFileSync(join(programsDir, "role.yaml"), "utf8"))
    .map((document) => document.toJS() as { kind: string })
    .filter(({ kind }) => kind === "ClusterRole");
  await applyObjects([...role, ...bootstrapObjects]);
}

const apply = ["apply", "--server-side", "--force-conflicts", "--filename"];

async function applyObjects(items: readonly object[]): Promise<void> {
  await kubectl([...apply, "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
}

function kubectl(args: readonly string[], input = ""): Promise<string> {
  return run(kubectlPath, ["--kubeconfig", kubeconfigPath, "--request-timeout", "20s", ...args], { input });
}

/** Waits for one component, for at most two minutes. */
async function until(component: string, isReady: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 120_000;
  let last: unknown;
  while (Date.now() < end) {
    try {
      if (await isReady()) return;
    } catch (error) {
      last = error;
    }
    requireDisk(stateDir, diskNeeded.run); // On a full disk, etcd ends and nothing answers any more.
    // Just after the start, the sandbox's first process may not exist yet.
    if (sandboxInit() === undefined) await sleep(1000);
    if (sandboxInit() === undefined) break;
    await sleep(200);
  }
  const log = join(logsDir, sandboxInit() === undefined ? "sandbox.log" : `${component}.log`);
  const text = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n").slice(-8).join("\n") : String(last);
  throw new Problem(
    `The local Kubernetes did not start: ${component} is not ready. The end of its log:\n${text}`,
    `See ${logsDir}, then start again: npm stop && npm start`,
  );
}

/** Envoy is ready once it has its first configuration from Contour. */
function edgeReady(): Promise<boolean> {
  const socketPath = `/proc/${sandboxInit() ?? 0}/root${envoyAdminSocket}`;
  return new Promise((resolve, reject) => {
    request({ socketPath, path: "/ready", timeout: 1000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on("error", reject)
      .end();
  });
}
