/** Limits on a client's request rate and concurrent connections. */
import { boundDirectives, keptBodyMb, type Bounds } from "./bounds.ts";
import type { Limit, RequestSettings } from "./model.ts";

/** A zone of 1 MiB counts about 8,000 addresses; nginx evicts the oldest first. */
export function renderLimits(name: string, { requestsPerSecond, connections }: Limit = {}): string[] {
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req_zone $client_network zone=requests_${name}:1m rate=${requestsPerSecond}r/s;\n`]),
    ...(connections === undefined ? [] : [`limit_conn_zone $client_network zone=connections_${name}:1m;\n`]),
  ];
}

/**
 * The directives that apply the limits to a location. It inherits its server's bounds unless one is its own.
 * @param server size of the bodies that its server keeps on disk; undefined if none
 */
export function limitDirectives(
  name: string,
  settings: RequestSettings,
  bounds: Bounds,
  server: number | undefined = keptBodyMb({}),
): string[] {
  const { requestsPerSecond, burst = 0, connections } = settings.limit ?? {};
  const kept = server === undefined ? undefined : keptBodyMb(settings);
  return [
    ...(requestsPerSecond === undefined
      ? []
      : [`limit_req zone=requests_${name}${burst === 0 ? "" : ` burst=${burst} nodelay`};`]),
    ...(connections === undefined && kept === server ? [] : boundDirectives(bounds, kept)),
    ...(connections === undefined ? [] : [`limit_conn connections_${name} ${connections};`]),
  ];
}
