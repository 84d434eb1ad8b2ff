/** Checks that the config keys in a fix exist. */
import assert from "node:assert/strict";
import * as z from "zod";
import { schema } from "../../../config/schema.ts";
import type { Finding } from "../../../tools/doctor/report.ts";

interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly oneOf?: readonly Shape[];
  readonly allOf?: readonly Shape[];
}
const whole = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Shape;

function has(shape: Shape, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  const { properties, additionalProperties, items } = shape;
  const below = properties?.[key] ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
  if (below !== undefined && has(below, rest)) return true;
  const alternatives = [
    ...(shape.anyOf ?? []),
    ...(shape.oneOf ?? []),
    ...(shape.allOf ?? []),
    ...(items ? [items] : []),
  ];
  return alternatives.some((one) => has(one, [key, ...rest]));
}

export const isConfigKey = (key: string): boolean => has(whole, key.split("."));

/** Every config key in a text, such as `services.hoge.image`, but no file name, such as `docs/edge.md`. */
const keysIn = (text: string): string[] =>
  text.match(/(?<![\w/.])(?:services|proxy|edge|tls|dns|cluster|secrets)(?:\.[A-Za-z][\w-]*)+/g) ?? [];

/** Every command of the Pulumi CLI in a text names the stack: the selected one may be another. */
export function assertStackNamed(text: string): void {
  for (const [command] of text.matchAll(
    /pulumi (?:up|stack|config|refresh|destroy|cancel|preview|import|state)\b[^#"();]*/g,
  ))
    assert.match(command, /(?:--stack|-s) (?!undefined)[\w$]/, text);
}

/** Failures and warnings have a meaning and a fix, and name only keys that the config has, and the stack. */
export function assertFixable({ state, seen, means, fix }: Finding): void {
  assertStackNamed(`${seen}; ${means ?? ""}; ${fix ?? ""}`);
  if (state !== "failed" && state !== "warning") return;
  assert.ok(means !== undefined && fix !== undefined);
  for (const key of keysIn(`${means} ${fix}`))
    assert.ok(isConfigKey(key), `"${key}" is not a key of the config: ${fix}`);
}

/** Checks the state and the texts of a finding. */
export function is(finding: Finding, state: Finding["state"], seen: RegExp, means?: RegExp, fix?: RegExp): void {
  assert.equal(finding.state, state, JSON.stringify(finding));
  assert.match(finding.seen, seen);
  assertFixable(finding);
  if (means) assert.match(finding.means ?? "", means);
  if (fix) assert.match(finding.fix ?? "", fix);
}
