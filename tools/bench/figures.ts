/** Statistics and targets, common to all benchmarks. */

/** Median and range of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Target {
  readonly what: string;
  readonly value: number;
  /** Empty for a plain number. */
  readonly unit: "x" | "µs" | "ms" | "s" | "MiB" | "";
  readonly limit: number;
  readonly wanted: "at least" | "at most";
}

export const isMet = ({ value, limit, wanted }: Target): boolean =>
  wanted === "at least" ? value >= limit : value <= limit;

export function median(values: readonly number[]): number {
  const ordered = values.toSorted((a, b) => a - b);
  const middle = (ordered.length - 1) / 2;
  return ((ordered[Math.floor(middle)] ?? NaN) + (ordered[Math.ceil(middle)] ?? NaN)) / 2;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** Ratios within the same round: a slow round affects both values and cancels out. */
export function pairedRatio(ours: readonly number[], theirs: readonly number[]): Spread {
  if (ours.length !== theirs.length) throw new Error(`${ours.length} rounds cannot be paired with ${theirs.length}.`);
  const ratios = ours.map((value, round) => value / (theirs[round] ?? NaN));
  return spreadOf(ratios);
}
