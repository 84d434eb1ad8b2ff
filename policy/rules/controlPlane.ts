/** Rules for access to the control plane: https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation */
import { all, at, oneOf, rulesFor, unknown, type Check, type Violation } from "../rule.ts";
import { cluster } from "./cluster.ts";

/** Whether the control plane has an IP endpoint. False if unknown: an unknown value is never a violation. */
const hasIpEndpoint = (props: unknown) =>
  ![false, unknown].includes(at(props, "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled") as false);

const networks = "masterAuthorizedNetworksConfig.cidrBlocks";

const allowList: Check = {
  required: `\`${networks}\` is set where the IP endpoint is on, and has no range of length 0`,
  check: (props) => {
    const blocks = at(props, networks);
    if (!hasIpEndpoint(props) || blocks === unknown) return [];
    if (!Array.isArray(blocks) || blocks.length === 0)
      return [
        {
          property: networks,
          value: blocks,
          fix: "name networks in cluster.endpoint.authorizedNetworks, or set cluster.endpoint.kind to dns",
        },
      ];
    return blocks.flatMap((block: unknown, index): Violation[] => {
      const value = at(block, "cidrBlock");
      if (typeof value !== "string" || !value.endsWith("/0")) return [];
      return [{ property: `${networks}[${index}].cidrBlock`, value, fix: "name the networks that may reach it" }];
    });
  },
};

const noGoogleAddresses: Check = {
  required: "`masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled` is `false` where the IP endpoint is on",
  check: (props) =>
    hasIpEndpoint(props)
      ? oneOf("masterAuthorizedNetworksConfig.gcpPublicCidrsAccessEnabled", [false]).check(props)
      : [],
};

const bindings = (group: string) => oneOf(`rbacBindingConfig.enableInsecureBindingSystem${group}`, [false]);

export const controlPlaneRules = rulesFor(cluster, {
  "cluster-endpoint-allow-list": {
    title: "Where the control plane has an IP address, only named networks reach it",
    benchmark: ["CIS GKE 5.6.3", "CKV_GCP_18", "CKV_GCP_20"],
    severity: "critical",
    ...all(allowList, noGoogleAddresses),
  },
  "cluster-endpoint-by-name": {
    title: "The control plane has no public IP address; it is reached by its DNS name, through IAM",
    benchmark: ["CIS GKE 5.6.4"],
    severity: "medium",
    choice: "some tools need an IP address, which an allow list then guards",
    ...oneOf("privateClusterConfig.enablePrivateEndpoint", [true], "set cluster.endpoint.kind to dns"),
  },
  "cluster-no-client-certificate": {
    title: "No client certificate is issued, because none can be revoked",
    benchmark: ["CIS GKE 5.8.1", "CKV_GCP_13"],
    severity: "high",
    ...oneOf("masterAuth.clientCertificateConfig.issueClientCertificate", [false]),
  },
  "cluster-rbac-only": {
    title: "Access is decided by RBAC and IAM alone, without legacy ABAC",
    benchmark: ["CIS GKE 5.8.3", "CKV_GCP_7"],
    severity: "high",
    ...oneOf("enableLegacyAbac", [false]),
  },
  "cluster-no-anonymous": {
    title: "Without a login there are health checks and nothing else",
    severity: "high",
    ...oneOf("anonymousAuthenticationConfig.mode", ["LIMITED"]),
  },
  "cluster-no-rights-for-everybody": {
    title: "Nobody can bind a role to everybody",
    benchmark: ["CIS GKE 4.1.9", "CIS GKE 4.1.10"],
    severity: "high",
    ...all(bindings("Authenticated"), bindings("Unauthenticated")),
  },
});
