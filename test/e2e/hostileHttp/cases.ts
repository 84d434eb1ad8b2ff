/** What the cases are about, and how each is told from the others while all are sent at once. */
import type { Headers } from "./peers.ts";

export const host = "echo.shop.localhost";

/** For another host than that of the service. */
export interface Bytes {
  readonly servername: string;
  readonly bytes: string;
}
export interface Frames {
  readonly headers: Headers;
  readonly body?: string;
}

/** Gives a request its number, without changing its length. */
export const numbered = (text: string, number: number) =>
  text.replaceAll(/(own|smuggled)000/g, `$1${String(number).padStart(3, "0")}`);
