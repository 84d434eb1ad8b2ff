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

/** Escapes text for a regular expression. Hexadecimal digits of `%C3` match in upper and lower case. */
export const literally = (text: string): string =>
  text
    .replaceAll(/[\\.$()*+?^|[\]{}]/g, String.raw`\$&`)
    .replaceAll(/%[0-9A-F]{2}/g, (encoded) =>
      encoded.replaceAll(/[A-F]/g, (digit) => `[${digit}${digit.toLowerCase()}]`),
    );

/** Text that needs no quotes in nginx's config, and has no variable. */
const plain = /^[A-Za-z0-9/._~:@%+=-]+$/;

/** A parameter that nginx takes as it is, such as the path of a `location`. */
export const parameter = (text: string): string =>
  plain.test(text) ? text : `"${text.replaceAll(/[\\"]/g, String.raw`\$&`)}"`;

/** The text in a parameter in which nginx replaces variables. `$dollar` is in nginx.conf: nginx cannot escape a `$`. */
export const inValue = (text: string): string =>
  text.replaceAll(/[\\"]/g, String.raw`\$&`).replaceAll("$", "${dollar}");

/** A parameter of such text, followed by variables. */
export const value = (text: string, variables = ""): string =>
  plain.test(text) ? `${text}${variables}` : `"${inValue(text)}${variables}"`;

/** The server name of requests that name no host, as HTTP/1.0 allows. */
export const noHost = '""';

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
