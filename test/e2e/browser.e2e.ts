/** Pictures, the doctor's page and the sample page in a real browser: phone and desktop size, light and dark. It needs no cluster. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { drawn, drawnNarrow, stackDiagram } from "../../tools/diagram/diagram.ts";
import { page } from "../../tools/doctor/html.ts";
import { hop, type Report } from "../../tools/doctor/report.ts";
import { largeStack } from "../tools/diagram/large.ts";
import { startBrowser, type Browser, type View } from "./browser/browser.ts";
import { look } from "./browser/look.ts";
import { startSample, type Sample } from "./browser/sample.ts";

const folder = mkdtempSync(join(tmpdir(), "pages-"));
let browser: Browser;
let sample: Sample;
before(async () => {
  [browser, sample] = await Promise.all([startBrowser(), startSample()]);
});
after(async () => {
  await browser.close();
  await sample.close();
  rmSync(folder, { recursive: true });
});

const views: readonly View[] = (["light", "dark"] as const).flatMap((scheme) => [
  { width: 360, height: 740, scheme },
  { width: 390, height: 844, scheme },
  { width: 1280, height: 800, scheme },
]);

function written(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return pathToFileURL(file).href;
}

const pictures = {
  local: () => stackDiagram("local"),
  staging: () => stackDiagram("staging"),
  production: () => stackDiagram("production"),
  large: largeStack,
};

for (const [name, diagram] of Object.entries(pictures))
  test(`the picture ${name} is readable`, async () => {
    for (const view of views) {
      const svg = view.width < 600 ? drawnNarrow(diagram()) : drawn(diagram());
      const { complaints, run } = await browser.load(written(`${name}.svg`, svg), view);
      const { texts, misplaced, faint, overflow } = await run(look);
      assert.deepEqual(
        { complaints, misplaced, faint, overflow },
        { complaints: [], misplaced: [], faint: [], overflow: 0 },
      );
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
    const url = written("page.html", page(report, stackDiagram("staging")));
    const { complaints, run } = await browser.load(url, view);
    const { overflow, misplaced, faint, states, smallest, failing, aside } = await run(look);
    assert.deepEqual(
      { complaints, overflow, misplaced, faint, aside },
      { complaints: [], overflow: 0, misplaced: [], faint: [], aside: [] },
    );
    // What to fix, the service and the way to it in the picture, and the row below.
    assert.equal(failing, 4);
    assert.ok(smallest >= 11, `${smallest} px`);
    assert.deepEqual(Object.keys(states), ["ok", "failed", "warning", "unknown", "skipped"]);
    // Unknown and skipped hops look the same; their texts differ.
    assert.equal(states["unknown"], states["skipped"]);
    assert.equal(new Set(Object.values(states)).size, 4, JSON.stringify(states));
    assert.equal(await run(() => "ran" in globalThis), false);
    // The Content Security Policy also blocks what escaping would miss.
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

for (const view of views)
  test(`the sample page, ${view.width} pixels wide, ${view.scheme}`, async () => {
    const hops = () =>
      Array.from(document.querySelectorAll("#path li"), ({ id, children: [first] }) => ({
        id,
        time: first?.querySelector(".time")?.textContent ?? "",
      }));
    const { complaints, run } = await browser.load(sample.proxied, view);
    const { overflow, faint, smallest } = await run(look);
    assert.deepEqual({ complaints, overflow, faint }, { complaints: [], overflow: 0, faint: [] });
    assert.ok(smallest >= 11, `${smallest} px`);
    const times = await run(hops);
    assert.deepEqual(
      times.map(({ id }) => id),
      ["browser", "dns", "edge", "proxy", "pod"],
    );
    const time = Object.fromEntries(times.map(({ id, time }) => [id, time]));
    assert.match(time["browser"] ?? "", /^\d+\.\d ms to the first byte$/);
    assert.match(time["dns"] ?? "", /^\d+\.\d ms$|^no lookup measured$/);
    assert.match(time["edge"] ?? "", /^TCP \d+\.\d ms$|^connection reused$/); // plain HTTP
    assert.match(time["proxy"] ?? "", /^\d+\.\d ms with edge and network$/);
    assert.match(time["pod"] ?? "", /^\d+\.\d ms$/);
    // The proxy of this test takes its time: what the browser measured is the proxy's, and not the pod's.
    assert.ok(parseFloat(time["proxy"] ?? "") >= sample.proxyMilliseconds, time["proxy"]);

    // Without scripts there are no times but the pod's own, and the page says so.
    const still = await browser.load(sample.proxied, { ...view, scripts: false });
    assert.deepEqual(await still.run(look).then((seen) => seen.overflow), 0);
    assert.deepEqual(
      (await still.run(hops)).map(({ time }) => time.replace(/\d+\.\d/, "0.1")),
      ["", "", "", "", "0.1 ms"],
    );
    assert.match(await still.run(() => document.body.innerText), /Without JavaScript/);
  });
