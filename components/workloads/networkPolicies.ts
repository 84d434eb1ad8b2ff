/**
 * Who may talk to whom in a stack's namespace: nobody, and then exactly those whose flows are known. Policies add up, so
 * one more in the namespace opens one more flow. Kubelet's probes need no rule: a pod's own node always reaches it
 * (https://kubernetes.io/docs/concepts/services-networking/network-policies/#the-two-sorts-of-pod-isolation).
 */
import { BlockList } from "node:net";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, nameLabel, proxyName, selectorLabels } from "../../names/kubernetes.ts";

export interface Flows {
  /** The stack's own namespace. */
  readonly namespace: string;
  /** On GKE, DNS and the metadata server are at addresses that are known. */
  readonly onGke: boolean;
  /** Ranges (CIDR) of DNS servers, beside the usual ones. */
  readonly dns: readonly string[];
  readonly proxy: ProxyFlows;
  /** By the service's name. */
  readonly services: Readonly<Record<string, ServiceFlows>>;
}

export interface ProxyFlows {
  /** Where requests and a load balancer's health checks come in. */
  readonly ports: readonly number[];
  /** Ranges (CIDR) that they come from; with none of them, from anywhere. */
  readonly from: readonly string[];
  /** Whether they come from pods of other namespaces too, as from an ingress controller's. */
  readonly fromPods: boolean;
  /** Who scrapes, by their namespaces; without any, whatever is in another namespace. @default - nobody */
  readonly metrics?: { readonly port: number; readonly namespaces: readonly string[] } | undefined;
  /** Services that are found by name: at which port, and which of the stack's own are among them. */
  readonly wildcards: readonly { readonly by: string; readonly port: number; readonly services: readonly string[] }[];
}

export interface ServiceFlows {
  readonly port: number;
  /** Whether the proxy sends it requests. */
  readonly routed: boolean;
  /** Services that it calls. */
  readonly calls: readonly string[];
  /** What it reaches outside the namespace; link-local addresses never. */
  readonly egress: readonly { readonly cidr: string; readonly ports: readonly number[] }[];
  /** Whether it acts as somebody on Google. */
  readonly hasRoles: boolean;
}

const metadataServer = "169.254.169.254/32";
const linkLocal = "169.254.0.0/16";
/** No address of Google's APIs is in here. */
const inside = ["10.0.0.0/8", "100.64.0.0/10", linkLocal, "172.16.0.0/12", "192.168.0.0/16"];

/** The policy of what one name's pods reach, and of who reaches them. */
const flowsOf = (name: string) => `${name}-flows`;
const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: "TCP", port }));
const podsOf = (name: string) => ({ podSelector: { matchLabels: selectorLabels(name) } });
const block = (cidr: string) => ({ ipBlock: { cidr } });
const namespaces = (operator: "In" | "NotIn", names: readonly string[]) => ({
  namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator, values: [...names] }] },
});

/** The policies' specs by name. No two services' policies have a name, nor one of these and one of the namespace's own. */
export function networkPolicies(flows: Flows) {
  const { services, proxy } = flows;
  const wildcards = proxy.wildcards.map((wildcard) => ({ ...wildcard, podSelector: found(wildcard.services, flows) }));
  const callers = callersOf(services);
  return {
    "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
    "default-dns": { podSelector: {}, policyTypes: ["Egress"], egress: [dns(flows)] },
    ...Object.fromEntries(
      wildcards.map(({ by, port, podSelector }) => [
        `wildcard-${by}`,
        { podSelector, policyTypes: ["Ingress"], ingress: [{ from: [podsOf(proxyName)], ports: tcp(port) }] },
      ]),
    ),
    [flowsOf(proxyName)]: {
      ...podsOf(proxyName),
      policyTypes: ["Ingress", "Egress"],
      ingress: proxyIngress(flows),
      egress: [
        ...Object.entries(services).flatMap(([name, { routed, port }]) =>
          routed ? [{ to: [podsOf(name)], ports: tcp(port) }] : [],
        ),
        ...wildcards.map(({ podSelector, port }) => ({ to: [{ podSelector }], ports: tcp(port) })),
      ],
    },
    ...Object.fromEntries(
      Object.entries(services).map(([name, service]) => [
        flowsOf(name),
        {
          ...podsOf(name),
          policyTypes: ["Ingress", "Egress"],
          ingress: serviceIngress(service, callers.get(name) ?? []),
          egress: serviceEgress(service, services),
        },
      ]),
    ),
  };
}

/** Pods that a wildcard may find: any that is not the proxy's, nor of a service here whose name it does not take in. */
function found(allowed: readonly string[], { services }: Flows) {
  const taken = new Set(allowed);
  const others = Object.keys(services).filter((name) => !taken.has(name));
  const key = nameLabel;
  return { matchExpressions: [{ key, operator: "NotIn", values: [proxyName, ...others] }] };
}

/**
 * The cluster's DNS by its pods, and the caches of the nodes. With Dataplane V2 these are found by their pods as well,
 * elsewhere by their address; Cloud DNS for GKE answers at the metadata server's.
 * https://docs.cloud.google.com/kubernetes-engine/docs/how-to/nodelocal-dns-cache
 * https://docs.cloud.google.com/kubernetes-engine/docs/how-to/cloud-dns
 */
function dns({ onGke, dns: more }: Flows) {
  const pods = { matchExpressions: [{ key: "k8s-app", operator: "In", values: ["kube-dns", "node-local-dns"] }] };
  const addresses = ["169.254.20.10/32", ...(onGke ? [metadataServer] : []), ...more];
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
    // Nobody is named where the controller's addresses are not known: without a `from`, everybody may.
    { ...(from.length > 0 && { from: sources }), ports: tcp(...ports) },
    ...(metrics === undefined
      ? []
      : [
          {
            from: [metrics.namespaces.length > 0 ? namespaces("In", metrics.namespaces) : others],
            ports: tcp(metrics.port),
          },
        ]),
  ];
}

/** By a service's name, those that call it. */
function callersOf(services: Flows["services"]): ReadonlyMap<string, readonly string[]> {
  const callers = new Map<string, string[]>();
  for (const [caller, { calls }] of Object.entries(services))
    for (const called of calls) callers.set(called, [...(callers.get(called) ?? []), caller]);
  return callers;
}

function serviceIngress({ routed, port }: ServiceFlows, callers: readonly string[]) {
  const from = [...(routed ? [proxyName] : []), ...callers].map(podsOf);
  // An empty `from` would let everybody in.
  return from.length === 0 ? [] : [{ from, ports: tcp(port) }];
}

function serviceEgress({ calls, egress, hasRoles }: ServiceFlows, services: Flows["services"]) {
  return [
    ...calls.flatMap((name) => {
      const called = services[name];
      return called === undefined ? [] : [{ to: [podsOf(name)], ports: tcp(called.port) }];
    }),
    ...egress.map(({ cidr, ports }) => ({ to: [outside(cidr)], ports: tcp(...ports) })),
    ...(hasRoles ? googleApis : []),
  ];
}

/** Only identities need link-local addresses: whoever reaches the metadata server has a login. */
function outside(cidr: string) {
  const [address = "", prefix = ""] = cidr.split("/");
  const family = address.includes(":") ? "ipv6" : "ipv4";
  const range = new BlockList();
  range.addSubnet(address, Number(prefix), family);
  const hasLinkLocal = family === "ipv4" && range.check("169.254.0.0");
  return hasLinkLocal ? { ipBlock: { cidr, except: [linkLocal] } } : block(cidr);
}

/**
 * Where a pod gets its login, as Dataplane V2 sees it, and Google's APIs, whose addresses change and which a network
 * policy cannot name. https://docs.cloud.google.com/kubernetes-engine/docs/how-to/network-policy
 */
const googleApis = [
  { to: [block(metadataServer)], ports: tcp(80, 8080) },
  { to: [{ ipBlock: { cidr: "0.0.0.0/0", except: inside } }], ports: tcp(443) },
];

export interface NetworkPoliciesArgs {
  readonly namespace: pulumi.Input<string>;
  readonly flows: Flows;
}

/** The network policies of a stack. Each service's own is made with the service, by `before`. */
export class NetworkPolicies extends pulumi.ComponentResource {
  /** Makes a policy when it is first asked for. */
  readonly #policy: (policy: string) => pulumi.Resource | undefined;

  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:NetworkPolicies", name, {}, opts);
    const { namespace, flows } = args;
    const specs = new Map(Object.entries(networkPolicies(flows)));
    const made = new Map<string, pulumi.Resource>();
    this.#policy = (policy) => {
      const spec = specs.get(policy);
      if (spec !== undefined && !made.has(policy))
        made.set(
          policy,
          new k8s.networking.v1.NetworkPolicy(
            `${name}-${policy}`,
            { metadata: { name: policy, namespace, labels: commonLabels(name) }, spec },
            { parent: this },
          ),
        );
      return made.get(policy);
    };
    const ofServices = new Set(Object.keys(flows.services).map(flowsOf));
    for (const policy of specs.keys()) if (!ofServices.has(policy)) this.#policy(policy);
    this.registerOutputs({});
  }

  /**
   * What has to be there before pods of that name run: what closes the namespace, and what is open to them. Not the whole
   * component: then each service would wait for the policies of all the others.
   */
  before(name: string): pulumi.Resource[] {
    return ["default-deny", "default-dns", flowsOf(name)].flatMap((policy) => this.#policy(policy) ?? []);
  }
}
