/** Finds the objects that are created, changed, replaced or deleted between two renderings. */
import type { KubernetesObject } from "../stack/evaluate.ts";
import { at } from "../../policy/rule.ts";
import { textOf } from "./objects.ts";

export type Operation = "deleted" | "replaced" | "changed" | "created";

export interface Change {
  readonly operation: Operation;
  /** `Deployment apps/hoge`, without the hash of the content that a name may end in. */
  readonly object: string;
  /** Immutable properties that differ, so that the object must be replaced. */
  readonly because: readonly string[];
  /** YAML; empty if there is no such object. */
  readonly before: string;
  readonly after: string;
}

/** Deleted objects come first, then the others in the order of the new rendering. */
export function compare(base: readonly KubernetesObject[], head: readonly KubernetesObject[]): Change[] {
  const unclear = ambiguous(base, head);
  const [before, after] = [byName(base, unclear), byName(head, unclear)];
  const deleted = [...before].flatMap(([object, old]) =>
    after.has(object)
      ? []
      : [{ operation: "deleted", object, because: [], before: textOf(old), after: "" } satisfies Change],
  );
  const others = [...after].flatMap(([object, now]): Change[] => {
    const old = before.get(object);
    if (old === undefined) return [{ operation: "created", object, because: [], before: "", after: textOf(now) }];
    const [was, is] = [textOf(old), textOf(now)];
    const because = replacedFor(old, now);
    const operation = because.length > 0 ? "replaced" : "changed";
    return was === is ? [] : [{ operation, object, because, before: was, after: is }];
  });
  return [...deleted, ...others];
}

/** Kinds whose names contain a hash of the content: new content gives a new object, and the old one goes. */
const hashed = (kind: string) => ["ConfigMap", "Secret", "Job"].includes(kind);

/** Names without the hash that are not unique on one side; those objects keep their full names. */
function ambiguous(...sides: (readonly KubernetesObject[])[]): Set<string> {
  const names = sides.map((objects) => objects.map(stem));
  return new Set(names.flatMap((side) => side.filter((name, index) => side.indexOf(name) !== index)));
}

const byName = (objects: readonly KubernetesObject[], unclear: Set<string>) =>
  new Map(
    objects.map((object) => [unclear.has(stem(object)) ? nameOf(object, object.metadata.name) : stem(object), object]),
  );

function stem(object: KubernetesObject): string {
  const { name } = object.metadata;
  return nameOf(object, hashed(object.kind) ? name.replace(/-[0-9a-f]{10}$/, "") : name);
}

export function nameOf({ kind, metadata: { namespace } }: KubernetesObject, name: string): string {
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}

/** Immutable properties of the kinds in a stack. https://kubernetes.io/docs/reference/kubernetes-api/ */
const immutable: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec.selector"],
  Service: ["spec.clusterIP"],
  Secret: ["type", "data", "stringData"],
  ConfigMap: ["data", "binaryData"],
  Job: ["spec.selector", "spec.template", "spec.podFailurePolicy"],
};

function replacedFor(old: KubernetesObject, now: KubernetesObject): string[] {
  if (old.metadata.name !== now.metadata.name) return []; // It is another object.
  return (immutable[old.kind] ?? []).filter((path) => JSON.stringify(at(old, path)) !== JSON.stringify(at(now, path)));
}
