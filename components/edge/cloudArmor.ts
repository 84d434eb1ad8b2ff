import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { enableApis } from "../googleApis.ts";

export interface ArmorRules {
  /** Limit of requests per client address and interval; requests over it get 429. @default - no limit */
  readonly rateLimit?: { readonly requests: number; readonly seconds: number } | undefined;
  /** Block attempts to exploit Log4j (CVE-2021-44228). */
  readonly log4j: boolean;
  /** The only client ranges allowed; other clients get 403. @default - everybody */
  readonly allow?: readonly string[] | undefined;
}

export interface CloudArmorArgs extends ArmorRules {
  /** ID of the Google Cloud project. */
  readonly project: string;
}

type Rule = gcp.types.input.compute.SecurityPolicyRule;

/** Google's limit of ranges in one rule. */
const rangesPerRule = 10;
/** Priority of the mandatory default rule. */
const last = 2_147_483_647;

/**
 * The rules of a policy; the first match wins. The order is Log4j, allowed clients with their rate, then everybody
 * else. Gaps between priorities leave room for manual rules in an emergency.
 */
export function armorRules({ rateLimit, log4j, allow }: ArmorRules): Rule[] {
  const addresses = (ranges: readonly string[]): Rule["match"] => ({
    versionedExpr: "SRC_IPS_V1",
    config: { srcIpRanges: [...ranges] },
  });
  const admit = rateLimit === undefined ? { action: "allow" } : throttle(rateLimit);
  const admitted = allow ?? (rateLimit === undefined ? [] : ["*"]);
  const chunks = Array.from({ length: Math.ceil(admitted.length / rangesPerRule) }, (_, index) =>
    admitted.slice(index * rangesPerRule, (index + 1) * rangesPerRule),
  );
  return [
    ...(log4j
      ? [
          {
            description: "Log4j, CVE-2021-44228",
            priority: 1000,
            action: "deny(403)",
            // CKV_GCP_73 expects this form.
            // https://cloud.google.com/armor/docs/waf-rules#cves_and_other_vulnerabilities
            match: { expr: { expression: "evaluatePreconfiguredExpr('cve-canary')" } },
          },
        ]
      : []),
    ...chunks.map((ranges, index) => ({
      description: allow === undefined ? "Everybody, within the rate" : "Who is let in",
      priority: 2000 + index * 10,
      ...admit,
      match: addresses(ranges),
    })),
    {
      description: "Everybody else",
      priority: last,
      action: allow === undefined ? "allow" : "deny(403)",
      match: addresses(["*"]),
    },
  ];
}

const throttle = ({ requests, seconds }: NonNullable<ArmorRules["rateLimit"]>) => ({
  action: "throttle",
  rateLimitOptions: {
    enforceOnKey: "IP",
    rateLimitThreshold: { count: requests, intervalSec: seconds },
    conformAction: "allow",
    exceedAction: "deny(429)",
  },
});

/** A Cloud Armor policy for the whole edge: the load balancer has one backend, the proxy. */
export class CloudArmor extends pulumi.ComponentResource {
  /** The policy's name, for the backend settings of the edge. */
  readonly policyName: pulumi.Output<string>;

  constructor(name: string, args: CloudArmorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:CloudArmor", name, {}, opts);
    const policy = new gcp.compute.SecurityPolicy(
      `${name}-policy`,
      { project: args.project, type: "CLOUD_ARMOR", rules: armorRules(args) },
      { parent: this, dependsOn: enableApis(name, args.project, ["compute"], this) },
    );
    this.policyName = policy.name;
    this.registerOutputs({ policyName: this.policyName });
  }
}
