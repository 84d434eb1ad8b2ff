/** Text of the plots has room in the widest usual font, and panels that are compared have one scale. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { redraw } from "../../../tools/bench/redraw.ts";
import { plot as startPlot } from "../../../tools/bench/start/plot.ts";
import type { StartResults } from "../../../tools/bench/start/results.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { widthOf } from "../../../tools/diagram/text.ts";

const read = (file: string) => readFileSync(join(projectDir, "docs/performance", file), "utf8");

interface Box {
  readonly text: string;
  readonly from: number;
  readonly to: number;
  readonly top: number;
  readonly bottom: number;
}

/** Each text's place. It is as high as its letters above the line. */
function textsOf(svg: string): Box[] {
  const below = Number(/<g transform="translate\(0 (\d+)\)">/.exec(svg)?.[1] ?? 0);
  const moved = svg.indexOf("<g transform");
  return [...svg.matchAll(/<text ([^>]*)>([^<]*)<\/text>/g)].map(({ 1: attributes = "", 2: text = "", index }) => {
    const value = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
    const size = value("class") === "head" ? 16 : 13;
    const width = widthOf(text, size, value("class") === undefined ? "normal" : "bold");
    const [x, y] = [Number(value("x")), Number(value("y")) + (moved >= 0 && index > moved ? below : 0)];
    const anchor = value("text-anchor");
    const from = anchor === "end" ? x - width : anchor === "middle" ? x - width / 2 : x;
    return { text, from, to: from + width, top: y - size * 0.75, bottom: y };
  });
}

/** @returns what is wrong with the texts of a plot */
function faults(svg: string): string[] {
  const [, width = 0, height = 0] = (/viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? []).map(Number);
  const texts = textsOf(svg);
  assert.ok(texts.length > 10, `${texts.length} texts`);
  const bars = [...svg.matchAll(/<rect (?:class="\w+" )?x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="(\d+)"/g)];
  const moved = Number(/<g transform="translate\(0 (\d+)\)">/.exec(svg)?.[1] ?? 0);
  const boxes = [
    ...texts,
    ...bars.map((bar) => {
      const [, x = 0, y = 0, length = 0, high = 0] = bar.map(Number);
      return { text: "a bar", from: x, to: x + length, top: y + moved, bottom: y + moved + high };
    }),
  ];
  const overlap = (a: Box, b: Box) => a.from < b.to && b.from < a.to && a.top < b.bottom && b.top < a.bottom;
  return [
    ...texts
      .filter(({ from, to, bottom }) => from < 0 || to > width || bottom > height)
      .map(({ text }) => `cut: ${text}`),
    ...texts.flatMap((text) =>
      boxes.filter((other) => other !== text && overlap(text, other)).map((other) => `${text.text} on ${other.text}`),
    ),
  ];
}

for (const name of ["apply", "program", "proxy", "start"])
  test(`${name}: every text is inside the picture, and on nothing else`, () => {
    assert.deepEqual(faults(read(`${name}.svg`)), []);
  });

test("all plots are equally wide", () => {
  for (const name of ["apply", "program", "proxy", "start"]) assert.match(read(`${name}.svg`), / width="760" /, name);
});

test("starts of seconds have one scale; one of minutes has its own, and says so", () => {
  const results = JSON.parse(read("start.json")) as StartResults;
  const svg = startPlot(results);
  const lengths = [...svg.matchAll(/<rect x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width));
  const scales = results.starts.map(({ parts }) =>
    parts
      .map(({ seconds }) => (lengths.shift() ?? NaN) / seconds)
      .filter((_, index) => (parts[index]?.seconds ?? 0) > 0.5),
  );
  assert.deepEqual(lengths, []);
  const [cold = [], ...warm] = scales;
  const near = (all: readonly number[]) => all.every((scale) => Math.abs(scale / (all[0] ?? NaN) - 1) < 0.02);
  assert.ok(near(cold), cold.join());
  assert.ok(near(warm.flat()), warm.join());
  assert.ok((cold[0] ?? NaN) < (warm.flat()[0] ?? NaN) / 10);
  assert.equal(svg.match(/\(a scale of its own\)/g)?.length, 1);
  assert.match(svg, /nothing cached: 301\.6 s \(a scale of its own\)/);
});

test("a recorded run is drawn again without a measurement", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "redraw-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  for (const part of ["docs/performance", "docs/performance.md"])
    cpSync(join(projectDir, part), join(folder, part), { recursive: true });
  for (const name of ["apply", "program", "proxy", "start"] as const) {
    writeFileSync(join(folder, `docs/performance/${name}.svg`), "old");
    await redraw(name, folder);
    for (const file of [`performance/${name}.svg`, `performance/${name}.json`, "performance.md"])
      assert.equal(
        readFileSync(join(folder, "docs", file), "utf8"),
        readFileSync(join(projectDir, "docs", file), "utf8"),
      );
  }
});
