/** Limits of Google's load balancer, certificates and IAM. No preview knows them: Google refuses the resource later. */
import { edgePaths } from "../grpc.ts";
import { hostNames, privateTop, reservedLabel } from "../hosts.ts";
import { certificateNames, isRightBelow } from "../../names/hosts.ts";
import { problem, type ConfigProblem } from "../problems.ts";
import type { Settings } from "../schema.ts";

const count = (value: number) => value.toLocaleString("en");

/** @param project ID of the Google Cloud project; undefined if there is none, or `readGoogle` reports it */
export function checkGoogleLimits(settings: Settings, project: string | undefined): ConfigProblem[] {
  return [
    ...(settings.edge.onGoogle
      ? [
          ...checkHosts(settings),
          ...checkPaths(settings),
          ...checkManagedNames(settings),
          ...checkFallbackEntries(settings),
        ]
      : []),
    ...(settings.cluster.kind === "gke" ? [...checkGrants(settings), ...checkCustomRoles(settings, project)] : []),
  ];
}

/**
 * Host rules of a URL map, which has one for each host. https://cloud.google.com/load-balancing/docs/quotas#url_maps
 * and https://github.com/kubernetes/ingress-gce/issues/837
 */
const hostRules = 1000;

function checkHosts(settings: Settings): ConfigProblem[] {
  const hosts = hostNames(settings).length;
  if (hosts <= hostRules) return [];
  return [
    problem(
      ["edge", "kind"],
      settings.edge.kind,
      `gets ${count(hosts)} hosts, and a load balancer of Google takes ${count(hostRules)}`,
      "use fewer hosts, or find services by name with proxy.wildcards",
    ),
  ];
}

/** Path rules of a path matcher, which each host has. https://docs.cloud.google.com/load-balancing/docs/quotas#url_maps */
const pathRules = 1000;

function checkPaths(settings: Settings): ConfigProblem[] {
  const tooMany = Object.entries(edgePaths(settings)).find(([, paths]) => paths.length > pathRules);
  if (tooMany === undefined) return [];
  const [host, paths] = tooMany;
  return [
    problem(
      ["edge", "kind"],
      settings.edge.kind,
      `gets ${count(paths.length)} paths of ${host} that tell gRPC from HTTP, and a load balancer of Google takes ${count(pathRules)} of a host`,
      "give some of the gRPC routes a host of their own",
    ),
  ];
}

/**
 * Longest first name of Compute Engine's managed certificates, which an Ingress has.
 * https://docs.cloud.google.com/load-balancing/docs/quotas#ssl_certificates
 */
const longestManaged = 64;
/** Longest DNS name: https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4, without the dot at its end. */
const longestName = 253;
/** https://cloud.google.com/certificate-manager/docs/domain-authorization#dns-auth */
const authorizationPrefix = "_acme-challenge_ujmmovf2vn55tgye.".length;

function checkManagedNames(settings: Settings): ConfigProblem[] {
  const { tls, edge } = settings;
  if (tls.mode !== "managed") return [];
  const longest = edge.kind === "gce" ? longestManaged : longestName - authorizationPrefix;
  // One certificate covers the labels under the domain.
  const isCovered = (host: string) => tls.wildcard && isRightBelow(host, settings.domain);
  return hostNames(settings).flatMap((host) => {
    const top = privateTop(host);
    const mode = (rule: string, fix: string) => [problem(["tls", "mode"], tls.mode, rule, fix)];
    if (top !== undefined)
      return mode(
        `certifies names of the public DNS only, and ${host} ends in .${top}`,
        "use self-signed or supplied, or a domain that is registered",
      );
    if (isCovered(host)) return [];
    const label = reservedLabel(host);
    if (label !== undefined)
      return mode(
        `certifies no label with -- as its third and fourth characters that is not a valid xn-- one, and ${host} has ${label}`,
        "use another name, or self-signed",
      );
    if (host.length <= longest) return [];
    return mode(
      `takes names of at most ${longest} characters for edge.kind ${edge.kind}, and ${host} has ${host.length}`,
      "use a shorter name, or supply a certificate",
    );
  });
}

/**
 * Entries of certificate maps, and other resources, that have the same certificate: no quota, but a limit.
 * https://docs.cloud.google.com/certificate-manager/docs/quotas#resource_quotas_and_limits
 */
const resourcesOfCertificate = 100;

/** Until Google has issued the certificates, each entry of a Gateway's map has the one fallback. */
function checkFallbackEntries(settings: Settings): ConfigProblem[] {
  const { tls, edge } = settings;
  if (edge.kind !== "gateway" || tls.mode !== "managed" || (tls.fallback ?? "none") === "none") return [];
  const entries = certificateNames(hostNames(settings), tls.wildcard).length;
  if (entries <= resourcesOfCertificate) return [];
  return [
    problem(
      ["tls", "fallback"],
      tls.fallback,
      `is one certificate for ${count(entries)} names, and Google attaches a certificate to ${resourcesOfCertificate} of a Gateway's`,
      tls.wildcard ? "leave it out" : "leave it out, or set tls.wildcard",
    ),
  ];
}

/** Members of all roles in the policy of a project, each time that one occurs. https://cloud.google.com/iam/quotas */
const policyMembers = 1500;
/** Of the deployer, the previewer and the nodes. */
const ownMembers = 20;

function checkGrants({ services }: Settings): ConfigProblem[] {
  const grants = Object.values(services).reduce((sum, { roles }) => sum + roles.length, 0);
  if (grants + ownMembers <= policyMembers) return [];
  return [
    problem(
      ["services"],
      { services: Object.keys(services).length, roles: grants },
      `need ${count(grants)} grants of roles, and the policy of a project has room for ${count(policyMembers - ownMembers)}`,
      "give the services fewer roles, or grant some on single resources instead",
    ),
  ];
}

/** A role of a project can be granted there alone. https://cloud.google.com/iam/docs/creating-custom-roles */
function checkCustomRoles({ services }: Settings, project: string | undefined): ConfigProblem[] {
  if (project === undefined) return [];
  return Object.entries(services).flatMap(([name, { roles }]) =>
    roles.flatMap((role, index) => {
      const [, owner] = /^projects\/([^/]+)\//.exec(role) ?? [];
      return owner === undefined || owner === project
        ? []
        : problem(
            ["services", name, "roles", index],
            role,
            `is a role of the project ${owner}, and services get roles in gcp:project ${project}`,
            `create the role in ${project} or in the organisation, and name that one`,
          );
    }),
  );
}
