/** The report as one page that needs nothing else: what to fix, the picture of the stack with what was found, and every hop. */
import { createHash } from "node:crypto";
import { drawn, drawnNarrow } from "../diagram/diagram.ts";
import type { Diagram } from "../diagram/shapes.ts";
import { element as h, lines, type Markup } from "../diagram/xml.ts";
import { pictureStyle, style } from "./htmlStyle.ts";
import { firstFailure, type Hop, type HopKind, type Report, type State } from "./report.ts";

/** A sign and a word beside the colour, for who does not see it. */
const marks: Readonly<Record<State, string>> = {
  ok: "✓ ok",
  failed: "✗ fails",
  warning: "! warning",
  unknown: "? not known",
  skipped: "– not checked",
};

const worstFirst: readonly State[] = ["failed", "warning", "ok", "unknown", "skipped"];

const worst = (hops: readonly Hop[]): State | undefined =>
  worstFirst.find((state) => hops.some((hop) => hop.state === state));

/** Which part of the picture stands for a hop. What leads to a service is a line; what is behind it is the service. */
const nodes: Readonly<
  Record<Exclude<HopKind, "route" | "service" | "endpoints" | "pods" | "content" | "release" | "schedule">, string>
> = {
  dns: "dns",
  address: "edge",
  certificate: "edge",
  edge: "edge",
  ingress: "edge",
  proxy: "proxy",
};

/** The picture with what was found: each node and route says it in words, and has it as a class. */
export function withFindings(diagram: Diagram, { hops }: Pick<Report, "hops">): Diagram {
  const ofNode = (id: string) =>
    hops.filter(({ kind, service }) =>
      service === undefined
        ? kind in nodes && nodes[kind as keyof typeof nodes] === id
        : kind !== "route" && id === `service-${service}`,
    );
  // A way to a service is as good as what it ends in: the route, the service, its pods and what they answer.
  const ofService = (to: string) =>
    hops.filter(({ kind, service }) => kind !== "release" && to === `service-${service ?? ""}`);
  const marked = <T extends { readonly lines: readonly string[] }>(part: T, found: readonly Hop[], first: boolean) => {
    const state = worst(found);
    if (state === undefined) return part;
    const mark = first ? `${marks[state]}${share(found, state)}` : marks[state];
    return { ...part, state, lines: first ? [mark, ...part.lines] : [...part.lines, mark] };
  };
  return {
    ...diagram,
    nodes: diagram.nodes.map((node) => marked(node, ofNode(node.id), false)),
    arrows: diagram.arrows.map((arrow) => (arrow.from === "proxy" ? marked(arrow, ofService(arrow.to), true) : arrow)),
  };
}

/** Of several routes to one service, how many are in a bad state, where the others are not. */
function share(hops: readonly Hop[], state: State): string {
  const routes = (of: readonly Hop[]) => new Set(of.map(({ route }) => route)).size;
  const [bad, all] = [routes(hops.filter((hop) => hop.state === state)), routes(hops)];
  return bad === all || (state !== "failed" && state !== "warning") ? "" : `: ${bad} of ${all} routes`;
}

/** @param diagram the stack's picture, without findings */
export function page(report: Report, diagram: Diagram): string {
  const found = withFindings(diagram, report);
  const svg = drawn(found);
  const own = `${style}${pictureStyle(Number(/ width="(\d+)/.exec(svg)?.[1] ?? 0))}`;
  const title = `Stack ${report.stack}: ${summary(report)}`;
  // Nothing is loaded and no script runs, whatever a config or an answer has put into this page.
  const styles = [own, /<style>([^]*?)<\/style>/.exec(svg)?.[1] ?? ""].map(
    (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
  );
  const policy = `default-src 'none'; style-src ${styles.join(" ")}; base-uri 'none'; form-action 'none'`;
  const head = h(
    "head",
    {},
    lines(
      h("meta", { charset: "utf-8" }),
      h("meta", { "http-equiv": "Content-Security-Policy", content: policy }),
      h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      h("meta", { name: "color-scheme", content: "light dark" }),
      h("title", {}, title),
      h("style", {}, { markup: own }),
    ),
  );
  const body = h(
    "body",
    {},
    lines(
      h("h1", {}, title),
      h("p", {}, h("a", { href: report.url }, report.url), ` examined at ${time(report.time)}`),
      ...explained(report),
      h(
        "div",
        { class: "found" },
        lines(
          h("div", { class: "picture wide" }, { markup: svg }),
          h("div", { class: "picture narrow" }, { markup: drawnNarrow(found) }),
          h("div", { class: "hops" }, h("h2", {}, "Every hop"), table(report)),
        ),
      ),
    ),
  );
  return `<!doctype html>\n${h("html", { lang: "en" }, head, body).markup}\n`;
}

const time = (iso: string) => `${iso.slice(0, 19).replace("T", " ")} UTC`;

function summary(report: Report): string {
  const failure = firstFailure(report);
  if (failure !== undefined) return `✗ to fix: ${nameOf(failure)}`;
  const { hops } = report;
  if (hops.some(({ state }) => state === "warning")) return "! it works, with warnings";
  return hops.some(({ state }) => state === "ok")
    ? "✓ every hop that could be checked holds"
    : "? nothing could be checked";
}

const nameOf = ({ title, route }: Hop) => (route === undefined ? title : `${title} of ${route}`);

/** The hop to fix, then each other that fails by itself or is warned of. */
function explained(report: Report): Markup[] {
  const first = firstFailure(report);
  const others = report.hops.filter(
    (hop) => hop !== first && hop.because === undefined && (hop.state === "failed" || hop.state === "warning"),
  );
  const named = [...(first === undefined ? [] : [first]), ...others];
  // Two routes to one service have one illness.
  const alike = (a: Hop, b: Hop) => a.seen === b.seen && a.means === b.means && a.fix === b.fix;
  const apart = named.filter((hop, index) => named.findIndex((other) => alike(hop, other)) === index);
  return apart.map((hop) =>
    h(
      "section",
      { class: hop.state },
      h("h2", {}, `${hop.state === "failed" ? "✗ To fix" : "! Warning"}: ${nameOf(hop)}`),
      h(
        "dl",
        {},
        ...pair("Seen", hop.seen),
        ...pair("Means", hop.means),
        ...pair("Fix", hop.fix, "code"),
        ...pair("Wait", hop.passing === true ? "It passes by itself, within some minutes after a change." : undefined),
      ),
    ),
  );
}

function pair(term: string, text: string | undefined, name = "span"): Markup[] {
  return text === undefined ? [] : [h("dt", {}, term), h("dd", {}, h(name, {}, text))];
}

const row = (hop: Hop) =>
  h(
    "tr",
    { class: hop.state },
    h("td", { class: "state" }, marks[hop.state]),
    h("th", { scope: "row" }, hop.title),
    h("td", {}, hop.because === undefined ? hop.seen : `${hop.seen} (follows from: ${hop.because})`),
  );

/** The hops that all requests take, then those of each route below its name. */
function table({ hops }: Report): Markup {
  const head = h("tr", {}, ...["Found", "Hop", "Seen"].map((name) => h("th", { scope: "col" }, name)));
  const bodies = [...new Set(hops.map(({ route }) => route))].map((route) => {
    const name = route === undefined ? [] : [h("tr", {}, h("th", { scope: "rowgroup", colspan: 3 }, route))];
    return h("tbody", {}, lines(...name, ...hops.filter((hop) => hop.route === route).map(row)));
  });
  return h("table", {}, h("thead", {}, head), ...bodies);
}
