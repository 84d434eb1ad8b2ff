import { unknown, type Properties } from "./rule.ts";

/**
 * A plain copy of what the SDK hands to a policy. There, to read what is not known yet throws, which ends the policy for
 * that resource with a warning of its own; here it becomes `unknown`, and everything else is still looked at.
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
