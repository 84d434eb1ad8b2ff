/** What is chosen for the cluster must be possible on Google: much of this passes a preview and fails, or runs out, later. */
import { googleName } from "../../names/google.ts";
import { checkAuthorizedNetwork, checkRanges } from "../../names/ranges.ts";
import { keyOf, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

type Gke = Extract<Settings["cluster"], { kind: "gke" }>;

/** How many zones Google chooses of a region: https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters. */
const zonesByDefault = 3;

/** What the names of clusters and node pools may have, less what Pulumi puts behind them to keep them apart. */
const longestName = 40 - "-0123456".length;

/** @param region of the cluster; undefined where it is missing or malformed, which is reported elsewhere */
export function checkCluster({ cluster }: Settings, stack: string, region: string | undefined): ConfigProblem[] {
  if (cluster.kind !== "gke") return [];
  const problems: ConfigProblem[] = [];
  const add = (path: readonly PropertyKey[], message: string) => {
    problems.push({ key: keyOf(["cluster", ...path]), message });
  };

  // Google's names are made of the stack's, and the identity of the nodes may have 30 characters.
  if (googleName(stack, 24) !== stack)
    add(
      [],
      `cannot be named after the stack "${stack}"; a stack on GKE has at most 24 lower case letters, digits and hyphens, beginning with a letter`,
    );
  if (region !== undefined) {
    for (const [index, zone] of (cluster.zones ?? []).entries())
      if (!zone.startsWith(`${region}-`))
        add(
          ["zones", index],
          `"${zone}" is not in gcp:region ${region}; its zones are ${region}-a, ${region}-b and so on`,
        );
    const location = cluster.encryptionKey?.split("/")[3];
    if (location !== undefined && location !== region)
      add(
        ["encryptionKey"],
        `is in ${location}, but a cluster in ${region} needs a key in ${region}; make one there, in a key ring of its own`,
      );
  }
  const { endpoint } = cluster;
  if (endpoint.kind === "ip")
    for (const [name, range] of Object.entries(endpoint.authorizedNetworks))
      for (const problem of checkAuthorizedNetwork(range)) add(["endpoint", "authorizedNetworks", name], problem);

  checkPools(cluster, stack, add);
  checkMaintenance(cluster, add);
  for (const message of checkRanges({ ...cluster.network, maxNodes: mostNodes(cluster) })) add(["network"], message);
  return problems;
}

type Add = (path: readonly PropertyKey[], message: string) => void;

function checkPools({ nodePools }: Gke, stack: string, add: Add): void {
  const room = longestName - stack.length - 1;
  for (const [name, { minPerZone, maxPerZone }] of Object.entries(nodePools)) {
    if (name.length > room)
      add(
        ["nodePools", name],
        `is too long a name: with the stack's, "${stack}", there is room for ${room} characters`,
      );
    if (minPerZone > maxPerZone)
      add(["nodePools", name, "minPerZone"], `${minPerZone} is more than maxPerZone, which is ${maxPerZone}`);
  }
  const closed = Object.values(nodePools).map(({ taints }) =>
    taints.some(({ effect }) => effect !== "PREFER_NO_SCHEDULE"),
  );
  if (closed.length > 0 && closed.every(Boolean))
    add(["nodePools"], "all have taints that keep pods away, so that nothing could run; leave one pool without");
}

/** https://cloud.google.com/kubernetes-engine/docs/concepts/maintenance-windows-and-exclusions */
function checkMaintenance({ maintenance }: Gke, add: Add): void {
  const { start, end, exclusions } = maintenance;
  const hours = (Date.parse(end) - Date.parse(start)) / 3_600_000;
  if (hours < 4)
    add(
      ["maintenance", "end"],
      `"${end}" is not at least 4 hours after start, which is "${start}"; Google needs that long`,
    );
  for (const [name, exclusion] of Object.entries(exclusions))
    if (Date.parse(exclusion.end) <= Date.parse(exclusion.start))
      add(
        ["maintenance", "exclusions", name, "end"],
        `"${exclusion.end}" is not after start, which is "${exclusion.start}"`,
      );
}

/** Every pool at its most, and the one node that it has more while it is upgraded. How many Autopilot needs, Google decides. */
function mostNodes({ mode, nodePools, zones }: Gke): number | undefined {
  if (mode === "autopilot") return undefined;
  const perZone = Object.values(nodePools).reduce((sum, { maxPerZone }) => sum + maxPerZone, 0);
  return perZone * (zones?.length ?? zonesByDefault) + Object.keys(nodePools).length;
}
