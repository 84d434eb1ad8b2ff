/** The boxes of the picture: Google Cloud, its network, the cluster, the namespace; and the zones in the cluster. */
import type { StackSettings } from "../../config/config.ts";
import type { Group, Node } from "./shapes.ts";
import { shortened } from "./text.ts";

export interface Boxes {
  readonly groups: readonly Group[];
  readonly edgeTitle: string;
  /** Where nodes of the cluster are, as far as the stack says so. */
  readonly zones: readonly Node[];
  /** Where the edge stands. */
  readonly edge: { readonly group?: string };
}

export function boxesOf({ cluster, edge, namespace, networkPolicies }: StackSettings): Boxes {
  const apps: Group = {
    id: "namespace",
    title: `namespace ${namespace}`,
    lines: networkPolicies.enabled ? ["network policies: closed by default"] : ["no network policies"],
    parent: "cluster",
  };
  const edgeTitle = titleOf(edge);
  if (cluster.kind === "existing") {
    const around: Group = { id: "cluster", title: `Kubernetes cluster of context ${cluster.context}`, lines: [] };
    return { groups: [around, apps], edgeTitle, zones: [], edge: { group: "cluster" } };
  }
  const { nodes, pods, services } = cluster.network;
  return {
    groups: [
      { id: "google", title: `Google Cloud project ${cluster.project}`, lines: [] },
      {
        id: "network",
        title: `VPC network, ${cluster.region}`,
        lines: [`nodes ${nodes}, pods ${pods}, services ${services}`, "out through Cloud NAT"],
        parent: "google",
      },
      {
        id: "cluster",
        title: `GKE cluster, ${cluster.mode === "autopilot" ? "Autopilot" : "Standard"}, private nodes`,
        lines: [`regional control plane, release channel ${cluster.releaseChannel.toLowerCase()}`],
        parent: "network",
      },
      apps,
    ],
    edgeTitle,
    zones: zonesOf(cluster),
    edge: { group: edge.onGoogle ? "google" : "cluster" },
  };
}

function titleOf(edge: StackSettings["edge"]): string {
  if (edge.onGoogle) return "Google load balancer";
  return `${edge.kind === "ingress" ? "Ingress controller" : "Gateway"} ${edge.className}`;
}

function zonesOf({ mode, region, zones, nodePools }: Extract<StackSettings["cluster"], { kind: "gke" }>): Node[] {
  const pools = Object.entries(nodePools).map(
    ([name, { machineType, minPerZone, maxPerZone, spot }]) =>
      `${name}: ${minPerZone} to ${maxPerZone} ${machineType}${spot ? " (spot)" : ""}`,
  );
  const lines = mode === "autopilot" ? ["nodes as the pods need them"] : shortened(pools, 4);
  const zone = (id: string, title: string, lines: readonly string[]): Node => {
    return { id, kind: "zone", title, lines, group: "cluster" };
  };
  // Which zones these are is Google's choice: https://cloud.google.com/kubernetes-engine/docs/concepts/regional-clusters
  if (zones === undefined)
    return [zone("zones", `three zones of ${region}`, mode === "autopilot" ? lines : [...lines, "in each zone"])];
  return zones.map((name) => zone(`zone-${name}`, `zone ${name}`, lines));
}
