/** The type of a rule, and reusable checks of properties. All functions are pure. */

/** A value that is known only after the update, as in a preview: never a violation. */
export const unknown: unique symbol = Symbol("known only after the update");

export type Properties = Readonly<Record<string, unknown>>;

export interface Violation {
  /** Path of the property, such as `nodeConfig.metadata["disable-legacy-endpoints"]`. */
  readonly property: string;
  /** The actual value; undefined if there is none. Never the content of a secret. */
  readonly value: unknown;
  /** The fix, in the imperative. */
  readonly fix: string;
}

/** A requirement, in words and as a function. */
export interface Check {
  readonly required: string;
  readonly check: (props: Properties) => readonly Violation[];
}

/** A kind of resource that rules check. */
export interface ResourceKind {
  readonly name: string;
  /** Pulumi's type tokens. */
  readonly types: readonly string[] | RegExp;
}

export interface RuleInput extends Check {
  /** What the rule guarantees, as a sentence without its full stop. */
  readonly title: string;
  /** `CIS GKE n` (benchmark version 1.9.0), `CKV…` (Checkov). @default - the project's own rule */
  readonly benchmark?: readonly string[];
  readonly severity: "low" | "medium" | "high" | "critical";
  /** Why a team may choose otherwise: the rule then only warns. @default - the rule is mandatory */
  readonly choice?: string;
}

export interface Rule extends RuleInput {
  readonly id: string;
  readonly resource: ResourceKind;
  readonly benchmark: readonly string[];
}

/** Rules for one kind of resource, by ID. */
export function rulesFor(resource: ResourceKind, rules: Readonly<Record<string, RuleInput>>): Rule[] {
  return Object.entries(rules).map(([id, rule]) => ({ ...rule, id, resource, benchmark: rule.benchmark ?? [] }));
}

export function appliesTo({ types }: ResourceKind, type: string): boolean {
  return types instanceof RegExp ? types.test(type) : types.includes(type);
}

export const isObject = (value: unknown): value is Properties =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path; undefined if there is none, `unknown` if it or its parent is not known yet. */
export function at(props: unknown, path: string): unknown {
  let value = props;
  for (const [, quoted, plain] of path.matchAll(/"([^"]+)"|([^.[\]"]+)/g)) {
    if (value === unknown || value === undefined || value === null) break;
    value = (value as Properties)[quoted ?? plain ?? ""];
  }
  return value ?? undefined;
}

const code = (value: unknown) =>
  value === undefined ? "not set" : `\`${typeof value === "string" ? value : JSON.stringify(value)}\``;
const list = (values: readonly unknown[]) => values.map(code).join(" or ");

/** The property has one of these values. @param fix @default - set it */
export function oneOf(property: string, allowed: readonly unknown[], fix?: string): Check {
  return {
    required: `${code(property)} is ${list(allowed)}`,
    check: (props) => {
      const value = at(props, property);
      if (value === unknown || allowed.includes(value)) return [];
      const values = allowed.map((each) => JSON.stringify(each)).join(" or ");
      return [{ property, value, fix: fix ?? `set it to ${values}` }];
    },
  };
}

/** The property has a value that is neither empty nor one of the exceptions. */
export function isSet(property: string, fix: string, except: readonly unknown[] = []): Check {
  return {
    required: `${code(property)} is set${except.length > 0 ? `, and not to ${list(except)}` : ""}`,
    check: (props) => {
      const value = at(props, property);
      const empty = value === undefined || value === "" || (isObject(value) && Object.keys(value).length === 0);
      return value !== unknown && (empty || except.includes(value)) ? [{ property, value, fix }] : [];
    },
  };
}

/** The property is not set. */
export function absent(property: string, fix: string): Check {
  return {
    required: `${code(property)} is not set`,
    check: (props) => {
      const value = at(props, property);
      return value === undefined || value === unknown ? [] : [{ property, value, fix }];
    },
  };
}

/** The list contains all of these items. */
export function includes(property: string, items: readonly string[]): Check {
  return {
    required: `${code(property)} has ${items.map(code).join(" and ")}`,
    check: (props) => {
      const value = at(props, property);
      if (value === unknown || (Array.isArray(value) && value.includes(unknown))) return [];
      const missing = items.filter((item) => !(Array.isArray(value) && value.includes(item)));
      return missing.length > 0 ? [{ property, value, fix: `add ${missing.join(" and ")}` }] : [];
    },
  };
}

/** All of these checks pass. */
export function all(...checks: readonly Check[]): Check {
  return {
    required: checks.map(({ required }) => required).join("; "),
    check: (props) => checks.flatMap(({ check }) => check(props)),
  };
}
