/** Breaks one hop after another of the running local stack, and expects the doctor to report that hop and its fix. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { editStack, stop } from "./support/commands.ts";
import { apps, applyFix, doctor, expectFound, expectWell, live, restore } from "./doctor/fixing.ts";
import type { Repair } from "./doctor/breaking.ts";
import { breakages } from "./doctor/broken.ts";
import { start } from "./support/path.ts";

before(async () => {
  const { status, text } = await start();
  assert.equal(status, 0, text);
});
after(stop);

test("nothing fails on any route", async () => {
  const { hops } = await expectWell();
  assert.equal(hops.filter(({ kind }) => kind === "content").length, 3);
});

test("nothing listens at the edge", async () => {
  const expected = [{ kind: "edge", seen: /ECONNREFUSED/, fix: /^npm start/ }] as const;
  await expectFound(expected, "--http-port", "4480", "--https-port", "4443");
});

test("a config that was not applied: the route is missing", async (context) => {
  await context.test("which npm start applies", async (inner) => {
    editStack(inner, (text) => text.replace("{ path: /hoge/ }", "{ path: /hoge/ }, { path: /new/ }"));
    const seen = /nginx runs with nginx-proxy-routes-\w+, but the config renders/;
    const [failure = assert.fail()] = (await expectFound([{ kind: "route", seen, fix: /^npm start$/ }])).found;
    assert.equal(failure.route, "shop.localhost/new/");
    await applyFix(failure);
    assert.equal((await expectWell()).hops.filter(({ kind }) => kind === "content").length, 4);
  });
  const { status, text } = await start(); // Apply the restored stack file.
  assert.equal(status, 0, text);
});

for (const { what, breaks, expected, fixes = false } of breakages)
  test(what, async () => {
    const repairs: Repair[] = [];
    let isFixed = false;
    try {
      for (const one of breaks) repairs.unshift(await one());
      const { report, found } = await expectFound(expected);
      const [only] = expected.length === 1 ? expected : [];
      // The other services do not fail.
      if (only?.service !== undefined)
        for (const { service, state, seen } of report.hops.filter(
          (hop) => hop.kind === "content" && hop.service !== only.service,
        ))
          assert.equal(state, "ok", `${service ?? ""}: ${seen}`);
      if (fixes) {
        for (const hop of found) assert.ok(await applyFix(hop), hop.fix);
        await expectWell();
        isFixed = true;
      }
    } finally {
      if (!isFixed) for (const repair of repairs) await repair();
    }
    await expectWell();
  });

test("a release that does not start while the previous one serves is a warning", async () => {
  const was = await live("deployment/hoge");
  await apps("set", "image", "deployment/hoge", "hoge=localhost/nowhere/hoge:2");
  try {
    const end = Date.now() + 30_000;
    for (;;) {
      const { status, report } = await doctor();
      const found = report.hops.find(({ kind, service }) => kind === "pods" && service === "hoge");
      if (status === 0 && found?.state === "warning" && /ErrImage|ImagePullBackOff/.test(found.seen)) break;
      assert.ok(Date.now() < end, `${status ?? ""} ${JSON.stringify(report, null, 1)}`);
      await sleep(500);
    }
  } finally {
    await restore(was);
  }
});

test("the page shows what is broken", async () => {
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  const was = await live("deployment/hoge");
  try {
    await apps("scale", "deployment/hoge", "--replicas=0");
    await expectFound([{ kind: "endpoints", seen: /scaled to 0/, fix: /./ }]);
    const file = join(folder, "page.html");
    await doctor("--html", file);
    const page = readFileSync(file, "utf8");
    assert.match(page, /<title>Stack local: ✗ to fix: endpoints of hoge\.shop\.localhost\/<\/title>/);
    assert.match(page, /<g class="node service failed" id="service-hoge">[^]*✗ fails/);
    assert.match(page, /<g class="node service ok" id="service-web">/);
  } finally {
    await restore(was);
    rmSync(folder, { recursive: true });
  }
  await expectWell();
});
