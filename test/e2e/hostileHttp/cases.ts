/** Types of the cases, and a number in each request to identify it while all are sent at once. */
import type { Headers } from "./peers.ts";

export const host = "echo.shop.localhost";

/** A request to another host than the service's. */
export interface Bytes {
  readonly servername: string;
  readonly bytes: string;
}
export interface Frames {
  readonly headers: Headers;
  readonly body?: string;
}

/** Writes a number into a request without changing its length. */
export const numbered = (text: string, number: number) =>
  text.replaceAll(/(own|smuggled)000/g, `$1${String(number).padStart(3, "0")}`);
