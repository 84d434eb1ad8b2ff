/** How many requests and connections a client may have at a time. */
import type { Limit } from "./model.ts";

/** 1 MiB counts some 8,000 addresses at a time; the oldest are forgotten first. */
export function renderLimits(name: string, { requestsPerSecond, connections }: Limit = {}): string[] {
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req_zone $client_address zone=requests_${name}:1m rate=${requestsPerSecond}r/s;\n`]),
    ...(connections === undefined ? [] : [`limit_conn_zone $client_address zone=connections_${name}:1m;\n`]),
  ];
}

/** The directives that hold a location to its limits. */
export function limitDirectives(name: string, { requestsPerSecond, burst = 0, connections }: Limit = {}): string[] {
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req zone=requests_${name}${burst === 0 ? "" : ` burst=${burst} nodelay`};`]),
    ...(connections === undefined ? [] : [`limit_conn connections_${name} ${connections};`]),
  ];
}
