import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { clusterSettings, nodeSettings, type Maintenance, type NodesArgs } from "./gkeSettings.ts";
import { enableApis } from "./googleApis.ts";
import { googleName, labelsOf } from "./googleNames.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { Network } from "./network.ts";
import type { Ranges } from "./ranges.ts";

export interface GkeClusterArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Region of the cluster, as in `asia-northeast1`: control plane and nodes are spread over its zones. */
  readonly region: string;
  /** Name of the stack, for labels. */
  readonly stack: string;
  /** Private IPv4 ranges that do not overlap. Changing one on a living cluster mostly means a new cluster. */
  readonly network: Ranges;
  /** The machines. */
  readonly nodes: NodesArgs;
  /** How early Kubernetes versions arrive; Google upgrades within the channel. */
  readonly releaseChannel: "RAPID" | "REGULAR" | "STABLE";
  /** When Google may upgrade. */
  readonly maintenance: Maintenance;
  /** Whether Google and Pulumi both refuse to delete the cluster until this is false. */
  readonly deletionProtection: boolean;
}

/** A regional, private GKE cluster with one node pool, in a network of its own, reached by its DNS endpoint through IAM. */
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
   * @throws ResourceError where the name, the node counts or the ranges are impossible
   */
  constructor(name: string, args: GkeClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:GkeCluster", name, {}, opts);
    const { project, region, nodes } = args;
    if (googleName(name, 24) !== name)
      throw new pulumi.ResourceError(
        `a GkeCluster cannot be named "${name}"; allowed are at most 24 lower case letters, digits and hyphens, beginning with a letter`,
        this,
      );
    if (nodes.minPerZone > nodes.maxPerZone)
      throw new pulumi.ResourceError(
        `nodes.minPerZone is ${nodes.minPerZone}, more than nodes.maxPerZone, which is ${nodes.maxPerZone}`,
        this,
      );

    const network = new Network(`${name}-network`, { project, region, ranges: args.network }, { parent: this });
    const apis = enableApis(
      name,
      project,
      ["container", "binaryauthorization", "iam", "iamcredentials", "cloudresourcemanager"],
      this,
    );

    const cluster = new gcp.container.Cluster(
      `${name}-cluster`,
      {
        project,
        location: region,
        network: network.networkId,
        subnetwork: network.subnetId,
        ipAllocationPolicy: {
          clusterSecondaryRangeName: network.podsRangeName,
          servicesSecondaryRangeName: network.servicesRangeName,
        },
        ...clusterSettings({
          project,
          controlPlaneRange: args.network.controlPlane,
          releaseChannel: args.releaseChannel,
          maintenance: args.maintenance,
        }),
        resourceLabels: labelsOf(pulumi.getProject(), args.stack),
        deletionProtection: args.deletionProtection,
      },
      {
        parent: this,
        dependsOn: apis,
        protect: args.deletionProtection,
        // A range for Services belongs to one cluster: the next one cannot come up while the first one holds it.
        deleteBeforeReplace: true,
        customTimeouts: { create: "60m", update: "120m", delete: "60m" },
      },
    );

    const identity = new gcp.serviceaccount.Account(
      `${name}-nodes`,
      {
        project,
        accountId: `${name}-nodes`,
        displayName: `Nodes of the GKE cluster of the stack ${args.stack}`,
      },
      { parent: this, dependsOn: apis },
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

    const pool = new gcp.container.NodePool(
      `${name}-pool`,
      { project, location: region, cluster: cluster.name, ...nodeSettings(nodes, identity.email) },
      {
        parent: this,
        // Nodes need their rights and the way out from the first minute, and until the last.
        dependsOn: [...grants, network.nat],
        // It counts at creation only; a later difference would replace the pool.
        ignoreChanges: ["initialNodeCount"],
        customTimeouts: { create: "60m", update: "120m", delete: "60m" },
      },
    );

    this.clusterName = cluster.name;
    this.kubeconfig = pulumi.secret(
      pulumi
        .all([cluster.name, cluster.controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint])
        .apply(([clusterName, endpoint]) =>
          // The name that `gcloud container clusters get-credentials` gives to the context.
          kubeconfig({ contextName: `gke_${project}_${region}_${clusterName}`, endpoint }),
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
      { parent: this, dependsOn: [pool] },
    );
    this.registerOutputs({
      clusterName: this.clusterName,
      kubeconfig: this.kubeconfig,
      consoleUrl: this.consoleUrl,
      workloadsUrl: this.workloadsUrl,
    });
  }
}
