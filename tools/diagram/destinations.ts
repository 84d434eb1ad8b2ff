/** What services reach outside the stack. */
import type { ServiceSettings } from "../../config/schema.ts";
import type { Edge, Node } from "./model.ts";
import { count } from "./text.ts";

/** More would be a list, and no picture. */
const mostShown = 6;

export function destinations(services: Readonly<Record<string, ServiceSettings>>): {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
} {
  const to = Object.entries(services).flatMap(([name, { egress }]) =>
    egress.map(({ cidr, ports }) => ({ from: `service-${name}`, cidr, port: `port ${ports.join(", ")}` })),
  );
  const ranges = [...new Set(to.map(({ cidr }) => cidr))];
  const apart = ranges.length <= mostShown;
  const id = (cidr: string) => (apart ? `outside-${ranges.indexOf(cidr) + 1}` : "outside");
  const nodes = apart
    ? ranges.map((cidr) => ({ id: id(cidr), title: cidr }))
    : [{ id: "outside", title: count(ranges.length, "range") }];
  const edges = new Map<string, { from: string; to: string; lines: string[] }>();
  for (const { from, cidr, port } of to) {
    const edge = edges.get(`${from} ${id(cidr)}`) ?? { from, to: id(cidr), lines: [] };
    edge.lines.push(apart ? port : `${cidr} ${port}`);
    edges.set(`${from} ${id(cidr)}`, edge);
  }
  return {
    nodes: nodes.map((node) => ({ ...node, kind: "outside", lines: ["outside"] })),
    edges: [...edges.values()].map((edge) => ({ ...edge, kind: "egress" })),
  };
}
