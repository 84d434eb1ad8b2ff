/** What the rules of the policy pack have against the objects of a stack, and against what a preview is about to make. */
import type { KubernetesObject } from "../stack/evaluate.ts";
import { syntaxProblem } from "../programs/nginx.ts";
import { at, unknown, type Properties } from "../../policy/rule.ts";
import { allRules, describe, findings } from "../../policy/allRules.ts";
import { nameOf } from "./compare.ts";
import type { Preview } from "./preview.ts";

export interface RuleBroken {
  readonly id: string;
  /** The object or resource. */
  readonly where: string;
  /** As the policy pack says it: property, value, fix. */
  readonly text: string;
  /** Whether an update is stopped by it, or told of it. */
  readonly stops: boolean;
}

/** What the rules for Kubernetes objects say. */
export function rulesOnObjects(objects: readonly KubernetesObject[]): RuleBroken[] {
  return objects.flatMap((object) =>
    broken(typeOf(object), withUnknowns(object) as Properties, nameOf(object, object.metadata.name)),
  );
}

/** What the others say: of Kubernetes objects the rendering tells as much. */
export function rulesOnPreview({ resources }: Preview): RuleBroken[] {
  return resources
    .filter(({ type }) => !type.startsWith("kubernetes:"))
    .flatMap(({ type, inputs, resource }) => broken(type, inputs, resource));
}

/** What nginx itself says of the routes; undefined where there is no nginx to ask. */
export async function rulesOnRoutes(objects: readonly KubernetesObject[]): Promise<RuleBroken[] | undefined> {
  const all: RuleBroken[] = [];
  for (const object of objects) {
    const routes = object.kind === "ConfigMap" ? at(object, 'data["routes.conf"]') : undefined;
    if (typeof routes !== "string") continue;
    const where = nameOf(object, object.metadata.name);
    try {
      const problem = await syntaxProblem(routes);
      // Without the time and the process, which would make another text of the same.
      const text = problem?.replaceAll(/^\S+ \S+ (?=\[\w+\])|\d+#\d+: /gm, "");
      if (text !== undefined) all.push({ id: "proxy-routes-accepted", where, text, stops: true });
    } catch {
      return undefined;
    }
  }
  return all;
}

const stopping = new Set(allRules.filter(({ choice }) => choice === undefined).map(({ id }) => id));

const broken = (type: string, props: Properties, where: string): RuleBroken[] =>
  findings(type, props, allRules).map((finding) => ({
    id: finding.id,
    where,
    text: describe(finding),
    stops: stopping.has(finding.id),
  }));

/** Pulumi's type of an object: `v1` Service is `kubernetes:core/v1:Service`. */
const typeOf = ({ apiVersion, kind }: KubernetesObject): string =>
  `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;

/** A rendering has a mark where only the CLI or Google knows the value. */
function withUnknowns(value: unknown): unknown {
  if (typeof value === "string") return /\(.+ not shown\)/.test(value) ? unknown : value;
  if (Array.isArray(value)) return value.map(withUnknowns);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withUnknowns(item)]));
}
