/** Checks that involve several keys. Each check returns all its problems, not just the first. */
import { checkAutopilot } from "./checks/autopilot.ts";
import { checkCapacity } from "./checks/capacity.ts";
import { checkCluster } from "./checks/cluster.ts";
import { checkDns, checkEdge } from "./checks/edge.ts";
import { checkImages } from "./checks/images.ts";
import { checkCalls } from "./checks/calls.ts";
import { checkGoogleLimits } from "./checks/googleLimits.ts";
import { checkLimits } from "./checks/limits.ts";
import { checkMetrics } from "./checks/metrics.ts";
import { checkRoles } from "./checks/roles.ts";
import { checkRoutes } from "./checks/routes.ts";
import { checkSecrets } from "./checks/secrets.ts";
import { checkTls, type CertificatePair } from "./checks/tls.ts";
import type { ConfigProblem } from "./problems.ts";
import type { Settings } from "./schema.ts";

export interface CheckContext {
  readonly stack: string;
  /** Google Cloud region. @default - the cluster is not on Google, or `readGoogle` has already reported the region */
  readonly region?: string | undefined;
  /** Google Cloud project. @default - as for the region */
  readonly project?: string | undefined;
  /** The root for relative paths in the config. */
  readonly projectDir: string;
  /** The supplied certificate, if it could be read. */
  readonly certificate: CertificatePair | undefined;
}

export function checkSettings(
  settings: Settings,
  { stack, region, project, projectDir, certificate }: CheckContext,
): ConfigProblem[] {
  const problems = [
    ...checkCluster(settings, stack, region),
    ...checkAutopilot(settings),
    ...checkCapacity(settings),
    ...checkEdge(settings),
    ...checkTls(settings, certificate),
    ...checkDns(settings),
    ...checkGoogleLimits(settings, project),
    ...checkImages(settings, projectDir),
    ...checkCalls(settings),
    ...checkMetrics(settings),
    ...checkRoles(settings),
    ...checkRoutes(settings),
    ...checkSecrets(settings),
  ];
  return problems.length > 0 ? problems : checkLimits(settings);
}
