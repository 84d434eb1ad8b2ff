/** The text that the benchmarks write into the guide. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { plot } from "../../../tools/bench/proxy/plot.ts";
import { tables } from "../../../tools/bench/proxy/report.ts";
import type { ProxyResults } from "../../../tools/bench/proxy/results.ts";
import { fillIn } from "../../../tools/bench/proxy/subjects.ts";
import { withTables } from "../../../tools/bench/report.ts";
import { projectDir } from "../../../tools/cli/paths.ts";

const read = (path: string) => readFileSync(join(projectDir, path), "utf8");

suite("the guide", () => {
  const results = JSON.parse(read("docs/performance/proxy.json")) as ProxyResults;

  test("the tables have every kind of load, every proxy and every target", () => {
    const written = tables(results);
    assert.equal(results.cases.length, 6);
    for (const name of ["direct", "original", "this one", "HAProxy", "Envoy", "Caddy"])
      assert.equal(written.split(`| ${name} `).length - 1, 6, name);
    for (const { what } of results.targets) assert.ok(written.includes(`| ${what} `), what);
    assert.ok(results.targets.length >= 26);
  });

  test("the plot has a bar for each peer in each closed loop, inside the picture", () => {
    const picture = plot(results);
    const bars = [...picture.matchAll(/<rect [^>]*x="([\d.]+)"[^>]* width="([\d.]+)"/g)];
    assert.equal(bars.length, 16);
    for (const [, x, width] of bars) assert.ok(Number(x) + Number(width) <= 600);
    assert.doesNotMatch(picture, /NaN|undefined|Infinity/);
  });
});

test("text around the tables stays unchanged; a guide without their marks is an error", () => {
  const begin = (name: string) => `<!-- written by \`npm run bench -- ${name} --write\` -->`;
  const end = "<!-- end of what is written -->";
  const text = (one: string, other: string) =>
    ["a", begin("proxy"), ...one.split("/"), end, "b", begin("start"), ...other.split("/"), end, "c\n"].join("\n");
  assert.equal(withTables(text("old", "old"), "proxy", "new"), text("/new", "old"));
  assert.equal(withTables(text("old", "old"), "start", "new"), text("old", "/new"));
  assert.throws(() => withTables(text("old", "old"), "program", "new"), /lacks the marks .* "program"/);
  assert.throws(() => withTables(begin("proxy"), "proxy", "new"), /lacks the marks/);
});

test("all placeholders of a configuration are replaced, and a missing value is an error", () => {
  assert.equal(
    fillIn("listen PORT; proxy_pass h:UPSTREAM_PORT; # REPORT", { PORT: 1, UPSTREAM_PORT: 2 }),
    "listen 1; proxy_pass h:2; # REPORT",
  );
  assert.throws(() => fillIn("pid FOLDER/pid;", {}), /no value for FOLDER/);
  const folder = "tools/bench/proxy/subjects";
  for (const file of readdirSync(join(projectDir, folder))) {
    const filled = fillIn(read(join(folder, file)), { PORT: 1, UPSTREAM_PORT: 2, RESOLVER_PORT: 3, FOLDER: "/f" });
    assert.doesNotMatch(filled, /\b(?:[A-Z]+_)?PORT\b|\bFOLDER\b/, file);
  }
});
