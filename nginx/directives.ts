/** What stands inside of a location. */
import type { RequestSettings } from "./model.ts";
import { indent, sorted } from "./text.ts";

export const location = (match: string, body: readonly string[]): string =>
  `location ${match} {\n${indent(body.join("\n"))}\n}`;

/**
 * The prefix is cut from what the client sent, byte by byte: `rewrite` and `proxy_pass http://service/` would decode `%2F`.
 * A path that is below the prefix only once it is decoded (`/hoge%2Fx`) did not name this route.
 */
export const below = (bare: string, rest = "/.*"): string => unlessSent(`${bare}(?<below_prefix>${rest})$`);

/** @param expression of the beginning of the path, as the client sent it */
export const unlessSent = (expression: string): string =>
  `if ($request_uri !~ "^${expression}") {\n    return 404 $answer_no_route;\n}`;

export function settingDirectives({
  timeoutSeconds,
  maxBodyMb,
  buffering,
  responseHeaders,
}: RequestSettings): string[] {
  return [
    ...(timeoutSeconds === undefined
      ? []
      : [`proxy_read_timeout ${timeoutSeconds}s;`, `proxy_send_timeout ${timeoutSeconds}s;`]),
    ...(maxBodyMb === undefined ? [] : [`client_max_body_size ${maxBodyMb}m;`]),
    ...(buffering === false ? ["proxy_buffering off;", "proxy_request_buffering off;"] : []),
    ...sorted(Object.entries(responseHeaders ?? {}), ([name]) => name).flatMap(([name, value]) =>
      headerDirectives(name, value),
    ),
  ];
}

/** What `nginx.conf` adds to every answer, by the variable that has the value. */
const usualHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "$nosniff",
  "referrer-policy": "$referrer_policy",
  "x-frame-options": "$frame_options",
  "strict-transport-security": "$hsts",
};

/** Where there is a usual value, this one takes its place, and that of a service: browsers make what they like of two. */
function headerDirectives(name: string, value: string): string[] {
  const usual = usualHeaders[name.toLowerCase()];
  if (usual !== undefined) return [`set ${usual} "${value}";`, `proxy_hide_header ${name};`];
  const added = `add_header ${name} "${value}" always;`;
  // As in nginx.conf: whoever has a policy says in it who may frame the page.
  return name.toLowerCase() === "content-security-policy"
    ? [`set ${usualHeaders["x-frame-options"]} "";`, added]
    : [added];
}
