/** Rules for the network of the nodes. */
import { isSet, oneOf, rulesFor } from "../rule.ts";

const network = { name: "VPC", types: ["gcp:compute/network:Network"] };
const subnet = { name: "subnet", types: ["gcp:compute/subnetwork:Subnetwork"] };
const nat = { name: "Cloud NAT", types: ["gcp:compute/routerNat:RouterNat"] };
export const networkRules = [
  ...rulesFor(network, {
    "network-chosen-subnets": {
      title: "The network has the subnets that were chosen, and none that came by itself in every region",
      severity: "medium",
      ...oneOf("autoCreateSubnetworks", [false]),
    },
  }),
  ...rulesFor(subnet, {
    "network-private-google-access": {
      title: "Nodes reach Google's APIs without a public address",
      benchmark: ["CKV_GCP_74"],
      severity: "medium",
      ...oneOf("privateIpGoogleAccess", [true]),
    },
    "network-flow-logs": {
      title: "Who talked to whom is logged",
      benchmark: ["CIS GKE 5.6.1", "CKV_GCP_26"],
      severity: "medium",
      ...isSet("logConfig.aggregationInterval", "set logConfig"),
    },
  }),
  ...rulesFor(nat, {
    "network-nat-logs": {
      title: "Connections that find no port on the way out are logged",
      severity: "low",
      ...oneOf("logConfig.enable", [true]),
    },
  }),
];
