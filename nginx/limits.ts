/** Limits on a client's request rate and concurrent connections. */
import type { Limit } from "./model.ts";

/** A zone of 1 MiB counts about 8,000 addresses; nginx evicts the oldest first. */
export function renderLimits(name: string, { requestsPerSecond, connections }: Limit = {}): string[] {
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req_zone $client_address zone=requests_${name}:1m rate=${requestsPerSecond}r/s;\n`]),
    ...(connections === undefined ? [] : [`limit_conn_zone $client_address zone=connections_${name}:1m;\n`]),
  ];
}

/** The directives that apply the limits to a location. */
export function limitDirectives(name: string, { requestsPerSecond, burst = 0, connections }: Limit = {}): string[] {
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req zone=requests_${name}${burst === 0 ? "" : ` burst=${burst} nodelay`};`]),
    ...(connections === undefined ? [] : [`limit_conn connections_${name} ${connections};`]),
  ];
}
