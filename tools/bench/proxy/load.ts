/** Puts a server under load with wrk: a closed loop measures throughput, an open loop measures latency. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../cli/run.ts";
import type { Programs } from "./programs.ts";
import { cpuSeconds, memoryMiB, pinned, type Server } from "./servers.ts";

/** Result of one run. */
export interface Run {
  readonly requestsPerSecond: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** CPU time of the server per request. */
  readonly cpuMicros: number;
  /** Memory of the server under load. */
  readonly memoryMiB: number;
}

export interface Loaded {
  readonly server: Server;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
}

/** The headers that Google's load balancer sends (https://cloud.google.com/load-balancing/docs/https#target-proxies). */
const headers = {
  Host: "shop.example.com",
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  Accept: "text/html,application/xhtml+xml",
  "X-Forwarded-For": "203.0.113.7,198.51.100.1",
  "X-Forwarded-Proto": "https",
  "X-Cloud-Trace-Context": "105445aa7843bc8bf206b12000100000/1",
  Via: "1.1 google",
};

/** Each connection sends the next request as soon as it has its response. */
export const closedLoop = (programs: Programs, load: Loaded): Promise<Run> => wrk(programs, load);

/** Mean pause of a connection in the open loop. Responses take a hundredth of it. Milliseconds. */
const pause = 100;

/**
 * A fixed rate of requests, as from independent users: each of many connections waits for a random time before it sends.
 * A slow response delays only its own connection, and only by a small part of its pause. So the other requests are still
 * sent and measured; `requestsPerSecond` equals the rate if this holds.
 */
export const openLoop = (programs: Programs, load: Omit<Loaded, "connections">, rate: number): Promise<Run> =>
  wrk(programs, { ...load, connections: Math.ceil((rate * pause) / 1000) }, [`${pause}`]);

async function wrk(programs: Programs, load: Loaded, pauses: readonly string[] = []): Promise<Run> {
  const { server, path, connections, seconds } = load;
  const [program, ...args] = pinned("rest", [
    ...programs.wrk,
    ...["--threads", "1", "--connections", `${connections}`, "--duration", `${seconds}s`],
    ...["--timeout", "10s", "--latency"],
    ...(pauses.length === 0 ? [] : ["--script", join(import.meta.dirname, "pauses.lua")]),
    ...Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]),
    `http://127.0.0.1:${server.port}${path}`,
    ...(pauses.length === 0 ? [] : ["--", ...pauses]),
  ]);
  const before = cpuSeconds(server);
  const running = run(program, args, { timeout: (seconds + 20) * 1000 });
  const memory = sleep(seconds * 800).then(() => memoryMiB(server));
  const [output, memoryUnderLoad] = await Promise.all([running, memory]);
  const { requests, ...answered } = parseWrk(output);
  return {
    ...answered,
    cpuMicros: ((cpuSeconds(server) - before) / requests) * 1e6,
    memoryMiB: memoryUnderLoad,
  };
}

type Answered = Omit<Run, "cpuMicros" | "memoryMiB"> & { readonly requests: number };

/** @throws Error if a request failed, or the text is not wrk's output */
export function parseWrk(output: string): Answered {
  const failed = /Socket errors: .*[1-9].*|Non-2xx or 3xx responses: \d+/.exec(output);
  if (failed !== null) throw new Error(`Not every request was answered: ${failed[0]}`);
  const percentile = (which: number) => {
    const [, value, unit = ""] = new RegExp(`^\\s+${which}%\\s+([\\d.]+)(us|ms|s)$`, "m").exec(output) ?? [];
    return Number(value) * ({ us: 1, ms: 1e3, s: 1e6 }[unit] ?? NaN);
  };
  return checked({
    requests: Number(/^\s+(\d+) requests in/m.exec(output)?.[1]),
    requestsPerSecond: Number(/^Requests\/sec:\s+([\d.]+)$/m.exec(output)?.[1]),
    p50Micros: percentile(50),
    p99Micros: percentile(99),
  });
}

function checked<T extends Record<string, number>>(figures: T): T {
  for (const [name, value] of Object.entries(figures))
    if (!Number.isFinite(value)) throw new Error(`The load generator's output has no ${name}.`);
  return figures;
}
