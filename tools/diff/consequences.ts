/** What a change means for users: one plain sentence for each change of the cluster, the address, the names, the certificates. */
import type { KubernetesObject } from "../stack/evaluate.ts";
import { podsPrefix } from "../../names/kubernetes.ts";
import { at } from "../../policy/rule.ts";
import { accessConsequences } from "./access.ts";
import type { Operation } from "./compare.ts";
import { jobConsequences } from "./jobs.ts";
import type { Consequence, Registrations } from "./consequence.ts";

/** A change of one resource, according to the program or to the engine. */
export interface Step {
  readonly operation: Operation;
  /** `gcp:container/cluster:Cluster staging-cluster` */
  readonly resource: string;
  readonly inputs?: Readonly<Record<string, unknown>> | undefined;
}

interface Sides {
  readonly before: Registrations;
  readonly after: Registrations;
}

/** Sentences by operation and type. */
const sentences: Readonly<Record<string, string>> = {
  "replaced gcp:container/cluster:Cluster":
    "The cluster is deleted and created again: nothing answers until the new one runs all services, and what was stored in it is lost.",
  "deleted gcp:container/cluster:Cluster":
    "The cluster is deleted: nothing in it answers any more, and what was stored in it is lost.",
  "replaced gcp:compute/globalAddress:GlobalAddress":
    "The address changes: all traffic fails until DNS has the new one, and until resolvers forget the old one.",
  "deleted gcp:compute/globalAddress:GlobalAddress":
    "The address is given up: all traffic to it fails, and it cannot be had again.",
  "replaced gcp:dns/managedZone:ManagedZone":
    "The DNS zone gets other name servers: its names do not resolve until the parent domain names those.",
  "deleted gcp:dns/managedZone:ManagedZone": "The DNS zone is deleted: its names do not resolve any more.",
  "replaced gcp:compute/managedSslCertificate:ManagedSslCertificate":
    "Certificates are replaced: HTTPS fails for their names until Google has issued new ones, which takes up to an hour.",
  "replaced gcp:certificatemanager/certificate:Certificate":
    "Certificates are replaced: HTTPS fails for their names until Google has issued new ones.",
  "replaced gcp:certificatemanager/certificateMap:CertificateMap":
    "The certificate map is replaced: HTTPS fails until the load balancer has the new one.",
  "replaced gcp:artifactregistry/repository:Repository":
    "The registry loses its images: a pod of an older version cannot start on a new node.",
  "deleted gcp:artifactregistry/repository:Repository":
    "The registry loses its images: a pod that uses one cannot start on a new node.",
};

const selfSigned = "tls:index/selfSignedCert:SelfSignedCert";

const typeOf = ({ resource }: Step) => resource.split(" ")[0] ?? "";

/** What users notice, the worst first. */
export function consequences(steps: readonly Step[], sides: Sides): Consequence[] {
  const [before, after] = [served(sides.before), served(sides.after)];
  const found = new Set(steps.map((step) => sentences[`${step.operation} ${typeOf(step)}`]));
  const texts = Object.values(sentences).filter((text) => found.has(text));
  const withFallback = steps.some(isFallback);
  const clusterStays = !steps.some((step) => /container\/cluster:/.test(step.resource) && step.operation !== "changed");
  const moves = clusterStays && steps.some(isOtherCluster);
  // Clients of Google's certificate do not trust the stack's own CA.
  const isWorse = before.signer === "google" && after.ownCa;
  const newCa = steps.some(isNewCa) ? !withFallback : isWorse && after.signer === "own CA";
  return [
    ...texts.map((text) => ({ text })),
    ...(moves
      ? [
          {
            text: "Everything moves to another cluster: this one's load balancer is deleted, and what was stored in it is lost.",
          },
        ]
      : []),
    ...about(
      "Not served any more",
      [...before.hosts].filter((host) => !after.hosts.has(host)),
    ),
    ...about("Their DNS records are deleted, so these names do not resolve any more", recordsOf(steps, "deleted")),
    ...about(
      "Their DNS records are replaced, so these names may not resolve for some minutes",
      recordsOf(steps, "replaced"),
    ),
    ...(before.https && !after.https && after.hosts.size > 0
      ? [{ text: "HTTPS ends: only plain HTTP is served." }]
      : []),
    ...about(
      "HTTPS fails until Google has issued new certificates for names that are served already",
      withFallback && !isWorse
        ? []
        : certified(steps).filter((host) => before.hosts.has(host) && after.hosts.has(host)),
    ),
    ...(newCa ? [{ text: "Another CA signs the certificate: clients refuse HTTPS until they trust it." }] : []),
    ...(clusterStays && !moves ? takeover(before.edge, after.edge) : []),
    ...about(
      "Some requests to these services fail during the update, because nginx and their pods change the port one after the other; with a second service that has the new port, none do",
      otherPorts(sides),
    ),
    ...accessConsequences(sides.before, sides.after),
    ...jobConsequences(sides.before, sides.after),
  ];
}

/** Services with routes, whose port changes. */
function otherPorts({ before, after }: Sides): string[] {
  const portsIn = ({ objects }: Registrations) =>
    new Map(
      objects.flatMap((object) =>
        object.kind === "Service" && object.metadata.name.startsWith(podsPrefix)
          ? [[object.metadata.name.slice(podsPrefix.length), at(object, "spec.ports[0].port")] as const]
          : [],
      ),
    );
  const [ports, now] = [portsIn(before), portsIn(after)];
  return [...ports].flatMap(([service, port]) => (now.has(service) && now.get(service) !== port ? [service] : []));
}

/** Another object or controller of the edge. Of Google's load balancers, only one can have the address. */
function takeover(before: Edge | undefined, after: Edge | undefined): Consequence[] {
  if (before === undefined || after === undefined || before.identity === after.identity) return [];
  const until =
    before.onGoogle && after.onGoogle
      ? "for some minutes, until Google has released the address"
      : "until it is ready, and until DNS has its address";
  return [{ text: `Another load balancer takes over: traffic fails ${until}.` }];
}

const about = (text: string, names: readonly string[]): Consequence[] =>
  names.length === 0 ? [] : [{ text, names: [...new Set(names)] }];

interface Served {
  readonly hosts: ReadonlySet<string>;
  readonly https: boolean;
  /** Who issues the certificate. */
  readonly signer: "google" | "own CA" | "somebody else" | undefined;
  /** Whether the stack's own CA signs a certificate, if only a fallback. */
  readonly ownCa: boolean;
  readonly edge: Edge | undefined;
}

/** The Ingress or Gateway. */
interface Edge {
  /** Kind, namespace, name and class: another one is another load balancer. */
  readonly identity: string;
  readonly onGoogle: boolean;
}

const strings = (value: unknown) => (Array.isArray(value) ? value.filter((item) => typeof item === "string") : []);
const list = (value: unknown) => (Array.isArray(value) ? (value as unknown[]) : []);

function served({ objects, resources = [] }: Registrations): Served {
  const edges = objects.filter(({ kind }) => kind === "Ingress" || kind === "Gateway");
  const hosts = objects.flatMap((object) =>
    object.kind === "HTTPRoute"
      ? strings(at(object, "spec.hostnames"))
      : object.kind === "Ingress"
        ? strings(list(at(object, "spec.rules")).map((rule) => at(rule, "host")))
        : [],
  );
  const byGoogle = edges.some(
    (object) =>
      at(object, 'metadata.annotations["ingress.gcp.kubernetes.io/pre-shared-cert"]') !== undefined ||
      at(object, 'metadata.annotations["networking.gke.io/certmap"]') !== undefined,
  );
  const https = edges.some(
    (object) =>
      byGoogle ||
      list(at(object, "spec.tls")).length > 0 ||
      list(at(object, "spec.listeners")).some((listener) => at(listener, "protocol") === "HTTPS"),
  );
  const ownCa = resources.some(({ type, inputs }) => type === selfSigned && inputs["isCaCertificate"] === true);
  const signer = byGoogle ? "google" : ownCa ? "own CA" : "somebody else";
  return {
    hosts: new Set(hosts),
    https,
    signer: https ? signer : undefined,
    ownCa,
    edge: edges[0] && edgeOf(edges[0]),
  };
}

function edgeOf(object: KubernetesObject): Edge {
  const { kind, metadata } = object;
  const className = [
    at(object, "spec.gatewayClassName"),
    at(object, "spec.ingressClassName"),
    at(object, 'metadata.annotations["kubernetes.io/ingress.class"]'),
  ].find((value) => typeof value === "string");
  const onGoogle = /^gce|^gke-/.test(typeof className === "string" ? className : "");
  return { identity: [kind, metadata.namespace, metadata.name, className].join(" "), onGoogle };
}

const isCreated = ({ operation }: Step) => operation === "created" || operation === "replaced";

/** Names of created certificates that Google issues. */
const certified = (steps: readonly Step[]): string[] =>
  steps
    .filter((step) => step.operation === "created" && /:(ManagedSslCertificate|Certificate)$/.test(typeOf(step)))
    .flatMap(({ inputs }) => at(inputs, "managed.domains"))
    .filter((name) => typeof name === "string");

/** Its own CA signs `tls.fallback`, which serves until Google has issued certificates. */
const isFallback = (step: Step) =>
  isCreated(step) &&
  (typeOf(step) === "gcp:compute/sSLCertificate:SSLCertificate" || step.inputs?.["selfManaged"] !== undefined);

/** A provider's context or kubeconfig names another cluster. */
const isOtherCluster = (step: Step) => step.operation === "replaced" && typeOf(step) === "pulumi:providers:kubernetes";

const isNewCa = (step: Step) =>
  isCreated(step) && typeOf(step) === selfSigned && step.inputs?.["isCaCertificate"] === true;

/** Names of address records. */
const recordsOf = (steps: readonly Step[], operation: Operation): string[] =>
  steps
    .filter((step) => step.operation === operation && typeOf(step) === "gcp:dns/recordSet:RecordSet")
    .filter(({ inputs }) => inputs?.["type"] === "A")
    .flatMap(({ inputs }) => (typeof inputs?.["name"] === "string" ? [inputs["name"].replace(/\.$/, "")] : []));
