/** Which objects are made, changed, replaced or deleted between two renderings. */
import type { KubernetesObject } from "../stack/evaluate.ts";
import { at } from "../../policy/rule.ts";
import { textOf } from "./objects.ts";

export type Operation = "deleted" | "replaced" | "changed" | "created";

export interface Change {
  readonly operation: Operation;
  /** `Deployment apps/hoge`; where the name ends in a hash of the content, without it. */
  readonly object: string;
  /** Why it is replaced: properties that Kubernetes does not change. */
  readonly because: readonly string[];
  /** YAML; empty where there is none. */
  readonly before: string;
  readonly after: string;
}

/** In the order of the new rendering; what is deleted comes first. */
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

/** The program names these after their content: another content is another object, which rolls out beside the old one. */
const hashed = (kind: string) => kind === "ConfigMap" || kind === "Secret";

/** What would be two of one name on a side is known by the whole name. */
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

/** What Kubernetes keeps as it was made, of the kinds that stacks have. https://kubernetes.io/docs/reference/kubernetes-api/ */
const fixed: Readonly<Record<string, readonly string[]>> = {
  Deployment: ["spec.selector"],
  Service: ["spec.clusterIP"],
  Secret: ["type", "data", "stringData"],
  ConfigMap: ["data", "binaryData"],
};

function replacedFor(old: KubernetesObject, now: KubernetesObject): string[] {
  if (old.metadata.name !== now.metadata.name) return []; // One beside the other.
  return (fixed[old.kind] ?? []).filter((path) => JSON.stringify(at(old, path)) !== JSON.stringify(at(now, path)));
}
