import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { enableApis } from "../googleApis.ts";

export interface ArmorRules {
  /** Requests per client address in so many seconds; more are answered 429. @default - no limit */
  readonly rateLimit?: { readonly requests: number; readonly seconds: number } | undefined;
  /** Refuse what tries to use the hole in Log4j (CVE-2021-44228). */
  readonly log4j: boolean;
  /** The only client ranges that are let in; others are answered 403. @default - everybody */
  readonly allow?: readonly string[] | undefined;
}

export interface CloudArmorArgs extends ArmorRules {
  /** Id of the Google Cloud project. */
  readonly project: string;
}

type Rule = gcp.types.input.compute.SecurityPolicyRule;

/** Google takes at most so many ranges in one rule. */
const rangesPerRule = 10;
/** The priority of the rule for everything else; a policy must have it. */
const last = 2_147_483_647;

/**
 * The rules of a policy, the first match wins: Log4j, then who is let in and how often, then everybody else. Priorities
 * follow from the place in the list and leave gaps for rules that somebody adds by hand in an emergency.
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
            // The form that CKV_GCP_73 looks for. https://cloud.google.com/armor/docs/waf-rules#cves_and_other_vulnerabilities
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

/** A Cloud Armor policy for the whole edge: the load balancer sees one backend, the proxy. */
export class CloudArmor extends pulumi.ComponentResource {
  /** What the edge's backend settings refer to the policy by. */
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
