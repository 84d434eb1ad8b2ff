/** Random numbers that SEED repeats. */

/** Printed by the suites that draw their cases. */
export const seed = Number(process.env["SEED"] ?? Math.floor(Math.random() * 2 ** 31));
let state = seed;

/** A number from 0 to 1, by the generator mulberry32. */
export function random(): number {
  state = (state + 0x6d2b79f5) | 0;
  const half = Math.imul(state ^ (state >>> 15), 1 | state);
  const whole = (half + Math.imul(half ^ (half >>> 7), 61 | half)) ^ half;
  return ((whole ^ (whole >>> 14)) >>> 0) / 2 ** 32;
}

/** All of them where a suite runs alone; some, which SEED repeats, among all suites. */
export function drawn<T>(all: readonly T[], count: number): readonly T[] {
  if (process.env["SHORT"] === undefined) return all;
  console.log(`SEED=${seed}`);
  const left = [...all];
  return Array.from({ length: count }, () => left.splice(Math.floor(random() * left.length), 1)).flat();
}
