/** Plot of the ratios, readable on light and dark backgrounds. */
import { describe } from "../machine.ts";
import { barArea, picture } from "../picture.ts";
import { spread } from "../report.ts";
import { loadOf, type Case, type PeerName, type ProxyResults } from "./results.ts";

const peers: readonly PeerName[] = ["original", "HAProxy", "Envoy", "Caddy"];
const row = 22;

/** Ratio of this proxy's throughput to each peer's: bars are medians, lines are the range of all rounds. */
export function plot({ cases, machine, rounds }: ProxyResults): string {
  const closed = cases.filter(({ loop }) => loop === "closed");
  const { left, right } = barArea(
    peers,
    closed.flatMap(({ speed }) => peers.map((peer) => spread(speed[peer]))),
  );
  const most = Math.max(2, ...closed.flatMap(({ speed }) => peers.map((peer) => speed[peer].max)));
  const x = (ratio: number) => Number((left + (ratio / most) * (right - left)).toFixed(1));
  const group = (each: Case, index: number) => {
    const top = 64 + index * (peers.length * row + 38);
    const bars = peers.map((peer, line) => {
      const [y, ratio] = [top + 10 + line * row, each.speed[peer]];
      return `  <text x="${left - 10}" y="${y + 12}" text-anchor="end">${peer}</text>
  <rect class="${ratio.median < 1 ? "less" : "more"}" x="${left}" y="${y}" width="${(x(ratio.median) - left).toFixed(1)}" height="15" rx="2"/>
  <line class="spread" x1="${x(ratio.min)}" x2="${x(ratio.max)}" y1="${y + 7.5}" y2="${y + 7.5}"/>
  <text x="${right + 10}" y="${y + 12}">${spread(ratio)}</text>`;
    });
    const bottom = top + 10 + peers.length * row;
    return `  <text class="title" x="${left}" y="${top}">${loadOf(each)}</text>
${bars.join("\n")}
  <line class="one" x1="${x(1)}" x2="${x(1)}" y1="${top + 6}" y2="${bottom}"/>`;
  };
  return picture({
    title: "Requests per second of this proxy, divided by each peer's",
    below: `Dashed: as fast as the peer. Medians of ${rounds} paired rounds, with their range. ${describe(machine)}`,
    height: 64 + closed.length * (peers.length * row + 38),
    styles: [
      ".title { font-weight: 600; }",
      ".more { fill: #2da44e; }",
      ".less { fill: #bf8700; }",
      ".spread { stroke: #24292f; stroke-width: 1.5; }",
      ".one { stroke: #57606a; stroke-dasharray: 3 3; }",
    ],
    dark: [".spread { stroke: #e6edf3; }", ".one { stroke: #9198a1; }"],
    body: closed.map(group),
  });
}
