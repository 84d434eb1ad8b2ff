/** The value that a number, quantity or range with a wrong unit stands for, offered as "did you mean". */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

const quantity = /^(\d+)(?:[.,](\d+))?\s*([a-zA-Z%/]*)$/;

/** Factors by unit in lower case, for keys whose name says the unit of a plain number. */
const units: readonly (readonly [key: RegExp, factors: Readonly<Record<string, number>>])[] = [
  [/seconds$/i, { ms: 0.001, s: 1, sec: 1, second: 1, seconds: 1, m: 60, min: 60, minutes: 60, h: 3600, d: 86_400 }],
  [/^days$/, { d: 1, day: 1, days: 1, w: 7, y: 365, year: 365, s: 1 / 86_400 }],
  [/Mb$/, { m: 1, mb: 1, mi: 1, mib: 1, g: 1024, gb: 1024, gi: 1024, gib: 1024, k: 1 / 1024, kb: 1 / 1024 }],
  [/Gb$/, { g: 1, gb: 1, gi: 1, gib: 1, t: 1024, tb: 1024, ti: 1024, mb: 1 / 1024, mi: 1 / 1024 }],
  [/^percent$/, { "%": 1 }],
  [/^requestsPerSecond$/, { "r/s": 1, "/s": 1, rps: 1 }],
  [/^ports?$/, { "/tcp": 1 }],
];
/** Factors of a plain number that is too large: milliseconds, bytes, MB, seconds. */
const smaller: readonly (readonly [key: RegExp, factors: readonly number[]])[] = [
  [/seconds$/i, [1 / 1000]],
  [/^days$/, [1 / 86_400]],
  [/Mb$/, [1 / 1024 ** 2, 1 / 1000 ** 2]],
  [/Gb$/, [1 / 1024, 1 / 1024 ** 3]],
];

interface Limits {
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

const factorsOf = <Factors>(key: string, table: readonly (readonly [RegExp, Factors])[]): Factors | undefined =>
  table.find(([form]) => form.test(key))?.[1];

/**
 * @param key the last part of the path, such as `timeoutSeconds`
 * @param limits of a number; without them the key takes text
 * @returns as it is written in a stack's file, or undefined if nothing is likely
 */
export function meant(key: string, value: unknown, limits: Limits | undefined): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const text = String(value);
  if (limits?.maximum === undefined) {
    if (key === "cpu") return quoted(cpuMeant(text));
    if (key === "memory") return quoted(memoryMeant(text));
    return ranges.test(key) ? quoted(rangeMeant(text)) : undefined;
  }
  const { minimum = 0, maximum } = limits;
  return numbersMeant(key, value, maximum)
    .map((number) => Math.round(number * 1e6) / 1e6)
    .find((number) => Number.isInteger(number) && number >= minimum && number <= maximum)
    ?.toString();
}

const quoted = (text: string | undefined) => (text === undefined ? undefined : `"${text}"`);

function numbersMeant(key: string, value: string | number, maximum: number): number[] {
  if (typeof value === "number") {
    return value > maximum ? (factorsOf(key, smaller) ?? []).map((factor) => value * factor) : [];
  }
  const [, whole, fraction = "0", unit = ""] = quantity.exec(value) ?? [];
  if (whole === undefined) return [];
  const factor = unit === "" ? 1 : factorsOf(key, units)?.[unit.toLowerCase()];
  return factor === undefined ? [] : [Number(`${whole}.${fraction}`) * factor];
}

/** Keys of ranges, and of lists of them. */
const ranges = /^(?:cidr|allow|dns|trustedProxies)$/;

/** `203.0.113.7`, also with a port → `203.0.113.7/32`; `10.0.0.1/8` → `10.0.0.0/8` */
function rangeMeant(text: string): string | undefined {
  const address = text.replace(/^(\d+(?:\.\d+){3}):\d+$/, "$1");
  const version = isIP(address);
  if (version !== 0) return `${address}/${version === 4 ? 32 : 128}`;
  if (!ipaddr.isValidCIDR(text)) return undefined;
  const [first, bits] = ipaddr.parseCIDR(text);
  const kind = first.kind() === "ipv4" ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${kind.networkAddressFromCIDR(text).toString()}/${bits}`;
}

/** Whole CPUs from here on are more likely thousandths: `cpu: 50`. */
const manyCpus = 10;

/** `50` → `50m`, `250M` → `250m`, `2 cores` → `2`, `0,5` → `500m`. */
export function cpuMeant(text: string): string | undefined {
  const [, whole, fraction, unit = ""] = quantity.exec(text.replace(/^\./, "0.")) ?? [];
  if (whole === undefined) return undefined;
  const number = Number(`${whole}.${fraction ?? 0}`);
  if (number === 0) return undefined;
  if (/^m/i.test(unit)) return `${Math.max(1, Math.round(number))}m`;
  if (unit === "%") return `${Math.max(1, Math.round(number * 10))}m`;
  if (unit !== "" && !/^v?(?:cpu|core)s?$/i.test(unit)) return undefined;
  if (fraction !== undefined) return `${Math.max(1, Math.round(number * 1000))}m`;
  return unit === "" && number >= manyCpus ? `${number}m` : String(number);
}

/** `128`, `128m`, `128KB` → `128Mi`; `1g`, `1` → `1Gi`. A unit that says too little is taken for Mi. */
export function memoryMeant(text: string): string | undefined {
  const [, whole, fraction, unit = ""] = quantity.exec(text) ?? [];
  const number = Number(`${whole ?? 0}.${fraction ?? 0}`);
  if (number === 0 || !/^(?:[kmgt]i?b?(?:yte)?s?|b|bytes)?$/i.test(unit)) return undefined;
  const letter = unit === "" && number < 32 ? "g" : (unit.toLowerCase()[0] ?? "m");
  const mebibytes = number * (letter === "t" ? 1024 ** 2 : letter === "g" ? 1024 : 1);
  if (!Number.isInteger(mebibytes) || mebibytes > 1024 ** 2) return undefined;
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}

/** The smaller unit that a large, well-formed amount was perhaps meant in: `50` → `50m`, `512Gi` → `512Mi`. */
export function largeMeant(key: "cpu" | "memory", text: string): string | undefined {
  if (key === "cpu") return /^\d{2,}$/.test(text) ? cpuMeant(text) : undefined;
  const [, gibibytes] = /^(\d{3,})Gi?$/.exec(text) ?? [];
  return gibibytes === undefined ? undefined : `${gibibytes}Mi`;
}
