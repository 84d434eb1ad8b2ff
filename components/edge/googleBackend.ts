/** Backend settings of Google's load balancer, for an Ingress or a Gateway. */
import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";
import type { ArmorRules } from "./cloudArmor.ts";
import { enableApis } from "../googleApis.ts";

export interface GoogleBackend {
  /** Timeout of a whole request in seconds, including websockets. */
  readonly timeoutSeconds: number;
  /**
   * Connection draining timeout in seconds. A terminating pod exits after 80 s at most: 40 s to drain, 40 s to finish.
   */
  readonly drainSeconds: number;
  /** Cloud Armor. @default - none */
  readonly armor?: ArmorRules | undefined;
  /** Identity-Aware Proxy, with Google's OAuth client for the organisation. @default - none */
  readonly iap?: { readonly enabled: boolean; readonly members: readonly string[] } | undefined;
  /** Cloud CDN. @default - none */
  readonly cdn?: { readonly cacheMode: "USE_ORIGIN_HEADERS" | "CACHE_ALL_STATIC" } | undefined;
}

/** Health checks: intervals in seconds, and how many results in a row change the state. */
export const healthCheckTiming = { checkIntervalSec: 5, timeoutSec: 3, healthyThreshold: 1, unhealthyThreshold: 3 };

/**
 * Grants access through Identity-Aware Proxy, as children of a component. Only Google's controller knows the backend
 * service's name. So the grant covers all load-balanced applications of the project.
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
