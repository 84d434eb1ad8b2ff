/** Results of the proxy benchmark as tables, for the terminal and the guide. */
import { describe } from "../machine.ts";
import { spread, table, targetTable, whole } from "../report.ts";
import { loadOf, type Case, type ProxyResults, type Scale } from "./results.ts";
import type { SubjectName } from "./subjects.ts";

/** Markdown. */
export function tables(results: ProxyResults): string {
  const { cases, scale, machine, rounds, seconds, programs, date } = results;
  const version = (name: string) => programs[name] ?? "?";
  return `${date}, ${describe(machine)}; nginx ${version("nginx")}, HAProxy ${version("haproxy")}, Envoy ${version("envoy")}, Caddy ${version("caddy")}.
Medians of ${rounds} rounds of ${seconds} s each, with the minimum and maximum in brackets.

${cases.map(caseTable).join("\n")}
### Many routes

${scale.map(scaleTable).join("\n")}
### Targets of the proxy

${targetTable(results.targets)}`;
}

function caseTable(each: Case): string {
  const { loop, subjects, speed, addedP50Micros } = each;
  const names = Object.keys(subjects) as SubjectName[];
  const open = loop === "open";
  const rows = names.map((name) => {
    const { requestsPerSecond, p50Micros, p99Micros, cpuMicros, memoryMiB } = subjects[name];
    return [
      name,
      whole(requestsPerSecond),
      ...(open ? [] : [name === "this one" ? "" : spread(speed[name])]),
      duration(p50Micros),
      ...(open ? [name === "direct" ? "" : duration(addedP50Micros[name])] : []),
      duration(p99Micros),
      `${cpuMicros.toFixed(1)} µs`,
      `${whole(memoryMiB)} MiB`,
    ];
  });
  const headings = [
    "",
    "requests/s",
    ...(open ? [] : ["this one / peer"]),
    "p50",
    ...(open ? ["added"] : []),
    "p99",
    "CPU/request",
    "memory",
  ];
  return `### ${loop === "closed" ? "Closed" : "Open"} loop: ${loadOf(each)}

${table(headings, rows)}`;
}

function scaleTable({ kind, memory, memoryFit, speed, checkSeconds, firstAnswerSeconds }: Scale): string {
  return table(
    [kind, ""],
    [
      ["memory", memory.map(({ count, mib }) => `${whole(count)}: ${mib.toFixed(1)} MiB`).join(", ")],
      ["memory of each", `${memoryFit.kibEach.toFixed(1)} KiB (last to first: ${memoryFit.bend.toFixed(2)} x)`],
      ["speed with 1,000 over 1", spread(speed)],
      ["`nginx -t` with 1,000", `${checkSeconds.toFixed(2)} s`],
      ["start to first answer with 1,000", `${firstAnswerSeconds.toFixed(2)} s`],
    ],
  );
}

const duration = (micros: number): string =>
  Math.abs(micros) < 1000 ? `${Math.round(micros)} µs` : `${(micros / 1000).toFixed(micros < 10_000 ? 1 : 0)} ms`;
