/** Where everything stands in the picture: Eclipse's layout kernel (https://eclipse.dev/elk/) places what the model names. */
import elk, { type ElkExtendedEdge, type ElkNode } from "elkjs/lib/elk.bundled.js";
import type { Diagram, Arrow, Group, Node } from "./shapes.ts";
import { shortened, widthOf, wrapped } from "./text.ts";

export interface Line {
  readonly text: string;
  /** Pixels. */
  readonly size: number;
  readonly bold: boolean;
}
interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
export interface Placed<T> extends Box {
  readonly of: T;
  readonly lines: readonly Line[];
}
export interface PlacedArrow {
  readonly of: Arrow;
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Missing where nothing is said about the arrow. */
  readonly label: Placed<Arrow> | undefined;
}
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Outer groups first. */
  readonly groups: readonly Placed<Group>[];
  readonly nodes: readonly Placed<Node>[];
  readonly arrows: readonly PlacedArrow[];
}

/** Pixels from line to line, for one of the given size. */
export const lineHeight = (size: number): number => Math.round(size * 1.35);
const padding = { node: 10, group: 12 };
const shownRoutes = 4;

const titled = (title: string, lines: readonly string[], size: number, most: number): Line[] => [
  ...wrapped(title, most).map((text) => ({ text, size, bold: true })),
  ...lines.flatMap((line) => wrapped(line, most)).map((text) => ({ text, size: 12, bold: false })),
];
const widest = (lines: readonly Line[]) =>
  Math.max(0, ...lines.map(({ text, size, bold }) => widthOf(text, size, bold ? "bold" : "normal")));
const tallest = (lines: readonly Line[]) => lines.reduce((sum, { size }) => sum + lineHeight(size), 0);
const nodeLines = ({ title, lines }: Node) => titled(title, lines, 14, 30);
const groupLines = ({ title, lines }: Group) => titled(title, lines, 12, 60);
const labelLines = ({ lines }: Arrow): Line[] =>
  shortened(lines, shownRoutes).flatMap((line) => wrapped(line, 44).map((text) => ({ text, size: 12, bold: false })));

const keyOf = ({ from, to, kind }: Arrow) => `${from} ${to} ${kind}`;

function graphOf({ groups, nodes, arrows }: Diagram): ElkNode {
  const inside = (parent: string | undefined): ElkNode[] => [
    ...groups.filter((group) => group.parent === parent).map(groupNode),
    ...nodes.filter((node) => node.group === parent).map(leaf),
  ];
  const groupNode = (group: Group): ElkNode => {
    const lines = groupLines(group);
    return {
      id: group.id,
      children: inside(group.id),
      layoutOptions: {
        ...options,
        "elk.padding": `[top=${tallest(lines) + 2 * padding.group - 4},left=${padding.group},bottom=${padding.group},right=${padding.group}]`,
        "elk.nodeSize.constraints": "MINIMUM_SIZE",
        "elk.nodeSize.minimum": `(${widest(lines) + 2 * padding.group}, 0)`,
      },
    };
  };
  const services = Math.max(...nodes.filter(({ kind }) => kind === "service").map((node) => widest(nodeLines(node))));
  const leaf = (node: Node): ElkNode => {
    const lines = nodeLines(node);
    const width = node.kind === "service" ? services : widest(lines);
    return {
      id: node.id,
      width: width + 2 * padding.node,
      height: tallest(lines) + 2 * padding.node - 4,
      ports: [{ id: `${node.id} out`, layoutOptions: { "elk.port.side": "EAST" } }],
      layoutOptions: {
        "elk.portConstraints": "FIXED_SIDE",
        "elk.position": `(${nodes.indexOf(node)}, ${nodes.indexOf(node)})`,
      },
    };
  };
  const elkEdge = (each: Arrow): ElkExtendedEdge => {
    const lines = labelLines(each);
    const label = {
      text: "inside its line",
      layoutOptions: { "elk.edgeLabels.inline": "true" },
      width: widest(lines) + 8,
      height: tallest(lines) + 2,
    };
    return {
      id: keyOf(each),
      sources: [`${each.from} out`],
      targets: [each.to],
      // From the proxy all have one, if empty: services stand in one row by it.
      labels: lines.length === 0 && each.from !== "proxy" ? [] : [label],
    };
  };
  return {
    id: "picture",
    layoutOptions: {
      ...options,
      "elk.direction": "RIGHT",
      "elk.json.shapeCoords": "ROOT",
      "elk.json.edgeCoords": "ROOT",
      "elk.padding": "[top=56,left=20,bottom=20,right=20]",
    },
    children: inside(undefined),
    edges: [...arrows, ...placeholders({ nodes, arrows })].map(elkEdge),
  };
}

/** What nothing leads to would stand before the proxy: for its place alone, it is led to as the others are. */
const placeholders = ({ nodes, arrows }: Pick<Diagram, "nodes" | "arrows">): Arrow[] =>
  nodes
    .filter(({ id, kind }) => kind === "service" && !arrows.some(({ to }) => to === id))
    .map(({ id }) => ({ from: "proxy", to: id, kind: "request", lines: [] }));

/** https://eclipse.dev/elk/reference/options.html; for the picture and each group, as a group does not take its parent's. */
const options = {
  "elk.algorithm": "layered",
  "elk.hierarchyHandling": "INCLUDE_CHILDREN",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.spacing.nodeNode": "24",
  "elk.spacing.edgeNode": "16",
  "elk.layered.spacing.nodeNodeBetweenLayers": "20",
  "elk.layered.spacing.edgeNodeBetweenLayers": "10",
  "elk.layered.mergeEdges": "true",
  "elk.layered.crossingMinimization.semiInteractive": "true",
  "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF",
  "elk.layered.nodePlacement.bk.fixedAlignment": "BALANCED",
};

const number = (value: number | undefined) => Number((value ?? 0).toFixed(1));
const boxOf = ({ x, y, width, height }: Partial<Box>): Box => ({
  x: number(x),
  y: number(y),
  width: number(width),
  height: number(height),
});

export async function layoutOf(diagram: Diagram): Promise<Layout> {
  const placed = await new elk.default().layout(graphOf(diagram));
  const boxes = new Map<string, ElkNode>();
  const collect = (node: ElkNode): void => {
    boxes.set(node.id, node);
    node.children?.forEach(collect);
  };
  collect(placed);
  const routed = new Map((placed.edges ?? []).map((edge) => [edge.id, edge]));
  return {
    ...boxOf(placed),
    groups: diagram.groups.map((group) => ({
      of: group,
      ...boxOf(boxes.get(group.id) ?? {}),
      lines: groupLines(group),
    })),
    nodes: diagram.nodes.map((node) => ({ of: node, ...boxOf(boxes.get(node.id) ?? {}), lines: nodeLines(node) })),
    arrows: diagram.arrows.map((arrow): PlacedArrow => {
      const { sections = [], labels: [label] = [] } = routed.get(keyOf(arrow)) ?? {};
      const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [
        startPoint,
        ...bendPoints,
        endPoint,
      ]);
      return {
        of: arrow,
        points: points.map(({ x, y }) => ({ x: number(x), y: number(y) })),
        label: label && { of: arrow, ...boxOf(label), lines: labelLines(arrow) },
      };
    }),
  };
}
