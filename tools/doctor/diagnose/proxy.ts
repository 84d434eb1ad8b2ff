/** nginx is reached, and its pods run. */
import { brief, whoAnswered, type Probe } from "../answers.ts";
import type { Objects } from "../gather/objects.ts";
import type { Finding } from "../report.ts";
import type { Subject } from "../subject.ts";
import { endpoints, pods, service } from "./behindProxy.ts";
import { proxyName as name } from "../../../names/kubernetes.ts";

const workload = { name, key: "proxy" };

/** What the cluster says of the proxy; nothing where it is well or cannot be seen. */
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
  if (who.by === "proxy") return { state: "ok", seen: `it answers by itself${count}` };
  if (who.by === "stranger")
    return {
      state: "failed",
      seen: `${brief(nginx)}, which neither nginx nor a load balancer says`,
      means:
        "Something else answers at this address: it is not this stack's, or something on the way (a proxy, a firewall, a CDN) answers in its place.",
      fix: `Compare the address with the stack's, and ask from another network: curl -v ${nginx.url}`,
    };
  if (who.by === "service") return { state: "ok", seen: `it passes requests on${count}` };
  if (who.by === "edge" && who.says === "sign-in") return { state: "unknown", seen: `IAP asks to sign in${count}` };
  return { state: "skipped", seen: `nothing comes through the load balancer${count}` };
}
