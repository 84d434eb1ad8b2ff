/**
 * What clients can take of a pod of the proxy. nginx itself bounds neither the memory nor the disk of all requests
 * together: a few hundred slow clients would have the pod killed. So each pod serves as many requests at a time as its
 * memory holds at their largest, and keeps as many bodies as its disk holds. More get 429.
 */
import { defaultResponseHeaderKb, type ProxyRoutes, type RequestSettings } from "./model.ts";
import { isGrpc, upstreamsOf } from "./upstreams.ts";

/** Defaults of `nginx.conf`. */
const defaults = { maxBodyMb: 10, maxResponseHeaderKb: defaultResponseHeaderKb, memoryMb: 128 };

/** KiB of a request, by nginx.conf: its pools, the lines of its header, and the beginning of its body. */
const requestKb = { pools: 8, header: 1 + 2 * 16, body: 16 };
/** Buffers of an answer, each as large as its header may be: one for the header, and three for the body. */
const answerBuffers = 4;
/** KiB of a gRPC stream beside the header: what a client sends ahead (`http2_body_preread_size`), and an answer's buffer. */
const streamKb = 64 + 16;

/** At most as many as two workers with 4,096 connections each carry: two of a request, some idle ones beside them. */
const mostRequests = 3000;
/** Below it, a page with its pictures would be refused. */
const fewestRequests = 64;
/** What a busy pod should have for requests, some 250 of them. MiB. */
export const enoughForRequestsMb = 30;
/** Share of one client: others always have as much. It may be many people, behind one address. */
const half = (count: number) => Math.ceil(count / 2);

/** MiB for bodies on the pod's disk, in equal parts for each size that routes have; a part holds at least two. */
const bodiesMb = 1024;

/** Counts of a pod. */
export interface Bounds {
  readonly requests: number;
  readonly requestsPerClient: number;
  /** Bodies on disk at the same time, by `maxBodyMb`. */
  readonly bodies: ReadonlyMap<number, number>;
  /** Disk that they take at most. MiB. */
  readonly diskMb: number;
}

type Bounded = Pick<ProxyRoutes, "upstreams" | "routes" | "wildcards" | "memoryMb" | "requestsPerClient">;

/** MiB for two workers under load. Measured with 1,000 of each: 54 KiB per service, 43 KiB per route. */
export const ownMemoryMb = ({ upstreams, routes }: Pick<ProxyRoutes, "upstreams" | "routes">): number =>
  24 + upstreamsOf(upstreams, routes).length / 16 + routes.length / 24;

/** The size of the bodies that a location keeps on disk; undefined if it passes them on as they come, or has no limit. */
export const keptBodyMb = ({
  maxBodyMb = defaults.maxBodyMb,
  buffering = true,
}: RequestSettings): number | undefined => (buffering && maxBodyMb > 0 ? maxBodyMb : undefined);

export function boundsOf(proxy: Bounded): Bounds {
  const http = proxy.routes.filter((route) => !isGrpc(route));
  const settings = [{}, ...[...http, ...(proxy.wildcards ?? [])].map((each) => each.settings ?? {})];
  const headerKb = Math.max(
    ...settings.map(({ maxResponseHeaderKb = defaults.maxResponseHeaderKb }) => maxResponseHeaderKb),
  );
  const eachKb = requestKb.pools + requestKb.header + Math.max(requestKb.body + answerBuffers * headerKb, streamKb);
  const freeKb = ((proxy.memoryMb ?? defaults.memoryMb) - ownMemoryMb(proxy)) * 1024;
  const requests = Math.min(mostRequests, Math.max(fewestRequests, Math.floor(freeKb / eachKb)));
  const sizes = [...new Set(settings.flatMap((each) => keptBodyMb(each) ?? []))].sort((a, b) => a - b);
  const part = bodiesMb / sizes.length;
  const bodies = new Map(sizes.map((size) => [size, Math.max(2, Math.floor(part / size))]));
  const diskMb = Math.max(
    bodiesMb,
    [...bodies].reduce((sum, [size, count]) => sum + size * count, 0),
  );
  return {
    requests,
    requestsPerClient: Math.min(proxy.requestsPerClient ?? half(requests), requests),
    bodies,
    diskMb,
  };
}

/** The zones that count, for the whole proxy. `nginx.conf` has their keys. */
export const renderZones = ({ bodies }: Bounds): string =>
  [
    "# Bounds of this pod, computed in nginx/bounds.ts.",
    "limit_conn_zone $everybody zone=requests:64k;",
    "limit_conn_zone $client_network zone=requests_of_client:1m;",
    ...[...bodies.keys()].map((size) => `limit_conn_zone $kept_body zone=bodies_of_${size}m:64k;`),
    "limit_conn_zone $kept_body_of_client zone=bodies_of_client:1m;",
    "",
  ].join("\n");

/**
 * The directives of a server, or of a location with a bound of its own: nginx lets a location either inherit all of
 * them or none.
 * @param keptMb size of the bodies that are kept on disk. @default - none are
 */
export function boundDirectives(bounds: Bounds, keptMb?: number): string[] {
  const bodies = keptMb === undefined ? undefined : bounds.bodies.get(keptMb);
  return [
    `limit_conn requests ${bounds.requests};`,
    `limit_conn requests_of_client ${bounds.requestsPerClient};`,
    ...(bodies === undefined
      ? []
      : [
          `limit_conn bodies_of_${keptMb ?? 0}m ${bodies};`,
          `limit_conn bodies_of_client ${Math.max(2, half(bodies))};`,
        ]),
  ];
}
