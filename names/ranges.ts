/** Checks of the address ranges of a GKE cluster, before Google refuses them or, worse, accepts them and runs out. */
import ipaddr from "ipaddr.js";

/** Google's load balancers reach backends from these (https://cloud.google.com/load-balancing/docs/firewall-rules). */
export const googleFrontEnds: readonly string[] = ["130.211.0.0/22", "35.191.0.0/16"];

export interface Ranges {
  /** Primary range of the subnet: one address per node, in CIDR notation. */
  readonly nodes: string;
  /** Secondary range of the pods: a /24 per node. */
  readonly pods: string;
  /** Secondary range of the Services: one address per Service. */
  readonly services: string;
  /**
   * Range of the control plane's private endpoint, a /28.
   * @default - Google takes an address of `nodes`
   */
  readonly controlPlane?: string | undefined;
}

interface Limits {
  readonly widest: number;
  readonly narrowest: number;
}

// https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips (sizing tables);
// a subnet's own limits are wider, but below these no useful cluster fits.
const limits: Readonly<Record<keyof Ranges, Limits>> = {
  nodes: { widest: 8, narrowest: 29 },
  pods: { widest: 9, narrowest: 21 },
  services: { widest: 16, narrowest: 27 },
  controlPlane: { widest: 28, narrowest: 28 },
};

// Public addresses would hide their real owners from the pods.
const privateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/** Two halves are the whole internet as well; an organisation's own addresses are at most a /8. */
const widestAuthorized = 8;

/** In every subnet Google keeps the first two and the last two addresses: https://cloud.google.com/vpc/docs/subnets. */
const reservedPerSubnet = 4;

/** A node takes a /24 of the pods' range at the default of 110 pods per node: https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr. */
const podPrefixPerNode = 24;

/** Network address and prefix length; host bits are cut off. */
type Cidr = readonly [network: ipaddr.IPv4, prefix: number];

/** Parses `a.b.c.d/n`; undefined where it is no such thing. */
function parse(text: string): Cidr | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  return [ipaddr.IPv4.networkAddressFromCIDR(text), ipaddr.IPv4.parseCIDR(text)[1]];
}

const written = ([network, prefix]: Cidr): string => `${network.toString()}/${prefix}`;

/** Whether all of the other's addresses are in the range. */
const contains = ([network, prefix]: Cidr, other: Cidr): boolean =>
  prefix <= other[1] && other[0].match(network, prefix);

function known(text: string): Cidr {
  const cidr = parse(text);
  if (cidr === undefined) throw new Error(`"${text}" is not an IPv4 range`);
  return cidr;
}

const allowed = privateRanges.map(known);

/** Why a range is refused, continuing a sentence that begins with it, and what to do. */
export interface RangeProblem {
  readonly found: string;
  readonly fix: string;
}

const notARange = (example: string): RangeProblem => ({
  found: "is not an IPv4 range",
  fix: `write it as in ${example}`,
});
const hostBits = (cidr: Cidr): RangeProblem => ({
  found: `has bits set behind its /${cidr[1]}`,
  fix: `write ${written(cidr)}`,
});

function checkOne(text: string, { widest, narrowest }: Limits): RangeProblem[] {
  const cidr = parse(text);
  if (cidr === undefined) return [notARange("10.0.0.0/20")];
  const problems: RangeProblem[] = [];
  const [, prefix] = cidr;
  if (written(cidr) !== text) problems.push(hostBits(cidr));
  if (prefix < widest || prefix > narrowest) {
    const span = widest === narrowest ? `a /${widest}` : `one from /${widest} (widest) to /${narrowest} (narrowest)`;
    problems.push({ found: `is a /${prefix}`, fix: `choose ${span}` });
  }
  if (!allowed.some((range) => contains(range, cidr)))
    problems.push({ found: "is not private", fix: `choose one within ${privateRanges.join(", ")}` });
  return problems;
}

/** What is wrong with a range of clients that may reach a control plane's public address; empty where all is well. */
export function checkAuthorizedNetwork(text: string): RangeProblem[] {
  const cidr = parse(text);
  if (cidr === undefined) return [notARange("203.0.113.0/24")];
  if (written(cidr) !== text) return [hostBits(cidr)];
  if (cidr[1] < widestAuthorized)
    return [
      {
        found: "lets a large part of the internet in",
        fix: `choose a /${widestAuthorized} or narrower, such as an office's 203.0.113.0/24`,
      },
    ];
  return [];
}

/**
 * How many nodes the ranges of a Standard cluster have room for, over all zones.
 * @throws Error where a range is no CIDR: check with `checkRanges` first.
 */
export function nodeCapacity({ nodes, pods }: Pick<Ranges, "nodes" | "pods">): number {
  const byNodes = 2 ** (32 - known(nodes)[1]) - reservedPerSubnet;
  return Math.max(0, Math.min(byNodes, Math.floor(2 ** (podPrefixPerNode - known(pods)[1]))));
}

/**
 * What is wrong with the ranges: form, host bits, size, public addresses, overlap and, where `maxNodes` (the most nodes
 * in all zones together) is given, room for that many nodes. Empty where all is well.
 */
export function checkRanges(
  ranges: Ranges & { readonly maxNodes?: number | undefined },
): (RangeProblem & { readonly range: keyof Ranges; readonly value: string })[] {
  const given = (["nodes", "pods", "services", "controlPlane"] as const).flatMap((key) => {
    const text = ranges[key];
    return text === undefined ? [] : [{ key, text, cidr: parse(text) }];
  });
  const problems = given.flatMap(({ key, text }) =>
    checkOne(text, limits[key]).map((problem) => ({ range: key, value: text, ...problem })),
  );
  for (const [index, one] of given.entries()) {
    for (const other of given.slice(index + 1)) {
      if (one.cidr === undefined || other.cidr === undefined) continue;
      if (contains(one.cidr, other.cidr) || contains(other.cidr, one.cidr))
        problems.push({
          range: one.key,
          value: one.text,
          found: `overlaps with ${other.key}, which is ${other.text}`,
          fix: "give each addresses of its own",
        });
    }
  }
  if (problems.length === 0 && ranges.maxNodes !== undefined) {
    const capacity = nodeCapacity(ranges);
    if (ranges.maxNodes > capacity)
      problems.push({
        range: "nodes",
        value: ranges.nodes,
        found: `and pods, which is ${ranges.pods}, have room for ${capacity} nodes, but there may be ${ranges.maxNodes} in all zones together`,
        fix: `widen them: a node takes one address and a /${podPrefixPerNode} of pods`,
      });
  }
  return problems;
}
