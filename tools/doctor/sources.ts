/** Where the doctor looks: the stack's config and outputs, its cluster, its edge. What is not there is left out, with the reason. */
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
import { projectDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { stackOutputs } from "../stack/access.ts";
import { caFile } from "../stack/localCertificate.ts";
import { subjectOf, type Subject } from "./subject.ts";

export interface Named {
  /** Where the edge answers, instead of where the stack says. */
  readonly address?: string | undefined;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** File of an authority to trust, beside those that this machine knows. */
  readonly ca?: string | undefined;
  /** kubectl context, instead of the stack's own. */
  readonly context?: string | undefined;
}

export interface Sources {
  readonly subject: Subject;
  /** How to ask the cluster, or why it cannot be asked. */
  readonly target: KubectlTarget | string;
  /** Where the edge is. @default - what the controller reports */
  readonly address: string | undefined;
  /** Why the stack's outputs could not be read. @default - they could, or it has none */
  readonly unread: string | undefined;
  readonly ports: { readonly httpPort: number; readonly httpsPort: number };
  /** PEM of the authorities that clients trust. */
  readonly ca: string;
  /** Google's names of managed certificates, by host. */
  readonly certificates: Readonly<Record<string, string>>;
  /** Name of the ConfigMap of routes that follows from the config. */
  readonly routesName: string;
}

/**
 * Reads what does not change while the doctor looks, and lends it to `use`.
 * @param project folder of the stack files. @default - this project's
 * @throws Problem, or a RunError for a bad config
 */
export async function withSources<T>(
  stack: string,
  named: Named,
  use: (sources: Sources) => Promise<T>,
  project = projectDir,
): Promise<T> {
  const raw = readStackFile(stackFile(stack, project));
  // What is wrong with a certificate is for its hop to say.
  const checked = checkConfig(withPlaceholderFiles(raw, "always"), stack, projectDir);
  const { settings } = checked;
  const { cluster, tls } = settings;
  // The kubeconfig is there, or the authority by which the stack signs.
  const read = cluster.kind === "gke" || tls.mode === "self-signed" ? await outputsOf(stack, project) : {};
  const outputs = typeof read === "string" ? {} : read;
  const folder = mkdtempSync(join(tmpdir(), "doctor-"));
  try {
    const target = targetOf(stack, checked, read, named, folder);
    const own = typeof target === "string" ? "kubectl" : typed(target, folder, stack);
    const local = typeof target !== "string" && target.context === localContext;
    const routes = proxyRoutes(settings);
    return await use({
      subject: subjectOf(stack, checked, own),
      target,
      address: named.address ?? text(outputs["address"]) ?? (local ? "127.0.0.1" : undefined),
      unread: typeof read === "string" ? read : undefined,
      ports: { httpPort: named.httpPort, httpsPort: named.httpsPort },
      ca: [
        ...rootCertificates,
        ...[text(outputs["caCertificate"]) ?? []].flat(),
        ...(named.ca === undefined ? [] : [readCa(named.ca)]),
        // The authority by which npm start signs, where that is what the stack supplies.
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

async function outputsOf(stack: string, project: string): Promise<Record<string, unknown> | string> {
  try {
    return await stackOutputs(stack, project);
  } catch (error) {
    // The edge can be asked all the same, by its name.
    if (error instanceof Problem) return error.message.split("\n").slice(0, 2).join(" ");
    throw error;
  }
}

function targetOf(
  stack: string,
  { settings: { cluster } }: CheckedConfig,
  outputs: Record<string, unknown> | string,
  named: Named,
  folder: string,
): KubectlTarget | string {
  const kubectl = onPath("kubectl") ?? (existsSync(kubectlPath) ? kubectlPath : undefined);
  if (kubectl === undefined) return "there is no kubectl on PATH";
  if (named.context !== undefined) return { kubectl, context: named.context };
  if (cluster.kind === "existing") {
    if (cluster.kubeconfig === undefined) return { kubectl, context: cluster.context };
    const kubeconfig = resolve(projectDir, cluster.kubeconfig);
    return existsSync(kubeconfig)
      ? { kubectl: existsSync(kubectlPath) ? kubectlPath : kubectl, context: cluster.context, kubeconfig }
      : `there is no ${cluster.kubeconfig}`;
  }
  if (typeof outputs === "string") return outputs;
  const config = text(outputs["kubeconfig"]);
  if (config === undefined) return `the stack ${stack} has no kubeconfig yet`;
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, config, { mode: 0o600 });
  const context = /^current-context: (.*)$/m.exec(config)?.[1] ?? "";
  return { kubectl, context, kubeconfig };
}

/** kubectl as people type it: the file in `folder` is gone by then, and "npm run kubeconfig" writes one that stays. */
function typed({ context, kubeconfig }: KubectlTarget, folder: string, stack: string): string {
  if (kubeconfig === undefined) return `kubectl --context ${context}`;
  return kubeconfig.startsWith(folder)
    ? `kubectl --context ${projectName}-${stack}`
    : `kubectl --kubeconfig ${kubeconfig.replace(`${projectDir}/`, "")}`;
}

function readCa(file: string): string {
  if (!existsSync(file))
    throw new Problem(`There is no ${file}.`, "--ca names the PEM file of a certificate authority.");
  return readFileSync(file, "utf8");
}

function certificateNames(output: unknown): Record<string, string> {
  const entries = Object.entries((output ?? {}) as Record<string, { name?: unknown }>);
  return Object.fromEntries(entries.flatMap(([host, { name }]) => (typeof name === "string" ? [[host, name]] : [])));
}
