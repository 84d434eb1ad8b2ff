/** Measures the cost of many routes: memory, throughput, and the time until nginx answers. */
import { run } from "../../cli/run.ts";
import type { Step } from "../../cli/progress.ts";
import type { ProxyRoutes } from "../../../nginx/model.ts";
import { pairedRatio } from "../figures.ts";
import { closedLoop } from "./load.ts";
import { fit, type Scale } from "./results.ts";
import { memoryMiB, type Server } from "./servers.ts";
import { nginx, serviceAddress, startThisOne, type Subject, type Surroundings } from "./subjects.ts";

/** Names of services with a route each. All resolve to the only service. */
export const scaledServices = Array.from({ length: 1000 }, (_, index) => `s${index + 1}`);

const kinds: readonly Scale["kind"][] = ["routes to one service", "services with a route each"];

function routesOf(kind: Scale["kind"], count: number, port: number): Pick<ProxyRoutes, "upstreams" | "routes"> {
  const names = scaledServices.slice(0, count);
  const one = kind === "routes to one service";
  return {
    upstreams: (one ? ["web"] : names).map((service) => ({ service, address: serviceAddress(service), port })),
    routes: names.map((name) => ({ service: one ? "web" : name, path: `/${name}/`, keepPrefix: false })),
  };
}

/** @param connections number of connections of the load */
export async function measureScale(
  around: Surroundings,
  { rounds, seconds, connections = 32 }: { rounds: number; seconds: number; connections?: number },
  step: Step,
): Promise<Scale[]> {
  const measured: Scale[] = [];
  for (const kind of kinds) {
    const memory: { count: number; mib: number }[] = [];
    const running: { subject: Subject; path: string; firstAnswerSeconds: number }[] = [];
    const start = async (count: number) => {
      const [name, path] = [`${kind} ${count}`, `/s${count}/`];
      const routes = routesOf(kind, count, around.upstreamPort);
      const began = performance.now();
      const subject = await startThisOne(around, { name, path, routes });
      return { subject, path, firstAnswerSeconds: (performance.now() - began) / 1000 };
    };
    const requestsPerSecond = async (server: Server, path: string) =>
      (await closedLoop(around.programs, { server, path, connections, seconds })).requestsPerSecond;
    try {
      for (const count of [1, 250, 500, 750, 1000]) {
        step.detail(`${count} ${kind}`);
        const started = await start(count);
        // Put each under load, so that the memory it leaves behind is included in all.
        await requestsPerSecond(started.subject.server, started.path);
        memory.push({ count, mib: memoryMiB(started.subject.server) });
        if (count === 1 || count === 1000) running.push(started);
        else await started.subject.server.stop();
      }
      const [one, thousand] = running;
      if (one === undefined || thousand === undefined) throw new Error("1 or 1,000 was not measured");
      const speed: Record<"one" | "thousand", number[]> = { one: [], thousand: [] };
      for (let round = 0; round < rounds; round += 1) {
        step.detail(`1,000 ${kind}, round ${round + 1} of ${rounds}`);
        speed.one.push(await requestsPerSecond(one.subject.server, one.path));
        speed.thousand.push(await requestsPerSecond(thousand.subject.server, thousand.path));
        await Promise.all(running.map(({ subject }) => subject.emptyLog()));
      }
      const [program, ...args] = nginx(around.programs, thousand.subject.config);
      const began = performance.now();
      await run(program, [...args, "-t", "-q"], { timeout: 60_000 });
      measured.push({
        kind,
        memory,
        memoryFit: fit(memory),
        speed: pairedRatio(speed.thousand, speed.one),
        checkSeconds: (performance.now() - began) / 1000,
        firstAnswerSeconds: thousand.firstAnswerSeconds,
      });
    } finally {
      for (const { subject } of running) await subject.server.stop();
    }
  }
  return measured;
}
