/** What the picture of a stack shows, in words: what stands where, and who talks to whom. */
import type { CheckedConfig, StackSettings } from "../../config/config.ts";
import { hostNames } from "../../config/hosts.ts";
import { proxyRoutes } from "../../config/routes.ts";
import type { ServiceSettings } from "../../config/schema.ts";
import type { Replicas } from "../../names/replicas.ts";
import { isGrpc } from "../../nginx/upstreams.ts";
import type { Route } from "../../nginx/model.ts";
import { boxesOf, type Boxes } from "./boxes.ts";
import { imagesOf } from "./images.ts";
import type { Arrow, Diagram, Node } from "./shapes.ts";
import { count, shortened } from "./text.ts";

/** The ids of services' nodes: no other node's id begins so. */
const serviceId = (name: string): string => `service-${name}`;

export function diagramOf(stack: string, { settings }: Pick<CheckedConfig, "settings">): Diagram {
  const { domain, services } = settings;
  const boxes = boxesOf(settings);
  const routes = proxyRoutes(settings).routes;
  const led = leads(routes, domain);
  const requests = Object.keys(services).map((name): Arrow => {
    return { from: "proxy", to: serviceId(name), kind: "request", lines: led.get(name) ?? [] };
  });
  const images = imagesOf(stack, settings);
  const found = wildcardNode(settings);
  const grpc = routes.some(isGrpc);
  return {
    title: `Stack ${stack}: ${domain}`,
    description: describe(settings, boxes, led, images.nodes),
    groups: boxes.groups,
    nodes: [
      { id: "client", kind: "outside", title: "Clients", lines: [] },
      dnsNode(settings),
      { id: "edge", kind: "edge", title: boxes.edgeTitle, lines: edgeLines(settings), ...boxes.edge },
      ...images.nodes,
      ...boxes.zones,
      { id: "proxy", kind: "proxy", title: "nginx proxy", lines: proxyLines(settings), group: "namespace" },
      ...Object.entries(services).map(([name, service]) => serviceNode(name, service)),
      ...(found === undefined ? [] : [found]),
    ],
    arrows: [
      { from: "client", to: "dns", kind: "lookup", lines: [] },
      { from: "client", to: "edge", kind: "request", lines: [settings.tls.mode === "none" ? "HTTP" : "HTTPS"] },
      { from: "edge", to: "proxy", kind: "request", lines: grpc ? ["HTTP", "gRPC over TLS"] : ["HTTP"] },
      ...requests.filter(({ lines }) => lines.length > 0),
      ...(found === undefined ? [] : [{ from: "proxy", to: found.id, kind: "request" as const, lines: ["by name"] }]),
      ...images.arrows,
    ],
  };
}

const pods = (replicas: Replicas) =>
  typeof replicas === "number" ? count(replicas, "pod") : `${replicas.min} to ${count(replicas.max, "pod")}`;

function serviceNode(name: string, service: ServiceSettings): Node {
  const { image, build, roles, calls, egress, schedule, release } = service;
  const source = image === undefined ? `built from ${build?.context ?? ""}` : imageName(image);
  return {
    id: serviceId(name),
    kind: schedule === undefined ? "service" : "schedule",
    title: name,
    lines: [
      source,
      schedule === undefined ? running(service) : `runs at ${timesOf(service)}`,
      ...(release === undefined ? [] : ["before a release: its job"]),
      ...shortened(roles, 3).map((role) => role.replace(/^.*roles\//, "role ")),
      ...(calls.length === 0 ? [] : [`calls ${shortened(calls, 4).join(", ")}`]),
      ...shortened(reached(egress), 3),
    ],
    group: "namespace",
  };
}

const running = ({ replicas, port }: ServiceSettings) =>
  `${pods(replicas)}, ${port === "none" ? "no port" : `port ${port}`}`;

/** `0 3 * * * (Asia/Tokyo)` */
const timesOf = ({ schedule = "", timeZone }: ServiceSettings) =>
  `${schedule}${timeZone === undefined ? "" : ` (${timeZone})`}`;

const reached = (egress: ServiceSettings["egress"]) =>
  egress.map(({ cidr, ports }) => `reaches ${cidr}, port ${ports.join(", ")}`);

/** Without its registry, and of a digest what is enough to tell two apart. */
const imageName = (image: string) =>
  image.slice(image.lastIndexOf("/") + 1).replace(/@sha256:([0-9a-f]{7})[0-9a-f]*$/, "@$1…");

/** Who answers for the names: Cloud DNS by records of the stack, somebody else, or for `.localhost` nobody. */
function dnsNode(settings: StackSettings): Node {
  const { domain, dns, cluster } = settings;
  const names = shortened(hostNames(settings), 4);
  const project = cluster.kind === "gke" ? cluster.project : undefined;
  if (dns !== undefined && project !== undefined) {
    const zone = dns.zone === undefined ? "zone made by the stack" : `zone ${dns.zone}`;
    return { id: "dns", kind: "edge", title: "Cloud DNS", lines: [...names, `${zone}, project ${project}`] };
  }
  // https://www.rfc-editor.org/rfc/rfc6761#section-6.3
  if (/(^|\.)localhost$/.test(domain))
    return { id: "dns", kind: "outside", title: "No DNS", lines: [...names, "names under localhost are this machine"] };
  return { id: "dns", kind: "outside", title: "DNS", lines: [...names, "records not made by the stack"] };
}

function edgeLines({ edge, tls }: StackSettings): string[] {
  const certificate = {
    none: "plain HTTP, no TLS",
    managed: "TLS: managed certificate",
    "self-signed": "TLS: the stack's own CA",
    supplied: "TLS: supplied certificate",
  }[tls.mode];
  const { armor, iap, cdn } = edge.onGoogle ? edge : { armor: undefined, iap: undefined, cdn: undefined };
  const { rateLimit } = armor ?? {};
  const limit = rateLimit && `: ${rateLimit.requests} in ${rateLimit.seconds} s`;
  return [
    ...(edge.onGoogle ? ["global address"] : []),
    certificate,
    ...(tls.mode !== "none" && tls.redirectHttp ? ["HTTP is sent to HTTPS"] : []),
    ...(armor === undefined ? [] : [`Cloud Armor${limit ?? ""}`]),
    ...(iap?.enabled === true ? [`sign-in by IAP: ${count(iap.members.length, "member")}`] : []),
    ...(cdn === undefined ? [] : ["Cloud CDN"]),
  ];
}

function proxyLines({ proxy }: StackSettings): string[] {
  const redirects = proxy.redirects.length;
  return [pods(proxy.replicas), ...(redirects === 0 ? [] : [count(redirects, "redirect")])];
}

/** Services that are found by their names need not be in the config. */
function wildcardNode({ domain, proxy: { wildcards } }: StackSettings): Node | undefined {
  const { subdomain, path } = wildcards;
  const lines = [
    ...(subdomain === undefined ? [] : subdomain.allow.map((name) => `${name}.${domain}`)),
    ...(path === undefined ? [] : path.allow.map((name) => `/${name}/`)),
  ];
  if (lines.length === 0) return undefined;
  return {
    id: "wildcards",
    kind: "outside",
    title: "any service so named",
    lines: shortened(lines, 4),
    group: "namespace",
  };
}

/** By service, every way that leads to it. */
function leads(routes: readonly Route[], domain: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const add = (service: string, line: string) => found.set(service, [...(found.get(service) ?? []), line]);
  for (const route of routes) {
    const { host, path, service, canary, versions = [], maintenance } = route;
    const hostPath = host === undefined ? path : `${host}${path === "/" ? "" : path}`;
    const said = `${isGrpc(route) ? "gRPC " : ""}${host === domain ? path : hostPath}`;
    add(service, maintenance === true ? `${said} (maintenance: 503)` : said);
    for (const { header, cookie, value, service: other } of versions)
      add(other, `${said} where ${header ?? `cookie ${cookie ?? ""}`} is ${value}`);
    if (canary !== undefined) add(canary.service, `${canary.percent} % of ${said}`);
  }
  return found;
}

function describe(
  settings: StackSettings,
  boxes: Boxes,
  led: ReadonlyMap<string, readonly string[]>,
  registries: readonly Node[],
): string {
  const services = Object.entries(settings.services).map(([name, service]) => {
    const { calls, egress, schedule, release } = service;
    const lines = led.get(name) ?? [];
    const before = release === undefined ? "" : " Before its new pods, the job of its release runs.";
    const called = calls.length === 0 ? "" : ` It calls ${calls.join(", ")}.`;
    const outside = egress.length === 0 ? "" : ` It ${reached(egress).join(", ")}.`;
    const answers = lines.length === 0 ? "has no route." : `answers ${lines.join(", ")}.`;
    return `${name} ${schedule === undefined ? answers : `runs at ${timesOf(service)}.`}${before}${called}${outside}`;
  });
  return [
    `Clients reach ${hostNames(settings).join(", ")}: ${boxes.edgeTitle}, ${edgeLines(settings).join(", ")}.`,
    `Behind it the nginx proxy, ${proxyLines(settings).join(", ")}, sends requests to the services.`,
    ...services,
    `Around them: ${boxes.groups.map(({ title }) => title).join(", ")}.`,
    ...[dnsNode(settings), ...registries, ...boxes.zones].map((node) => `${[node.title, ...node.lines].join(", ")}.`),
  ].join(" ");
}
