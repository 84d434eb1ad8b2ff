/**
 * Compares what the program registers besides Kubernetes objects: Google's resources, certificates, images. It follows the
 * rules of Pulumi's engine: identity, options, and replacements that follow from others.
 * https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step_generator.go
 */
import type { KubernetesObject, Registered } from "../stack/evaluate.ts";
import { nameOf as objectName, type Operation } from "./compare.ts";
import { replacesUnder } from "./conditions.ts";
import { identified, predecessors, type Identified } from "./identity.ts";
import { covers, differences, leaves, replaces, written, type Difference, type Path } from "./inputs.ts";
import { factsOf, type TypeFacts } from "./providerFacts.ts";

export interface Reason {
  /** The input. */
  readonly path: string;
  /** Short values of a Google resource. @default - not shown */
  readonly values?: readonly [before: string, after: string];
  /** Name of the changed resource that the value comes from. @default - the program gives another value */
  readonly source?: string;
}

export interface ResourceChange {
  readonly operation: Operation;
  /** `gcp:container/cluster:Cluster staging-cluster` */
  readonly resource: string;
  readonly type: string;
  /** Inputs after the change; of a deleted resource, those before. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Inputs that differ; for a replacement, only those that require it. */
  readonly because: readonly Reason[];
  /** Whether the engine refuses the operation, because the resource is protected. */
  readonly refused: boolean;
  /** Whether it is unknown if this change replaces the resource, because there are no facts about its type. */
  readonly unclear: boolean;
}

export interface ResourceComparison {
  /** Deleted resources come first, then the others in the order of the program. */
  readonly changes: readonly ResourceChange[];
  /** Number of compared resources by provider, such as `gcp`. */
  readonly compared: ReadonlyMap<string, number>;
  /** Number of Kubernetes objects that are replaced, because their cluster is. */
  readonly replacedObjects: number;
  /** Inputs that the program no longer has, and whose values Google keeps. */
  readonly kept: readonly { readonly resource: string; readonly path: string }[];
  /** Deleted from the program, while what they made stays: enabled APIs, and grants that Pulumi never revokes. */
  readonly retained: readonly string[];
  /** Kubernetes objects with a value of a replaced resource. A rendering cannot show that the value changes. */
  readonly revalued: readonly { readonly object: string; readonly source: string }[];
}

/** A difference, or an equal input whose value comes from a resource with new outputs. */
interface Cause extends Difference {
  readonly source?: Identified;
  /** Whether it counts only if it forces a replacement. */
  readonly possible?: boolean;
}

export function compareResources(base: readonly Registered[], head: readonly Registered[]): ResourceComparison {
  const [before, after] = [identified(base), identified(head)];
  const old = predecessors(before, after);
  const kept = new Set(old.values());
  const current = after.filter(({ custom }) => custom);
  const gone = before.filter((resource) => resource.custom && !kept.has(resource));
  const walk = new Walk(old, current);
  for (const resource of current) walk.visit(resource);
  const [retained, lost] = [gone.filter(staysBehind), gone.filter((resource) => !staysBehind(resource))];
  const deleted = lost
    .filter((resource) => !isObject(resource))
    .map((resource) => change("deleted", resource, [], resource.protect));
  const compared = new Map<string, number>();
  for (const { type } of [...gone, ...current]) {
    const [provider = ""] = type.split(":");
    if (!["kubernetes", "pulumi"].includes(provider)) compared.set(provider, (compared.get(provider) ?? 0) + 1);
  }
  const { changes, replacedObjects, revalued } = walk;
  const names = retained.filter((resource) => !isObject(resource)).map(({ type, name }) => `${type} ${name}`);
  return { changes: [...deleted, ...changes], compared, replacedObjects, kept: walk.kept, retained: names, revalued };
}

/** Goes through the resources in the order of the program, which has sources before their users. */
class Walk {
  readonly changes: ResourceChange[] = [];
  readonly revalued: { object: string; source: string }[] = [];
  readonly kept: { resource: string; path: string }[] = [];
  replacedObjects = 0;
  /** By URN: resources whose outputs change, and whether they are deleted before their replacement exists. */
  readonly #renewed = new Map<string, { readonly resource: Identified; readonly deletedFirst: boolean }>();
  readonly #replaced = new Set<string>();
  readonly #old: ReadonlyMap<string, Identified>;
  /** By URN in the head. */
  readonly #current: ReadonlyMap<string, Identified>;
  /** Placeholders of the base with a resource's former name, and the same with today's. */
  readonly #renamed: readonly (readonly [string, string])[];

  constructor(old: ReadonlyMap<string, Identified>, current: readonly Identified[]) {
    this.#old = old;
    this.#current = new Map(current.map((resource) => [resource.urn, resource]));
    this.#renamed = current.flatMap(({ fullUrn, name }) => {
      const was = old.get(fullUrn)?.name ?? name;
      return was === name ? [] : [[`(${was} `, `(${name} `] as const];
    });
  }

  visit(resource: Identified): void {
    const old = this.#old.get(resource.fullUrn);
    if (isObject(resource)) {
      if (old !== undefined) this.#visitObject(old, resource);
    } else if (old === undefined) this.changes.push(change("created", resource, [], false));
    else this.#compare(old, resource);
  }

  #compare(old: Identified, now: Identified): void {
    const facts = factsOf(now.type);
    const all = this.#causes(old, now, facts ?? { replacing: [] });
    const forcing = all.filter((cause) => forces(cause, old, now, facts));
    const causes = all.filter((cause) => cause.possible !== true || forcing.includes(cause));
    const replaced = forcing.length > 0 || this.#replaced.has(now.provider);
    // A new resource has only what the program says.
    if (!replaced) this.#noteKept(old, now, facts);
    if (!replaced && causes.length === 0) return;
    const cascade = forcing.some(({ source }) => source && this.#renewed.get(source.urn)?.deletedFirst);
    const refused = replaced && old.protect && (now.protect || cascade);
    this.changes.push(change(replaced ? "replaced" : "changed", now, replaced ? forcing : causes, refused));
    if (replaced) this.#replaced.add(now.urn);
    if (replaced || facts?.newOutputs === true)
      this.#renewed.set(now.urn, { resource: now, deletedFirst: replaced && deletesFirst(now, facts) });
  }

  #noteKept(old: Identified, now: Identified, facts: TypeFacts | undefined): void {
    if (facts === undefined) return;
    const resource = `${now.type} ${now.name}`;
    differences(this.#withTodaysNames(old.inputs), now.inputs, facts, (path) => {
      if (!now.ignoreChanges.some((pattern) => covers(pattern, path)))
        this.kept.push({ resource, path: written(path) });
    });
  }

  /** Inputs that differ, and equal ones whose value comes from a resource with new outputs. */
  #causes(old: Identified, now: Identified, facts: TypeFacts): Cause[] {
    const ignored = (path: Path) => now.ignoreChanges.some((pattern) => covers(pattern, path));
    const own = differences(this.#withTodaysNames(old.inputs), now.inputs, facts).filter(({ path }) => !ignored(path));
    const covered = own.map(({ path }) => written(path));
    const found: Cause[] = [...own];
    leaves(now.inputs, (path, value) => {
      if (typeof value !== "string" || ignored(path) || covered.some((each) => covers(each, path))) return;
      for (const urn of now.sources[String(path[0])] ?? []) {
        const renewed = this.#renewed.get(urn);
        if (renewed === undefined) continue;
        const { resource: source, deletedFirst } = renewed;
        const certain = value.includes(`(${source.name} `) || value.includes("(secret ");
        if (!certain && !deletedFirst) continue;
        // The engine takes the whole property for unknown, if its source is deleted first.
        found.push({ path, before: value, after: `(another ${source.name})`, source, possible: !certain });
        break;
      }
    });
    return found;
  }

  #visitObject(old: Identified, now: Identified): void {
    if (this.#replaced.has(now.provider) || this.#formerProvider(now) !== old.provider) {
      this.replacedObjects += 1;
      return;
    }
    const [source] = Object.values(now.sources)
      .flat()
      .flatMap((urn) => this.#renewed.get(urn)?.resource ?? []);
    if (source === undefined) return;
    this.revalued.push({ object: labelOf(now), source: source.name });
    // These are named after their content, so their name changes too.
    if (/:(Secret|ConfigMap)$/.test(now.type)) this.#renewed.set(now.urn, { resource: now, deletedFirst: false });
  }

  /** URN in the base of the provider that the resource has now; empty for the default one. */
  #formerProvider({ provider }: Identified): string | undefined {
    const current = this.#current.get(provider);
    return current === undefined ? provider : this.#old.get(current.fullUrn)?.urn;
  }

  #withTodaysNames(inputs: Identified["inputs"]): Identified["inputs"] {
    if (this.#renamed.length === 0) return inputs;
    const text = this.#renamed.reduce((all, [was, is]) => all.replaceAll(was, is), JSON.stringify(inputs));
    return JSON.parse(text) as Identified["inputs"];
  }
}

/** What its deletion leaves as it is. The engine refuses that of a protected one all the same. An API stays enabled: https://www.pulumi.com/registry/packages/gcp/api-docs/projects/service */
const staysBehind = ({ protect, retainOnDelete, type, inputs }: Registered) =>
  !protect && (retainOnDelete || (type === "gcp:projects/service:Service" && inputs["disableOnDestroy"] === false));

const isObject = ({ type }: Registered) => type.startsWith("kubernetes:");

/** `Secret apps/ingress-tls` */
function labelOf({ inputs }: Registered): string {
  const object = inputs as Pick<KubernetesObject, "apiVersion" | "kind" | "metadata">;
  return objectName(object, object.metadata.name);
}

function forces(cause: Cause, old: Identified, now: Identified, facts: TypeFacts | undefined): boolean {
  return (
    (facts !== undefined && replaces(cause.path, facts)) ||
    now.replaceOnChanges.some((pattern) => covers(pattern, cause.path)) ||
    replacesUnder(`${now.type} ${written(cause.path)}`, cause, old.inputs, now.inputs)
  );
}

/**
 * Unless the program says otherwise, the Google provider deletes first what has a name of its own, even a new one.
 * https://github.com/pulumi/pulumi-terraform-bridge/blob/master/pkg/tfbridge/schema.go (nameRequiresDeleteBeforeReplace)
 */
function deletesFirst(now: Identified, facts: TypeFacts | undefined): boolean {
  return now.deleteBeforeReplace ?? (facts?.deletesFirst === true || now.inputs["name"] !== undefined);
}

function change(
  operation: Operation,
  { type, name, inputs }: Identified,
  causes: readonly Cause[],
  refused: boolean,
): ResourceChange {
  const certain = causes.filter(({ possible }) => possible !== true);
  const because = (certain.length > 0 ? certain : causes).map(({ path, before, after, source }): Reason => {
    const values = source === undefined && type.startsWith("gcp:") ? shown(before, after) : undefined;
    return { path: written(path), ...(values && { values }), ...(source && { source: source.name }) };
  });
  const unclear = operation === "changed" && factsOf(type) === undefined;
  return { operation, resource: `${type} ${name}`, type, inputs, because, refused, unclear };
}

/** Longest value to show. Characters. */
const longest = 40;

/** @returns undefined if a value is long, secret, or known only to Google */
function shown(before: unknown, after: unknown): [string, string] | undefined {
  const [was, is] = [before, after].map(textOf);
  return was === undefined || is === undefined ? undefined : [was, is];
}

function textOf(value: unknown): string | undefined {
  if (value === undefined) return "none";
  const parts = (Array.isArray(value) ? value : [value]).map((item: unknown) =>
    typeof item === "object" || item === undefined ? undefined : String(item as string | number | boolean),
  );
  const text = parts.join(", ");
  return parts.includes(undefined) || text.length > longest || text.includes(" not shown)") ? undefined : text;
}
