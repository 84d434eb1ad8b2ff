/** The proxy must answer before the load balancer in front gives up, or nobody learns which service was slow. */
import type { Settings } from "./schema.ts";

/** Seconds for connecting, asking a second pod and passing the answer on. */
const margin = 5;

/** What the load balancer has to be given for a route that waits so long, seconds. */
export const edgeTimeoutFor = (waitSeconds: number): number => waitSeconds + margin;

/** The longest that a route may wait for its service, seconds. @returns undefined where the edge has no such limit that is known here */
export const longestWait = (edge: Pick<Settings, "edge">["edge"]): number | undefined =>
  "timeoutSeconds" in edge ? edge.timeoutSeconds - margin : undefined;
