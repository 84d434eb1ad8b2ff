/** Small helpers for text that nginx reads. */
import { createHash } from "node:crypto";
import type { HostPath, Route } from "./model.ts";

/** By code unit, so that the text does not depend on a locale. */
export function sorted<T>(items: readonly T[], key: (item: T) => string): T[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "    ");
}

/** Text that a regular expression takes as it is: of what is allowed in hosts and paths only `.` has a meaning there. */
export const literally = (text: string): string => text.replaceAll(".", String.raw`\.`);

/** Finds those of each host, without going through all of them for each. */
export function byHost<P extends Pick<HostPath, "host">>(all: readonly P[] = []) {
  const groups = Map.groupBy(all, ({ host }) => host);
  return (host: string | undefined): readonly P[] => groups.get(host) ?? [];
}

/** A name for what belongs to one route: readable, and never that of another route. */
export function nameOf({ service, host = "", path }: Route): string {
  const hash = createHash("sha256").update(`${host}${path}`).digest("hex").slice(0, 8);
  return `${service.replaceAll("-", "_")}_${hash}`;
}
