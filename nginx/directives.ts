/** What stands inside of a location. */
import type { RequestSettings } from "./routes.ts";
import { indent, sorted } from "./text.ts";

export const location = (match: string, body: readonly string[]): string =>
  `location ${match} {\n${indent(body.join("\n"))}\n}`;

/**
 * The prefix is cut from what the client sent, byte by byte: `rewrite` and `proxy_pass http://service/` would decode `%2F`.
 * A path that is below the prefix only once it is decoded (`/hoge%2Fx`) did not name this route.
 */
export const below = (bare: string, rest = "/.*"): string =>
  `if ($request_uri !~ "^${bare}(?<below_prefix>${rest})$") {\n    return 404 $answer_no_route;\n}`;

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
    ...sorted(Object.entries(responseHeaders ?? {}), ([name]) => name).map(
      ([name, value]) => `add_header ${name} "${value}" always;`,
    ),
  ];
}
