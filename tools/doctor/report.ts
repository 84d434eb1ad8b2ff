/** The doctor's report: the hops from a client to a service, in the order in which a request passes them. */

/** Title of each kind of hop, and the exit status of `npm run doctor` if it is the hop to fix. */
export const hopKinds = {
  dns: { title: "DNS name", exitCode: 10 },
  address: { title: "address", exitCode: 11 },
  certificate: { title: "certificate", exitCode: 12 },
  edge: { title: "load balancer", exitCode: 13 },
  ingress: { title: "ingress", exitCode: 14 },
  proxy: { title: "nginx", exitCode: 15 },
  route: { title: "route", exitCode: 16 },
  service: { title: "service", exitCode: 17 },
  endpoints: { title: "endpoints", exitCode: 18 },
  pods: { title: "pods", exitCode: 19 },
  content: { title: "content", exitCode: 20 },
  release: { title: "release job", exitCode: 21 },
  schedule: { title: "schedule", exitCode: 22 },
} as const;
export type HopKind = keyof typeof hopKinds;

/**
 * `warning` works, but not for long or not for everybody. `unknown` could not be checked, which is not a failure.
 * `skipped` was not checked, because the stack does not have it, or because it is behind a hop that fails.
 */
export type State = "ok" | "failed" | "warning" | "unknown" | "skipped";

/** The result for one hop. */
export interface Finding {
  readonly state: State;
  /** What was observed, briefly. */
  readonly seen: string;
  /** What it means. Set for failures and warnings. */
  readonly means?: string;
  /** A command, or an edit of the config, that fixes it. Set for failures and warnings. */
  readonly fix?: string;
  /** Whether it is temporary, as while a load balancer applies a change. @default false */
  readonly passing?: boolean;
}

export interface Hop extends Finding {
  /**
   * The same in each run: `edge`, with a route `pods shop.example.com/hoge/`, for the service of one of its versions or
   * its canary `pods shop.example.com/hoge/ next`, and for a service without routes `pods worker`.
   */
  readonly id: string;
  readonly kind: HopKind;
  readonly title: string;
  /** The route that it belongs to, as in the table of routes. @default - all requests pass it */
  readonly route?: string;
  /** The service of the route, or of one of its versions or its canary; or a service without routes. */
  readonly service?: string;
  /** Id of the hop whose failure causes this one. @default - none */
  readonly because?: string;
}

export interface Report {
  readonly stack: string;
  /** The stack's URL. */
  readonly url: string;
  /** Time of the examination, ISO 8601. */
  readonly time: string;
  readonly hops: readonly Hop[];
}

/**
 * Creates a hop of the report.
 * @param of the route and its service, or a service without routes
 * @param isOwn false for a service of the route's versions or its canary
 */
export function hop(
  kind: HopKind,
  finding: Finding,
  of?: { readonly route?: string; readonly service: string },
  isOwn = true,
): Hop {
  const { title } = hopKinds[kind];
  const isNamed = of !== undefined && (of.route === undefined || !isOwn);
  const id = [kind, of?.route, isNamed ? of.service : undefined].filter((part) => part !== undefined).join(" ");
  return { id, kind, title: isNamed ? `${title} of ${of.service}` : title, ...of, ...finding };
}

/** The hop to fix: the first that fails without another hop as the cause. */
export const firstFailure = ({ hops }: Pick<Report, "hops">): Hop | undefined =>
  hops.find(({ state, because }) => state === "failed" && because === undefined);

/** 0 if nothing fails: warnings and unknown hops are not failures. 1 if the address of the edge is unknown. */
export function exitCode(report: Pick<Report, "hops">): number {
  const failure = firstFailure(report);
  if (failure !== undefined) return hopKinds[failure.kind].exitCode;
  return report.hops.some(({ kind, state }) => kind === "edge" && state === "skipped") ? 1 : 0;
}
