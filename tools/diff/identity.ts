/** Finds the same resource on both sides, as the engine does: by URN, then by alias. */
import type { Registered } from "../stack/evaluate.ts";
import type { Alias } from "../stack/registrations.ts";

/** A resource with the URN that the engine would give it. The mocks' URNs name only the direct parent's type. */
export interface Identified extends Registered {
  readonly fullUrn: string;
}

/** In the same order, which has parents before their children. */
export function identified(resources: readonly Registered[]): Identified[] {
  const urns = new Map<string, string>();
  return resources.map((resource) => {
    const fullUrn = urnOf(resource.urn, urns.get(resource.parent) ?? "", resource.type, resource.name);
    urns.set(resource.urn, fullUrn);
    return { ...resource, fullUrn };
  });
}

/** The resources of the base by the URN of their successor in the head. */
export function predecessors(base: readonly Identified[], head: readonly Identified[]): Map<string, Identified> {
  const old = new Map(base.map((resource) => [resource.fullUrn, resource]));
  const fullUrns = new Map(head.map(({ urn, fullUrn }) => [urn, fullUrn]));
  const known = new Set(fullUrns.values());
  const found = new Map<string, Identified>();
  for (const resource of head) {
    const parent = fullUrns.get(resource.parent) ?? "";
    const candidates = [resource.fullUrn, ...aliasUrns(resource, parent, found.get(parent)?.fullUrn)];
    // A URN that is still in use is not an earlier name of another resource.
    const urn = candidates.find((each, index) => old.has(each) && (index === 0 || !known.has(each)));
    const predecessor = urn === undefined ? undefined : old.get(urn);
    if (predecessor !== undefined) found.set(resource.fullUrn, predecessor);
  }
  return found;
}

/** @param oldParent the URN that the parent had in the base */
function aliasUrns(
  { fullUrn, name, type, aliases }: Identified,
  parent: string,
  oldParent: string | undefined,
): string[] {
  const own = aliases.map((alias) =>
    "urn" in alias ? alias.urn : urnOf(fullUrn, engineParent(alias, parent), alias.type ?? type, alias.name ?? name),
  );
  if (oldParent === undefined || oldParent === parent) return own;
  // A child follows its renamed parent: `old-role` becomes `new-role`.
  const [from, to] = [nameIn(parent), nameIn(oldParent)];
  return [
    ...own,
    ...[fullUrn, ...own].map((urn) => {
      const child = nameIn(urn);
      return urnOf(urn, oldParent, typeIn(urn), child.startsWith(from) ? `${to}${child.slice(from.length)}` : child);
    }),
  ];
}

/** An alias names its parent by the mocks' URN: that of today's parent is the parent itself. */
function engineParent(alias: Exclude<Alias, { urn: string }>, parent: string): string {
  if (alias.parent === undefined) return parent;
  const same = nameIn(alias.parent) === nameIn(parent) && typeIn(alias.parent) === typeIn(parent);
  return same ? parent : alias.parent;
}

/** `urn:pulumi:STACK::PROJECT::PARENTS$TYPE::NAME` @param like any URN of the stack */
function urnOf(like: string, parent: string, type: string, name: string): string {
  const types = parent === "" ? type : `${parent.split("::")[2] ?? ""}$${type}`;
  return [...like.split("::").slice(0, 2), types, name].join("::");
}
const nameIn = (urn: string) => urn.split("::").slice(3).join("::");
const typeIn = (urn: string) => urn.split("::")[2]?.split("$").at(-1) ?? "";
