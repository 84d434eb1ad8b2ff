/**
 * Quotas of a new project that a stack may exceed. Google knows a project's real ones, and raises them on request. A
 * cluster is created all the same. At some node it cannot grow any more, nor upgrade with a surge node.
 */
import { machine } from "../allocatable.ts";
import { hostNames } from "../hosts.ts";
import { keyOf } from "../problems.ts";
import type { Settings } from "../schema.ts";
import { seriesOf } from "./machineTypes.ts";
import { maxNodesOf } from "./cluster.ts";
import { withFallback } from "./tls.ts";

/**
 * Compute Engine's metrics, and what new projects had:
 * https://github.com/kubernetes-hy/kubernetes-hy.github.io/issues/166 (500 GB in a region),
 * https://github.com/GoogleCloudPlatform/pubsec-declarative-toolkit/pull/627 (8 CPUs of N2). On a free trial they are
 * smaller. https://cloud.google.com/compute/resource-usage
 */
const usual = { CPUS: 24, N2_CPUS: 8, CPUS_ALL_REGIONS: 32, SSD_TOTAL_GB: 500 };
type Quota = keyof typeof usual;

/** Quotas of the series that this program knows. */
const cpuQuotas: Readonly<Record<string, Quota>> = { e2: "CPUS", n1: "CPUS", custom: "CPUS", n2: "N2_CPUS" };
/** Disks that count as SSD. */
const ssd: readonly string[] = ["pd-balanced", "pd-ssd"];

/** For `npm run check` alone: a team whose quotas are raised would otherwise read these at every command. */
export const quotaNotes = (settings: Settings): string[] => [
  ...nodeNotes(settings),
  ...accountNotes(settings),
  ...certificateNotes(settings),
  ...armorNotes(settings),
];

const readYours = 'read yours and raise them ("Quotas" in docs/first-deployment.md)';

function nodeNotes({ cluster }: Settings): string[] {
  if (cluster.kind !== "gke" || cluster.mode === "autopilot") return [];
  const pools = Object.values(cluster.nodePools);
  const needed: Record<Quota, number> = { CPUS: 0, N2_CPUS: 0, CPUS_ALL_REGIONS: 0, SSD_TOTAL_GB: 0 };
  for (const { machineType, maxPerZone, diskType, diskGb } of pools) {
    const nodes = maxNodesOf(cluster, [{ maxPerZone }]);
    const cpus = ((machine(machineType)?.milliCpu ?? 0) / 1000) * nodes;
    const series = cpuQuotas[seriesOf(machineType)];
    if (series !== undefined) needed[series] += cpus;
    needed.CPUS_ALL_REGIONS += cpus;
    if (ssd.includes(diskType)) needed.SSD_TOTAL_GB += diskGb * nodes;
  }
  const exceeded = (Object.keys(usual) as Quota[]).filter((quota) => needed[quota] > usual[quota]);
  if (exceeded.length === 0) return [];
  const numbers = exceeded.map((quota) => `${quota} ${needed[quota]} of ${usual[quota]}`);
  return [
    `${keyOf(["cluster", "nodePools"])}: ${maxNodesOf(cluster, pools)} nodes, the most that there may be, one for the upgrades of each pool included, exceed the quotas of a new project: ${numbers.join(", ")}; ${readYours}, or lower maxPerZone, machineType or diskGb`,
  ];
}

/** Default quota of service accounts in a project. https://cloud.google.com/iam/quotas */
const serviceAccounts = 100;
/** The nodes', the deployer's, the previewer's, and the two default ones. */
const ownAccounts = 5;

function accountNotes({ cluster, services }: Settings): string[] {
  const accounts = Object.values(services).filter(({ roles }) => roles.length > 0).length + ownAccounts;
  if (cluster.kind !== "gke" || accounts <= serviceAccounts) return [];
  return [
    `${keyOf(["services"])}: ${accounts - ownAccounts} services have roles, each with a service account; a project has ${serviceAccounts} accounts by default, ${ownAccounts} of them for other uses: request more quota before the first \`up\``,
  ];
}

/**
 * `SSL_CERTIFICATES` of all load balancers in a new project. Those of a Gateway are Certificate Manager's.
 * https://cloud.google.com/load-balancing/docs/quotas#ssl_certificates and, for the error,
 * https://github.com/kubernetes/ingress-gce/issues/831
 */
const sslCertificates = 10;

function certificateNotes(settings: Settings): string[] {
  const tls = withFallback(settings);
  if (settings.edge.kind !== "gce" || tls.mode !== "managed") return [];
  const fallback = tls.fallback === "none" ? 0 : 1;
  const hosts = hostNames(settings).length;
  // A changed fallback is made beside the old one.
  const count = hosts + fallback * 2;
  if (count <= sslCertificates) return [];
  const own = fallback === 0 ? "" : ", and two while the fallback changes,";
  return [
    `${keyOf(["tls", "mode"])}: a certificate for each of ${hosts} hosts${own} exceed the quota of a new project: SSL_CERTIFICATES ${count} of ${sslCertificates}; ${readYours}, or use edge.kind gateway with tls.wildcard`,
  ];
}

/** https://github.com/google/kctf/issues/350 */
function armorNotes({ edge }: Settings): string[] {
  if (!edge.onGoogle || edge.armor === undefined) return [];
  return [
    `${keyOf(["edge", "armor"])}: makes a policy of Cloud Armor, which may exceed the quota of a new project, as on a free trial: SECURITY_POLICIES 1 of 0; ${readYours}, or leave armor out until then`,
  ];
}
