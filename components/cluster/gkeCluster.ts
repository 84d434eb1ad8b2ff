import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { grantClusterKey } from "./encryptionKey.ts";
import { clusterSettings, type Endpoint, type Maintenance } from "./clusterSettings.ts";
import { enableApis } from "../googleApis.ts";
import { googleName, labelsOf } from "../../names/google.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { Network } from "./network.ts";
import { nodePoolSettings, type NodePoolArgs } from "./nodePoolSettings.ts";
import { checkAuthorizedNetwork, type Ranges } from "../../names/ranges.ts";

export interface GkeClusterArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Region of the cluster, as in `asia-northeast1`: the control plane is spread over its zones. */
  readonly region: string;
  /** Name of the stack, for labels. */
  readonly stack: string;
  /** Who looks after the nodes: the team (`standard`), or Google (`autopilot`). It cannot be changed later. */
  readonly mode: "standard" | "autopilot";
  /** Zones of the nodes, all in `region`. @default - mostly three, chosen by Google */
  readonly zones?: readonly string[] | undefined;
  /** Private IPv4 ranges that do not overlap. Changing one on a living cluster mostly means a new cluster. */
  readonly network: Ranges;
  /** The machines of a Standard cluster, at least one pool; none with Autopilot. The key is a pool's stable name. */
  readonly nodePools: Readonly<Record<string, NodePoolArgs>>;
  /** How the control plane is reached. */
  readonly endpoint: Endpoint;
  /** How early Kubernetes versions arrive; Google upgrades within the channel. */
  readonly releaseChannel: "RAPID" | "REGULAR" | "STABLE" | "EXTENDED";
  /** When Google may upgrade. */
  readonly maintenance: Maintenance;
  /** Cloud KMS key of the cluster's region that encrypts Kubernetes Secrets. @default - Google's own */
  readonly encryptionKey?: string | undefined;
  /** The group `gke-security-groups@…`, whose member groups may then be named in RBAC. @default - none */
  readonly securityGroup?: string | undefined;
  /** Whether the project's Binary Authorization policy decides which images may run. */
  readonly binaryAuthorization: boolean;
  /** Whether the cluster has Google's Gateway controller and its CRDs. @default false */
  readonly gatewayApi?: boolean;
  /**
   * Whether Google and Pulumi both refuse to delete the cluster until this is false; a change that would replace it
   * (of the project, the region, the mode, a range, the component's name) is then refused as well, by the preview.
   */
  readonly deletionProtection: boolean;
}

/** A regional, private GKE cluster in a network of its own. */
export class GkeCluster extends pulumi.ComponentResource {
  /** What Google calls the cluster. */
  readonly clusterName: pulumi.Output<string>;
  /** For kubectl with `gke-gcloud-auth-plugin`; a secret, although it holds no credential. */
  readonly kubeconfig: pulumi.Output<string>;
  /** The cluster's page in the Google Cloud console. */
  readonly consoleUrl: pulumi.Output<string>;
  /** The project's workloads in the Google Cloud console. */
  readonly workloadsUrl: string;
  /** For everything in the cluster: created after the nodes, deleted before them. */
  readonly provider: k8s.Provider;

  /**
   * @param name unique in the Google Cloud project, as the stack's name is: Google's names for the children are made of
   *   it. At most 24 lower case letters, digits and hyphens, beginning with a letter, because the name of the nodes'
   *   identity may have 30
   * @throws ResourceError where the name, the pools, the endpoint or the ranges are impossible
   */
  constructor(name: string, args: GkeClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:GkeCluster", name, {}, opts);
    const problems = problemsOf(name, args);
    if (problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), this);
    const { project, region, endpoint, encryptionKey } = args;
    const timeouts = { create: "60m", update: "120m", delete: "60m" };

    // Another project, region or range would have new ones of these, and so a new cluster. Node pools come and go.
    const protect = args.deletionProtection;
    const network = new Network(
      `${name}-network`,
      { project, region, ranges: args.network },
      { parent: this, protect },
    );
    const apis = enableApis(
      name,
      project,
      [
        ...["container", "binaryauthorization", "iam", "iamcredentials", "cloudresourcemanager"],
        ...(encryptionKey === undefined ? [] : ["cloudkms"]),
      ],
      this,
    );

    const identity = new gcp.serviceaccount.Account(
      `${name}-nodes`,
      {
        project,
        accountId: `${name}-nodes`,
        displayName: `Nodes of the GKE cluster of the stack ${args.stack}`,
      },
      { parent: this, protect, dependsOn: apis },
    );
    // The first writes logs and metrics, the second pulls images; the default identity may edit the whole project.
    // https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster#use_least_privilege_sa
    const grants = ["container.defaultNodeServiceAccount", "artifactregistry.reader"].map(
      (role) =>
        new gcp.projects.IAMMember(
          `${name}-nodes-${role}`,
          { project, role: `roles/${role}`, member: pulumi.interpolate`serviceAccount:${identity.email}` },
          { parent: this },
        ),
    );
    const keyGrants =
      encryptionKey === undefined
        ? []
        : [grantClusterKey(name, { project, encryptionKey }, { parent: this, dependsOn: apis })];

    const cluster = new gcp.container.Cluster(
      `${name}-cluster`,
      {
        project,
        location: region,
        ...(args.zones !== undefined && { nodeLocations: [...args.zones] }),
        network: network.networkId,
        subnetwork: network.subnetId,
        ipAllocationPolicy: {
          clusterSecondaryRangeName: network.podsRangeName,
          servicesSecondaryRangeName: network.servicesRangeName,
        },
        ...clusterSettings({
          project,
          mode: args.mode,
          nodeIdentity: identity.email,
          controlPlaneRange: args.network.controlPlane,
          endpoint,
          releaseChannel: args.releaseChannel,
          maintenance: args.maintenance,
          encryptionKey,
          securityGroup: args.securityGroup,
          binaryAuthorization: args.binaryAuthorization,
          gatewayApi: args.gatewayApi ?? false,
        }),
        resourceLabels: labelsOf(pulumi.getProject(), args.stack),
        deletionProtection: args.deletionProtection,
      },
      {
        parent: this,
        // Its nodes need their rights and the way out from the first minute, and until the last.
        dependsOn: [...apis, ...grants, ...keyGrants, network.nat],
        protect,
        // A range for Services belongs to one cluster: the next one cannot come up while the first one holds it.
        deleteBeforeReplace: true,
        customTimeouts: timeouts,
      },
    );

    const pools = Object.entries(args.nodePools).map(
      ([key, pool]) =>
        new gcp.container.NodePool(
          `${name}-${key}`,
          { project, location: region, cluster: cluster.name, ...nodePoolSettings(pool, identity.email) },
          {
            parent: this,
            // It counts at creation only; a later difference would replace the pool.
            ignoreChanges: ["initialNodeCount"],
            customTimeouts: timeouts,
          },
        ),
    );

    this.clusterName = cluster.name;
    const [host, ca] =
      endpoint.kind === "dns"
        ? [cluster.controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint]
        : [cluster.endpoint, cluster.masterAuth.clusterCaCertificate];
    this.kubeconfig = pulumi.secret(
      pulumi.all([cluster.name, host, ca]).apply(([clusterName, host, ca]) =>
        // The name that `gcloud container clusters get-credentials` gives to the context.
        kubeconfig({ contextName: `gke_${project}_${region}_${clusterName}`, host, ca }),
      ),
    );
    this.consoleUrl = pulumi.interpolate`https://console.cloud.google.com/kubernetes/clusters/details/${region}/${cluster.name}/details?project=${project}`;
    this.workloadsUrl = `https://console.cloud.google.com/kubernetes/workload/overview?project=${project}`;
    this.provider = new k8s.Provider(
      `${name}-provider`,
      {
        kubeconfig: this.kubeconfig,
        // A new cluster has a new generated name, hence a new id: then, and only then, all that is in it is made anew.
        clusterIdentifier: cluster.id,
        // What the stack declares is the stack's, whoever changed it by hand.
        enablePatchForce: true,
      },
      { parent: this, dependsOn: [cluster, ...pools] },
    );
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      consoleUrl: this.consoleUrl,
      workloadsUrl: this.workloadsUrl,
    });
  }
}

/** What no cluster can be made of; the ranges are the network's own to check. */
function problemsOf(name: string, { mode, nodePools, endpoint }: GkeClusterArgs): string[] {
  const problems: string[] = [];
  if (googleName(name, 24) !== name)
    problems.push(
      `a GkeCluster cannot be named "${name}"; allowed are at most 24 lower case letters, digits and hyphens, beginning with a letter`,
    );
  const pools = Object.entries(nodePools);
  if (mode === "autopilot" && pools.length > 0)
    problems.push(`mode autopilot has no node pools, but nodePools has ${Object.keys(nodePools).join(", ")}`);
  if (mode === "standard" && pools.length === 0) problems.push("mode standard needs at least one of nodePools");
  for (const [key, { minPerZone, maxPerZone }] of pools)
    if (minPerZone > maxPerZone)
      problems.push(`nodePools.${key}.minPerZone is ${minPerZone}, more than maxPerZone, which is ${maxPerZone}`);
  if (endpoint.kind === "ip") {
    const networks = Object.entries(endpoint.authorizedNetworks);
    if (networks.length === 0) problems.push("a public endpoint needs at least one of authorizedNetworks");
    for (const [key, range] of networks)
      problems.push(
        ...checkAuthorizedNetwork(range).map(
          ({ found, fix }) => `authorizedNetworks.${key}: "${range}" ${found}; ${fix}`,
        ),
      );
  }
  return problems;
}
