/** What the doctor found: the hops of the path from a client to a service, in the order in which a request takes them. */

/** Each hop: its title, and the status that `npm run doctor` ends with where it is the one to fix. */
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
} as const;
export type HopKind = keyof typeof hopKinds;

/**
 * `warning` works, and will not for long, or not for all; `unknown` could not be looked at, which is no failure; `skipped`
 * was not looked at, because it is not part of this stack or because nothing can be seen behind a hop that fails.
 */
export type State = "ok" | "failed" | "warning" | "unknown" | "skipped";

/** What was found out of one hop. */
export interface Finding {
  readonly state: State;
  /** What was observed, in a few words. */
  readonly seen: string;
  /** What that means. Failures and warnings have it. */
  readonly means?: string;
  /** A command, or an edit of the config, that fixes it. Failures and warnings have it. */
  readonly fix?: string;
  /** Whether it passes by itself within minutes, as what a load balancer goes through after a change. @default false */
  readonly passing?: boolean;
}

export interface Hop extends Finding {
  /** Stays the same from run to run: `edge`, or with its route `pods shop.example.com/hoge/`. */
  readonly id: string;
  readonly kind: HopKind;
  readonly title: string;
  /** The route that it belongs to, as the table of routes has it. @default - all requests take it */
  readonly route?: string;
  /** The service that the route leads to. */
  readonly service?: string;
  /** Id of the hop whose failure is the cause of this one's. @default - none is */
  readonly because?: string;
}

export interface Report {
  readonly stack: string;
  /** Where the stack is for people. */
  readonly url: string;
  /** When it was looked at, ISO 8601. */
  readonly time: string;
  readonly hops: readonly Hop[];
}

/** A hop of the report. */
export function hop(kind: HopKind, finding: Finding, of?: { route: string; service: string }): Hop {
  return { id: of === undefined ? kind : `${kind} ${of.route}`, kind, title: hopKinds[kind].title, ...of, ...finding };
}

/** The hop to fix: the first that fails by itself. */
export const firstFailure = ({ hops }: Pick<Report, "hops">): Hop | undefined =>
  hops.find(({ state, because }) => state === "failed" && because === undefined);

/** 0 where nothing fails; warnings and what could not be looked at are no failures. 1 where the edge was not to be found. */
export function exitCode(report: Pick<Report, "hops">): number {
  const failure = firstFailure(report);
  if (failure !== undefined) return hopKinds[failure.kind].exitCode;
  return report.hops.some(({ kind, state }) => kind === "edge" && state === "skipped") ? 1 : 0;
}
