/** Small helpers for text that nginx reads. */

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
export function byHost<P extends { readonly host?: string }>(places: readonly P[] = []) {
  const groups = Map.groupBy(places, ({ host }) => host);
  return (host: string | undefined): readonly P[] => groups.get(host) ?? [];
}
