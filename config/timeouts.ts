/** The proxy must answer before the load balancer times out. Otherwise nobody learns which service was slow. */
import type { Settings } from "./schema.ts";

/** Seconds to connect, to try a second pod, and to forward the answer. */
const margin = 5;

/** The timeout that the load balancer needs for a route's timeout, in seconds. */
export const edgeTimeoutFor = (waitSeconds: number): number => waitSeconds + margin;

/** The longest possible timeout of a route, in seconds. @returns undefined if the edge has no known limit */
export const longestWait = (edge: Pick<Settings, "edge">["edge"]): number | undefined =>
  "timeoutSeconds" in edge ? edge.timeoutSeconds - margin : undefined;
