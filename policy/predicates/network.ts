/** The network, and what stands in it towards the world. */
import { all, at, given, isObject, oneOf, predicates, unknown, type Requirement } from "../predicate.ts";

const network = { name: "VPC", types: ["gcp:compute/network:Network"] };
const subnet = { name: "subnet", types: ["gcp:compute/subnetwork:Subnetwork"] };
const nat = { name: "Cloud NAT", types: ["gcp:compute/routerNat:RouterNat"] };
const sslPolicy = { name: "SSL policy", types: ["gcp:compute/sSLPolicy:SSLPolicy"] };
const armor = { name: "Cloud Armor policy", types: ["gcp:compute/securityPolicy:SecurityPolicy"] };
const frontend = { name: "FrontendConfig", types: ["kubernetes:networking.gke.io/v1beta1:FrontendConfig"] };
const backend = { name: "BackendConfig", types: ["kubernetes:cloud.google.com/v1:BackendConfig"] };

/** https://cloud.google.com/armor/docs/waf-rules#cves_and_other_vulnerabilities */
const log4j: Requirement = {
  required: "one of `rules` is about `cve-canary`, denies, and is more than a preview",
  check: (props) => {
    const rules = at(props, "rules");
    if (rules === unknown) return [];
    const items: unknown[] = Array.isArray(rules) ? rules : [];
    const stops = (rule: unknown) => {
      const [expression, action, preview] = ["match.expr.expression", "action", "preview"].map((path) =>
        at(rule, path),
      );
      if ([rule, expression, action, preview].includes(unknown)) return true;
      return /'cve-canary'/.test(String(expression)) && /^deny/.test(String(action)) && preview !== true;
    };
    if (items.some(stops)) return [];
    const value = items.map((rule) => (isObject(rule) ? at(rule, "match.expr.expression") : rule));
    return [{ property: "rules", value, fix: "set edge.armor.log4j to true" }];
  },
};

export const networkPredicates = [
  ...predicates(network, {
    "network-chosen-subnets": {
      title: "The network has the subnets that were chosen, and none that came by itself in every region",
      severity: "medium",
      ...oneOf("autoCreateSubnetworks", [false]),
    },
  }),
  ...predicates(subnet, {
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
      ...given("logConfig.aggregationInterval", "set logConfig"),
    },
  }),
  ...predicates(nat, {
    "network-nat-logs": {
      title: "Connections that find no port on the way out are logged",
      severity: "low",
      ...oneOf("logConfig.enable", [true]),
    },
  }),
  ...predicates(sslPolicy, {
    "edge-tls-policy": {
      title: "TLS 1.2 and newer, without weak ciphers",
      benchmark: ["CKV_GCP_4"],
      severity: "high",
      ...all(oneOf("minTlsVersion", ["TLS_1_2", "TLS_1_3"]), oneOf("profile", ["MODERN", "RESTRICTED"])),
    },
  }),
  ...predicates(frontend, {
    "edge-tls-policy-used": {
      title: "The load balancer follows an SSL policy of the stack's",
      severity: "high",
      ...given("spec.sslPolicy", "name an SSL policy"),
    },
  }),
  ...predicates(backend, {
    "edge-health-check": {
      title: "The load balancer's health check is said, not guessed",
      severity: "medium",
      ...all(
        given("spec.healthCheck.requestPath", "say the path that answers 200"),
        given("spec.healthCheck.port", "say the container's port"),
      ),
    },
    "edge-armor": {
      title: "Cloud Armor is in front",
      severity: "low",
      choice: "it has a price, and an entrance without it is a choice for a stack that is not public",
      ...given("spec.securityPolicy.name", "set edge.armor"),
    },
  }),
  ...predicates(armor, {
    "edge-armor-log4j": {
      title: "Lookups of Log4j are stopped",
      benchmark: ["CKV_GCP_73"],
      severity: "medium",
      choice: "stacks without Java may switch the rule off",
      ...log4j,
    },
  }),
  ...predicates(
    { name: "DNS zone", types: ["gcp:dns/managedZone:ManagedZone"] },
    {
      "dns-signed": {
        title: "Answers of a public zone are signed",
        benchmark: ["CKV_GCP_16"],
        severity: "low",
        choice: "signing needs a DS record at the registrar as well",
        ...oneOf("dnssecConfig.state", ["on"], "set dnssecConfig.state to on, and the DS record at the registrar"),
      },
    },
  ),
];
