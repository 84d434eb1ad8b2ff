/** Examines every hop once, and creates the report. */
import { whoAnswered, type Probe } from "./answers.ts";
import { address, reportedBy } from "./diagnose/address.ts";
import { endpoints, pods, service, workerPods } from "./diagnose/behindProxy.ts";
import { certificate } from "./diagnose/certificate.ts";
import { chosenServices, content } from "./diagnose/content.ts";
import { withoutGoogleCa, dns } from "./diagnose/dns.ts";
import { edge } from "./diagnose/edge.ts";
import { brokenObject, ingress } from "./diagnose/ingress.ts";
import { proxy, proxyDown } from "./diagnose/proxy.ts";
import { release } from "./diagnose/release.ts";
import { route } from "./diagnose/route.ts";
import { schedule } from "./diagnose/schedule.ts";
import type { Workload } from "./diagnose/trouble.ts";
import { googleState, type GoogleState } from "./gather/google.ts";
import { lookUp, type NameRecords } from "./gather/names.ts";
import { objectsOf, type Objects } from "./gather/objects.ts";
import { ask, askRoute, certificateOf, onlyNginx, type PresentedCertificate } from "./gather/probes.ts";
import { hop, type Finding, type Hop, type HopKind, type Report } from "./report.ts";
import type { Sources } from "./sources.ts";
import type { Subject, SubjectRoute } from "./subject.ts";
import type { Version } from "../../nginx/model.ts";
import { sidecarHealth } from "../../config/health.ts";
import { podsService } from "../../names/kubernetes.ts";

export interface ObservedRoute {
  readonly route: SubjectRoute;
  readonly probe: Probe;
  /** One request for each service that a version of the route selects. @default - none */
  readonly versions?: readonly { readonly version: Version; readonly probe: Probe }[];
}

/** Everything that was observed. A string instead of an object says why that could not be observed. */
export interface Observed {
  readonly address: string | undefined;
  readonly outputsError: string | undefined;
  readonly names: readonly NameRecords[];
  readonly google: GoogleState | string | undefined;
  /** The request to `http://<domain>/`. */
  readonly http: Probe;
  /** A request that nginx itself answers, by the stack's own scheme. */
  readonly nginx: Probe;
  readonly certificates: readonly PresentedCertificate[];
  readonly objects: Objects | string;
  readonly routes: readonly ObservedRoute[];
  /** Expected name of the ConfigMap of routes. */
  readonly routesName: string;
  readonly now: Date;
}

export async function examine(sources: Sources, say: (what: string) => void = () => undefined): Promise<Report> {
  return diagnose(await observe(sources, say), sources.subject);
}

async function observe(sources: Sources, say: (what: string) => void): Promise<Observed> {
  const { subject, target, ports, ca, outputsError, routesName } = sources;
  say("names and objects");
  const hosts = subject.hosts.filter((host) => !host.endsWith(".localhost"));
  const [names, objects] = await Promise.all([
    Promise.all(hosts.map((host) => lookUp(host))),
    objectsOf(target, subject),
  ]);
  const address = sources.address ?? (typeof objects === "string" ? undefined : reportedBy(objects));
  // Without an address, resolve the name, as clients do.
  const endpoint = { address: address ?? names[0]?.v4[0] ?? names[0]?.v6[0] ?? "", ...ports, ca };
  const scheme = subject.tls.mode === "none" ? "http" : "https";
  say("the edge");
  const known = endpoint.address !== "";
  const none = (url: string): Probe => ({ url, error: { code: "NO_ADDRESS", message: "the address is unknown" } });
  const [google, http, nginx, certificates] = await Promise.all([
    subject.edge.onGoogle
      ? googleState({
          project: subject.edge.project,
          address,
          backends: backendsOf(objects),
          certificates: sources.certificates,
          byManager: subject.edge.kind === "gateway",
        })
      : undefined,
    known ? ask(endpoint, "http", subject.domain, "/") : none(`http://${subject.domain}/`),
    known ? ask(endpoint, scheme, subject.domain, onlyNginx) : none(subject.url),
    scheme === "https" && known ? Promise.all(subject.hosts.map((host) => certificateOf(endpoint, host))) : [],
  ]);
  const routes: ObservedRoute[] = [];
  const through = isThrough(nginx);
  for (const [index, route] of subject.routes.entries()) {
    say(`route ${index + 1} of ${subject.routes.length}: ${route.hostPath}`);
    // If nothing reaches nginx, requests to each route would only take long.
    if (!through) {
      routes.push({ route, probe: { url: "" } });
      continue;
    }
    const versions: { version: Version; probe: Probe }[] = [];
    for (const version of firstOfEach(route.versions))
      versions.push({ version, probe: await askRoute(endpoint, subject, route, version) });
    routes.push({ route, probe: await askRoute(endpoint, subject, route), versions });
  }
  return {
    address,
    outputsError,
    names,
    google,
    http,
    nginx,
    certificates,
    objects,
    routes,
    routesName,
    now: new Date(),
  };
}

/** The first version of each service: another way to the same service need not be requested. */
const firstOfEach = (versions: readonly Version[]): Version[] =>
  versions.filter(({ service }, index) => versions.findIndex((other) => other.service === service) === index);

const isThrough = (nginx: Probe) => ["proxy", "service"].includes(whoAnswered(nginx).by);

/** Google's backend services, from the annotations that its controllers write. */
function backendsOf(objects: Objects | string): string[] {
  if (typeof objects === "string") return [];
  const ofIngress = objects.ingress?.metadata.annotations?.["ingress.kubernetes.io/backends"];
  const ofGateway = objects.gateway?.metadata.annotations?.["networking.gke.io/backend-services"];
  return [
    ...Object.keys(ofIngress === undefined ? {} : (JSON.parse(ofIngress) as object)),
    ...(ofGateway === undefined ? [] : ofGateway.split(",").map((link) => link.trim().split("/").at(-1) ?? "")),
  ];
}

function healthOf(google: GoogleState | string | undefined, objects: Objects | string) {
  if (typeof google === "object") return google.health;
  const annotation =
    typeof objects === "string" ? undefined : objects.ingress?.metadata.annotations?.["ingress.kubernetes.io/backends"];
  return annotation === undefined ? undefined : (JSON.parse(annotation) as Record<string, string>);
}

/** Derives the report from the observations. A pure function. */
export function diagnose(observed: Observed, subject: Subject): Report {
  const { http, nginx, objects, now } = observed;
  const isProxyDown = proxyDown(objects, subject, now) !== undefined;
  const isProxyReady = typeof objects === "object" && !isProxyDown;
  const https = subject.tls.mode === "none" ? undefined : nginx;
  const google = typeof observed.google === "object" ? observed.google : undefined;
  const common: Hop[] = [
    hop("dns", dns(observed.names, observed.address, subject)),
    hop("address", address(observed, subject)),
    hop(
      "certificate",
      certificate(
        {
          presented: observed.certificates,
          managed: managedOf(google, observed.names, subject),
          http,
          outputsError: observed.outputsError,
          now,
        },
        subject,
      ),
    ),
    hop("edge", edge({ address: observed.address ?? observed.names[0]?.v4[0], http, https }, subject)),
    hop("ingress", ingress({ objects, nginx, health: healthOf(observed.google, objects), isProxyReady }, subject)),
    hop("proxy", proxy(objects, nginx, subject, now)),
  ];
  // A hop that fails because of a hop behind it is not the one to fix.
  const cause = brokenObject(objects, subject) !== undefined ? "ingress" : isProxyDown ? "proxy" : undefined;
  const effects: Readonly<Record<string, readonly HopKind[]>> = {
    // A proxy whose own objects are broken is down in any case.
    ingress: ["address", "certificate", "edge", ...(isProxyDown ? [] : ["proxy" as const])],
    proxy: ["edge", "ingress"],
  };
  const withCauses = common.map((found) =>
    cause !== undefined && effects[cause]?.includes(found.kind) === true && found.state === "failed"
      ? { ...found, because: cause }
      : found,
  );
  const releases = releaseHops(observed, subject);
  const behind = [
    ...observed.routes.flatMap((one) => routeHops(one, observed, subject)),
    ...unroutedHops(observed, subject),
  ];
  return {
    stack: subject.stack,
    url: subject.url,
    time: now.toISOString(),
    hops: [...withCauses, ...behind.map((each) => afterRelease(each, releases, subject)), ...releases],
  };
}

/** The jobs before the pods of each release. */
function releaseHops({ objects, now }: Pick<Observed, "objects" | "now">, subject: Subject): Hop[] {
  return Object.entries(subject.services)
    .filter(([, { release: job }]) => job !== undefined)
    .map(([name]) => hop("release", release(objects, workloadOf(name, subject), subject, now), { service: name }));
}

/** What was not applied to a service's pods, because its release's job has not succeeded. */
function afterRelease(found: Hop, releases: readonly Hop[], { apply }: Subject): Hop {
  const { kind, service: name, state, fix, because } = found;
  const job = releases.find((each) => each.service === name && each.state === "failed");
  const isEffect = (kind === "endpoints" || kind === "pods") && (state === "failed" || state === "warning");
  return job !== undefined && isEffect && fix === apply && because === undefined
    ? { ...found, because: job.id }
    : found;
}

/** The state of Google's certificates. Adds CAA problems from DNS, which Google reports only after it has tried. */
function managedOf(google: GoogleState | undefined, names: readonly NameRecords[], { tls }: Subject) {
  if (tls.mode !== "managed") return undefined;
  const forbidden = withoutGoogleCa(names).map((host) => {
    const status = google?.certificates[host]?.status ?? "status unknown";
    return [host, { status, ofHost: "FAILED_CAA_FORBIDDEN" }] as const;
  });
  return { ...google?.certificates, ...Object.fromEntries(forbidden) };
}

function workloadOf(name: string, subject: Subject): Workload {
  const { build, port, command, sidecars = {} } = subject.services[name] ?? {};
  return {
    name,
    key: `services.${name}`,
    hasCommand: command !== undefined,
    port: port === "none" ? undefined : port,
    health: subject.health.get(name),
    folder: build?.context,
    sidecars: Object.fromEntries(Object.entries(sidecars).map(([key, each]) => [key, sidecarHealth(each)])),
  };
}

/** What is behind the proxy for a service: its Service, its endpoints and its pods. */
function serviceFindings(
  name: string,
  serviceName: string,
  objects: Objects | string,
  subject: Subject,
  now: Date,
): readonly (readonly [HopKind, Finding])[] {
  const { port, schedule: times } = subject.services[name] ?? {};
  const workload = workloadOf(name, subject);
  if (times !== undefined) return [["schedule", schedule(objects, workload, subject, now)]];
  // Nothing leads to a worker.
  if (port === "none") return [["pods", workerPods(objects, workload, subject, now)]];
  return [
    ["service", service(objects, serviceName, subject, name)],
    ["endpoints", endpoints(objects, workload, subject, serviceName)],
    ["pods", pods(objects, workload, subject, now)],
  ];
}

/** The hops of services without routes: other services call them, or they work by themselves. */
function unroutedHops({ objects, now }: Pick<Observed, "objects" | "now">, subject: Subject): Hop[] {
  const routed = new Set(subject.routes.flatMap(({ services }) => services));
  return Object.keys(subject.services)
    .filter((name) => !routed.has(name))
    .flatMap((name) =>
      serviceFindings(name, name, objects, subject, now).map(([kind, found]) => hop(kind, found, { service: name })),
    );
}

/** The hops of a route: those of its own service, then those of each service of its versions and its canary. */
function routeHops(
  { route: one, probe, versions = [] }: ObservedRoute,
  { objects, routesName, now, nginx }: Observed,
  subject: Subject,
): Hop[] {
  const [own = ""] = one.services;
  const through = isThrough(nginx);
  const behind = new Map(
    one.services.map((name) => [
      name,
      serviceFindings(name, podsService(name), objects, subject, now).map(([kind, found]) =>
        hop(kind, found, { route: one.hostPath, service: name }, name === own),
      ),
    ]),
  );
  const isReady = (asked: Probe, version?: Version) =>
    chosenServices(asked, one, version)
      .flatMap((name) => behind.get(name) ?? [])
      .every(({ state }) => state === "ok" || state === "warning");
  /** The hop in front of the answer that explains why it is bad. */
  const causeOf = (asked: Probe, version?: Version) =>
    chosenServices(asked, one, version)
      .flatMap((name) => behind.get(name) ?? [])
      .find(({ state }) => state === "failed")?.id;
  const answer = (asked: Probe, version?: Version): Finding =>
    through
      ? content(asked, one, subject, { version, isReady: isReady(asked, version) })
      : { state: "skipped", seen: "not requested, because no request reaches nginx" };
  const found = through
    ? route(probe, one, objects, routesName, subject)
    : ({ state: "skipped", seen: "not requested" } as const);
  const answers = [{ probe, version: undefined }, ...versions].map((asked) => ({
    name: asked.version?.service ?? own,
    cause: causeOf(asked.probe, asked.version),
    finding: answer(asked.probe, asked.version),
  }));
  // Outdated routes are a failure only if a response is wrong.
  const outdated =
    found.state === "warning" &&
    answers.some(({ cause, finding }) => cause === undefined && finding.state === "failed");
  const routeHop = hop("route", outdated ? { ...found, state: "failed" } : found, {
    route: one.hostPath,
    service: own,
  });
  return [
    routeHop,
    ...one.services.flatMap((name) => [
      ...(behind.get(name) ?? []),
      ...answers
        .filter((each) => each.name === name)
        .map(({ cause, finding }) => {
          const because = cause ?? (outdated ? routeHop.id : undefined);
          return {
            ...hop("content", finding, { route: one.hostPath, service: name }, name === own),
            ...(because !== undefined && finding.state === "failed" && { because }),
          };
        }),
    ]),
  ];
}
