/**
 * Network policies of a stack's namespace: they deny all traffic, then allow only known flows. Policies are additive,
 * so an extra one in the namespace allows one more flow. Kubelet's probes need no rule, because a pod's own node can
 * always reach it
 * (https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation).
 */
import { BlockList } from "node:net";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash, nameLabel, proxyName, selectorLabels } from "../../names/kubernetes.ts";

export interface Flows {
  /** The stack's namespace. */
  readonly namespace: string;
  /** Ranges (CIDR) of extra DNS servers. */
  readonly dns: readonly string[];
  readonly proxy: ProxyFlows;
  /** By service name. */
  readonly services: Readonly<Record<string, ServiceFlows>>;
}

export interface ProxyFlows {
  /** Ports for requests and for health checks of the load balancer. */
  readonly ports: readonly number[];
  /** Source ranges (CIDR) of that traffic; empty allows all sources. */
  readonly from: readonly string[];
  /** Whether it also comes from pods of other namespaces, such as an ingress controller's. */
  readonly fromPods: boolean;
  /** Namespaces of the scrapers; empty allows all other namespaces. @default - no scraping */
  readonly metrics?: { readonly port: number; readonly namespaces: readonly string[] } | undefined;
  /** Services found by name: their port, and which of the stack's services match. */
  readonly wildcards: readonly { readonly by: string; readonly port: number; readonly services: readonly string[] }[];
}

export interface ServiceFlows {
  /** Ports of the container: first the one for requests, then the further ones. Empty for a worker. */
  readonly ports: readonly number[];
  /** Whether the proxy sends it requests. */
  readonly routed: boolean;
  /** Services that it calls. */
  readonly calls: readonly string[];
  /** Destinations outside the namespace; link-local addresses are always excluded. */
  readonly egress: readonly { readonly cidr: string; readonly ports: readonly number[] }[];
  /** Namespaces of the scrapers; empty allows all other namespaces. @default - no scraping */
  readonly metrics?: { readonly port: number; readonly namespaces: readonly string[] } | undefined;
  /** Whether it has a Google identity. */
  readonly hasRoles: boolean;
}

const metadataServer = "169.254.169.254/32";
const linkLocal = "169.254.0.0/16";
/** Private and link-local ranges, which contain no address of Google's APIs. */
const inside = ["10.0.0.0/8", "100.64.0.0/10", linkLocal, "172.16.0.0/12", "192.168.0.0/16"];

const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: "TCP", port }));
const podsOf = (name: string) => ({ podSelector: { matchLabels: selectorLabels(name) } });
const block = (cidr: string) => ({ ipBlock: { cidr } });
const namespaces = (operator: "In" | "NotIn", names: readonly string[]) => ({
  namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator, values: [...names] }] },
});

/**
 * The policies' specs by name. Each flow has its own: what a change allows is created before the pods that use it, and
 * what it no longer allows is deleted after the pods that used it. Dots separate the names of workloads, which have none.
 */
export function networkPolicies(flows: Flows) {
  const { services, proxy } = flows;
  const wildcards = proxy.wildcards.map((wildcard) => ({ ...wildcard, podSelector: found(wildcard.services, flows) }));
  return {
    "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    "default-dns": { podSelector: {}, policyTypes: ["Egress"], egress: [dns(flows)] },
    ...Object.fromEntries(
      wildcards.map(({ by, port, podSelector }) => [
        `wildcard-${by}`,
        { podSelector, policyTypes: ["Ingress"], ingress: [{ from: [podsOf(proxyName)], ports: tcp(port) }] },
      ]),
    ),
    // To any pod of the namespace: which of them it reaches is up to their own policies.
    [proxyName]: {
      ...podsOf(proxyName),
      policyTypes: ["Ingress", "Egress"],
      ingress: proxyIngress(flows),
      egress: [{ to: [{ podSelector: {} }] }],
    },
    ...Object.fromEntries(
      Object.entries(services).flatMap(([name, service]) => [
        ...(service.routed ? [ingress(name, proxyName, service.ports.slice(0, 1))] : []),
        ...service.calls.flatMap((called) => callTo(name, called, services)),
        ...service.egress.map((each) => toOutside(name, each)),
        ...(service.metrics === undefined ? [] : [fromScrapers(name, service.metrics, flows)]),
        ...(service.hasRoles ? [egress(name, "google-apis", ...googleApis)] : []),
      ]),
    ),
  };
}

/**
 * The policies that a workload's pods need: its own, and those of the services that it calls. The proxy waits for the
 * services themselves, which wait for theirs.
 */
const isFor = (policy: string, workload: string): boolean =>
  policy === workload ||
  policy.startsWith(`${workload}.`) ||
  (workload !== proxyName && policy.endsWith(`.from.${workload}`));

type NamedSpec = readonly [name: string, spec: object];

const ingress = (name: string, from: string, ports: readonly number[]): NamedSpec => [
  `${name}.from.${from}`,
  { ...podsOf(name), policyTypes: ["Ingress"], ingress: [{ from: [podsOf(from)], ports: tcp(...ports) }] },
];

const egress = (name: string, to: string, ...rules: readonly object[]): NamedSpec => [
  `${name}.${to}`,
  { ...podsOf(name), policyTypes: ["Egress"], egress: [...rules] },
];

function callTo(name: string, called: string, services: Flows["services"]): NamedSpec[] {
  const { ports = [] } = services[called] ?? {};
  if (ports.length === 0) return [];
  return [egress(name, `to.${called}`, { to: [podsOf(called)], ports: tcp(...ports) }), ingress(called, name, ports)];
}

const toOutside = (name: string, { cidr, ports }: ServiceFlows["egress"][number]): NamedSpec =>
  egress(name, `egress.${contentHash({ cidr, ports: ports.join() })}`, { to: [outside(cidr)], ports: tcp(...ports) });

/**
 * Selects the pods that a wildcard may reach: all except the proxy's and those of the stack's other services.
 */
function found(allowed: readonly string[], { services }: Flows) {
  const taken = new Set(allowed);
  const others = Object.keys(services).filter((name) => !taken.has(name));
  const key = nameLabel;
  return { matchExpressions: [{ key, operator: "NotIn", values: [proxyName, ...others] }] };
}

/**
 * Cluster DNS by pod label, and the caches on the nodes. With Dataplane V2 a rule must match the caches by pod label
 * too, elsewhere by address. Cloud DNS for GKE uses the metadata server's address, also on a cluster that exists.
 * https://docs.cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache
 * https://docs.cloud.google.com/kubernetes-engine/docs/how-to/cloud-dns
 */
function dns({ dns: more }: Flows) {
  const pods = { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns", "node-local-dns"] }] };
  const addresses = ["169.254.20.10/32", metadataServer, ...more];
  return {
    to: [{ ...namespaces("In", ["kube-system"]), podSelector: pods }, ...addresses.map(block)],
    ports: [{ protocol: "UDP", port: 53 }, ...tcp(53)],
  };
}

function proxyIngress({ namespace, proxy }: Flows) {
  const { ports, from, fromPods, metrics } = proxy;
  const others = namespaces("NotIn", [namespace]);
  const sources = [...from.map(block), ...(fromPods ? [others] : [])];
  return [
    // Omit `from` if the controller's addresses are unknown: every source may then connect.
    { ...(from.length > 0 && { from: sources }), ports: tcp(...ports) },
    ...(metrics === undefined ? [] : [scrapers(metrics, namespace)]),
  ];
}

type Scraped = NonNullable<ServiceFlows["metrics"]>;
const scrapers = ({ port, namespaces: names }: Scraped, own: string) => ({
  from: [names.length > 0 ? namespaces("In", names) : namespaces("NotIn", [own])],
  ports: tcp(port),
});
const fromScrapers = (name: string, metrics: Scraped, { namespace }: Flows): NamedSpec => [
  `${name}.metrics`,
  { ...podsOf(name), policyTypes: ["Ingress"], ingress: [scrapers(metrics, namespace)] },
];

/**
 * Excludes link-local addresses, because the metadata server there hands out credentials. `googleApis` opens it for
 * services with roles.
 */
function outside(cidr: string) {
  const [address = "", prefix = ""] = cidr.split("/");
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const range = new BlockList();
  range.addSubnet(address, Number(prefix), family);
  const hasLinkLocal = family === "ipv4" && range.check("169.254.0.0");
  return hasLinkLocal ? { ipBlock: { cidr, except: [linkLocal] } } : block(cidr);
}

/**
 * The metadata server, at the ports that Dataplane V2 sees, and Google's APIs. Their addresses change, and a network
 * policy cannot name hosts. https://docs.cloud.google.com/kubernetes-engine/docs/how-to/network-policy
 */
const googleApis = [
  { to: [block(metadataServer)], ports: tcp(80, 8080) },
  { to: [{ ipBlock: { cidr: "0.0.0.0/0", except: inside } }], ports: tcp(443) },
];

export interface NetworkPoliciesArgs {
  readonly namespace: pulumi.Input<string>;
  readonly flows: Flows;
}

/** The network policies of a stack. `before` creates a service's own policy. */
export class NetworkPolicies extends pulumi.ComponentResource {
  readonly #names: readonly string[];
  /** Creates a policy on first use. */
  readonly #policy: (policy: string) => pulumi.Resource | undefined;

  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:NetworkPolicies", name, {}, opts);
    const { namespace, flows } = args;
    const specs = new Map(Object.entries(networkPolicies(flows)));
    const created = new Map<string, pulumi.Resource>();
    this.#policy = (policy) => {
      const spec = specs.get(policy);
      if (spec !== undefined && !created.has(policy))
        created.set(
          policy,
          new k8s.networking.v1.NetworkPolicy(
            `${name}-${policy}`,
            { metadata: { name: policy, namespace, labels: commonLabels(name) }, spec },
            { parent: this },
          ),
        );
      return created.get(policy);
    };
    const isOfService = (policy: string) => policy.includes(".");
    for (const policy of specs.keys()) if (!isOfService(policy)) this.#policy(policy);
    this.#names = [...specs.keys()];
    this.registerOutputs({});
  }

  /**
   * The policies that must exist before a workload's pods run: the namespace's defaults and those for its flows. Do not
   * depend on the whole component: each service would then wait for the policies of all others.
   */
  before(name: string): pulumi.Resource[] {
    const policies = ["default-deny", "default-dns", ...this.#names.filter((policy) => isFor(policy, name))];
    return policies.flatMap((policy) => this.#policy(policy) ?? []);
  }
}
