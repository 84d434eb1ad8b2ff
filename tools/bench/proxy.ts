/** Measures the proxy next to the configuration that it replaces and to its peers: throughput, latency, CPU, memory, many routes. */
import { createProgress, type Step } from "../cli/progress.ts";
import { startNameServer } from "../testing/loopback.ts";
import { closedLoop, openLoop, type Run } from "./proxy/load.ts";
import { getPrograms, versions } from "./proxy/programs.ts";
import { plot } from "./proxy/plot.ts";
import { tables } from "./proxy/report.ts";
import { loadOf, summarize, targets, type Case, type ProxyResults } from "./proxy/results.ts";
import { measureScale, scaledServices } from "./proxy/scale.ts";
import type { Server } from "./proxy/servers.ts";
import {
  proxyNames,
  serviceAddress,
  startPeer,
  startThisOne,
  startUpstream,
  type Subject,
  type SubjectName,
  type Surroundings,
} from "./proxy/subjects.ts";
import { reported } from "./report.ts";
import { workFolder } from "./workFolder.ts";

export interface ProxyOptions {
  readonly rounds: number;
  /** Duration of each load. */
  readonly seconds: number;
  /** Whether to write the results to the guide. */
  readonly write: boolean;
}

const answers = [
  { answer: "small", path: "/" },
  { answer: "64 KiB", path: "/64k" },
] as const;

export async function proxy(options: ProxyOptions): Promise<{ result: ProxyResults; text: string }> {
  const progress = createProgress();
  const programs = await getPrograms(progress);
  // In memory: the access logs grow to hundreds of MB.
  const folder = workFolder("/dev/shm");
  const nameServer = await startNameServer();
  for (const service of ["web", ...scaledServices]) nameServer.names.set(serviceAddress(service), "127.0.0.1");
  const upstream = await startUpstream({ programs, folder });
  try {
    const resolverPort = Number(nameServer.resolver.split(":")[1]);
    const around: Surroundings = { programs, folder, upstreamPort: upstream.port, resolverPort };
    const cases = await progress.step("Measuring the proxies in turn", (step) =>
      measureCases(around, upstream, options, step),
    );
    const scale = await progress.step("Measuring 1 to 1,000 routes", (step) => measureScale(around, options, step));
    const { rounds, seconds } = options;
    const figures = { programs: await versions(programs), rounds, seconds, cases, scale };
    return await reported<ProxyResults>("proxy", figures, { targets, tables, plot }, options.write);
  } finally {
    await upstream.stop();
    await nameServer[Symbol.asyncDispose]();
  }
}

/** All servers run all the time, and one at a time is under load. */
async function measureCases(
  around: Surroundings,
  upstream: Server,
  { rounds, seconds }: ProxyOptions,
  step: Step,
): Promise<Case[]> {
  const servers = new Map<SubjectName, Pick<Subject, "server" | "emptyLog">>();
  servers.set("direct", { server: upstream, emptyLog: () => Promise.resolve() });
  /** @param order index of the first server, so that none always comes first */
  const inTurn = async (order: number, what: string, measure: (server: Server) => Promise<Run>) => {
    const names = [...servers.keys()];
    const found: Partial<Record<SubjectName, Run>> = {};
    for (const index of names.keys()) {
      const name = names[(index + order) % names.length] ?? "direct";
      step.detail(`round ${order + 1} of ${rounds}: ${what}, ${name}`);
      const { server, emptyLog } = servers.get(name) ?? { server: upstream };
      found[name] = await measure(server);
      await emptyLog?.();
    }
    return found as Record<SubjectName, Run>;
  };
  const measureCase = async (about: Omit<Case, keyof Measured>, measure: (server: Server) => Promise<Run>) => {
    const all: Record<SubjectName, Run>[] = [];
    const what = `${about.loop} loop, ${loadOf(about)}`;
    for (let round = 0; round < rounds; round += 1) all.push(await inTurn(round, what, measure));
    const names = [...servers.keys()];
    const runs = Object.fromEntries(names.map((name) => [name, all.map((found) => found[name])]));
    return summarize(about, runs as Record<SubjectName, Run[]>);
  };
  try {
    for (const name of proxyNames)
      servers.set(name, name === "this one" ? await startThisOne(around) : await startPeer(name, around));
    const cases: Case[] = [];
    for (const { answer, path } of answers)
      for (const connections of [32, 512])
        cases.push(
          await measureCase({ loop: "closed", answer, connections }, (server) =>
            closedLoop(around.programs, { server, path, connections, seconds }),
          ),
        );
    for (const { answer, path } of answers) {
      const rate = openRate(cases.filter((each) => each.answer === answer && each.connections === 32));
      cases.push(
        await measureCase({ loop: "open", answer, rate }, (server) =>
          openLoop(around.programs, { server, path, seconds }, rate),
        ),
      );
    }
    return cases;
  } finally {
    for (const [name, { server }] of servers) if (name !== "direct") await server.stop();
  }
}

type Measured = Pick<Case, "subjects" | "speed" | "p99" | "addedP50Micros">;

/** Rate of the open loop: half the throughput of the slowest proxy with keepalive, so that none is at its limit. */
function openRate(closed: readonly Case[]): number {
  const throughputs = (["this one", "HAProxy", "Envoy", "Caddy"] as const).flatMap((name) =>
    closed.map(({ subjects }) => subjects[name].requestsPerSecond),
  );
  return Math.round(Math.min(...throughputs) / 2);
}
