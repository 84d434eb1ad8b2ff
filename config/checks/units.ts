/** Warns of numbers that are allowed, and more likely meant in another unit. */
import { keyOf } from "../problems.ts";
import { bytesOf, milliCpuOf } from "../../names/quantities.ts";
import type { Settings } from "../schema.ts";
import { largeMeant } from "../unitMistakes.ts";
import { nodesOf, workloads } from "./capacity.ts";

/** Seconds that are more likely milliseconds: 30000, and not 36000, which is ten hours. */
const likeMilliseconds = (seconds: number) => seconds >= 5000 && seconds % 1000 === 0 && seconds % 3600 !== 0;

/** Amounts of one pod that few nodes have. */
const much = { milliCpu: 16_000, bytes: 64 * 2 ** 30 };

export const unitWarnings = (settings: Settings): string[] => [
  ...timeoutWarnings(settings),
  ...resourceWarnings(settings),
];

function timeoutWarnings({ edge, services, proxy }: Settings): string[] {
  const places: (readonly [path: readonly PropertyKey[], seconds: number | undefined])[] = [
    [["edge"], edge.onGoogle ? edge.timeoutSeconds : undefined],
    ...Object.entries(services).flatMap(([name, { routes, routeDefaults }]) => [
      [["services", name, "routeDefaults"], routeDefaults.timeoutSeconds] as const,
      ...routes.map((route, index) => [["services", name, "routes", index], route.timeoutSeconds] as const),
    ]),
    ...(["subdomain", "path"] as const).map(
      (kind) => [["proxy", "wildcards", kind], proxy.wildcards[kind]?.timeoutSeconds] as const,
    ),
  ];
  return places.flatMap(([path, seconds = 0]) =>
    !likeMilliseconds(seconds)
      ? []
      : `${keyOf([...path, "timeoutSeconds"])}: ${seconds} seconds are ${(seconds / 3600).toFixed(1)} hours; if milliseconds are meant, set ${seconds / 1000}`,
  );
}

/** Where the nodes are known, the check of capacity refuses what is too large. */
function resourceWarnings(settings: Settings): string[] {
  const { cluster } = settings;
  if (cluster.mode === "autopilot" || (nodesOf(settings) ?? []).length > 0) return [];
  const parts = workloads(settings).flatMap((workload) => workload.parts);
  return parts.flatMap(({ path, resources: { cpu, memory } }) => {
    const amounts = [
      ...(milliCpuOf(cpu) >= much.milliCpu ? [["cpu", cpu, `${cpu} CPUs`, `${milliCpuOf(cpu)}m`] as const] : []),
      ...(bytesOf(memory) >= much.bytes
        ? [["memory", memory, memory, `${Math.ceil(bytesOf(memory) / 2 ** 20)}Mi`] as const]
        : []),
    ];
    return amounts.flatMap(([key, value, amount, same]) => {
      const guess = largeMeant(key, value);
      return guess === undefined
        ? []
        : `${keyOf([...path, key])}: ${amount} for each pod, which few nodes have; did you mean "${guess}"? To keep it, write ${same}`;
    });
  });
}
