/** The boxes of the picture: Google Cloud, its network, the cluster, the namespace. */
import type { PlacedSettings } from "../../config/config.ts";
import type { Group } from "./shapes.ts";
import { count, shortened } from "./text.ts";

export interface Boxes {
  readonly groups: readonly Group[];
  readonly edgeTitle: string;
  /** Where address and edge stand. */
  readonly address: { readonly group?: string };
  readonly edge: { readonly group?: string };
}

export function boxesOf({ cluster, edge, namespace, networkPolicies }: PlacedSettings): Boxes {
  const apps: Group = {
    id: "namespace",
    title: `namespace ${namespace}`,
    lines: networkPolicies.enabled ? ["network policies: closed by default"] : ["no network policies"],
    parent: "cluster",
  };
  const edgeTitle = titleOf(edge);
  if (cluster.kind === "existing") {
    const around: Group = { id: "cluster", title: `Kubernetes cluster of context ${cluster.context}`, lines: [] };
    return { groups: [around, apps], edgeTitle, address: {}, edge: { group: "cluster" } };
  }
  const { nodes, pods, services } = cluster.network;
  const inGoogle = { group: "google" };
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
        lines: [`release channel ${cluster.releaseChannel.toLowerCase()}`, ...poolLines(cluster)],
        parent: "network",
      },
      apps,
    ],
    edgeTitle,
    address: edge.onGoogle ? inGoogle : {},
    edge: edge.onGoogle ? inGoogle : { group: "cluster" },
  };
}

function titleOf(edge: PlacedSettings["edge"]): string {
  if (edge.onGoogle) return "Google load balancer";
  return `${edge.kind === "ingress" ? "Ingress controller" : "Gateway"} ${edge.className}`;
}

function poolLines({ zones, nodePools }: Extract<PlacedSettings["cluster"], { kind: "gke" }>): string[] {
  const where = zones === undefined ? "in each zone" : `in each of ${count(zones.length, "zone")}`;
  const pools = Object.entries(nodePools).map(([name, { machineType, minPerZone, maxPerZone, spot }]) =>
    `${name}: ${minPerZone} to ${maxPerZone} ${machineType} ${spot ? "(spot) " : ""}${zones?.length === 1 ? "" : where}`.trimEnd(),
  );
  return shortened(pools, 4);
}
