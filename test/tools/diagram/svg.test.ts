import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkConfig, type CheckedConfig } from "../../../config/config.ts";
import { routeTable } from "../../../config/routes.ts";
import { layoutOf } from "../../../tools/diagram/layout.ts";
import { diagramOf } from "../../../tools/diagram/model.ts";
import type { Layout, PlacedArrow } from "../../../tools/diagram/placed.ts";
import type { Diagram } from "../../../tools/diagram/shapes.ts";
import { svgOf } from "../../../tools/diagram/svg.ts";
import { widthOf } from "../../../tools/diagram/text.ts";
import { google, hostileConfigs } from "../../config/hostile.ts";
import { projectDir, raw, valid } from "../../config/refusal.ts";
import { all, parsed, textOf, type Element } from "./parsed.ts";

test("a small picture, whole but for its style", () => {
  const group = { id: "cluster", title: "Kubernetes", lines: [] };
  const client = { id: "client", kind: "outside", title: "Clients", lines: [] } as const;
  const hoge = { id: "service-hoge", kind: "service", title: "hoge", lines: ["2 pods"], group: "cluster" } as const;
  const arrow = { from: "client", to: "service-hoge", kind: "request", lines: ["/a/", "/b/"] } as const;
  const line = (text: string, bold = false) => ({ text, size: 12, bold });
  const diagram: Diagram = {
    title: "A & B",
    description: "<all>",
    groups: [group],
    nodes: [client, hoge],
    arrows: [arrow],
  };
  const layout: Layout = {
    width: 300,
    height: 100,
    title: [line("A & B", true)],
    margin: 20,
    textX: 212,
    groups: [{ of: group, x: 200, y: 10, width: 90, height: 80, lines: [line("Kubernetes", true)] }],
    nodes: [
      { of: client, x: 10, y: 40, width: 60, height: 30, lines: [line("Clients", true)] },
      { of: hoge, x: 210, y: 40, width: 70, height: 46, lines: [line("hoge", true), line("2 pods")] },
    ],
    arrows: [
      {
        of: arrow,
        points: [
          { x: 70, y: 55 },
          { x: 150, y: 55 },
          { x: 210, y: 60 },
        ],
        label: { of: arrow, x: 100, y: 46, width: 40, height: 18, lines: [line("/a/")] },
      },
    ],
  };
  assert.equal(
    svgOf(diagram, layout).replace(/<style>[^]*<\/style>/, "<style/>"),
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 100" width="300" height="100" role="img" aria-labelledby="title description">
  <title id="title">A &amp; B</title>
  <desc id="description">&lt;all&gt;</desc>
  <style/>
  <defs><marker id="arrow" class="head" viewBox="0 0 8 8" refX="8" refY="4" markerUnits="userSpaceOnUse" markerWidth="11" markerHeight="11" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>
  <rect class="ground" width="300" height="100" rx="8"/>
  <text class="bold" x="20" y="31.8" font-size="12">A &amp; B</text>
  <g class="group" id="cluster"><rect x="200" y="10" width="90" height="80" rx="10"/><text class="bold" x="212" y="27.8" font-size="12">Kubernetes</text></g>
  <g class="line request"><title>/a/
/b/</title><path d="M70 55L150 55 210 60" marker-end="url(#arrow)"/><rect x="100" y="46" width="40" height="18" rx="3"/><text x="120" y="58.8" font-size="12" text-anchor="middle">/a/</text></g>
  <g class="node outside" id="client"><rect x="10" y="40" width="60" height="30" rx="6"/><text class="bold" x="40" y="58.8" font-size="12" text-anchor="middle">Clients</text></g>
  <g class="node service" id="service-hoge"><rect x="210" y="40" width="70" height="46" rx="6"/><text class="bold" x="245" y="58.8" font-size="12" text-anchor="middle">hoge</text><text x="245" y="74.8" font-size="12" text-anchor="middle">2 pods</text></g>
</svg>
`,
  );
});

const elements = ["svg", "title", "desc", "style", "defs", "marker", "path", "rect", "text", "g"];

/** Every service is a node with its whole name, and every route is named at a line that leads to it. */
function assertComplete(svg: Element, { settings }: CheckedConfig): void {
  const groups = all(svg).filter(({ name }) => name === "g");
  for (const name of Object.keys(settings.services)) {
    const node = groups.find(({ attributes }) => attributes["id"] === `service-${name}`);
    const title = (node?.children ?? []).filter((child) => typeof child === "object");
    const bold = title.filter(({ attributes }) => attributes["class"] === "bold");
    assert.equal(bold.map(textOf).join(""), name);
  }
  const said = new Set(
    groups.flatMap(({ children }) =>
      children.flatMap((child) =>
        typeof child === "object" && child.name === "title"
          ? textOf(child)
              .split("\n")
              .map((line) => line.replace(/ \(maintenance: 503\)$/, ""))
          : [],
      ),
    ),
  );
  for (const route of Object.keys(routeTable(settings))) {
    const place = route.startsWith(`${settings.domain}/`)
      ? route.slice(settings.domain.length)
      : route.replace(/^([^/]+)\/$/, "$1");
    assert.ok(said.has(place) || said.has(`gRPC ${place}`), `${place} is not in the picture`);
  }
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
const overlap = (a: Box, b: Box) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const within = (a: Box, b: Box) =>
  a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width + 0.2 && a.y + a.height <= b.y + b.height + 0.2;

/** Boxes are apart, hold their text, and lie in what they belong to; no arrow goes through one. */
function assertReadable({ width, height, groups, nodes, arrows }: Layout): void {
  const boxes = [...nodes, ...arrows.flatMap(({ label }) => (label === undefined ? [] : [label]))];
  for (const [index, box] of boxes.entries()) {
    assert.ok(within(box, { x: 0, y: 0, width, height }), "outside the picture");
    assert.ok(
      box.lines.every(({ text, size }) => widthOf(text, size) <= box.width),
      `wider than its box`,
    );
    for (const other of boxes.slice(index + 1)) {
      const both = `${JSON.stringify(box)} over ${JSON.stringify(other)}`;
      assert.ok(!overlap(box, other), both);
    }
  }
  for (const { of: node, ...box } of nodes)
    for (const { of: group, ...around } of groups)
      if (group.id === node.group) assert.ok(within(box, around), `${node.id} is not in ${group.id}`);
  for (const arrow of arrows) {
    assert.ok(arrow.points.length >= 2, "an arrow without a way");
    assert.deepEqual(passed(arrow, nodes), [], `${arrow.of.from} to ${arrow.of.to} passes through a node`);
  }
}

/** The nodes through which an arrow goes. */
const passed = ({ points }: PlacedArrow, nodes: Layout["nodes"]) =>
  points.slice(1).flatMap((to, index) => {
    const from = points[index] ?? to;
    const way = { x: Math.min(from.x, to.x) - 0.1, y: Math.min(from.y, to.y) - 0.1 };
    const box = { ...way, width: Math.abs(from.x - to.x) + 0.2, height: Math.abs(from.y - to.y) + 0.2 };
    const inside = ({ x, y, width, height }: Box) => ({ x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1 });
    return nodes.filter((node) => overlap(box, inside(node))).map(({ of }) => of.id);
  });

const taken = hostileConfigs
  .map(({ config }) => {
    try {
      return checkConfig(raw(config, google), "test", projectDir);
    } catch {
      return undefined; // Refused: there is nothing to draw.
    }
  })
  .filter((checked) => checked !== undefined);

test("any config that is taken gives well-formed XML with all services and routes, readable", () => {
  fc.assert(
    fc.property(taken, (checked) => {
      const diagram = diagramOf("test", checked);
      const layout = layoutOf(diagram);
      assertReadable(layout);
      assertReadable(layoutOf(diagram, 330));
      const svg = parsed(svgOf(diagram, layout));
      for (const { name } of all(svg)) assert.ok(elements.includes(name), `${name} is no element of the picture`);
      assertComplete(svg, checked);
    }),
    { numRuns: 60 },
  );
});

test("text that looks like markup stays text", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ minLength: 1, maxLength: 200 }), fc.string({ unit: "binary", minLength: 1, maxLength: 90 })),
      fc.constantFrom("", "<script>alert(1)</script>", `"/><image href='https://example.com/'/>`, "]]>&amp;&#0;\0"),
      (some, hostile) => {
        const context = `${some.slice(0, 100)}${hostile}`;
        const config = { ...valid, cluster: { kind: "existing", context } };
        const diagram = diagramOf("test", checkConfig(raw(config), "test", projectDir));
        const svg = parsed(svgOf(diagram, layoutOf(diagram)));
        for (const { name } of all(svg)) assert.ok(elements.includes(name));
        assert.ok(textOf(svg).includes(hostile.replaceAll("\0", "\ufffd")));
      },
    ),
    { numRuns: 40 },
  );
});

test("an edge in the cluster of a stack on Google: the line to it passes beside the registry", () => {
  const config = { ...valid, cluster: { kind: "gke" }, registry: { kind: "artifact-registry" } };
  const diagram = diagramOf("test", checkConfig(raw(config, google), "test", projectDir));
  for (const width of [undefined, 330]) assertReadable(layoutOf(diagram, width));
});

test("fifty services that call each other are still readable", () => {
  const names = Array.from({ length: 50 }, (_, index) => `service-${index}`);
  const services = Object.fromEntries(
    names.map((name, index) => [
      name,
      {
        image: "registry.example.com/apps/hoge:1.4.2",
        routes: Array.from({ length: index % 9 }, (_, path) => ({ path: `/${name}/v${path}/` })),
        calls: index % 5 === 0 ? [names[(index * 7 + 3) % 50]] : [],
      },
    ]),
  );
  const checked = checkConfig(raw({ ...valid, services }), "test", projectDir);
  const diagram = diagramOf("test", checked);
  const layout = layoutOf(diagram);
  assertReadable(layout);
  assertReadable(layoutOf(diagram, 330));
  assertComplete(parsed(svgOf(diagram, layout)), checked);
  // In the order of the config, row by row.
  const order = layout.nodes.filter(({ of }) => of.kind === "service").map(({ x, y }) => y * 10_000 + x);
  assert.deepEqual(
    order.toSorted((a, b) => a - b),
    order,
  );
  const more = layout.arrows.find(({ of }) => of.to === "service-service-8")?.label?.lines.map(({ text }) => text);
  assert.deepEqual(more, ["/service-8/v0/", "/service-8/v1/", "/service-8/v2/", "and 5 more"]);
});

test("two layouts of the same are the same", () => {
  const diagram = diagramOf("test", checkConfig(raw(valid), "test", projectDir));
  assert.deepEqual(layoutOf(diagram), layoutOf(diagram));
});
