/** Who gave an answer: the load balancer by itself, nginx by itself, or the service. */
import type { Answer } from "../verify/request.ts";

/** One request, and what came of it. */
export interface Probe {
  readonly url: string;
  /** @default - there was none */
  readonly answer?: Answer;
  /** Node's code of what went wrong, such as ECONNREFUSED, and its message. */
  readonly error?: { readonly code: string; readonly message: string };
  /** How long the answer took. @default - it is not known */
  readonly seconds?: number | undefined;
  /** The answers in order, where following redirects leads back to an address that was asked before. @default - it does not */
  readonly circle?: readonly Probe[] | undefined;
}

/** How the load balancer itself answers, by what it has to say. */
export type EdgeAnswer =
  "unconnected" | "no-backend" | "unhealthy" | "gave-up" | "not-there-yet" | "denied" | "sign-in";

export type Who =
  | { readonly by: "nobody" }
  | { readonly by: "edge"; readonly says: EdgeAnswer }
  /** `error` of nginx's own answers, as `nginx/nginx.conf` has them. */
  | { readonly by: "proxy"; readonly error: string }
  | { readonly by: "service" }
  /** It has not come through nginx, and is no answer that load balancers are known by. */
  | { readonly by: "stranger" };

/**
 * How load balancers word their own answers: Google's classic one, Google's that is made of Envoy, and Envoy itself
 * (Contour). https://cloud.google.com/load-balancing/docs/https/troubleshooting-ext-https-lbs
 */
const own: readonly { readonly says: EdgeAnswer; readonly status: readonly number[]; readonly body: RegExp }[] = [
  { says: "unconnected", status: [404], body: /default backend - 404|fault filter abort/ },
  { says: "no-backend", status: [404, 500], body: /backend NotFound|backend service not found|fault filter abort/i },
  // The front ends of Google answer so for an address that no load balancer has yet.
  { says: "not-there-yet", status: [404], body: /The requested URL .* was not found on this server/s },
  { says: "gave-up", status: [504], body: /upstream request timeout|<title>504 Server Error/ },
  { says: "unhealthy", status: [503], body: /no healthy upstream|upstream connect error|<title>503 Server Error/ },
  { says: "unhealthy", status: [502], body: /<title>502 Server Error/ },
];

export function whoAnswered({ answer }: Pick<Probe, "answer">): Who {
  if (answer === undefined) return { by: "nobody" };
  const { status, headers, body } = answer;
  const error = errorOf(body);
  if (error !== undefined) return { by: "proxy", error };
  // https://cloud.google.com/iap/docs/faq
  if (headers["x-goog-iap-generated-response"] !== undefined) return { by: "edge", says: "sign-in" };
  // Whatever comes through nginx has this header (nginx/nginx.conf).
  if (headers["x-content-type-options"] !== undefined) return { by: "service" };
  const found = own.find((known) => known.status.includes(status) && known.body.test(body));
  if (found) return { by: "edge", says: found.says };
  // Envoy knows no such host.
  if (status === 404 && headers.server === "envoy" && body === "") return { by: "edge", says: "unconnected" };
  // Cloud Armor. https://cloud.google.com/armor/docs/request-logging
  if (status === 403 && /403 Forbidden/.test(body)) return { by: "edge", says: "denied" };
  return { by: "stranger" };
}

/** nginx's own answers have both. */
function errorOf(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as { error?: unknown; requestId?: unknown } | null;
    return typeof value?.error === "string" && typeof value.requestId === "string" ? value.error : undefined;
  } catch {
    return undefined;
  }
}

/** The address that an answer sends its client to; nothing where it does not. */
export function target({ url, answer }: Probe): URL | undefined {
  const location = answer !== undefined && answer.status >= 300 && answer.status <= 399 && answer.headers.location;
  return typeof location === "string" && URL.canParse(location, url) ? new URL(location, url) : undefined;
}

/** `404 "default backend - 404"`: an answer in a few words. */
export function brief({ answer, error }: Probe): string {
  if (answer === undefined) return error === undefined ? "nothing" : error.message;
  const title = /<title>([^<]*)/.exec(answer.body)?.[1];
  const text = (title ?? answer.body).replaceAll(/\s+/g, " ").trim();
  const location = answer.headers.location;
  if (location !== undefined) return `${answer.status} to ${location}`;
  return text === ""
    ? `${answer.status}`
    : `${answer.status} ${JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)}`;
}
