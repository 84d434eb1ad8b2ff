/** Breaks one hop after another of the running local stack, and expects the doctor to report that hop and its fix. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAuthority } from "../../tools/cli/pki.ts";
import { kubectl } from "../../tools/cli/kubectl.ts";
import { editStack, local, localTarget } from "./support/commands.ts";
import {
  apps,
  breakPods,
  doctor,
  endTerminating,
  endPods,
  expectFailure,
  expectWell,
  live,
  applyFix,
  patch,
  restore,
} from "./doctor/fixing.ts";
import { objects, pods } from "./doctor/broken.ts";
import { containerOf, suspend } from "./faults/nodeProcesses.ts";
import { start } from "./support/path.ts";

before(async () => {
  const { status, text } = await start();
  assert.equal(status, 0, text);
});
after(() => local("stop.ts", "--keep-cache"));

test("nothing fails on any route", async () => {
  const { hops } = await expectWell();
  assert.equal(hops.filter(({ kind }) => kind === "content").length, 3);
});

test("nothing listens at the edge", async () => {
  await expectFailure("edge", /ECONNREFUSED/, "--http-port", "4480", "--https-port", "4443");
});

test("a config that was not applied: the route is missing", async (context) => {
  await context.test("which npm start applies", async (inner) => {
    editStack(inner, (text) => text.replace("{ path: /hoge/ }", "{ path: /hoge/ }, { path: /new/ }"));
    const failure = await expectFailure("route", /nginx runs with nginx-proxy-routes-\w+, but the config renders/);
    assert.deepEqual([failure.route, failure.fix], ["shop.localhost/new/", "npm start"]);
    await applyFix(failure);
    assert.equal((await expectWell()).hops.filter(({ kind }) => kind === "content").length, 4);
  });
  const { status, text } = await start(); // Apply the restored stack file.
  assert.equal(status, 0, text);
});

for (const [what, name, container, kind, seen, fix] of pods)
  test(what, async () => {
    const repair = await breakPods(name, container);
    try {
      const failure = await expectFailure(kind, seen);
      assert.match(failure.fix ?? "", fix);
      if (kind !== "proxy") {
        assert.equal(failure.service, name);
        // The other service does not fail.
        const { report } = await doctor();
        for (const { service, state, seen } of report.hops.filter(
          (hop) => hop.kind === "content" && hop.service !== name,
        ))
          assert.equal(state, "ok", `${service ?? ""}: ${seen}`);
      }
    } finally {
      await repair();
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

test("pods are rejected because a quota is exhausted", async () => {
  await apps("create", "quota", "none", "--hard=pods=0");
  try {
    await endPods("hoge");
    const { fix } = await expectFailure("pods", /pods are rejected: .*exceeded quota: none/);
    assert.match(fix ?? "", /describe replicasets -l app\.kubernetes\.io\/name=hoge/);
  } finally {
    await apps("delete", "quota", "none");
    await apps("rollout", "restart", "deployment/hoge");
  }
  await expectWell();
});

for (const [what, name, change, kind, seen] of objects)
  test(`${what}: the printed fix works`, async () => {
    const was = await live(name);
    try {
      await (change === "deleted" ? apps("delete", name) : patch(name, change));
      const failure = await expectFailure(kind, seen);
      assert.ok(await applyFix(failure), failure.fix);
      await expectWell();
    } catch (error) {
      await restore(was);
      throw error;
    }
  });

test("the page shows what is broken", async () => {
  const folder = mkdtempSync(join(tmpdir(), "page-"));
  const was = await live("deployment/hoge");
  try {
    await apps("scale", "deployment/hoge", "--replicas=0");
    await expectFailure("endpoints", /scaled to 0/);
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

test("a certificate for another name", async () => {
  const was = await live("ingress/ingress");
  const authority = await createAuthority("somebody's CA");
  const { certificate, key } = await authority.issue({ commonName: "other", names: ["other.example.com"] });
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "other-tls", namespace: "apps" },
    type: "kubernetes.io/tls",
    stringData: { "tls.crt": certificate, "tls.key": key },
  };
  await kubectl(localTarget, ["create", "-f", "-"], { input: JSON.stringify(secret) });
  try {
    const hosts = ["shop.localhost", "hoge.shop.localhost"];
    await patch("ingress/ingress", { spec: { tls: [{ secretName: "other-tls", hosts }] } });
    await expectFailure("certificate", /presented for (hoge\.)?shop\.localhost is for other\.example\.com/);
  } finally {
    await restore(was);
    await apps("delete", "secret", "other-tls");
  }
  await expectWell();
});

test("a service that does not answer in time", async (context) => {
  editStack(context, (text) =>
    text.replace(
      "healthPath: /readyz",
      "healthPath: /readyz\n      replicas: 1\n      routeDefaults: { timeoutSeconds: 2 }",
    ),
  );
  const { status, text } = await start();
  assert.equal(status, 0, text);
  await expectWell();
  await endTerminating("hoge"); // Otherwise a terminating pod might be suspended instead of the serving one.
  const suspended = suspend(await containerOf(localTarget, "hoge"), 12);
  const { fix } = await expectFailure("content", /504 from nginx: too slow/);
  assert.match(fix ?? "", /services\.hoge\.routeDefaults\.timeoutSeconds/);
  await suspended;
  await expectWell();
});
