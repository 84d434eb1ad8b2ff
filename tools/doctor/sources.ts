/** The doctor's sources: the stack's config and outputs, its cluster, its edge. If one is missing, the reason is recorded. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { rootCertificates } from "node:tls";
import { checkConfig, type CheckedConfig } from "../../config/config.ts";
import { fullKey, project as projectName } from "../../names/project.ts";
import { proxyRoutes } from "../../config/routes.ts";
import { proxyMetrics } from "../../config/metrics.ts";
import { routesConfigMap } from "../../components/workloads/nginxProxy.ts";
import { kubectlPath } from "../machine/kubernetes.ts";
import { onPath } from "../cli/run.ts";
import { readStackFile, stackFile, withPlaceholderFiles } from "../stack/stackFile.ts";
import type { KubectlTarget } from "../cli/kubectl.ts";
import { context as localContext } from "../machine/node/credentials.ts";
import { kubeconfigPath, projectDir, stacksDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { applied } from "../apply/engine.ts";
import { sandboxInit } from "../machine/exec.ts";
import { stackOutputs } from "../stack/access.ts";
import { caFile } from "../stack/localCertificate.ts";
import { subjectOf, type Subject } from "./subject.ts";

/** What the user named by options, instead of the stack's own. */
export interface Overrides {
  /** Address of the edge. */
  readonly address?: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** PEM file of a certificate authority to trust, in addition to the well-known ones. */
  readonly ca?: string | undefined;
  /** kubectl context. */
  readonly context?: string | undefined;
}

export interface Sources {
  readonly subject: Subject;
  /** How to reach the cluster, or why it cannot be reached. */
  readonly target: KubectlTarget | string;
  /** Address of the edge. @default - the one that the controller reports */
  readonly address: string | undefined;
  /** Why the stack's outputs could not be read. @default - they could, or are not needed */
  readonly outputsError: string | undefined;
  readonly ports: { readonly httpPort: number; readonly httpsPort: number };
  /** Certificate authorities that clients trust, PEM. */
  readonly ca: string;
  /** Names of Google's managed certificates by host. */
  readonly certificates: Readonly<Record<string, string>>;
  /** Expected name of the ConfigMap of routes. It contains a hash of the routes. */
  readonly routesName: string;
}

/**
 * Runs `use` with the sources that do not change while the doctor runs.
 * @param project folder of the stack files. @default - this project's
 * @param runs whether the Kubernetes of `npm start` runs. @default - of this checkout, by its processes
 * @throws Problem, or a RunError for an invalid config
 */
export async function withSources<T>(
  stack: string,
  overrides: Overrides,
  use: (sources: Sources) => Promise<T>,
  project = stacksDir,
  runs = () => sandboxInit() !== undefined,
): Promise<T> {
  const raw = readStackFile(stackFile(stack, project));
  // Problems of a certificate are reported at its hop, not here.
  const checked = checkConfig(withPlaceholderFiles(raw, "always"), stack, projectDir);
  const { settings } = checked;
  const { cluster, tls } = settings;
  // Before any request: another program may listen on its ports, and the current context is another cluster.
  if (isLocal(cluster) && overrides.context === undefined && overrides.address === undefined && !runs())
    throw stopped(stack);
  // The outputs have the kubeconfig, or the CA of a self-signed stack.
  const read = cluster.kind === "gke" || tls.mode === "self-signed" ? await outputsOf(stack, project) : {};
  const outputs = read instanceof Problem ? {} : read;
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  try {
    const target = targetOf(stack, checked, read, overrides, folder);
    const own =
      typeof target === "string" ? futureCommand(stack, checked, overrides) : kubectlCommand(target, folder, stack);
    const local = typeof target !== "string" && target.context === localContext;
    const routes = proxyRoutes(settings);
    return await use({
      subject: subjectOf(stack, checked, own),
      target,
      address: overrides.address ?? text(outputs["address"]) ?? (local ? "127.0.0.1" : undefined),
      outputsError: read instanceof Problem ? `${firstLines(read.message)} ${firstLines(read.fix)}` : undefined,
      ports: { httpPort: overrides.httpPort, httpsPort: overrides.httpsPort },
      ca: [
        ...rootCertificates,
        ...[text(outputs["caCertificate"]) ?? []].flat(),
        ...(overrides.ca === undefined ? [] : [readCa(overrides.ca)]),
        // The CA of npm start, if the stack uses its certificate.
        ...(raw[fullKey("tls")]?.includes(".local/tls/") === true && existsSync(caFile)
          ? [readFileSync(caFile, "utf8")]
          : []),
      ].join("\n"),
      certificates: certificateNames(outputs["certificates"]),
      routesName: routesConfigMap(routes, proxyMetrics(settings)).name,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const text = (value: unknown) => (typeof value === "string" ? value : undefined);

const firstLines = (message: string) => message.split("\n").slice(0, 2).join(" ");

async function outputsOf(stack: string, project: string): Promise<Record<string, unknown> | Problem> {
  try {
    return await stackOutputs(stack, project);
  } catch (error) {
    // Without the outputs, requests to the edge by its name are still possible.
    if (error instanceof Problem) return error;
    throw error;
  }
}

function targetOf(
  stack: string,
  { settings: { cluster } }: CheckedConfig,
  outputs: Record<string, unknown> | Problem,
  overrides: Overrides,
  folder: string,
): KubectlTarget | string {
  const kubectl = onPath("kubectl") ?? (existsSync(kubectlPath) ? kubectlPath : undefined);
  if (kubectl === undefined) return "there is no kubectl on PATH";
  if (overrides.context !== undefined) return { kubectl, context: overrides.context };
  if (cluster.kind === "existing") {
    if (cluster.kubeconfig === undefined) return { kubectl, context: cluster.context };
    const kubeconfig = resolve(projectDir, cluster.kubeconfig);
    return existsSync(kubeconfig)
      ? { kubectl: existsSync(kubectlPath) ? kubectlPath : kubectl, context: cluster.context, kubeconfig }
      : `there is no ${cluster.kubeconfig}`;
  }
  if (outputs instanceof Problem) return firstLines(outputs.message);
  const config = text(outputs["kubeconfig"]);
  if (config === undefined) return `the stack ${stack} has no kubeconfig yet`;
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, config, { mode: 0o600 });
  const context = /^current-context: (.*)$/m.exec(config)?.[1] ?? "";
  return { kubectl, context, kubeconfig };
}

/** The kubectl command for the user. The file in `folder` is temporary; "npm run kubeconfig" writes the context permanently. */
function kubectlCommand({ context, kubeconfig }: KubectlTarget, folder: string, stack: string): string {
  if (kubeconfig === undefined) return `kubectl --context ${context}`;
  return kubeconfig.startsWith(folder)
    ? `kubectl --context ${projectName}-${stack}`
    : `kubectl --kubeconfig ${kubeconfig.replace(`${projectDir}/`, "")}`;
}

/** The command for the cluster that the stack names, if it cannot be reached now. Never the current context's. */
function futureCommand(stack: string, { settings: { cluster } }: CheckedConfig, { context }: Overrides): string {
  if (context !== undefined) return `kubectl --context ${context}`;
  if (cluster.kind !== "existing") return `kubectl --context ${projectName}-${stack}`;
  return cluster.kubeconfig === undefined
    ? `kubectl --context ${cluster.context}`
    : `kubectl --kubeconfig ${cluster.kubeconfig}`;
}

/** Whether the stack is in the Kubernetes that `npm start` starts. */
const isLocal = (cluster: CheckedConfig["settings"]["cluster"]): boolean =>
  cluster.kind === "existing" &&
  cluster.context === localContext &&
  cluster.kubeconfig !== undefined &&
  resolve(projectDir, cluster.kubeconfig) === kubeconfigPath;

function stopped(stack: string): Problem {
  const others = Object.entries(applied()).flatMap(([context, { outlivesStop }]) => (outlivesStop ? context : []));
  return new Problem(
    `The stack ${stack} is stopped: the Kubernetes of npm start does not run on this machine.`,
    others.length === 0
      ? "Run npm start."
      : `Run npm start. To examine the one in your own cluster: npm run doctor -- ${stack} --context ${others.join(" or ")}`,
  );
}

function readCa(file: string): string {
  if (!existsSync(file))
    throw new Problem(`There is no ${file}.`, "Name the PEM file of a certificate authority with --ca.");
  return readFileSync(file, "utf8");
}

function certificateNames(output: unknown): Record<string, string> {
  const entries = Object.entries((output ?? {}) as Record<string, { name?: unknown }>);
  return Object.fromEntries(entries.flatMap(([host, { name }]) => (typeof name === "string" ? [[host, name]] : [])));
}
