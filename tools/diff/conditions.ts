/** Inputs whose change replaces a resource only under a condition. Sources: the providers' CustomizeDiff and DiffConfig. */
import ipaddr from "ipaddr.js";
import type { Difference } from "./inputs.ts";

type Inputs = Readonly<Record<string, unknown>>;
type Condition = (difference: Difference, old: Inputs, now: Inputs) => boolean;

const switchedOff: Condition = ({ before, after }) => before === true && after !== true;

/** Without an identifier, a provider is another cluster if its kubeconfig is another one. */
const identifies: Condition = (_, old, now) =>
  now["clusterIdentifier"] === undefined || old["clusterIdentifier"] !== now["clusterIdentifier"];

/** By type and input. */
const conditions: Readonly<Record<string, Condition>> = {
  // Google widens a range in place. IsShrinkageIpCidr in resource_compute_subnetwork.go
  "gcp:compute/subnetwork:Subnetwork ipCidrRange": ({ before, after }) => !contains(after, before),
  // isBeenEnabled in resource_container_cluster.go
  "gcp:container/cluster:Cluster enableL4IlbSubsetting": switchedOff,
  "gcp:container/cluster:Cluster enableFqdnNetworkPolicy": switchedOff,
  // DiffConfig in https://github.com/pulumi/pulumi-kubernetes/blob/master/provider/pkg/provider/provider.go
  "pulumi:providers:kubernetes clusterIdentifier": ({ before, after }) => before !== undefined && after !== undefined,
  "pulumi:providers:kubernetes kubeconfig": identifies,
  "pulumi:providers:kubernetes context": identifies,
  "pulumi:providers:kubernetes cluster": identifies,
};

/** Whether a change of the input replaces the resource. @param input type and path */
export const replacesUnder = (input: string, difference: Difference, old: Inputs, now: Inputs): boolean =>
  conditions[input]?.(difference, old, now) ?? false;

/** Whether the first IPv4 range contains the second. */
function contains(outer: unknown, inner: unknown): boolean {
  if (![outer, inner].every((range) => typeof range === "string" && ipaddr.IPv4.isValidCIDR(range))) return false;
  const [[network, prefix], [address, length]] = [outer, inner].map((range) =>
    ipaddr.IPv4.parseCIDR(range as string),
  ) as [[ipaddr.IPv4, number], [ipaddr.IPv4, number]];
  return prefix <= length && address.match(network, prefix);
}
