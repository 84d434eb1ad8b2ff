/** What the benchmark of the proxy finds, and how its runs become figures. */
import { median, pairedRatio, type Spread, type Target } from "../figures.ts";
import type { Results } from "../report.ts";
import type { Run } from "./load.ts";
import type { proxyNames, SubjectName } from "./subjects.ts";

export type PeerName = Exclude<(typeof proxyNames)[number], "this one">;
/** In a few words. */
export const loadOf = ({ answer, connections, rate }: Pick<Case, "answer" | "connections" | "rate">): string =>
  [
    answer === "small" ? "small answers" : `answers of ${answer}`,
    ...(connections === undefined ? [] : [`${connections} connections`]),
    ...(rate === undefined ? [] : [`${rate.toLocaleString("en")} requests/s`]),
  ].join(", ");

/** By subject, in the order in which they were measured. */
export type BySubject<T> = Readonly<Record<SubjectName, T>>;

/** One kind of load, on every subject in turn, as often as there were rounds. */
export interface Case {
  readonly loop: "closed" | "open";
  readonly answer: "small" | "64 KiB";
  /** Of a closed loop. */
  readonly connections?: number;
  /** Requests a second of an open loop. */
  readonly rate?: number;
  /** Medians over the rounds. */
  readonly subjects: BySubject<Run>;
  /** Requests a second of this one over those of each, by round. */
  readonly speed: BySubject<Spread>;
  /** The 99th percentile of this one over that of each, by round. */
  readonly p99: BySubject<Spread>;
  /** Median of what each adds to the direct answer's 50th percentile, by round. */
  readonly addedP50Micros: BySubject<number>;
}

/** How the proxy does with many routes. */
export interface Scale {
  readonly kind: "routes to one service" | "services with a route each";
  readonly memory: readonly { readonly count: number; readonly mib: number }[];
  readonly memoryFit: Fit;
  /** Requests a second with 1,000 over those with 1, each asked for its last route, by round. */
  readonly speed: Spread;
  /** With 1,000. */
  readonly checkSeconds: number;
  readonly firstAnswerSeconds: number;
}

export interface Fit {
  readonly kibEach: number;
  /** What each costs between the last two counts, over what it costs from the first to the second; 1 is a line, less is better. */
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

/** @param runs of each subject, by round */
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

/** What each costs on the whole, and whether the last cost more than the first. */
export function fit(points: Scale["memory"]): Fit {
  const [first, second] = points;
  const [beforeLast, last] = points.slice(-2);
  if (!first || !second || !beforeLast || !last || points.length < 3) throw new Error("three points at least");
  const each = (from: typeof first, to: typeof first) => (to.mib - from.mib) / (to.count - from.count);
  return { kibEach: each(first, last) * 1024, bend: each(beforeLast, last) / each(first, second) };
}

/** What this project wants of its proxy. */
export function targets({ cases, scale }: Pick<ProxyResults, "cases" | "scale">): Target[] {
  const wanted: Target[] = [];
  const add = (what: string, value: number, unit: Target["unit"], to: Target["wanted"], limit: number) =>
    wanted.push({ what, value, unit, limit, wanted: to });
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
  return wanted;
}
