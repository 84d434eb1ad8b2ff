/** Which names of request headers services get. */
import type { HeaderNames } from "./model.ts";

/**
 * Headers that the proxy or Google's edge sets, or that frame the request. Many frameworks take `X_Real_IP` for
 * `X-Real-IP`, because CGI makes one variable of both (RFC 3875, 4.1.18).
 */
export const ownHeaders: readonly string[] = [
  "X-Real-IP",
  "X-Forwarded-For",
  "X-Forwarded-Host",
  "X-Forwarded-Server",
  "X-Forwarded-Proto",
  "X-Forwarded-Ssl",
  "X-Forwarded-Prefix",
  "X-Forwarded-Port",
  "X-Forwarded-Scheme",
  "X-Forwarded-Uri",
  "X-Forwarded-Path",
  "X-Forwarded-Method",
  "X-Forwarded-Protocol",
  "X-Forwarded",
  "Forwarded-For",
  "X-Client-IP",
  "X-Cluster-Client-IP",
  "Client-IP",
  "True-Client-IP",
  "X-Original-URL",
  "X-Original-URI",
  "X-Original-Method",
  "X-Original-Host",
  "X-Rewrite-URL",
  "X-Host",
  "X-HTTP-Host-Override",
  "X-Url-Scheme",
  "Front-End-Https",
  "X-Request-ID",
  "Content-Length",
  "Content-Type",
  "Transfer-Encoding",
  // Of Identity-Aware Proxy: https://cloud.google.com/iap/docs/identity-howto
  "X-Goog-IAP-JWT-Assertion",
  "X-Goog-Authenticated-User-Email",
  "X-Goog-Authenticated-User-ID",
];

/** The name with each hyphen as it is or as `_`, without the name itself. */
export const doublesOf = (name: string): string[] =>
  name
    .split("-")
    .reduce<string[]>(
      (names, part, index) =>
        index === 0 ? [part] : names.flatMap((begin) => ["-", "_"].map((between) => `${begin}${between}${part}`)),
      [],
    )
    .filter((double) => double !== name);

/**
 * By default nginx drops headers with other characters than letters, digits and hyphens in their names. `underscores`
 * lets those with `_` through, but no double of the headers above. `any` lets all characters through; nginx cannot
 * remove a double such as `X.Real.IP`, because it has no hash of such a name. gRPC services look names up as they are.
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#ignore_invalid_headers
 */
export function renderHeaderNames(names: HeaderNames = "hyphens"): string {
  if (names === "hyphens") return "";
  const doubles = ownHeaders.flatMap(doublesOf);
  return [
    "# Headers with _ in their names, except doubles of those that the proxy or the edge sets.",
    "underscores_in_headers on;",
    ...(names === "any" ? ["ignore_invalid_headers off;"] : []),
    "proxy_headers_hash_max_size 2048;",
    "proxy_headers_hash_bucket_size 128;",
    ...doubles.map((name) => `proxy_set_header ${name} "";`),
    "",
  ].join("\n");
}
