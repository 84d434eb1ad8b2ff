import assert from "node:assert/strict";
import { test } from "node:test";
import { stackDiagram } from "../../../tools/diagram/diagram.ts";
import { page, withFindings } from "../../../tools/doctor/html.ts";
import { hop, type Finding, type Hop, type Report } from "../../../tools/doctor/report.ts";

const route = { route: "staging.example.com/hoge/", service: "hoge" };
const ok: Finding = { state: "ok", seen: "200" };
const bad: Finding = { state: "failed", seen: "none ready", means: "It cannot start.", fix: "npm start" };
const report = (...hops: Hop[]): Report => ({
  stack: "staging",
  url: "https://staging.example.com/",
  time: "2026-01-02T03:04:05.678Z",
  hops,
});

const found = (...hops: Hop[]) => withFindings(stackDiagram("staging"), report(...hops));
const node = (id: string, ...hops: Hop[]) => found(...hops).nodes.find((each) => each.id === id);

test("each hop is found at its part of the picture, and what was not examined stays as it was", () => {
  const { nodes, arrows } = found(
    hop("dns", ok),
    hop("edge", { ...bad, state: "warning" }),
    hop("proxy", { state: "unknown", seen: "no kubectl" }),
    hop("route", ok, route),
    hop("pods", bad, route),
  );
  assert.deepEqual(Object.fromEntries(nodes.map(({ id, state }) => [id, state])), {
    client: undefined,
    dns: "ok",
    edge: "warning",
    registry: undefined,
    "zone-asia-northeast1-a": undefined,
    proxy: "unknown",
    "service-hoge": "failed",
    "service-web": undefined,
  });
  const marked = nodes.filter(({ state }) => state !== undefined);
  assert.deepEqual(
    marked.map(({ lines }) => lines.at(-1)),
    ["✓ ok", "! warning", "? not known", "✗ fails"],
  );
  const plain = stackDiagram("staging");
  assert.deepEqual(nodes.at(-1), plain.nodes.at(-1));
  // nginx has the route, and still nobody is served there: what leads to the failure is not labelled ok.
  assert.deepEqual(
    arrows.filter(({ state }) => state !== undefined),
    [
      {
        from: "proxy",
        to: "service-hoge",
        kind: "request",
        lines: ["✗ fails", "/hoge/", "hoge.staging.example.com"],
        state: "failed",
      },
    ],
  );
});

test("a release job that fails is at its service; the way there still serves", () => {
  const hops = [hop("content", ok, route), hop("release", bad, { service: "hoge" })];
  assert.equal(node("service-hoge", ...hops)?.state, "failed");
  assert.equal(found(...hops).arrows.find(({ to }) => to === "service-hoge")?.state, "ok");
});

test("where one of several routes to a service fails, the label counts it", () => {
  const other = { ...route, route: "hoge.staging.example.com/" };
  const lines = (...hops: Hop[]) => found(...hops).arrows.find(({ to }) => to === "service-hoge")?.lines[0];
  assert.equal(lines(hop("content", ok, route), hop("content", bad, other)), "✗ fails: 1 of 2 routes");
  assert.equal(lines(hop("content", bad, route), hop("content", bad, other)), "✗ fails");
  assert.equal(lines(hop("content", ok, route), hop("content", ok, other)), "✓ ok");
});

test("of several hops at one part, the worst is shown; what was checked comes before what was not", () => {
  assert.equal(node("edge", hop("certificate", bad), hop("edge", ok), hop("ingress", ok))?.state, "failed");
  assert.equal(node("edge", hop("certificate", ok), hop("ingress", { state: "skipped", seen: "" }))?.state, "ok");
  const skipped: Finding = { state: "skipped", seen: "" };
  assert.equal(node("service-hoge", hop("content", skipped, route), hop("pods", skipped, route))?.state, "skipped");
});

test("the page names the hop to fix first: what was seen, what it means, the fix", () => {
  const passing = { ...bad, passing: true };
  const because = { ...hop("content", { ...bad, seen: "502" }, route), because: "pods staging.example.com/hoge/" };
  const again = hop("pods", passing, { ...route, route: "hoge.staging.example.com/" });
  const text = page(
    report(hop("edge", { ...bad, state: "warning", means: "Soon." }), hop("pods", passing, route), because, again),
    stackDiagram("staging"),
  );
  assert.match(text, /<title>Stack staging: ✗ to fix: pods of staging\.example\.com\/hoge\/<\/title>/);
  const sections = [...text.matchAll(/<section class="(\w+)">([^]*?)<\/section>/g)].map(
    ([, state = "", inside = ""]) => [state, inside.replaceAll(/<[^>]*>/g, "|").replaceAll(/\|+/g, "|")],
  );
  assert.deepEqual(sections, [
    [
      "failed",
      "|✗ To fix: pods of staging.example.com/hoge/|Seen|none ready|Means|It cannot start.|Fix|npm start|Wait|It passes by itself, within some minutes after a change.|",
    ],
    ["warning", "|! Warning: load balancer|Seen|none ready|Means|Soon.|Fix|npm start|"],
  ]);
  assert.match(text, /examined at 2026-01-02 03:04:05 UTC/);
  assert.match(text, /502 \(follows from: pods staging\.example\.com\/hoge\/\)/);
});

test("every hop stands below its route", () => {
  const text = page(report(hop("dns", ok), hop("route", ok, route), hop("pods", bad, route)), stackDiagram("staging"));
  const bodies = [...text.matchAll(/<tbody>([^]*?)<\/tbody>/g)].map(([, inside = ""]) =>
    inside.replaceAll(/<[^>]*>/g, "|").replaceAll(/[|\s]*\|[|\s]*/g, "|"),
  );
  assert.deepEqual(bodies, [
    "|✓ ok|DNS name|200|",
    "|staging.example.com/hoge/|✓ ok|route|200|✗ fails|pods|none ready|",
  ]);
});

test("a page without failures says so", () => {
  const title = (...hops: Hop[]) => /<h1>(.*)<\/h1>/.exec(page(report(...hops), stackDiagram("staging")))?.[1];
  assert.equal(title(hop("dns", ok)), "Stack staging: ✓ every hop that could be checked holds");
  assert.equal(
    title(hop("dns", ok), hop("edge", { ...bad, state: "warning" })),
    "Stack staging: ! it works, with warnings",
  );
  assert.equal(title(hop("dns", { state: "unknown", seen: "" })), "Stack staging: ? nothing could be checked");
});

test("nothing in the page is from outside, and text that looks like markup stays text", () => {
  const hostile = `</style></td><script>alert(1)</script><img src="https://example.com/x" onerror='alert(1)'>`;
  const text = page(
    report(hop("edge", { state: "failed", seen: hostile, means: hostile, fix: hostile })),
    stackDiagram("staging"),
  );
  assert.doesNotMatch(text, /<script|<img|<link|<iframe|<object|@import|url\((?!#)/);
  assert.equal(text.split("&lt;script&gt;alert(1)&lt;/script&gt;").length - 1, 4);
  assert.deepEqual(
    [...new Set([...text.matchAll(/(?:href|src|xmlns)="([^"]*)"/g)].map(([, address]) => address))],
    ["https://staging.example.com/", "http://www.w3.org/2000/svg"],
  );
  assert.match(
    text,
    /content="default-src &#39;none&#39;; style-src &#39;sha256-[^ ;]+&#39; &#39;sha256-[^ ;]+&#39;; base-uri/,
  );
});
