/** Checks that involve several keys. Each check returns all its problems, not just the first. */
import { expiryWarning } from "../names/certificates.ts";
import { checkAutopilot } from "./checks/autopilot.ts";
import { capacityWarnings, checkCapacity } from "./checks/capacity.ts";
import { checkCluster, ownTaintWarnings, rangeWarnings } from "./checks/cluster.ts";
import { checkDns, checkEdge, sizeWarnings } from "./checks/edge.ts";
import { checkImages } from "./checks/images.ts";
import { checkCalls } from "./checks/calls.ts";
import { checkContainers } from "./checks/containers.ts";
import { checkGoogleLimits } from "./checks/googleLimits.ts";
import { checkJobs, jobWarnings } from "./checks/jobs.ts";
import { checkLimits } from "./checks/limits.ts";
import { regionWarnings } from "./checks/locations.ts";
import { machineWarnings } from "./checks/machines.ts";
import { maintenanceWarnings } from "./checks/maintenance.ts";
import { memoryWarnings } from "./checks/memory.ts";
import { checkMetrics } from "./checks/metrics.ts";
import { checkRoles } from "./checks/roles.ts";
import { checkRoutes, routeWarnings } from "./checks/routes.ts";
import { checkSecrets } from "./checks/secrets.ts";
import { checkTls, type CertificatePair } from "./checks/tls.ts";
import { unitWarnings } from "./checks/units.ts";
import { checkWorkloads } from "./checks/workloads.ts";
import { workloadWarnings } from "./checks/workloadWarnings.ts";
import { keyOf, type ConfigProblem } from "./problems.ts";
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
    ...checkJobs(settings),
    ...checkMetrics(settings),
    ...checkRoles(settings),
    ...checkRoutes(settings),
    ...checkSecrets(settings),
    ...checkWorkloads(settings, projectDir),
    ...checkContainers(settings),
  ];
  return problems.length > 0 ? problems : checkLimits(settings, projectDir);
}

/** What is no mistake for certain, or is due soon. */
export function warningsOf(
  settings: Settings,
  { region, certificate }: Pick<CheckContext, "region" | "certificate">,
): string[] {
  return [
    ...certificateWarnings(certificate),
    ...routeWarnings(settings),
    ...sizeWarnings(settings),
    ...memoryWarnings(settings),
    ...maintenanceWarnings(settings),
    ...rangeWarnings(settings),
    ...machineWarnings(settings),
    ...ownTaintWarnings(settings),
    ...regionWarnings(region),
    ...capacityWarnings(settings),
    ...unitWarnings(settings),
    ...workloadWarnings(settings),
    ...jobWarnings(settings),
  ];
}

function certificateWarnings(certificate: CertificatePair | undefined): string[] {
  const warning = certificate && expiryWarning(certificate.crt);
  return warning === undefined
    ? []
    : [`${keyOf(["tls"])}: the certificate, or one in its chain, ${warning}; renew it and supply the new one`];
}
