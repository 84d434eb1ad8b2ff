/** Evaluates the program without the Pulumi CLI, through the SDK's own mocks, and gives back its Kubernetes objects. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { fullKey, project } from "../../names/project.ts";
import { projectDir, tlsDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import { proxyGrpcName } from "../../names/kubernetes.ts";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** Marks a value that only the CLI or Google could tell. */
const notShown = (what: string) => `(${what} not shown)`;

export type RawConfig = Record<string, string>;

/**
 * The stack file as Pulumi would hand it to the program. Encrypted values, which only the Pulumi CLI can read, become
 * marked placeholders, or are refused where the result is to be applied.
 * @throws Problem
 */
export function readStackFile(path: string, encrypted: "placeholder" | "refuse" = "placeholder"): RawConfig {
  if (!existsSync(path))
    throw new Problem(`There is no ${path}.`, "Name a stack that has a Pulumi.<stack>.yaml, or copy one of those.");
  return stackConfig(readFileSync(path, "utf8"), path, encrypted);
}

/** The same for a text that is, or is to be, the file's. @throws Problem */
export function stackConfig(
  text: string,
  path: string,
  encrypted: "placeholder" | "refuse" = "placeholder",
): RawConfig {
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Problem(`${path} is not YAML: ${String(error).split("\n")[0] ?? ""}`, "Fix that line.");
  }
  const config = isObject(document) ? (document["config"] ?? {}) : (document ?? {});
  if (!isObject(config))
    throw new Problem(
      `${path} is no stack file.`,
      "It must be a map with a map `config`, such as Pulumi.staging.yaml.",
    );
  const twice = Object.keys(config).find((key) => fullKey(key) !== key && fullKey(key) in config);
  if (twice !== undefined)
    throw new Problem(`${path} has ${twice} twice, once as ${fullKey(twice)}.`, "Keep one of the two.");
  return Object.fromEntries(
    Object.entries(config).map(([short, value]) => {
      const key = fullKey(short);
      const plain = withoutSecrets(value, key, (where) => {
        if (encrypted === "placeholder") return notShown(`secret ${where}`);
        throw new Problem(
          `${path} holds an encrypted value, which only the Pulumi CLI can read: ${where}.`,
          "Write a value for this machine there in the clear, or run the stack with `npx pulumi up`.",
        );
      });
      return [key, typeof plain === "string" ? plain : JSON.stringify(plain)];
    }),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function withoutSecrets(value: unknown, key: string, instead: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, `${key}[${index}]`, instead));
  if (!isObject(value)) return value;
  if (Object.keys(value).join() === "secure") return instead(key);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, withoutSecrets(item, `${key}.${name}`, instead)]),
  );
}

/**
 * Where a certificate's files are not there yet, as before the first `npm start`, a placeholder takes their place; where it
 * would be replaced by that, it does so anyway, and `always` where what is served is looked at instead of the files.
 */
export function withPlaceholderFiles(
  config: RawConfig,
  when: "missing" | "replaceable" | "always" = "missing",
): RawConfig {
  const { certFile, keyFile, ...rest } = objectAt(config, "tls");
  if (rest["mode"] !== "supplied" || typeof certFile !== "string" || typeof keyFile !== "string") return config;
  const path = join(projectDir, certFile);
  const replaceable = when === "always" || (when === "replaceable" && path === join(tlsDir, "tls.crt"));
  if (existsSync(path) && !replaceable) return config;
  const secrets = objectAt(config, "secrets");
  return {
    ...config,
    [`${project}:tls`]: JSON.stringify(rest),
    [`${project}:secrets`]: JSON.stringify({ ...secrets, tls: { crt: notShown(certFile), key: notShown(keyFile) } }),
  };
}

function objectAt(config: RawConfig, key: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(config[`${project}:${key}`] ?? "{}");
    return isObject(value) ? value : {};
  } catch {
    return {}; // The check of the config says what is wrong with it.
  }
}

export interface Evaluation {
  /** In the order in which they are to be applied. */
  readonly objects: readonly KubernetesObject[];
  readonly outputs: Record<string, unknown>;
}

/**
 * Evaluates `index.ts` for one stack. Once in a process: the program is a module, and modules run once.
 * @throws pulumi.RunError for a config that is refused
 */
export async function evaluate(stack: string, config: RawConfig, secrets: "redacted" | "plain"): Promise<Evaluation> {
  const objects: KubernetesObject[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs: told }) => {
        const inputs = told as Record<string, unknown>;
        if (type.startsWith("kubernetes:") && inputs["kind"] !== undefined) objects.push(toObject(inputs, secrets));
        return {
          id: `${name}-id`,
          state: type.startsWith("kubernetes:")
            ? inputs
            : { ...unknownOutputs(type, name), ...(secrets === "plain" && (await grpcOutputs(type, name))), ...inputs },
        };
      },
      call: ({ token }) =>
        token === "gcp:organizations/getClientConfig:getClientConfig" ? { accessToken: notShown("access token") } : {},
    },
    project,
    stack,
    false,
  );
  const encrypted = Object.keys(config).filter((key) => config[key]?.includes(`(secret ${key}`));
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(encrypted);
  pulumi.runtime.setAllConfig(withPlaceholderFiles(config));
  process.chdir(projectDir); // As Pulumi does: paths in the config are relative to the project.
  // The SDK writes out a stack trace for each of its promises, which takes longer than the rest and is read by nobody.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  const program = (await import("../../index.ts")) as { default: Record<string, unknown> };
  const outputs = await promise(pulumi.output(program.default));
  await pulumi.runtime.disconnect();
  Error.stackTraceLimit = stackTraceLimit;
  return {
    objects: objects.sort((a, b) => rank(a) - rank(b) || compare(id(a), id(b))),
    outputs,
  };
}

const promise = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply(resolve));

/** What a Google or TLS resource would tell only once it exists. */
function unknownOutputs(type: string, name: string): Record<string, unknown> {
  const known = (property: string) => notShown(`${name} ${property}`);
  switch (type) {
    case "gcp:compute/globalAddress:GlobalAddress":
      return { name: known("name"), address: known("address") };
    case "gcp:container/cluster:Cluster":
      return {
        name: known("name"),
        controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: known("endpoint") } },
      };
    case "gcp:certificatemanager/dnsAuthorization:DnsAuthorization":
      return { dnsResourceRecords: [{ name: known("record"), type: "CNAME", data: known("record's data") }] };
    case "docker:index/image:Image":
      return { repoDigest: known("digest") };
    case "tls:index/privateKey:PrivateKey":
      return { privateKeyPem: known("key") };
    case "tls:index/certRequest:CertRequest":
      return { certRequestPem: known("request") };
    default:
      return {
        name: known("name"),
        email: known("email"),
        certPem: known("certificate"),
        selfLink: known("link"),
        repositoryId: known("repository"),
      };
  }
}

/**
 * The pair of the proxy's port for gRPC, the one thing of a local stack that only a provider of the CLI would make. (The
 * local stack signs for itself outside the program: `tls.mode: supplied`.)
 */
async function grpcOutputs(type: string, name: string): Promise<Record<string, unknown>> {
  if (!type.startsWith("tls:") || !name.startsWith(`${proxyGrpcName}-`)) return {};
  const { grpcPair } = await import("./localCertificate.ts"); // It loads a library that rendering has no use for.
  const { certificate, key } = await grpcPair();
  return type === "tls:index/selfSignedCert:SelfSignedCert" ? { certPem: certificate } : { privateKeyPem: key };
}

/** Secrets reach the mocks wrapped, with this key as the mark. */
const secretMark = "4dabf18193072939515e22adb298388d";

/** A property with a secret anywhere in it is marked as a whole, by the SDK. */
function toObject(inputs: Record<string, unknown>, secrets: "redacted" | "plain"): KubernetesObject {
  const shown = Object.entries(inputs).map(([key, value]) => {
    if (!isObject(value) || !(secretMark in value)) return [key, value];
    return [key, secrets === "plain" ? value["value"] : redact(value["value"], key)];
  });
  const { apiVersion, kind, metadata, ...rest } = Object.fromEntries(shown) as KubernetesObject;
  return { apiVersion, kind, metadata, ...rest };
}

function redact(value: unknown, path: string): unknown {
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, `${path}.${key}`)]));
  return notShown(`secret ${path}`);
}

/** What others need comes first; the edge last. */
const order = [
  "Namespace",
  "ServiceAccount",
  "ConfigMap",
  "Secret",
  "FrontendConfig",
  "BackendConfig",
  "HealthCheckPolicy",
  "GCPBackendPolicy",
  "GCPGatewayPolicy",
  "GCPHTTPFilter",
  "NetworkPolicy",
  "Service",
  "PodDisruptionBudget",
  "Deployment",
  "PodMonitoring",
  "PodMonitor",
  "Ingress",
  "Gateway",
  "HTTPRoute",
];
const rank = ({ kind }: KubernetesObject) => order.indexOf(kind);
const id = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
