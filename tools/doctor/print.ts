/** Prints a report: a table of the hops, and below it what to fix first. */
import { printTable } from "../cli/table.ts";
import { exitCode, firstFailure, type Hop, type HopKind, type Report, type State } from "./report.ts";

const marks: Readonly<Record<State, string>> = {
  ok: "ok",
  failed: "FAIL",
  warning: "warn",
  unknown: "?",
  skipped: "-",
};

export function print(report: Report): void {
  printTable(rows(report));
  for (const text of explanations(report)) console.log(text);
}

/** What is shown of a service without routes and without problems. */
const shown: readonly HopKind[] = ["release", "pods", "schedule"];

/**
 * Rows of the table: the common hops, then the routes, then services without routes, and the jobs of releases. A route or service without problems
 * is one row, otherwise one row per hop.
 */
export function rows({ hops }: Pick<Report, "hops">): { mark: string; name: string; seen: string }[] {
  const routes = [...new Set(hops.flatMap(({ route }) => route ?? []))];
  const row = ({ state, title, because, seen }: Hop, name = title) => ({
    mark: marks[state],
    name,
    seen: because === undefined ? seen : `${seen} (follows from: ${because})`,
  });
  const isWell = (of: readonly Hop[]) => !of.some(({ state }) => state === "failed" || state === "warning");
  const unrouted = hops.filter(({ route }) => route === undefined);
  const services = [...new Set(unrouted.flatMap(({ service }) => service ?? []))];
  return [
    ...unrouted.filter(({ service }) => service === undefined).map((hop) => row(hop)),
    ...routes.flatMap((route) => {
      const own = hops.filter((hop) => hop.route === route);
      const well = isWell(own);
      const answer = own.filter(({ kind }) => kind === "content").slice(0, 1);
      return (well ? answer : own).map((hop) => row(hop, well ? route : `${route} ${hop.title}`));
    }),
    ...services.flatMap((service) => {
      const own = unrouted.filter((hop) => hop.service === service);
      return (isWell(own) ? own.filter(({ kind }) => shown.includes(kind)) : own).map((hop) => row(hop));
    }),
  ];
}

/** The text below the table. For the hop to fix and each warning: what was seen, what it means, how to fix it. */
export function explanations(report: Report): string[] {
  const failure = firstFailure(report);
  const others = report.hops.filter(
    ({ state, because }) => because === undefined && (state === "warning" || state === "failed"),
  );
  const explained = [...(failure ? [failure] : []), ...others.filter((hop) => hop !== failure)];
  const printed = new Set<string>();
  const texts = explained.flatMap((hop) => {
    const text = [`seen:  ${hop.seen}`, `means: ${hop.means ?? ""}`, `fix:   ${hop.fix ?? ""}`].join("\n  ");
    if (printed.has(text)) return []; // Two routes to the same service have the same problem.
    printed.add(text);
    const where = hop.route === undefined ? hop.title : `${hop.route}, ${hop.title}`;
    const wait =
      hop.passing === true ? "\n  This is temporary for some minutes after a change. To wait for it: --wait 10m" : "";
    return [`\n${hop.state === "warning" ? "Warning" : "To fix"}: ${where}\n  ${text}${wait}`];
  });
  const verdict =
    failure !== undefined
      ? `\nStatus ${exitCode(report)}.`
      : exitCode(report) === 0
        ? `\nNo hop that could be checked fails. ${report.url}`
        : "\nNothing could be checked: name the address (--address), or see above why it is unknown.";
  return [...texts, verdict];
}
