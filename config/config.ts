/** Reads and checks the stack's whole config before any resource is registered. The only reader of Pulumi's config. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { pemBlocks } from "./certificate.ts";
import { checkSettings, warningsOf } from "./checks.ts";
import { nearestRegion } from "./checks/locations.ts";
import { dnsNotes } from "./checks/edge.ts";
import { quotaNotes } from "./checks/quotas.ts";
import { exactPathNotes } from "./checks/routes.ts";
import { withFallback, type CertificatePair } from "./checks/tls.ts";
import { outsideNotes } from "./checks/workloadWarnings.ts";
import { edgePaths } from "./grpc.ts";
import { healthOf, sidecarsStartSeconds } from "./health.ts";
import { hostNames } from "./hosts.ts";
import {
  completed,
  foreign,
  inputOf,
  lostText,
  mayBeRewritten,
  parseShape,
  providers,
  reservedKeys,
  splitKey,
} from "./input.ts";
import { atTheirOrigin, likeProblems, ofResolved } from "./like.ts";
import { scheduleProblems } from "./schedules.ts";
import { workloadsOf, type Workload } from "./workloads.ts";
import { withPoolLabels } from "./nodes.ts";
import { mostPods } from "../names/replicas.ts";
import { projectId } from "../names/google.ts";
import { fullKey, project, projectDir, stacksDir } from "../names/project.ts";
import { describe, hidden, keyBefore, keyOf, printable, problem, valueAt, type ConfigProblem } from "./problems.ts";
import { mostRolloutSeconds, schema, type Settings } from "./schema.ts";

/** Google Cloud project ID and region, from the Google provider's own keys. */
interface Google {
  readonly project: string;
  readonly region: string;
}
/** Adds project and region to the alternatives of a union that are on Google. */
type WithGoogle<Choice, Of> = Exclude<Choice, Of> | (Extract<Choice, Of> & Google);

/** The settings of a checked stack, with project and region. */
export interface StackSettings extends Omit<Settings, "cluster" | "edge" | "registry" | "tls" | "rolloutSeconds"> {
  readonly cluster: WithGoogle<Settings["cluster"], { kind: "gke" }>;
  readonly edge: WithGoogle<Settings["edge"], { onGoogle: true }>;
  readonly registry: WithGoogle<Settings["registry"], { kind: "artifact-registry" }>;
  readonly tls: ReturnType<typeof withFallback>;
  readonly rolloutSeconds: number;
}

export interface StackConfig extends Omit<StackSettings, "secrets"> {
  readonly stack: string;
  /** All host names of the stack, the domain first. */
  readonly hosts: readonly string[];
  /** By host, the paths that the edge routes separately; only with gRPC routes. */
  readonly edgePaths: ReturnType<typeof edgePaths>;
  /** The supplied certificate; only with `tls.mode` or `tls.fallback` supplied. */
  readonly certificate: { readonly crt: pulumi.Output<string>; readonly key: pulumi.Output<string> } | undefined;
  /** What runs in the pods of each service. */
  readonly workloads: readonly Workload[];
}

/** Reads the current stack's config. @throws RunError that lists every problem */
export async function loadConfig(): Promise<StackConfig> {
  const stack = pulumi.getStack();
  const raw = pulumi.runtime.allConfig();
  await refuseRewrittenText(stack, raw);
  const { settings, certificate: pair, warnings } = checkConfig(raw, stack, projectDir, secretKeys());
  const isPlain = Object.keys(settings.secrets).length > 0 && !secretKeys().includes(fullKey("secrets"));
  for (const warning of [...warnings, ...(isPlain ? plainSecretsWarning(settings) : [])]) void pulumi.log.warn(warning);
  const { secrets: _, ...rest } = settings;
  const certificate = pair && { crt: pulumi.secret(pair.crt), key: pulumi.secret(pair.key) };
  const workloads = workloadsOf(settings, projectDir);
  const names = { stack, hosts: hostNames(settings), edgePaths: edgePaths(settings) };
  return Object.freeze({ ...rest, ...names, workloads, certificate });
}

/**
 * The CLI hands over `0777` without quotes as 511. Only the stack file shows what was written.
 * @throws RunError for text that is lost this way
 */
async function refuseRewrittenText(stack: string, raw: Readonly<Record<string, string>>): Promise<void> {
  const file = join(stacksDir, `Pulumi.${stack}.yaml`);
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  // Hardly any file has such a scalar, and a YAML parser takes time to load.
  if (!mayBeRewritten.test(text)) return;
  const { parseStackFile, StackFileError } = await import("./stackFile.ts");
  try {
    refuse(stack, lostText(raw, parseStackFile(text).rewritten));
  } catch (error) {
    if (!(error instanceof StackFileError)) throw error;
    throw new pulumi.RunError(`${error.placeIn(`Pulumi.${stack}.yaml`)}: ${error.message}; ${error.fix}`);
  }
}

/** The keys set with `--secret`, as a whole or in part. The CLI passes them to programs in every language this way. */
function secretKeys(): string[] {
  return JSON.parse(process.env["PULUMI_CONFIG_SECRET_KEYS"] ?? "[]") as string[];
}

export interface CheckedConfig {
  readonly settings: StackSettings;
  /** As supplied; only with `tls.mode` or `tls.fallback` supplied. */
  readonly certificate: CertificatePair | undefined;
  /** Problems that are due soon, such as an expiring certificate. */
  readonly warnings: readonly string[];
  /** What to do or know outside the config, such as quotas of a new project that the stack may exceed. */
  readonly notes: readonly string[];
}

/**
 * Checks a config in Pulumi's format: text by full key, objects as JSON.
 * @param secretKeys full keys that hold a secret
 * @throws RunError that lists every problem
 */
export function checkConfig(
  raw: Readonly<Record<string, string>>,
  stack: string,
  projectDir: string,
  secretKeys: readonly string[] = [],
): CheckedConfig {
  const problems: ConfigProblem[] = [];
  // Any other secret could leak: into an error message, or into an object that is not a Secret.
  const misplaced = secretKeys.filter((key) => {
    const [namespace, name] = splitKey(key);
    return !providers.includes(namespace) && name !== "secrets";
  });
  const foreigners: ConfigProblem[] = [];
  const written = inputOf(raw, (key) => {
    const [namespace, name] = splitKey(key);
    if (namespace === project) return true;
    foreigners.push(foreign(key, namespace, name));
    // Check keys under another name too, so that one run reports every problem.
    return Object.hasOwn(schema.shape, name) && !(fullKey(name) in raw) && !misplaced.includes(key);
  });
  problems.push(...foreigners, ...reservedKeys(written, []), ...likeProblems(written), ...scheduleProblems(written));
  const input = completed(written);
  const parsed = parseShape(input);
  if (!parsed.success) problems.push(...describe(parsed.error.issues, input, schema));

  const usesGke = (valueAt(input, ["cluster", "kind"]) ?? "gke") === "gke";
  const { project: googleProject, region } = usesGke ? readGoogle(raw, stack, problems) : {};
  const certificate = parsed.success ? readCertificate(parsed.data, projectDir) : undefined;
  // A key under another name may be what the others need.
  if (parsed.success && foreigners.length === 0)
    problems.push(
      ...ofResolved(
        written,
        checkSettings(parsed.data, { stack, region, project: googleProject, projectDir, certificate }),
      ),
    );
  const shown = [
    ...misplaced.map((key) =>
      problem(key, hidden, `is encrypted, and only ${project}:secrets may be`, "set the secret there"),
    ),
    ...atTheirOrigin(written, problems, ({ key }) => key).filter(
      ({ key }) => !misplaced.some((secret) => key.startsWith(secret)),
    ),
  ].filter(({ key, message }, at, all) => at === all.findIndex((one) => one.key === key && one.message === message));
  refuse(stack, shown);
  if (!parsed.success) throw new Error("The config is invalid, and no problem says why.");
  const google = googleProject !== undefined && region !== undefined ? { project: googleProject, region } : undefined;
  return {
    settings: withGoogle(parsed.data, google),
    certificate: certificate && pemBlocks(certificate),
    warnings: atTheirOrigin(written, warningsOf(parsed.data, { region, certificate }), keyBefore),
    notes: atTheirOrigin(
      written,
      [
        ...quotaNotes(parsed.data),
        ...dnsNotes(parsed.data),
        ...exactPathNotes(parsed.data),
        ...outsideNotes(parsed.data),
      ],
      keyBefore,
    ),
  };
}

/** A pod may need a new node, which takes 1 to 3 minutes, and pulls its image there. */
const rolloutDefaults = { gke: 600, existing: 180 };

/** Pods start one after another: the default is enough for all of a service that starts slowly. */
function longestRollout({ services, cluster }: Settings): number {
  const health = healthOf(services);
  // Nothing waits for the pods of a schedule.
  const rolledOut = Object.entries(services).filter(([, { schedule }]) => schedule === undefined);
  const seconds = rolledOut.map(
    ([name, service]) =>
      ((health.get(name)?.startSeconds ?? 0) + sidecarsStartSeconds(service)) * mostPods(service.replicas),
  );
  return Math.min(Math.max(rolloutDefaults[cluster.kind], ...seconds), mostRolloutSeconds);
}

function withGoogle(settings: Settings, google: Google | undefined): StackSettings {
  const { edge, registry, ...others } = settings;
  const cluster = withPoolLabels(settings.cluster, settings.services);
  const rest = {
    ...others,
    tls: withFallback(settings),
    rolloutSeconds: settings.rolloutSeconds ?? longestRollout(settings),
  };
  if (google !== undefined)
    return {
      ...rest,
      cluster: cluster.kind === "gke" ? { ...cluster, ...google } : cluster,
      edge: edge.onGoogle ? { ...edge, ...google } : edge,
      registry: registry.kind === "artifact-registry" ? { ...registry, ...google } : registry,
    };
  // The checks guarantee that the cluster supports the edge, and that every build has a registry.
  if (cluster.kind === "gke" || edge.onGoogle) throw new Error("The stack is on Google, and has no project there.");
  return { ...rest, cluster, edge, registry: { kind: "node" } };
}

/** On this machine secrets may be plain: nobody else sees them. */
export const plainSecretsWarning = ({ cluster }: Pick<StackSettings, "cluster">): string[] =>
  cluster.kind === "gke"
    ? [
        `${keyOf(["secrets"])}: holds values that are not encrypted in the stack's file; set each of them again, which asks for the value: npx pulumi config set --secret --path ${keyOf(["secrets", "SERVICE", "NAME"])}`,
      ]
    : [];

/** @throws RunError if there is a problem */
export function refuse(stack: string, problems: readonly ConfigProblem[]): void {
  if (problems.length > 0) throw new pulumi.RunError(message(stack, problems));
}

/** Problems listed per run. */
const maxShown = 40;

function message(stack: string, problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.slice(0, maxShown).map(({ key, message }) => `  ${printable(key)}\n    ${printable(message)}`);
  return [
    `${count} in the config of stack ${stack}; nothing was changed:`,
    ...lines,
    ...(problems.length > maxShown ? [`  and ${problems.length - maxShown} more`] : []),
    `Fix ${problems.length === 1 ? "it" : "them"} in Pulumi.${stack}.yaml, or with: npx pulumi config set --stack ${stack} --path '<key>' <value> (text: --type string)`,
  ].join("\n");
}

function readGoogle(raw: Readonly<Record<string, string>>, stack: string, problems: ConfigProblem[]): Partial<Google> {
  const rules = {
    project: { form: new RegExp(`^${projectId}$`), example: "acme-staging" },
    region: { form: /^[a-z]+-[a-z]+\d+$/, example: "asia-northeast1" },
  };
  const read = (name: keyof typeof rules) => {
    const value = raw[`gcp:${name}`];
    const { form } = rules[name];
    const example = (name === "region" ? nearestRegion(value ?? "") : undefined) ?? rules[name].example;
    if (value === undefined || !form.test(value))
      problems.push(
        problem(
          `gcp:${name}`,
          value,
          `is not a Google Cloud ${name}`,
          `set one such as ${example}: npx pulumi config set --stack ${stack} gcp:${name} ${example}`,
        ),
      );
    return value !== undefined && form.test(value) ? value : undefined;
  };
  const [id, region] = [read("project"), read("region")];
  return { ...(id !== undefined && { project: id }), ...(region !== undefined && { region }) };
}

function readCertificate({ tls, secrets }: Settings, projectDir: string): CertificatePair | undefined {
  if (tls.mode === "managed" && tls.fallback === "supplied") return secrets.tls;
  if (tls.mode !== "supplied") return undefined;
  if (tls.certFile === undefined || tls.keyFile === undefined) return secrets.tls;
  try {
    return {
      crt: readFileSync(join(projectDir, tls.certFile), "utf8"),
      key: readFileSync(join(projectDir, tls.keyFile), "utf8"),
    };
  } catch {
    return undefined; // `checkTls` reports the file names.
  }
}
