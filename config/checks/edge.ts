/** The edge must fit the cluster. */
import { edgePaths } from "../grpc.ts";
import { isUnder } from "../../names/hosts.ts";
import { hostNames, privateTop } from "../hosts.ts";
import { keyOf, problem, type ConfigProblem } from "../problems.ts";
import { checkGateway } from "./gateway.ts";
import { certificatesPerLoadBalancer } from "./tls.ts";
import type { Settings } from "../schema.ts";
import type { GoogleEdge } from "../schema/googleEdge.ts";

/** For a Gateway, the messages also name its class. */
const classOf = (edge: Settings["edge"]) => (edge.kind === "gateway" ? ` of the class ${edge.className}` : "");

export function checkEdge(settings: Settings): ConfigProblem[] {
  const { cluster, edge, tls } = settings;
  if (!edge.onGoogle && tls.mode === "managed")
    return [
      problem(
        ["tls", "mode"],
        tls.mode,
        `is for Google's load balancer, and edge.kind is ${edge.kind}${classOf(edge)}`,
        "use self-signed or supplied",
      ),
    ];
  if (edge.kind === "gateway") return checkGateway(settings);
  if (edge.kind !== "gce") return [];
  const problems = [...checkGoogleEdge(edge, settings), ...checkManaged(settings)];
  if (cluster.kind !== "gke")
    problems.push(
      problem(
        ["edge", "kind"],
        edge.kind,
        `needs cluster.kind gke, not ${cluster.kind}`,
        "use {kind: ingress, className: …}",
      ),
    );
  return problems;
}

/** An Ingress needs one managed certificate for each host. */
function checkManaged(settings: Settings): ConfigProblem[] {
  const { tls } = settings;
  if (tls.mode !== "managed") return [];
  const problems: ConfigProblem[] = [];
  const hosts = hostNames(settings);
  const noWildcards = 'needs a wildcard certificate, and Google issues none for an Ingress (edge.kind "gce")';
  if (tls.wildcard)
    problems.push(
      problem(
        ["tls", "wildcard"],
        tls.wildcard,
        noWildcards,
        "use edge.kind gateway, or leave it out: each host then has a certificate of its own",
      ),
    );
  if (hosts.some((host) => host.startsWith("*.")))
    problems.push(
      problem(
        ["proxy", "wildcards", "subdomain"],
        settings.proxy.wildcards.subdomain,
        noWildcards,
        `use edge.kind gateway with tls.wildcard, or supply a certificate for *.${settings.domain}`,
      ),
    );
  if (hosts.length > certificatesPerLoadBalancer)
    problems.push(
      problem(
        ["tls", "mode"],
        tls.mode,
        `makes a certificate for each of ${hosts.length} hosts, and a load balancer takes ${certificatesPerLoadBalancer}`,
        "use edge.kind gateway with tls.wildcard, or supply one certificate for all",
      ),
    );
  else if (hosts.length === certificatesPerLoadBalancer && (tls.fallback ?? "none") !== "none")
    problems.push(
      problem(
        ["tls", "fallback"],
        tls.fallback,
        `adds a certificate to those of ${hosts.length} hosts, and a load balancer takes ${certificatesPerLoadBalancer}`,
        "leave it out",
      ),
    );
  return problems;
}

/** Limit for the load balancer of an Ingress. https://cloud.google.com/load-balancing/docs/url-map-size-quota */
const urlMapBytes = 64 * 1024;

/**
 * Warns if the URL map of an Ingress may exceed Google's limit. It contains each host, and each path where the protocol
 * changes. This is only a warning, because the exact encoding is unknown. A Gateway's map may have 1 MB; other
 * controllers have no such limit.
 */
export function sizeWarnings(settings: Settings): string[] {
  if (settings.edge.kind !== "gce") return [];
  const hosts = hostNames(settings);
  const paths = Object.values(edgePaths(settings)).flat();
  // Each host has a list of paths with a default. Each path names a backend by its URL, about 150 characters.
  const backend = 150;
  const length = (texts: readonly string[]) => texts.reduce((sum, text) => sum + text.length + backend, 0);
  const bytes = length(hosts) + length(paths.map(({ path }) => path));
  if (bytes <= urlMapBytes) return [];
  return [
    `${keyOf(["edge", "kind"])}: the hosts (${hosts.length}) and the paths that tell gRPC from HTTP (${paths.length}) make about ${Math.ceil(bytes / 1024)} KB of what the load balancer of kind gce takes ${urlMapBytes / 1024} KB of; use edge.kind gateway, which takes 1 MB, or fewer hosts and paths`,
  ];
}

/** Checks for Google's load balancer, behind an Ingress or a Gateway. */
function checkGoogleEdge({ iap, cdn }: GoogleEdge, { tls }: Pick<Settings, "tls">): ConfigProblem[] {
  if (iap?.enabled !== true) return [];
  const problems: ConfigProblem[] = [];
  if (tls.mode === "none")
    problems.push(
      problem(
        ["edge", "iap"],
        iap,
        "signs people in over HTTPS only, and tls.mode is none",
        "choose another mode, or leave iap out",
      ),
    );
  if (cdn !== undefined)
    problems.push(
      problem(
        ["edge", "cdn"],
        cdn,
        "excludes iap: a cache would answer people who have not signed in",
        "keep one of the two",
      ),
    );
  return problems;
}

/** DNS records need the reserved Google address, and a public zone a name that somebody can own. */
export function checkDns({ dns, domain, edge }: Settings): ConfigProblem[] {
  if (dns === undefined) return [];
  if (!edge.onGoogle)
    return [
      problem(
        ["dns"],
        dns,
        `points at an address that the stack reserves at Google, and edge.kind ${edge.kind}${classOf(edge)} has none`,
        "remove it, and make the records where the domain is",
      ),
    ];
  const top = privateTop(domain);
  if (!dns.create || top === undefined) return [];
  // Google asks for a proof that you own the domain: https://github.com/hashicorp/terraform/pull/11794
  return [
    problem(
      ["dns", "create"],
      dns.create,
      `makes a public zone for ${domain}, and nobody can own a name below .${top}`,
      "name your own zone, such as a private one, in dns.zone, or choose a domain that is registered",
    ),
  ];
}

/** Zones are of the domain: hosts of another one get no record, and are served once their owner makes it. */
export function dnsNotes(settings: Settings): string[] {
  const { dns, domain } = settings;
  const elsewhere = hostNames(settings).filter((host) => !isUnder(host, domain));
  if (dns === undefined || elsewhere.length === 0) return [];
  return [
    `${keyOf(["dns"])}: makes no record for ${elsewhere.join(", ")}, outside of ${domain}; point them at the stack's address where their zone is: npx pulumi stack output address`,
  ];
}
