/** What services reach outside the stack. */
import type { ServiceSettings } from "../../config/schema.ts";
import type { Arrow, Node } from "./shapes.ts";
import { count } from "./text.ts";

/** More would be a list, and no picture. */
const mostShown = 6;

export function destinations(services: Readonly<Record<string, ServiceSettings>>): {
  readonly nodes: readonly Node[];
  readonly arrows: readonly Arrow[];
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
  const arrows = new Map<string, { from: string; to: string; lines: string[] }>();
  for (const { from, cidr, port } of to) {
    const arrow = arrows.get(`${from} ${id(cidr)}`) ?? { from, to: id(cidr), lines: [] };
    arrow.lines.push(apart ? port : `${cidr} ${port}`);
    arrows.set(`${from} ${id(cidr)}`, arrow);
  }
  return {
    nodes: nodes.map((node) => ({ ...node, kind: "outside", lines: ["outside"] })),
    arrows: [...arrows.values()].map((arrow) => ({ ...arrow, kind: "egress" })),
  };
}
