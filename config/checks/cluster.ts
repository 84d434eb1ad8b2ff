/** What is chosen for the cluster must be possible on Google. */
import { googleName } from "../../components/googleNames.ts";
import { checkRanges } from "../../components/ranges.ts";
import { keyOf, type ConfigProblem } from "../report.ts";
import type { Settings } from "../schema.ts";

/** A region has mostly three zones, and each may grow to the most nodes per zone. */
const zonesPerRegion = 3;

export function checkCluster({ cluster }: Settings, stack: string): ConfigProblem[] {
  if (cluster.kind !== "gke") return [];
  const problems: ConfigProblem[] = [];
  // Google's names are made of the stack's, and the identity of the nodes may have 30 characters.
  if (googleName(stack, 24) !== stack)
    problems.push({
      key: keyOf(["cluster"]),
      message: `cannot be named after the stack "${stack}"; a stack on GKE has at most 24 lower case letters, digits and hyphens, beginning with a letter`,
    });
  const { minPerZone, maxPerZone } = cluster.nodes;
  for (const message of checkRanges({ ...cluster.network, maxNodes: maxPerZone * zonesPerRegion }))
    problems.push({ key: keyOf(["cluster", "network"]), message });
  if (minPerZone > maxPerZone)
    problems.push({
      key: keyOf(["cluster", "nodes", "minPerZone"]),
      message: `${minPerZone} is more than maxPerZone ${maxPerZone}`,
    });
  return problems;
}
