/** What Google's load balancer is told about the proxy, whether an Ingress or a Gateway says it. */
import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";
import type { ArmorRules } from "./cloudArmor.ts";
import { enableApis } from "../googleApis.ts";

export interface GoogleBackend {
  /** Seconds until an answer must be complete; a websocket lives no longer either. */
  readonly timeoutSeconds: number;
  /** Seconds in which requests may end on a pod that is going away. A pod itself is gone after 75 (40 s of drain, 35 s to finish). */
  readonly drainSeconds: number;
  /** Cloud Armor. @default - none */
  readonly armor?: ArmorRules | undefined;
  /** Identity-Aware Proxy, with the OAuth client that Google keeps for the organisation. @default - none */
  readonly iap?: { readonly enabled: boolean; readonly members: readonly string[] } | undefined;
  /** Cloud CDN. @default - none */
  readonly cdn?: { readonly cacheMode: "USE_ORIGIN_HEADERS" | "CACHE_ALL_STATIC" } | undefined;
}

/** How often the load balancer asks, in seconds, and how many answers in a row change its mind. */
export const healthCheckTiming = { checkIntervalSec: 5, timeoutSec: 3, healthyThreshold: 1, unhealthyThreshold: 3 };

/**
 * Lets people through Identity-Aware Proxy, as children of a component. The backend service's name is known to Google's
 * controller alone, so the grant is for all load-balanced applications of the project.
 */
export function grantIap(
  name: string,
  { project, members }: { readonly project: string; readonly members: readonly string[] },
  parent: pulumi.Resource,
): gcp.iap.WebTypeComputeIamMember[] {
  const dependsOn = enableApis(name, project, ["iap"], parent);
  return members.map(
    (member) =>
      new gcp.iap.WebTypeComputeIamMember(
        `${name}-iap-${member}`,
        { project, role: "roles/iap.httpsResourceAccessor", member },
        { parent, dependsOn },
      ),
  );
}
