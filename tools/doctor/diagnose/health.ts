/** Why a pod that runs does not become ready, from the failures of its probes. */
import type { Pod } from "../gather/objects.ts";
import { patience, restore, short, type Remedies, type Trouble, type Workload } from "./trouble.ts";

/**
 * @param message of the newest failure of a probe, or empty
 * @param age of the pod in seconds
 * @param workload what runs in the container
 * @param container that is asked. @default - the program's
 */
export function healthTrouble(
  message: string,
  age: number,
  pod: Pod,
  workload: Workload,
  remedies: Remedies,
  container = pod.spec.containers[0],
): Trouble {
  const { key, health, part } = workload;
  const seen = `running, but not ready${message === "" ? "" : `: ${short(message)}`}`;
  const passing = age < patience(workload);
  const asked = container?.readinessProbe;
  const httpGet = asked?.httpGet;
  const probe = nameOf(asked);
  const inPart = part === undefined ? "" : ` -c ${container?.name ?? ""}`;
  const logs = `${remedies.kubectl} logs ${pod.metadata.name}${inPart}`;
  // The proxy's probe is not in the config.
  const isChanged = key === "proxy" || (httpGet !== undefined && !isOfConfig(httpGet, workload));
  const fix = (setting: string) => (isChanged ? restore(remedies, "the probe") : remedies.edit(`${key}.${setting}`));
  if (/statuscode: (404|405)/.test(message))
    return {
      seen,
      passing,
      means: `${probe} fails, because the path does not exist: ${isChanged && key !== "proxy" ? `somebody changed it; the config has ${health?.kind === "http" ? health.path : "another check"}` : "the health path is wrong"}.`,
      fix: fix("health"),
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
  if (asked?.exec !== undefined && message !== "")
    return {
      seen,
      passing,
      means: `${probe} ends with an error: what it asks is not ready, or the command itself is wrong.`,
      fix: `${remedies.kubectl} exec ${pod.metadata.name}${inPart} -- ${(asked.exec.command ?? []).join(" ")}   # or see its log: ${logs}`,
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

type Probe = Pod["spec"]["containers"][number]["readinessProbe"];

function nameOf(probe: Probe): string {
  if (probe?.httpGet !== undefined) return `The probe of ${probe.httpGet.path ?? "/"} on port ${probe.httpGet.port}`;
  if (probe?.tcpSocket !== undefined) return `The probe of port ${probe.tcpSocket.port}`;
  return probe?.exec === undefined ? "The gRPC health probe" : `The probe by ${(probe.exec.command ?? []).join(" ")}`;
}

/** Whether somebody changed the probe in the cluster. The service's own port is in it by its name. */
const isOfConfig = (
  { path, port }: { readonly path?: string; readonly port: number | string },
  workload: Workload,
): boolean => {
  const { health } = workload;
  return (
    health?.kind === "http" && path === health.path && port === (health.port === workload.port ? "http" : health.port)
  );
};
