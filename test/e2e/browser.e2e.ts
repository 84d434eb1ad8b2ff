/** Pictures and the doctor's page in a real browser: on a phone and on a screen, in light and in dark. It needs no cluster. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { checkConfig } from "../../config/config.ts";
import { drawn, stackDiagram } from "../../tools/diagram/diagram.ts";
import { diagramOf } from "../../tools/diagram/model.ts";
import { page } from "../../tools/doctor/html.ts";
import { hop, type Report } from "../../tools/doctor/report.ts";
import { projectDir, raw, valid } from "../config/refusal.ts";
import { startBrowser, type Browser, type View } from "./browser/browser.ts";
import { look } from "./browser/look.ts";

const folder = mkdtempSync(join(tmpdir(), "pages-"));
let browser: Browser;
before(async () => {
  browser = await startBrowser();
});
after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

const views: readonly View[] = (["light", "dark"] as const).flatMap((scheme) => [
  { width: 360, height: 740, scheme },
  { width: 1280, height: 800, scheme },
]);

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return pathToFileURL(file).href;
}

const manyServices = Object.fromEntries(
  Array.from({ length: 50 }, (_, index) => [
    `a-rather-long-name-of-a-service-${index}`,
    {
      image: "registry.example.com/hoge:1.4.2",
      routes: Array.from({ length: index % 9 }, (_, path) => ({
        path: `/${index}/${"long/".repeat(index % 30)}${path}/`,
      })),
      calls: index % 5 === 4 ? [`a-rather-long-name-of-a-service-${index - 4}`] : [],
    },
  ]),
);
const pictures = {
  local: () => stackDiagram("local"),
  staging: () => stackDiagram("staging"),
  production: () => stackDiagram("production"),
  large: () => diagramOf("large", checkConfig(raw({ ...valid, services: manyServices }), "large", projectDir)),
};

for (const [name, diagram] of Object.entries(pictures))
  test(`the picture ${name} is readable`, async () => {
    const url = written(`${name}.svg`, await drawn(diagram()));
    for (const view of views.slice(1, 4)) {
      const { complaints, run } = await browser.load(url, view);
      const { texts, misplaced, faint } = await run(look);
      assert.deepEqual({ complaints, misplaced, faint }, { complaints: [], misplaced: [], faint: [] });
      assert.ok(texts > 20, `${texts} texts`);
    }
  });

const route = { route: "staging.example.com/hoge/", service: "hoge" };
const hostile = `<img src=x onerror="globalThis.ran = 1"><script>globalThis.ran = 1</script>`;
const report: Report = {
  stack: "staging",
  url: "https://staging.example.com/",
  time: "2026-01-02T03:04:05.678Z",
  hops: [
    hop("dns", { state: "ok", seen: "203.0.113.7" }),
    hop("edge", { state: "warning", seen: hostile, means: hostile, fix: "x".repeat(300) }),
    hop("proxy", { state: "unknown", seen: "there is no kubectl" }),
    hop("route", { state: "ok", seen: "200" }, route),
    hop(
      "pods",
      { state: "failed", seen: `image ${"0123456789abcdef".repeat(8)}`, means: hostile, fix: hostile },
      route,
    ),
    hop("content", { state: "skipped", seen: "not asked" }, { route: "staging.example.com/", service: "web" }),
    { ...hop("content", { state: "skipped", seen: "502" }, route), because: "pods staging.example.com/hoge/" },
  ],
};

for (const view of views)
  test(`the doctor's page, ${view.width} pixels wide, ${view.scheme}`, async () => {
    const url = written("page.html", await page(report, stackDiagram("staging")));
    const { complaints, run } = await browser.load(url, view);
    const { overflow, misplaced, faint, states, smallest } = await run(look);
    assert.deepEqual(
      { complaints, overflow, misplaced, faint },
      { complaints: [], overflow: 0, misplaced: [], faint: [] },
    );
    assert.ok(smallest >= 11, `${smallest} px`);
    assert.deepEqual(Object.keys(states), ["ok", "failed", "warning", "unknown", "skipped"]);
    // What could not be looked at and what was not look the same, and say in words which it is.
    assert.equal(states["unknown"], states["skipped"]);
    assert.equal(new Set(Object.values(states)).size, 4, JSON.stringify(states));
    assert.equal(await run(() => "ran" in globalThis), false);
    // The policy holds against what escaping would have missed.
    const blocked = await run(() => {
      document.body.insertAdjacentHTML(
        "beforeend",
        "<p id='late' style='color: red' onclick='globalThis.ran = 1'>x</p>",
      );
      const late = document.getElementById("late");
      late?.click();
      return { ran: "ran" in globalThis, color: late === null ? "" : getComputedStyle(late).color };
    });
    assert.equal(blocked.ran, false);
    assert.notEqual(blocked.color, "rgb(255, 0, 0)");
  });
