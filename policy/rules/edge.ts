/** Rules for Google's load balancer and its certificates. */
import { all, at, isSet, oneOf, rulesFor, unknown, type Check } from "../rule.ts";

const sslPolicy = { name: "SSL policy", types: ["gcp:compute/sSLPolicy:SSLPolicy"] };
const armor = { name: "Cloud Armor policy", types: ["gcp:compute/securityPolicy:SecurityPolicy"] };
const frontend = { name: "FrontendConfig", types: ["kubernetes:networking.gke.io/v1beta1:FrontendConfig"] };
const backend = { name: "BackendConfig", types: ["kubernetes:cloud.google.com/v1:BackendConfig"] };
const ingress = { name: "Ingress", types: ["kubernetes:networking.k8s.io/v1:Ingress"] };
const ofGateway = (kind: string) => ({ name: kind, types: [`kubernetes:networking.gke.io/v1:${kind}`] });
const zone = { name: "DNS zone", types: ["gcp:dns/managedZone:ManagedZone"] };

const annotation = (name: string) => `metadata.annotations["${name}"]`;

/** Only for Google's Ingress: other controllers configure certificates differently. */
const managedCertificate: Check = {
  required: `\`${annotation("ingress.gcp.kubernetes.io/pre-shared-cert")}\` is set where the class is gce`,
  check: (props) =>
    at(props, annotation("kubernetes.io/ingress.class")) === "gce"
      ? isSet(annotation("ingress.gcp.kubernetes.io/pre-shared-cert"), "set tls.mode to managed").check(props)
      : [],
};

const healthCheck = (holder: string) =>
  all(
    isSet(`${holder}.requestPath`, "say the path that answers 200"),
    isSet(`${holder}.port`, "say the container's port"),
  );
const armorRule = {
  title: "Cloud Armor is in front",
  severity: "low",
  choice: "it has a price, and an edge without it is a choice for a stack that is not public",
} as const;

/** https://cloud.google.com/armor/docs/waf-rules#cves_and_other_vulnerabilities */
const log4j: Check = {
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
    const value = items.map((rule) => at(rule, "match.expr.expression") ?? at(rule, "match.versionedExpr"));
    return [{ property: "rules", value, fix: "set edge.armor.log4j to true" }];
  },
};

export const edgeRules = [
  ...rulesFor(sslPolicy, {
    "edge-tls-policy": {
      title: "TLS 1.2 and newer, without weak ciphers",
      benchmark: ["CKV_GCP_4"],
      severity: "high",
      ...all(oneOf("minTlsVersion", ["TLS_1_2", "TLS_1_3"]), oneOf("profile", ["MODERN", "RESTRICTED"])),
    },
  }),
  ...rulesFor(frontend, {
    "edge-tls-policy-used": {
      title: "The load balancer follows an SSL policy of the stack's",
      severity: "high",
      ...isSet("spec.sslPolicy", "name an SSL policy"),
    },
    "edge-https-only": {
      title: "Plain HTTP is answered with a redirect to HTTPS",
      severity: "medium",
      choice: "a stack without TLS has none, nor has the step to TLS",
      ...oneOf("spec.redirectToHttps.enabled", [true], "set tls.mode, and tls.redirectHttp to true"),
    },
  }),
  ...rulesFor(backend, {
    "edge-health-check": {
      title: "The load balancer's health check is said, not guessed",
      severity: "medium",
      ...healthCheck("spec.healthCheck"),
    },
    "edge-armor": { ...armorRule, ...isSet("spec.securityPolicy.name", "set edge.armor") },
  }),
  ...rulesFor(armor, {
    "edge-armor-log4j": {
      title: "Lookups of Log4j are stopped",
      benchmark: ["CKV_GCP_73"],
      severity: "medium",
      choice: "stacks without Java may switch the rule off",
      ...log4j,
    },
  }),
  ...rulesFor(ingress, {
    "edge-managed-certificate": {
      title: "Google issues the certificate and renews it",
      benchmark: ["CIS GKE 5.6.7"],
      severity: "low",
      choice: "certificates may come from elsewhere",
      ...managedCertificate,
    },
  }),
  ...rulesFor(ofGateway("GCPGatewayPolicy"), {
    "gateway-tls-policy-used": {
      title: "The load balancer follows an SSL policy of the stack's",
      severity: "high",
      ...isSet("spec.default.sslPolicy", "name an SSL policy"),
    },
  }),
  ...rulesFor(ofGateway("HealthCheckPolicy"), {
    "gateway-health-check": {
      title: "The load balancer's health check is said, not guessed",
      severity: "medium",
      ...healthCheck("spec.default.config.httpHealthCheck"),
    },
  }),
  ...rulesFor(ofGateway("GCPBackendPolicy"), {
    "gateway-armor": { ...armorRule, ...isSet("spec.default.securityPolicy", "set edge.armor") },
  }),
  ...rulesFor(zone, {
    "dns-signed": {
      title: "Answers of a public zone are signed",
      benchmark: ["CKV_GCP_16"],
      severity: "low",
      ...oneOf("dnssecConfig.state", ["on"]),
    },
  }),
];
