import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { applyOptions } from "./applyOptions.ts";
import { grantClusterKey } from "./encryptionKey.ts";
import { atCreationOnly, clusterSettings, type Endpoint, type Maintenance } from "./clusterSettings.ts";
import { enableApis } from "../googleApis.ts";
import { googleName, labelsOf } from "../../names/google.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { Network } from "./network.ts";
import { nodePoolSettings, type NodePoolArgs } from "./nodePoolSettings.ts";
import { checkAuthorizedNetwork, googleFrontEnds, type Ranges } from "../../names/ranges.ts";

export interface GkeClusterArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
  /** Region of the cluster, such as `asia-northeast1`. The control plane runs in several of its zones. */
  readonly region: string;
  /** Name of the stack, for labels. */
  readonly stack: string;
  /** Who manages the nodes: the team (`standard`) or Google (`autopilot`). It cannot be changed later. */
  readonly mode: "standard" | "autopilot";
  /** Zones of the nodes, all in `region`. @default - chosen by Google, usually three */
  readonly zones?: readonly string[] | undefined;
  /** Private IPv4 ranges that do not overlap. Most changes replace the cluster. */
  readonly network: Ranges;
  /** Node pools of a Standard cluster, at least one, by a stable name. Empty for Autopilot. */
  readonly nodePools: Readonly<Record<string, NodePoolArgs>>;
  /** How the control plane is reached. */
  readonly endpoint: Endpoint;
  /** Release channel: how early the cluster gets new Kubernetes versions. */
  readonly releaseChannel: "RAPID" | "REGULAR" | "STABLE" | "EXTENDED";
  /** Maintenance window and exclusions. */
  readonly maintenance: Maintenance;
  /** Cloud KMS key in the cluster's region that encrypts Kubernetes Secrets. @default - Google's key */
  readonly encryptionKey?: string | undefined;
  /** The group `gke-security-groups@…`: RBAC bindings may name its member groups. @default - none */
  readonly securityGroup?: string | undefined;
  /** Whether the project's Binary Authorization policy decides which images may run. */
  readonly binaryAuthorization: boolean;
  /** Whether the cluster has Google's Gateway controller and its CRDs. @default false */
  readonly gatewayApi?: boolean;
  /** TCP ports of pods that Google's load balancers and their health checks reach. @default - none */
  readonly loadBalancerPorts?: readonly number[];
  /**
   * Whether Google and Pulumi refuse to delete the cluster until this is false. The preview then also refuses to
   * replace it: a new project, region, mode, range or component name.
   */
  readonly deletionProtection: boolean;
}

/** A regional, private GKE cluster in its own network. */
export class GkeCluster extends pulumi.ComponentResource {
  /** The cluster's name in Google Cloud. */
  readonly clusterName: pulumi.Output<string>;
  /** For kubectl with `gke-gcloud-auth-plugin`. A secret, although it contains no credential. */
  readonly kubeconfig: pulumi.Output<string>;
  /** The cluster's page in the Google Cloud console. */
  readonly consoleUrl: pulumi.Output<string>;
  /** The project's workloads in the Google Cloud console. */
  readonly workloadsUrl: string;
  /** Provider for all objects in the cluster: created after the nodes, deleted before them. */
  readonly provider: k8s.Provider;
  /** The cluster is the stack's own: no other stack claims its namespaces. */
  readonly claimProvider = undefined;

  /**
   * @param name unique in the Google Cloud project, such as the stack's name: names of Google resources derive from it.
   * At most 24 lower case letters, digits and hyphens, beginning with a letter. A service account's ID has at most 30
   * characters
   * @throws ResourceError if the name, the pools, the endpoint or the ranges are invalid
   */
  constructor(name: string, args: GkeClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:GkeCluster", name, {}, opts);
    const problems = problemsOf(name, args);
    if (problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), this);
    const { project, region, endpoint, encryptionKey } = args;
    const timeouts = { create: "60m", update: "120m", delete: "60m" };

    // Protect what a new project, region or range would replace together with the cluster. Node pools are not
    // protected.
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
        ...(["container", "binaryauthorization", "iam", "iamcredentials", "cloudresourcemanager"] as const),
        ...(encryptionKey === undefined ? [] : (["cloudkms"] as const)),
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
    // Minimal roles: one writes logs and metrics, one pulls images. The default service account may edit the whole
    // project.
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
        // Nodes need their roles and the NAT as long as they exist.
        dependsOn: [...apis, ...grants, ...keyGrants, network.nat],
        protect,
        // A Services range belongs to one cluster: a new cluster cannot use it while the old one exists.
        deleteBeforeReplace: true,
        ignoreChanges: args.mode === "standard" ? atCreationOnly : [],
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
            // Only used at creation; a later change would replace the pool.
            ignoreChanges: ["initialNodeCount"],
            customTimeouts: timeouts,
          },
        ),
    );

    // Google's controllers open the ports of Services, but the Gateway's not that of the health check.
    // https://cloud.google.com/load-balancing/docs/health-checks#fw-rule
    const { loadBalancerPorts = [] } = args;
    const firewall =
      loadBalancerPorts.length === 0
        ? []
        : [
            new gcp.compute.Firewall(
              `${name}-load-balancer`,
              {
                project,
                network: network.networkId,
                description: "Google's load balancers and health checks to the pods that they serve",
                direction: "INGRESS",
                allows: [{ protocol: "tcp", ports: loadBalancerPorts.map(String) }],
                sourceRanges: [...googleFrontEnds],
                // Nodes of Autopilot take no tags, but run as this account too.
                targetServiceAccounts: [identity.email],
              },
              { parent: this },
            ),
          ];

    this.clusterName = cluster.name;
    const [host, ca] =
      endpoint.kind === "dns"
        ? [cluster.controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint]
        : [cluster.endpoint, cluster.masterAuth.clusterCaCertificate];
    this.kubeconfig = pulumi.secret(
      pulumi.all([cluster.name, host, ca]).apply(([clusterName, host, ca]) =>
        // The context name that `gcloud container clusters get-credentials` uses.
        kubeconfig({ contextName: `gke_${project}_${region}_${clusterName}`, host, ca }),
      ),
    );
    this.consoleUrl = pulumi.interpolate`https://console.cloud.google.com/kubernetes/clusters/details/${region}/${cluster.name}/details?project=${project}`;
    this.workloadsUrl = `https://console.cloud.google.com/kubernetes/workload/overview?project=${project}`;
    this.provider = new k8s.Provider(
      `${name}-provider`,
      {
        kubeconfig: this.kubeconfig,
        // A new cluster has a new generated ID. Only then does Pulumi recreate all objects in it.
        clusterIdentifier: cluster.id,
        ...applyOptions,
      },
      { parent: this, dependsOn: [cluster, ...pools, ...firewall] },
    );
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      consoleUrl: this.consoleUrl,
      workloadsUrl: this.workloadsUrl,
    });
  }
}

/** Checks everything but the ranges, which the network checks. */
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
