import { unknown, type Properties } from "./rule.ts";

/**
 * A plain copy of the SDK's properties. Reading an unknown value there throws, and the SDK then skips the policy for
 * that resource with a warning. The copy has `unknown` instead, so that rules still check everything else.
 */
export function withUnknowns(props: Properties): Properties {
  return copy(props) as Properties;
}

function copy(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.keys(value).map((key) => [key, read(value as Properties, key)] as const);
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}

function read(holder: Properties, key: string): unknown {
  let value: unknown;
  try {
    value = holder[key];
  } catch {
    return unknown;
  }
  return copy(value);
}
