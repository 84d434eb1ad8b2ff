/** Rules for the network of the nodes. */
import { all, at, isSet, oneOf, rulesFor, unknown, type Check } from "../rule.ts";

const network = { name: "VPC", types: ["gcp:compute/network:Network"] };
const subnet = { name: "subnet", types: ["gcp:compute/subnetwork:Subnetwork"] };
const nat = { name: "Cloud NAT", types: ["gcp:compute/routerNat:RouterNat"] };
const firewall = { name: "firewall rule", types: ["gcp:compute/firewall:Firewall"] };

const fromNamedRanges: Check = {
  required: "`sourceRanges` is set in a rule that allows, and has no range of length 0",
  check: (props) => {
    const ranges = at(props, "sourceRanges");
    if ([at(props, "allows"), at(props, "direction"), ranges].includes(unknown)) return [];
    if (at(props, "allows") === undefined || at(props, "direction") === "EGRESS") return [];
    const named =
      Array.isArray(ranges) &&
      ranges.length > 0 &&
      ranges.every((range: unknown) => range === unknown || (typeof range === "string" && !range.endsWith("/0")));
    return named ? [] : [{ property: "sourceRanges", value: ranges, fix: "name the ranges that may connect" }];
  },
};

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
  ...rulesFor(firewall, {
    "network-firewall-sources": {
      title: "No firewall rule lets the internet in, and each says which nodes it is for",
      benchmark: ["CKV_GCP_2", "CKV_GCP_3", "CKV_GCP_75", "CKV_GCP_77", "CKV_GCP_88", "CKV_GCP_106"],
      severity: "critical",
      ...all(fromNamedRanges, isSet("targetServiceAccounts", "name the service account of the nodes")),
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
