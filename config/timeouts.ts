/** The proxy must answer before the load balancer in front gives up, or nobody learns which service was slow. */
import type { Settings } from "./schema.ts";

/** Seconds for connecting, asking a second pod and passing the answer on. */
const margin = 5;

/** The longest that a route may wait for its service, seconds. @returns undefined where the edge has no such limit that is known here */
export const longestWait = (edge: Pick<Settings, "edge">["edge"]): number | undefined =>
  "timeoutSeconds" in edge ? edge.timeoutSeconds - margin : undefined;
