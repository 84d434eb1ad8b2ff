/** Helpers for nginx text. */
import { createHash } from "node:crypto";
import type { HostPath, Route } from "./model.ts";

/** Sorts by code unit, so that the text does not depend on the locale. */
export function sorted<T>(items: readonly T[], key: (item: T) => string): T[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

export function indent(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "    ");
}

/** Escapes text for a regular expression. In valid hosts and paths only `.` needs it. */
export const literally = (text: string): string => text.replaceAll(".", String.raw`\.`);

/** Groups the entries by host once, instead of filtering them for each host. */
export function byHost<P extends Pick<HostPath, "host">>(all: readonly P[] = []) {
  const groups = Map.groupBy(all, ({ host }) => host);
  return (host: string | undefined): readonly P[] => groups.get(host) ?? [];
}

/** A readable and unique name for the variables and zones of a route. */
export function nameOf({ service, host = "", path }: Route): string {
  const hash = createHash("sha256").update(`${host}${path}`).digest("hex").slice(0, 8);
  return `${service.replaceAll("-", "_")}_${hash}`;
}
