/** Why a pod that runs does not become ready, from the failures of its probes. */
import type { Pod } from "../gather/objects.ts";
import { patience, restore, short, type Remedies, type Trouble, type Workload } from "./trouble.ts";

/**
 * @param message of the newest failure of a probe, or empty
 * @param age of the pod in seconds
 */
export function healthTrouble(
  message: string,
  age: number,
  pod: Pod,
  { key, healthPath }: Workload,
  remedies: Remedies,
): Trouble {
  const seen = `running, but not ready${message === "" ? "" : `: ${short(message)}`}`;
  const passing = age < patience;
  const httpGet = pod.spec.containers[0]?.readinessProbe?.httpGet;
  const probe =
    httpGet === undefined ? "The gRPC health probe" : `The probe of ${httpGet.path ?? "/"} on port ${httpGet.port}`;
  const logs = `${remedies.kubectl} logs ${pod.metadata.name}`;
  // The stack's probes have the config's path, and the port by its name; the proxy's are not in the config.
  const isChanged =
    key === "proxy" ||
    (httpGet !== undefined &&
      ((healthPath !== undefined && httpGet.path !== healthPath) || typeof httpGet.port === "number"));
  const fix = (setting: string) => (isChanged ? restore(remedies, "the probe") : remedies.edit(`${key}.${setting}`));
  if (/statuscode: (404|405)/.test(message))
    return {
      seen,
      passing,
      means: `${probe} fails, because the path does not exist: ${isChanged && key !== "proxy" ? `somebody changed it; the config has ${healthPath ?? "another port"}` : "the health path is wrong"}.`,
      fix: fix("healthPath"),
    };
  if (/connection refused/.test(message))
    return {
      seen,
      passing,
      means: `${probe} fails, because nothing listens there: the port is wrong, the program listens on 127.0.0.1 only, or it has not started to listen yet.`,
      fix: `${fix("port")}   # or see its log: ${logs}`,
    };
  if (/statuscode: \d/.test(message))
    return {
      seen,
      passing,
      means: `${probe} gets an error: the service reports that it cannot take requests. Something that it needs may be unavailable.`,
      fix: logs,
    };
  if (/[Tt]imeout|deadline exceeded/.test(message))
    return {
      seen,
      passing,
      means: `${probe} gets no answer in time: the program is stuck, or has too little CPU.`,
      fix: `${logs}   # or: ${remedies.edit(`${key}.resources.cpu`, "Raise")}`,
    };
  if (/malformed HTTP|server gave HTTP response|EOF|connection reset/.test(message))
    return {
      seen,
      passing,
      means: `${probe} gets an answer that is not HTTP: the program speaks another protocol on this port, or TLS.`,
      fix: `${fix("port")}   # or see its log: ${logs}`,
    };
  return {
    seen: passing ? `starting (${pod.status.phase})` : seen,
    passing,
    means: "The pod exists, but is not ready yet.",
    fix: `${remedies.kubectl} describe pod ${pod.metadata.name}`,
  };
}
