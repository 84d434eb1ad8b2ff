/**
 * Checks the address ranges of a GKE cluster. Google refuses some bad ranges late, and accepts others that run out of
 * addresses.
 */
import ipaddr from "ipaddr.js";

/**
 * Source ranges of Google's load balancers and health checks
 * (https://cloud.google.com/load-balancing/docs/firewall-rules).
 */
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

// Sizes from https://cloud.google.com/kubernetes-engine/docs/concepts/alias-ips. A subnet may be smaller or larger, but
// no useful cluster fits then.
const limits: Readonly<Record<keyof Ranges, Limits>> = {
  nodes: { widest: 8, narrowest: 29 },
  pods: { widest: 9, narrowest: 21 },
  services: { widest: 16, narrowest: 27 },
  controlPlane: { widest: 28, narrowest: 28 },
};

// Public addresses would hide the real hosts with these addresses from the pods. The last three are not in RFC 1918:
// https://cloud.google.com/vpc/docs/subnets#valid-ranges
const privateRanges = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  ...["100.64.0.0/10", "198.18.0.0/15", "240.0.0.0/4"],
];
/** Of the last one, only for broadcasts. */
const broadcast = "255.255.255.255/32";

/**
 * Docker's default bridge, which Cloud SQL and other products route inside a machine: answers to these addresses are
 * lost there. https://cloud.google.com/vpc/docs/subnets#additional-ipv4-considerations
 */
const dockerBridge = "172.17.0.0/16";

/** Limits each range to a /8, because two /1 ranges cover the whole internet. An organisation owns at most a /8. */
const widestAuthorized = 8;

/**
 * Google reserves the first two and the last two addresses of every subnet: https://cloud.google.com/vpc/docs/subnets.
 */
const reservedPerSubnet = 4;

/**
 * A node takes a /24 of the pods' range with the default of 110 pods per node:
 * https://cloud.google.com/kubernetes-engine/docs/how-to/flexible-pod-cidr.
 */
const podPrefixPerNode = 24;

/** Network address and prefix length, without host bits. */
type Cidr = readonly [network: ipaddr.IPv4, prefix: number];

/** Parses `a.b.c.d/n`; returns undefined for anything else. */
function parse(text: string): Cidr | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  return [ipaddr.IPv4.networkAddressFromCIDR(text), ipaddr.IPv4.parseCIDR(text)[1]];
}

const format = ([network, prefix]: Cidr): string => `${network.toString()}/${prefix}`;

/** Whether the range contains all addresses of the other. */
const contains = ([network, prefix]: Cidr, other: Cidr): boolean =>
  prefix <= other[1] && other[0].match(network, prefix);

function parseValid(text: string): Cidr {
  const cidr = parse(text);
  if (cidr === undefined) throw new Error(`"${text}" is not an IPv4 range`);
  return cidr;
}

const allowed = privateRanges.map(parseValid);

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
  fix: `write ${format(cidr)}`,
});

function checkOne(text: string, { widest, narrowest }: Limits): RangeProblem[] {
  const cidr = parse(text);
  if (cidr === undefined) return [notARange("10.0.0.0/20")];
  const problems: RangeProblem[] = [];
  const [, prefix] = cidr;
  if (format(cidr) !== text) problems.push(hostBits(cidr));
  if (prefix < widest || prefix > narrowest) {
    const span = widest === narrowest ? `a /${widest}` : `one from /${widest} (widest) to /${narrowest} (narrowest)`;
    problems.push({ found: `is a /${prefix}`, fix: `choose ${span}` });
  }
  if (!allowed.some((range) => contains(range, cidr)) || contains(cidr, parseValid(broadcast)))
    problems.push({ found: "is not private", fix: `choose one within ${privateRanges.join(", ")}` });
  return problems;
}

/** Ranges that Google takes, but that some of its products cannot answer. @returns keys and values, in order */
export function rangesOfDocker(ranges: Ranges): (readonly [range: keyof Ranges, value: string])[] {
  const docker = parseValid(dockerBridge);
  return (["nodes", "pods", "services", "controlPlane"] as const).flatMap((key) => {
    const text = ranges[key];
    const cidr = text === undefined ? undefined : parse(text);
    if (text === undefined || cidr === undefined) return [];
    return contains(cidr, docker) || contains(docker, cidr) ? [[key, text] as const] : [];
  });
}

/** Checks a range of clients that may reach the control plane's public address. @returns the problems */
export function checkAuthorizedNetwork(text: string): RangeProblem[] {
  const cidr = parse(text);
  if (cidr === undefined) return [notARange("203.0.113.0/24")];
  if (format(cidr) !== text) return [hostBits(cidr)];
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
 * How many nodes fit into the ranges of a Standard cluster, over all zones.
 * @throws Error if a range is not a CIDR; call `checkRanges` first
 */
export function nodeCapacity({ nodes, pods }: Pick<Ranges, "nodes" | "pods">): number {
  const byNodes = 2 ** (32 - parseValid(nodes)[1]) - reservedPerSubnet;
  return Math.max(0, Math.min(byNodes, Math.floor(2 ** (podPrefixPerNode - parseValid(pods)[1]))));
}

/**
 * Checks form, host bits, size, public addresses and overlap of the ranges. With `maxNodes`, the maximum over all
 * zones, it also checks that so many nodes fit.
 * @returns the problems
 */
export function checkRanges(
  ranges: Ranges & { readonly maxNodes?: number | undefined },
): (RangeProblem & { readonly range: keyof Ranges; readonly value: string })[] {
  const entries = (["nodes", "pods", "services", "controlPlane"] as const).flatMap((key) => {
    const text = ranges[key];
    return text === undefined ? [] : [{ key, text, cidr: parse(text) }];
  });
  const problems = entries.flatMap(({ key, text }) =>
    checkOne(text, limits[key]).map((problem) => ({ range: key, value: text, ...problem })),
  );
  for (const [index, one] of entries.entries()) {
    for (const other of entries.slice(index + 1)) {
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
