import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

import { enableApis } from "../googleApis.ts";
import { checkRanges, type Ranges } from "../../names/ranges.ts";

export interface NetworkArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
  /** Region of the subnet, the router and the NAT, such as `asia-northeast1`. */
  readonly region: string;
  /** Private IPv4 ranges that do not overlap. */
  readonly ranges: Ranges;
}

/**
 * Leftovers of the load balancer (endpoint groups, firewall rules of health checks) keep the network "in use". Google
 * deletes them asynchronously, so deleting the network may take long. Some deletions fail at once instead of waiting.
 * Therefore the stack's namespace waits until its endpoint groups are gone.
 * https://github.com/pulumi/pulumi-kubernetes/issues/1787
 */
const customTimeouts = { delete: "45m" };

/**
 * A VPC with one subnet for a private, VPC-native cluster. Nodes have no public address; outgoing traffic uses Cloud
 * NAT.
 */
export class Network extends pulumi.ComponentResource {
  /** ID of the VPC. */
  readonly networkId: pulumi.Output<string>;
  /** ID of the subnet. */
  readonly subnetId: pulumi.Output<string>;
  /** Name of the subnet's secondary range for pods. */
  readonly podsRangeName: pulumi.Output<string>;
  /** Name of the subnet's secondary range for Services. */
  readonly servicesRangeName: pulumi.Output<string>;
  /** Cloud NAT: resources that need the internet depend on it. */
  readonly nat: gcp.compute.RouterNat;

  /** @throws ResourceError that lists all problems of the ranges */
  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:Network", name, {}, opts);
    const problems = checkRanges(args.ranges).map(
      ({ range, value, found, fix }) => `${range}: "${value}" ${found}; ${fix}`,
    );
    if (problems.length > 0) throw new pulumi.ResourceError(problems.join("\n"), this);
    const { project, region } = args;

    const vpc = new gcp.compute.Network(
      `${name}-vpc`,
      { project, autoCreateSubnetworks: false, routingMode: "REGIONAL" },
      { parent: this, dependsOn: enableApis(name, project, ["compute"], this), customTimeouts },
    );

    const rangeNames = { pods: "pods", services: "services" };
    const subnet = new gcp.compute.Subnetwork(
      `${name}-subnet`,
      {
        project,
        region,
        network: vpc.id,
        ipCidrRange: args.ranges.nodes,
        secondaryIpRanges: [
          { rangeName: rangeNames.pods, ipCidrRange: args.ranges.pods },
          { rangeName: rangeNames.services, ipCidrRange: args.ranges.services },
        ],
        // Nodes pull from Artifact Registry and write logs without passing the NAT.
        privateIpGoogleAccess: true,
        // Intranode visibility logs pod to pod as well, and Google bills by volume: one line per connection and ten
        // minutes, of a tenth of them, with the pods' names. https://cloud.google.com/vpc/docs/flow-logs
        logConfig: {
          aggregationInterval: "INTERVAL_10_MIN",
          flowSampling: 0.1,
          metadata: "CUSTOM_METADATA",
          metadataFields: ["src_gke_details", "dest_gke_details"],
        },
      },
      {
        parent: this,
        // Google rejects a second subnet with the same range while the first one exists.
        deleteBeforeReplace: true,
        // Google cannot change a range that a cluster uses, and reports it only after the preview.
        replaceOnChanges: ["secondaryIpRanges[0].ipCidrRange", "secondaryIpRanges[1].ipCidrRange"],
        customTimeouts,
      },
    );

    const router = new gcp.compute.Router(
      `${name}-router`,
      { project, region, network: vpc.id },
      { parent: this, customTimeouts },
    );
    this.nat = new gcp.compute.RouterNat(
      `${name}-nat`,
      {
        project,
        region,
        router: router.name,
        natIpAllocateOption: "AUTO_ONLY",
        sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
        // All pods of a node share its ports. With 64 fixed ports per node, a few busy pods exhaust them.
        // https://cloud.google.com/nat/docs/ports-and-addresses#dynamic-port
        enableDynamicPortAllocation: true,
        minPortsPerVm: 64,
        maxPortsPerVm: 4096,
        logConfig: { enable: true, filter: "ERRORS_ONLY" },
      },
      // Google rejects a second NAT for the same ranges on a router while the first one exists.
      { parent: this, dependsOn: [subnet], deleteBeforeReplace: true, customTimeouts },
    );

    this.networkId = vpc.id;
    this.subnetId = subnet.id;
    this.podsRangeName = pulumi.output(rangeNames.pods);
    this.servicesRangeName = pulumi.output(rangeNames.services);
    this.registerOutputs({
      networkId: this.networkId,
      subnetId: this.subnetId,
      podsRangeName: this.podsRangeName,
      servicesRangeName: this.servicesRangeName,
    });
  }
}
