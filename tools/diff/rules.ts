/** Checks a stack's objects, and the resources of a preview, with the rules of the policy pack. */
import type { KubernetesObject } from "../stack/evaluate.ts";
import { syntaxProblem } from "../programs/nginx.ts";
import { at, unknown, type Properties } from "../../policy/rule.ts";
import { allRules, describe, findings } from "../../policy/allRules.ts";
import { nameOf } from "./compare.ts";

export interface Violation {
  readonly id: string;
  /** The object or resource. */
  readonly where: string;
  /** The policy pack's message: property, value, fix. */
  readonly text: string;
  /** Whether the violation stops an update, or only warns. */
  readonly stops: boolean;
}

/** Violations by Kubernetes objects. */
export function rulesOnObjects(objects: readonly KubernetesObject[]): Violation[] {
  return objects.flatMap((object) =>
    violations(typeOf(object), withUnknowns(object) as Properties, nameOf(object, object.metadata.name)),
  );
}

/** A resource of the program or of a preview. */
export interface CheckedResource {
  readonly type: string;
  /** Type and name. */
  readonly resource: string;
  readonly inputs: Properties;
}

/** Violations by the other resources. The rendering already covers the Kubernetes objects. */
export function rulesOnResources(resources: readonly CheckedResource[]): Violation[] {
  return resources
    .filter(({ type }) => !type.startsWith("kubernetes:"))
    .flatMap(({ type, inputs, resource }) => violations(type, withUnknowns(inputs) as Properties, resource));
}

/** Errors of `nginx -t` on the routes; undefined if there is no nginx. */
export async function rulesOnRoutes(objects: readonly KubernetesObject[]): Promise<Violation[] | undefined> {
  const all: Violation[] = [];
  for (const object of objects) {
    const routes = object.kind === "ConfigMap" ? at(object, 'data["routes.conf"]') : undefined;
    if (typeof routes !== "string") continue;
    const where = nameOf(object, object.metadata.name);
    try {
      const problem = await syntaxProblem(routes);
      // Without the time and the process id, so that equal errors have equal texts.
      const text = problem?.replaceAll(/^\S+ \S+ (?=\[\w+\])|\d+#\d+: /gm, "");
      if (text !== undefined) all.push({ id: "proxy-routes-accepted", where, text, stops: true });
    } catch {
      return undefined;
    }
  }
  return all;
}

const stopping = new Set(allRules.filter(({ choice }) => choice === undefined).map(({ id }) => id));

const violations = (type: string, props: Properties, where: string): Violation[] =>
  findings(type, props, allRules).map((finding) => ({
    id: finding.id,
    where,
    text: describe(finding),
    stops: stopping.has(finding.id),
  }));

/** Pulumi's type of an object: `v1` Service is `kubernetes:core/v1:Service`. */
const typeOf = ({ apiVersion, kind }: KubernetesObject): string =>
  `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;

/** Replaces the placeholders of a rendering by the rules' mark for an unknown value. */
function withUnknowns(value: unknown): unknown {
  if (typeof value === "string") return /\(.+ not shown\)/.test(value) ? unknown : value;
  if (Array.isArray(value)) return value.map(withUnknowns);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withUnknowns(item)]));
}
