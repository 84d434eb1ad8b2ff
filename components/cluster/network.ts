import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";

import { enableApis } from "../googleApis.ts";
import { checkRanges, type Ranges } from "../../names/ranges.ts";

export interface NetworkArgs {
  /** Id of the Google Cloud project. */
  readonly project: string;
  /** Region of the subnet, the router and the NAT, as in `asia-northeast1`. */
  readonly region: string;
  /** Private IPv4 ranges that do not overlap. */
  readonly ranges: Ranges;
}

/**
 * What the load balancer leaves behind (endpoint groups, health check firewall rules) holds the network as "in use".
 * Google clears it away on its own time, and so the deletion of what it holds may take long. What cannot be waited for
 * here, because Google refuses at once, is waited for earlier: the stack's namespace goes only when its endpoint groups
 * have gone. https://github.com/pulumi/pulumi-kubernetes/issues/1787
 */
const customTimeouts = { delete: "45m" };

/** A VPC with one subnet for a private, VPC-native cluster. Nodes have no public address; they reach out through NAT. */
export class Network extends pulumi.ComponentResource {
  /** Id of the VPC. */
  readonly networkId: pulumi.Output<string>;
  /** Id of the subnet. */
  readonly subnetId: pulumi.Output<string>;
  /** Name of the subnet's secondary range for pods. */
  readonly podsRangeName: pulumi.Output<string>;
  /** Name of the subnet's secondary range for Services. */
  readonly servicesRangeName: pulumi.Output<string>;
  /** The way out: what needs the internet depends on it. */
  readonly nat: gcp.compute.RouterNat;

  /** @throws ResourceError where the ranges cannot carry a cluster; the message has all reasons. */
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
        logConfig: {
          aggregationInterval: "INTERVAL_5_SEC",
          flowSampling: 0.5,
          metadata: "INCLUDE_ALL_METADATA",
        },
      },
      {
        parent: this,
        // A second subnet with the same addresses is refused while the first one is there.
        deleteBeforeReplace: true,
        // Google does not change a range that a cluster uses, and says so only after the preview.
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
        // All pods of a node share its ports; the fixed 64 of a node run out with few busy pods.
        // https://cloud.google.com/nat/docs/ports-and-addresses#dynamic-port
        enableDynamicPortAllocation: true,
        minPortsPerVm: 64,
        maxPortsPerVm: 4096,
        logConfig: { enable: true, filter: "ERRORS_ONLY" },
      },
      // A router's second NAT for the same ranges is refused while the first one is there.
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
