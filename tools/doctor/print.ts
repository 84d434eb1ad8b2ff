/** A report as people read it: a table of the hops, and below it what to fix first. */
import { printTable } from "../cli/table.ts";
import { exitCode, firstFailure, type Hop, type Report, type State } from "./report.ts";

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

/** The hops that all requests take, then of each route what came of it: all its hops where one of them is not well. */
export function rows({ hops }: Pick<Report, "hops">): { mark: string; name: string; seen: string }[] {
  const routes = [...new Set(hops.flatMap(({ route }) => route ?? []))];
  const row = ({ state, title, because, seen }: Hop, name = title) => ({
    mark: marks[state],
    name,
    seen: because === undefined ? seen : `${seen} (follows from: ${because})`,
  });
  return [
    ...hops.filter(({ route }) => route === undefined).map((hop) => row(hop)),
    ...routes.flatMap((route) => {
      const own = hops.filter((hop) => hop.route === route);
      const well = !own.some(({ state }) => state === "failed" || state === "warning");
      return (well ? own.slice(-1) : own).map((hop) => row(hop, well ? route : `${route} ${hop.title}`));
    }),
  ];
}

/** Of the hop to fix and of each warning: what was seen, what it means, how to fix it. */
export function explanations(report: Report): string[] {
  const failure = firstFailure(report);
  const others = report.hops.filter(
    ({ state, because }) => because === undefined && (state === "warning" || state === "failed"),
  );
  const named = [...(failure ? [failure] : []), ...others.filter((hop) => hop !== failure)];
  const said = new Set<string>();
  const texts = named.flatMap((hop) => {
    const text = [`seen:  ${hop.seen}`, `means: ${hop.means ?? ""}`, `fix:   ${hop.fix ?? ""}`].join("\n  ");
    if (said.has(text)) return []; // Two routes to one service have one illness.
    said.add(text);
    const where = hop.route === undefined ? hop.title : `${hop.route}, ${hop.title}`;
    const wait =
      hop.passing === true
        ? "\n  This passes by itself within some minutes after a change: --wait 10m follows it."
        : "";
    return [`\n${hop.state === "warning" ? "Warning" : "To fix"}: ${where}\n  ${text}${wait}`];
  });
  const verdict =
    failure !== undefined
      ? `\nStatus ${exitCode(report)}.`
      : exitCode(report) === 0
        ? `\nEvery hop that could be looked at holds. ${report.url}`
        : "\nNothing could be looked at: name the address (--address), or see above why it is not known.";
  return [...texts, verdict];
}
