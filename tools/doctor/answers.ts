/** Determines who sent a response: the load balancer, nginx or the service. */
import type { Answer } from "../verify/request.ts";

/** One request and its result. */
export interface Probe {
  readonly url: string;
  /** @default - there was no response */
  readonly answer?: Answer;
  /** Node's error code, such as ECONNREFUSED, and message. */
  readonly error?: { readonly code: string; readonly message: string };
  /** Time until the response. @default - unknown */
  readonly seconds?: number | undefined;
  /** The responses of a redirect loop, in order. @default - there is no loop */
  readonly loop?: readonly Probe[] | undefined;
}

/** The load balancer's own responses, by their meaning. */
export type EdgeAnswer =
  "unconnected" | "no-backend" | "unhealthy" | "gave-up" | "not-there-yet" | "denied" | "sign-in";

export type Who =
  | { readonly by: "nobody" }
  | { readonly by: "edge"; readonly says: EdgeAnswer }
  /**
   * `error` and `service` are the values in nginx's own responses, see `nginx/nginx.conf`. The service is the one that
   * nginx chose for the request, absent if it had chosen none.
   */
  | { readonly by: "proxy"; readonly error: string; readonly service?: string }
  | { readonly by: "service" }
  /** Did not come through nginx, and is not a known response of a load balancer. */
  | { readonly by: "stranger" };

/**
 * The load balancers' own responses: of Google's classic one, of Google's Envoy-based one, and of Envoy itself (Contour).
 * https://cloud.google.com/load-balancing/docs/https/troubleshooting-ext-https-lbs
 */
const edgeResponses: readonly {
  readonly says: EdgeAnswer;
  readonly status: readonly number[];
  readonly body: RegExp;
}[] = [
  { says: "unconnected", status: [404], body: /default backend - 404|fault filter abort/ },
  { says: "no-backend", status: [404, 500], body: /backend NotFound|backend service not found|fault filter abort/i },
  // Google's front ends answer this for an address without a load balancer.
  { says: "not-there-yet", status: [404], body: /The requested URL .* was not found on this server/s },
  { says: "gave-up", status: [504], body: /upstream request timeout|<title>504 Server Error/ },
  { says: "unhealthy", status: [503], body: /no healthy upstream|upstream connect error|<title>503 Server Error/ },
  { says: "unhealthy", status: [502], body: /<title>502 Server Error/ },
];

export function whoAnswered({ answer }: Pick<Probe, "answer">): Who {
  if (answer === undefined) return { by: "nobody" };
  const { status, headers, body } = answer;
  const own = ownAnswer(body);
  if (own !== undefined) return { by: "proxy", ...own };
  // https://cloud.google.com/iap/docs/faq
  if (headers["x-goog-iap-generated-response"] !== undefined) return { by: "edge", says: "sign-in" };
  // Every response through nginx has this header (nginx/nginx.conf).
  if (headers["x-content-type-options"] !== undefined) return { by: "service" };
  const found = edgeResponses.find((known) => known.status.includes(status) && known.body.test(body));
  if (found) return { by: "edge", says: found.says };
  // Envoy answers this for an unknown host.
  if (status === 404 && headers.server === "envoy" && body === "") return { by: "edge", says: "unconnected" };
  // Cloud Armor. https://cloud.google.com/armor/docs/request-logging
  if (status === 403 && /403 Forbidden/.test(body)) return { by: "edge", says: "denied" };
  return { by: "stranger" };
}

/** What one of nginx's own responses says, which have both `error` and `requestId`. */
function ownAnswer(body: string): { error: string; service?: string } | undefined {
  try {
    const value = JSON.parse(body) as { error?: unknown; requestId?: unknown; service?: unknown } | null;
    if (typeof value?.error !== "string" || typeof value.requestId !== "string") return undefined;
    return { error: value.error, ...(typeof value.service === "string" && { service: value.service }) };
  } catch {
    return undefined;
  }
}

/** The target of a redirect; undefined if the response is not one. */
export function target({ url, answer }: Probe): URL | undefined {
  const location = answer !== undefined && answer.status >= 300 && answer.status <= 399 && answer.headers.location;
  return typeof location === "string" && URL.canParse(location, url) ? new URL(location, url) : undefined;
}

/** A short description of a response: `404 "default backend - 404"`. */
export function brief({ answer, error }: Probe): string {
  if (answer === undefined) return error === undefined ? "no response" : error.message;
  const title = /<title>([^<]*)/.exec(answer.body)?.[1];
  const text = (title ?? answer.body).replaceAll(/\s+/g, " ").trim();
  const location = answer.headers.location;
  if (location !== undefined) return `${answer.status} to ${location}`;
  return text === ""
    ? `${answer.status}`
    : `${answer.status} ${JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)}`;
}
