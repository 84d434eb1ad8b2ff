/** Results and targets of the proxy benchmark. */
import { median, pairedRatio, type Spread, type Target } from "../figures.ts";
import type { Results } from "../report.ts";
import type { Run } from "./load.ts";
import type { proxyNames, SubjectName } from "./subjects.ts";

export type PeerName = Exclude<(typeof proxyNames)[number], "this one">;
/** Short description of a load. */
export const loadOf = ({ answer, connections, rate }: Pick<Case, "answer" | "connections" | "rate">): string =>
  [
    answer === "small" ? "small answers" : `answers of ${answer}`,
    ...(connections === undefined ? [] : [`${connections} connections`]),
    ...(rate === undefined ? [] : [`${rate.toLocaleString("en")} requests/s`]),
  ].join(", ");

/** One value per subject, in the order of measurement. */
export type BySubject<T> = Readonly<Record<SubjectName, T>>;

/** One kind of load, measured for every subject in each round. */
export interface Case {
  readonly loop: "closed" | "open";
  readonly answer: "small" | "64 KiB";
  /** Only for a closed loop. */
  readonly connections?: number;
  /** Requests per second. Only for an open loop. */
  readonly rate?: number;
  /** Medians over the rounds. */
  readonly subjects: BySubject<Run>;
  /** Ratio of this proxy's throughput to each subject's, paired by round. */
  readonly speed: BySubject<Spread>;
  /** Ratio of this proxy's 99th percentile to each subject's, paired by round. */
  readonly p99: BySubject<Spread>;
  /** Median over the rounds of what each adds to the 50th percentile of a direct answer. */
  readonly addedP50Micros: BySubject<number>;
}

/** Results of the proxy with many routes. */
export interface Scale {
  readonly kind: "routes to one service" | "services with a route each";
  readonly memory: readonly { readonly count: number; readonly mib: number }[];
  readonly memoryFit: Fit;
  /** Ratio of the throughput with 1,000 to that with 1, paired by round. The load requests the last route. */
  readonly speed: Spread;
  /** With 1,000 routes. */
  readonly checkSeconds: number;
  readonly firstAnswerSeconds: number;
}

export interface Fit {
  readonly kibEach: number;
  /** Ratio of the slope between the last two counts to that between the first two. 1 is linear; lower is better. */
  readonly bend: number;
}

export interface ProxyResults extends Results {
  readonly benchmark: "proxy";
  readonly programs: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  readonly cases: readonly Case[];
  readonly scale: readonly Scale[];
}

/** @param runs runs of each subject, by round */
export function summarize(
  about: Pick<Case, "loop" | "answer" | "connections" | "rate">,
  runs: BySubject<readonly Run[]>,
): Case {
  const names = Object.keys(runs) as SubjectName[];
  const bySubject = <T>(of: (name: SubjectName) => T) =>
    Object.fromEntries(names.map((name) => [name, of(name)])) as Record<SubjectName, T>;
  const all = (name: SubjectName, what: keyof Run) => runs[name].map((run) => run[what]);
  const middle = (name: SubjectName, what: keyof Run) => median(all(name, what));
  const direct = all("direct", "p50Micros");
  return {
    ...about,
    subjects: bySubject((name) => ({
      requestsPerSecond: middle(name, "requestsPerSecond"),
      p50Micros: middle(name, "p50Micros"),
      p99Micros: middle(name, "p99Micros"),
      cpuMicros: middle(name, "cpuMicros"),
      memoryMiB: middle(name, "memoryMiB"),
    })),
    speed: bySubject((name) => pairedRatio(all("this one", "requestsPerSecond"), all(name, "requestsPerSecond"))),
    p99: bySubject((name) => pairedRatio(all("this one", "p99Micros"), all(name, "p99Micros"))),
    addedP50Micros: bySubject((name) =>
      median(all(name, "p50Micros").map((value, round) => value - (direct[round] ?? NaN))),
    ),
  };
}

/** Memory per route, and whether it grows. */
export function fit(points: Scale["memory"]): Fit {
  const [first, second] = points;
  const [beforeLast, last] = points.slice(-2);
  if (!first || !second || !beforeLast || !last || points.length < 3) throw new Error("fewer than three points");
  const each = (from: typeof first, to: typeof first) => (to.mib - from.mib) / (to.count - from.count);
  return { kibEach: each(first, last) * 1024, bend: each(beforeLast, last) / each(first, second) };
}

/** The targets of the proxy. */
export function targets({ cases, scale }: Pick<ProxyResults, "cases" | "scale">): Target[] {
  const targets: Target[] = [];
  const add = (what: string, value: number, unit: Target["unit"], wanted: Target["wanted"], limit: number) =>
    targets.push({ what, value, unit, limit, wanted });
  for (const each of cases) {
    const { speed, p99, addedP50Micros } = each;
    const where = loadOf(each);
    if (each.loop === "closed") {
      add(`throughput over the original's, ${where}`, speed.original.median, "x", "at least", 4);
      add(`p99 over the original's, ${where}`, p99.original.median, "x", "at most", 0.1);
      add(`throughput over HAProxy's, ${where}`, speed.HAProxy.median, "x", "at least", 1);
      add(`throughput over Envoy's, ${where}`, speed.Envoy.median, "x", "at least", 1);
    } else add(`added at p50 in the open loop, ${where}`, addedP50Micros["this one"], "µs", "at most", 150);
  }
  for (const { kind, speed, memoryFit, checkSeconds, firstAnswerSeconds } of scale) {
    add(`speed with 1,000 over 1, ${kind}`, speed.median, "x", "at least", 0.9);
    add(`memory of the last over that of the first, ${kind}`, memoryFit.bend, "x", "at most", 1.5);
    add(`nginx -t with 1,000 ${kind}`, checkSeconds, "s", "at most", 1);
    add(`start to first answer with 1,000 ${kind}`, firstAnswerSeconds, "s", "at most", 1);
  }
  return targets;
}
