/** The report: the hop to fix, the exit status, the text. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { explanations, rows } from "../../../tools/doctor/print.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { exitCode, firstFailure, hop, hopKinds, type Hop, type Report } from "../../../tools/doctor/report.ts";

const ok = { state: "ok", seen: "well" } as const;
const failed = (seen: string) => ({ state: "failed", seen, means: "it is bad", fix: "fix it" }) as const;
const of = (route: string, service: string) => ({ route, service });
const report = (...hops: Hop[]): Report => ({
  stack: "local",
  url: "https://shop.localhost/",
  time: "2026-01-01T00:00:00Z",
  hops,
});

test("every hop has its own exit status, apart from those of other commands", () => {
  const codes = Object.values(hopKinds).map(({ exitCode }) => exitCode);
  assert.deepEqual(codes, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22]);
});

test("the hop to fix is the first failure without another cause", () => {
  const effect = { ...hop("edge", failed("refused")), because: "ingress" };
  const all = report(
    hop("dns", ok),
    effect,
    hop("ingress", failed("gone")),
    hop("content", failed("502"), of("a/", "web")),
  );
  assert.equal(firstFailure(all)?.id, "ingress");
  assert.equal(exitCode(all), 14);
  assert.equal(exitCode(report(hop("dns", ok), hop("pods", failed("none"), of("a/", "web")))), 19);
});

test("warnings and unknown hops are not failures; an unknown edge is", () => {
  const warning = hop("certificate", { state: "warning", seen: "soon", means: "m", fix: "f" });
  assert.equal(exitCode(report(hop("dns", { state: "unknown", seen: "?" }), warning, hop("edge", ok))), 0);
  assert.equal(exitCode(report(hop("edge", { state: "skipped", seen: "nowhere" }))), 1);
});

test("a route without problems is one row; otherwise each hop is a row", () => {
  const well = [hop("pods", ok, of("a/", "web")), hop("content", { state: "ok", seen: "200" }, of("a/", "web"))];
  const bad = [
    hop("pods", failed("none"), of("b/", "hoge")),
    { ...hop("content", failed("502"), of("b/", "hoge")), because: "pods b/" },
  ];
  assert.deepEqual(rows(report(hop("dns", ok), ...well, ...bad)), [
    { mark: "ok", name: "DNS name", seen: "well" },
    { mark: "ok", name: "a/", seen: "200" },
    { mark: "FAIL", name: "b/ pods", seen: "none" },
    { mark: "FAIL", name: "b/ content", seen: "502 (follows from: pods b/)" },
  ]);
});

test("the same problem of two routes is explained once; a temporary one says so", () => {
  const same = failed("none ready");
  const texts = explanations(
    report(
      hop("address", { ...failed("RESERVED"), passing: true }),
      hop("pods", same, of("a/", "web")),
      hop("pods", same, of("b/", "web")),
    ),
  );
  assert.equal(texts.length, 3);
  assert.equal(
    texts[0],
    "\nTo fix: address\n  seen:  RESERVED\n  means: it is bad\n  fix:   fix it\n  This is temporary for some minutes after a change. To wait for it: --wait 10m",
  );
  assert.equal(texts[1], "\nTo fix: a/, pods\n  seen:  none ready\n  means: it is bad\n  fix:   fix it");
  assert.equal(texts[2], "\nStatus 11.");
});

test("the guide has each hop with its status", () => {
  const guide = readFileSync(join(projectDir, "docs/troubleshooting.md"), "utf8");
  for (const { title, exitCode } of Object.values(hopKinds))
    assert.ok(guide.includes(`\n| ${exitCode} | ${title} |`), title);
});
