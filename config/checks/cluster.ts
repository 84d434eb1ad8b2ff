/**
 * Checks the cluster against Google's limits. Many violations pass a preview, and fail or run out of addresses later.
 */
import { googleName } from "../../names/google.ts";
import { checkAuthorizedNetwork, checkRanges, rangesOfDocker } from "../../names/ranges.ts";
import { keyOf, problem, type AddProblem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";
import { checkMaintenance } from "./maintenance.ts";
import { isZone, zonesOf } from "./locations.ts";
import { checkMachine, hasOwnTaint } from "./machines.ts";

type Gke = Extract<Settings["cluster"], { kind: "gke" }>;
type Pool = Gke["nodePools"][string];

/**
 * How many zones of a region Google chooses:
 * https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters.
 */
const zonesByDefault = 3;

/** Google's limit for names of clusters and node pools, minus Pulumi's random suffix. */
const maxNameLength = 40 - "-0123456".length;

/** @param region of the cluster; undefined if it is missing or malformed, which `readGoogle` reports */
export function checkCluster({ cluster }: Settings, stack: string, region: string | undefined): ConfigProblem[] {
  if (cluster.kind !== "gke") return [];
  const problems: ConfigProblem[] = [];
  const add: AddProblem = (path, value, rule, fix) => {
    problems.push(problem(["cluster", ...path], value, rule, fix));
  };

  // Google names derive from the stack's name, and a service account's ID has at most 30 characters.
  if (googleName(stack, 24) !== stack)
    add(
      ["kind"],
      cluster.kind,
      `cannot be named after the stack "${stack}": Google takes lower-case letters, digits and hyphens`,
      "give the stack a name of at most 24 of those that starts with a letter",
    );
  if (region !== undefined) {
    const zones = zonesOf(region).join(", ");
    for (const [index, zone] of (cluster.zones ?? []).entries())
      if (!zone.startsWith(`${region}-`))
        add(["zones", index], zone, `is not in gcp:region ${region}`, `name zones of it: ${zones}`);
      else if (isZone(zone, region) === false)
        add(["zones", index], zone, "does not exist", `name zones of ${region}: ${zones}`);
    const location = cluster.encryptionKey?.split("/")[3];
    if (location !== undefined && location !== region)
      add(
        ["encryptionKey"],
        cluster.encryptionKey,
        `is in ${location}, but a cluster in ${region} needs a key in ${region}`,
        "make one there, in a key ring of its own",
      );
  }
  const { endpoint } = cluster;
  if (endpoint.kind === "ip") checkAuthorized(endpoint.authorizedNetworks, add);

  checkPools(cluster, stack, add);
  checkMaintenance(cluster, add);
  // For Autopilot, Google decides.
  const maxNodes = cluster.mode === "autopilot" ? undefined : maxNodesOf(cluster, Object.values(cluster.nodePools));
  for (const { range, value, found, fix } of checkRanges({ ...cluster.network, maxNodes }))
    add(["network", range], value, found, fix);
  return problems;
}

/** https://cloud.google.com/kubernetes-engine/docs/how-to/authorized-networks, of clusters with private nodes. */
const mostAuthorized = 100;

function checkAuthorized(networks: Readonly<Record<string, string>>, add: AddProblem): void {
  const path = ["endpoint", "authorizedNetworks"];
  const entries = Object.entries(networks);
  for (const [index, [name, range]] of entries.entries()) {
    for (const { found, fix } of checkAuthorizedNetwork(range)) add([...path, name], range, found, fix);
    const [other] = entries.find(([, each]) => each === range) ?? [name];
    if (entries.findIndex(([, each]) => each === range) < index)
      add([...path, name], range, `is already there, as ${other}`, "remove one of the two");
  }
  if (entries.length > mostAuthorized)
    add(
      path,
      Object.keys(networks),
      `has ${entries.length} ranges, and Google takes ${mostAuthorized}`,
      "use fewer or wider ones, or leave endpoint out: by name through IAM needs none",
    );
}

/** Ranges that are not refused, because a cluster may have them already: a change replaces it. */
export function rangeWarnings({ cluster }: Settings): string[] {
  if (cluster.kind !== "gke") return [];
  return rangesOfDocker(cluster.network).map(
    ([range, value]) =>
      `${keyOf(["cluster", "network", range])}: ${value} has addresses of 172.17.0.0/16, Docker's own network, to which Cloud SQL and others do not answer; choose another range before the cluster is made`,
  );
}

function checkPools({ nodePools }: Gke, stack: string, add: AddProblem): void {
  const room = maxNameLength - stack.length - 1;
  for (const [name, { minPerZone, maxPerZone, machineType, diskType }] of Object.entries(nodePools)) {
    checkMachine({ machineType, diskType }, (key, ...problem) => {
      add(["nodePools", name, key], ...problem);
    });
    if (name.length > room)
      add(
        ["nodePools", name],
        name,
        `is longer than the ${room} characters that the name of the stack "${stack}" leaves for a pool`,
        "choose a shorter name",
      );
    if (minPerZone > maxPerZone)
      add(
        ["nodePools", name, "minPerZone"],
        minPerZone,
        `is more than maxPerZone, which is ${maxPerZone}`,
        "lower it, or raise maxPerZone",
      );
  }
  const closed = Object.values(nodePools).map(closesPool);
  if (closed.length > 0 && closed.every(Boolean))
    add(
      ["nodePools"],
      Object.keys(nodePools),
      "all have taints that keep pods away, so that nothing could run",
      "leave one pool without taints",
    );
}

/** Whether taints keep the stack's pods away: those have no tolerations. */
export const closesPool = ({ taints }: Pool): boolean => taints.some(({ effect }) => effect !== "PREFER_NO_SCHEDULE");

/** Pools of Arm or TPUs alone: GKE taints them itself, so the stack's pods wait for other nodes. */
export function ownTaintWarnings({ cluster }: Settings): string[] {
  if (cluster.kind !== "gke") return [];
  const open = Object.values(cluster.nodePools).filter((pool) => !closesPool(pool));
  if (open.length === 0 || !open.every(({ machineType }) => hasOwnTaint(machineType))) return [];
  return [
    `${keyOf(["cluster", "nodePools"])}: GKE taints nodes with Arm processors or TPUs itself, so that the stack's pods could not run on ${open.map(({ machineType }) => machineType).join(", ")}; add a pool of another series`,
  ];
}

export const zoneCount = ({ zones }: Pick<Gke, "zones">): number => zones?.length ?? zonesByDefault;

/** The maximum of the pools over all zones, plus one surge node per pool during upgrades. */
export const maxNodesOf = (cluster: Pick<Gke, "zones">, pools: readonly Pick<Pool, "maxPerZone">[]): number =>
  pools.reduce((sum, { maxPerZone }) => sum + maxPerZone * zoneCount(cluster) + 1, 0);
