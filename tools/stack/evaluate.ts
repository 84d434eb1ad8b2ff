/** Evaluates the program without the Pulumi CLI, through the SDK's mocks, and returns its Kubernetes objects. */
import * as pulumi from "@pulumi/pulumi";
import { checkConfig } from "../../config/config.ts";
import { project } from "../../names/project.ts";
import { projectDir } from "../cli/paths.ts";
import { isObject, notShown, withPlaceholderFiles, type RawConfig } from "./stackFile.ts";
import { proxyGrpcName } from "../../names/kubernetes.ts";
import { isSecret, onRegistration, type Registration } from "./registrations.ts";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

/** A registered resource, or a component. Secrets are never in plain text. */
export interface Registered extends Omit<Registration, "inputs" | "customTimeouts" | "dependencies"> {
  /** Of a Kubernetes object only `kind` and `metadata`, because `objects` has the rest. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Evaluation {
  /** In the order to apply them. */
  readonly objects: readonly KubernetesObject[];
  /** By `Kind/name`, those that wait for releases' jobs, or are one: see `stagesOf`. */
  readonly stages: ReadonlyMap<string, number>;
  /** Everything that the program registers, in its order. */
  readonly resources: readonly Registered[];
  readonly outputs: Record<string, unknown>;
}

let evaluations = 0;

function isValid(stack: string, config: RawConfig): boolean {
  try {
    checkConfig(config, stack, projectDir);
    return true;
  } catch {
    return false; // The program says why.
  }
}

/**
 * Evaluates `index.ts` for one stack.
 * @throws pulumi.RunError if the config is invalid
 */
export async function evaluate(stack: string, config: RawConfig, secrets: "redacted" | "plain"): Promise<Evaluation> {
  const objects: KubernetesObject[] = [];
  const resources: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: async ({ type, name, inputs: rawInputs }) => {
        const inputs = rawInputs as Record<string, unknown>;
        if (isObjectType(type) && inputs["kind"] !== undefined) objects.push(toObject(inputs, secrets));
        return {
          id: notShown(`${name} id`),
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
  const linked: Linked[] = [];
  onRegistration((registration) => {
    const resource = registered(registration);
    resources.push(resource);
    // Not the registration itself, which holds the whole request.
    linked.push({ urn: registration.urn, dependencies: registration.dependencies, inputs: resource.inputs });
  });
  const encrypted = Object.keys(config).filter((key) => config[key]?.includes(`(secret ${key}`));
  process.env["PULUMI_CONFIG_SECRET_KEYS"] = JSON.stringify(encrypted);
  // What is only shown needs no certificate for a new host: the next `npm start` renews it.
  const replaced = secrets === "redacted" && !isValid(stack, withPlaceholderFiles(config)) ? "replaceable" : "missing";
  pulumi.runtime.setAllConfig(withPlaceholderFiles(config, replaced));
  process.chdir(projectDir); // As Pulumi does: paths in the config are relative to the project.
  // The SDK formats a stack trace for each of its promises, which takes longer than the rest and is never read.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 1;
  // A module runs once per URL: use a new URL for each evaluation.
  const url = evaluations === 0 ? "../../index.ts" : `../../index.ts?evaluation=${evaluations}`;
  evaluations += 1;
  const program = (await import(url)) as { default: Record<string, unknown> };
  const outputs = await promise(pulumi.output(program.default));
  await pulumi.runtime.disconnect();
  Error.stackTraceLimit = stackTraceLimit;
  return { objects: inOrder(objects), stages: stagesOf(linked), resources, outputs };
}

interface Linked extends Pick<Registration, "urn" | "dependencies"> {
  /** Of a Kubernetes object, its kind and metadata. */
  readonly inputs: Registered["inputs"];
}

/**
 * In which step to apply the objects that do not come first: a release's job waits for the services that it calls, and
 * what depends on the job waits for its end.
 */
function stagesOf(resources: readonly Linked[]): ReadonlyMap<string, number> {
  const isJob = (urn: string) => urn.includes("kubernetes:batch/v1:Job::");
  const isService = (urn: string) => urn.includes("kubernetes:apps/v1:Deployment::");
  const byUrn = new Map<string, number>();
  const stages = new Map<string, number>();
  if (!resources.some(({ urn }) => isJob(urn))) return stages;
  for (const { urn, dependencies, inputs } of resources) {
    const after = dependencies.map((each) => {
      const isNext = isJob(each) || (isJob(urn) && isService(each));
      return (byUrn.get(each) ?? 0) + (isNext ? 1 : 0);
    });
    const stage = Math.max(0, ...after);
    byUrn.set(urn, stage);
    const { kind, metadata } = inputs as Partial<KubernetesObject>;
    if (stage > 0 && kind !== undefined && metadata !== undefined) stages.set(`${kind}/${metadata.name}`, stage);
  }
  return stages;
}

/** A Patch resource has a part of an object that another resource has whole. */
const isObjectType = (type: string) => type.startsWith("kubernetes:") && !type.endsWith("Patch");

const promise = <T>(output: pulumi.Output<T>) => new Promise<T>((resolve) => output.apply(resolve));

/** Placeholders for outputs that a Google or TLS resource has only once it exists. */
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
    case "gcp:compute/managedSslCertificate:ManagedSslCertificate": // Issued, as it will stay.
      return { name: known("name"), expireTime: known("expiry") };
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
 * Certificate and key of the proxy's gRPC port. They are the only outputs of a local stack that need a provider. (The
 * local stack's own certificate is created outside the program: `tls.mode: supplied`.)
 */
async function grpcOutputs(type: string, name: string): Promise<Record<string, unknown>> {
  if (!type.startsWith("tls:") || !name.startsWith(`${proxyGrpcName}-`)) return {};
  const { grpcPair } = await import("./localCertificate.ts"); // Loads a library that rendering does not need.
  const { certificate, key } = await grpcPair();
  return type === "tls:index/selfSignedCert:SelfSignedCert" ? { certPem: certificate } : { privateKeyPem: key };
}

function registered({ inputs, customTimeouts: _, dependencies: __, ...rest }: Registration): Registered {
  const all = inputs();
  const shown = rest.type.startsWith("kubernetes:") ? { kind: all["kind"], metadata: all["metadata"] } : all;
  return { ...rest, inputs: withoutSecrets(shown, "") as Registered["inputs"] };
}

function withoutSecrets(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((item, index) => withoutSecrets(item, `${path}[${index}]`));
  if (!isObject(value)) return value;
  if (isSecret(value)) return notShown(`secret ${path}`);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withoutSecrets(item, path === "" ? key : `${path}.${key}`)]),
  );
}

/** The SDK marks a whole property as secret if any part of it is. */
function toObject(inputs: Record<string, unknown>, secrets: "redacted" | "plain"): KubernetesObject {
  const shown = Object.entries(inputs).map(([key, value]) => {
    if (!isObject(value) || !isSecret(value)) return [key, value];
    return [key, secrets === "plain" ? value.value : redact(value.value, key)];
  });
  const { apiVersion, kind, metadata, ...rest } = Object.fromEntries(shown) as KubernetesObject;
  return { apiVersion, kind, metadata, ...rest };
}

function redact(value: unknown, path: string): unknown {
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(item, `${path}.${key}`)]));
  return notShown(`secret ${path}`);
}

/** Sorted so that dependencies come first and the edge last. */
export const inOrder = (objects: readonly KubernetesObject[]): KubernetesObject[] =>
  objects.toSorted((a, b) => rank(a) - rank(b) || compare(id(a), id(b)));

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
  "HorizontalPodAutoscaler",
  "PodMonitoring",
  "PodMonitor",
  "Ingress",
  "Gateway",
  "HTTPRoute",
];
/** Unlisted kinds come just before Deployments. */
const rank = ({ kind }: KubernetesObject) => order.indexOf(order.includes(kind) ? kind : "PodDisruptionBudget");
const id = ({ kind, metadata }: KubernetesObject) => `${kind}/${metadata.name}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
