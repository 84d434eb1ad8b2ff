/** What a fix tells people to edit has to be there. */
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

/** Every `services.hoge.image` in a text. Of files, such as `docs/edge.md`, the name is no key. */
const keysIn = (text: string): string[] =>
  text.match(/(?<![\w/.])(?:services|proxy|edge|tls|dns|cluster|secrets)(?:\.[A-Za-z][\w-]*)+/g) ?? [];

/** Failures and warnings say what they mean and what fixes them, and name keys that the config has. */
export function assertFixable({ state, means, fix }: Finding): void {
  if (state !== "failed" && state !== "warning") return;
  assert.ok(means !== undefined && fix !== undefined);
  for (const key of keysIn(`${means} ${fix}`)) assert.ok(isConfigKey(key), `"${key}" is no key of the config: ${fix}`);
}

/** The state, what is seen, and that a failure says what it means and how it is fixed. */
export function is(finding: Finding, state: Finding["state"], seen: RegExp, means?: RegExp, fix?: RegExp): void {
  assert.equal(finding.state, state, JSON.stringify(finding));
  assert.match(finding.seen, seen);
  assertFixable(finding);
  if (means) assert.match(finding.means ?? "", means);
  if (fix) assert.match(finding.fix ?? "", fix);
}
