/** Checks that requests reach nginx, and that its pods are ready. */
import { brief, whoAnswered, type Probe } from "../answers.ts";
import type { Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import type { Subject } from "../subject.ts";
import { endpoints, pods, service } from "./behindProxy.ts";
import { proxyName as name } from "../../../names/kubernetes.ts";

const workload = { name, key: "proxy" };

/** The proxy's failure according to the cluster; undefined if there is none, or the cluster is not accessible. */
export function proxyDown(objects: Objects | string, subject: Subject, now: Date): Finding | undefined {
  if (typeof objects === "string") return undefined;
  return [
    service(objects, name, subject),
    endpoints(objects, workload, subject),
    pods(objects, workload, subject, now),
  ].find(({ state }) => state === "failed");
}

export function proxy(objects: Objects | string, nginx: Probe, subject: Subject, now: Date): Finding {
  const down = proxyDown(objects, subject, now);
  if (down !== undefined) return down;
  const running = pods(objects, workload, subject, now);
  if (running.state === "warning") return running;
  const count = running.state === "ok" ? `; ${running.seen}` : "";
  const who = whoAnswered(nginx);
  if (who.by === "proxy") return { state: "ok", seen: `it answers${count}` };
  if (who.by === "stranger")
    return {
      state: "failed",
      seen: `${brief(nginx)}, which is not a response of nginx or of a known load balancer`,
      means:
        "Something else answers at this address. It is not the stack's address, or a proxy, a firewall or a CDN on the way answers instead.",
      fix: `Compare the address with the stack's, and try from another network: curl -v ${nginx.url}`,
    };
  if (who.by === "service") return { state: "ok", seen: `it forwards requests${count}` };
  if (who.by === "edge" && who.says === "sign-in") return { state: "unknown", seen: `IAP requires signing in${count}` };
  return { state: "skipped", seen: `no request passes the load balancer${count}` };
}
