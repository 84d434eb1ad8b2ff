/** Directives inside a `location`. */
import type { RequestSettings } from "./model.ts";
import { indent, inValue, sorted } from "./text.ts";

export const location = (match: string, body: readonly string[]): string =>
  `location ${match} {\n${indent(body.join("\n"))}\n}`;

/**
 * Strips the prefix from the raw request URI, byte by byte: `rewrite` and `proxy_pass http://service/` would decode
 * `%2F`. A path that matches the prefix only after decoding (`/hoge%2Fx`) gets 404.
 */
export const below = (bare: string, rest = "/.*"): string => unlessSent(`${bare}(?<below_prefix>${rest})$`);

/** @param expression for the beginning of the raw path */
export const unlessSent = (expression: string): string =>
  `if ($request_uri !~ "^${expression}") {\n    return 404 $answer_no_route;\n}`;

export function settingDirectives({
  timeoutSeconds,
  maxBodyMb,
  maxResponseHeaderKb,
  buffering,
  responseHeaders,
}: RequestSettings): string[] {
  return [
    ...(timeoutSeconds === undefined
      ? []
      : [`proxy_read_timeout ${timeoutSeconds}s;`, `proxy_send_timeout ${timeoutSeconds}s;`]),
    ...(maxBodyMb === undefined ? [] : [`client_max_body_size ${maxBodyMb}m;`]),
    ...(maxResponseHeaderKb === undefined
      ? []
      : [`proxy_buffer_size ${maxResponseHeaderKb}k;`, `proxy_buffers 3 ${maxResponseHeaderKb}k;`]),
    ...(buffering === false ? ["proxy_buffering off;", "proxy_request_buffering off;"] : []),
    ...sorted(Object.entries(responseHeaders ?? {}), ([name]) => name).flatMap(([name, value]) =>
      headerDirectives(name, value),
    ),
  ];
}

/** Headers that `nginx.conf` adds to every answer, with the variable of each value. */
const defaultHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "$nosniff",
  "referrer-policy": "$referrer_policy",
  "x-frame-options": "$frame_options",
  "strict-transport-security": "$hsts",
};

/** A route's value replaces the default and the service's own header: browsers treat duplicates differently. */
function headerDirectives(name: string, value: string): string[] {
  const variable = defaultHeaders[name.toLowerCase()];
  if (variable !== undefined) return [`set ${variable} "${inValue(value)}";`, `proxy_hide_header ${name};`];
  const added = `add_header ${name} "${inValue(value)}" always;`;
  // As in nginx.conf: a content security policy decides itself who may frame the page.
  return name.toLowerCase() === "content-security-policy"
    ? [`set ${defaultHeaders["x-frame-options"]} "";`, added]
    : [added];
}
