/** Breaks one hop after another of the running local stack, and expects of the doctor that it names that hop and how to mend it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createAuthority } from "../../local/pki.ts";
import { kubectl, kubectlObjects, type LiveObject } from "../../local/kubectl.ts";
import { projectDir } from "../../local/paths.ts";
import { firstFailure, hopKinds, type Hop, type HopKind, type Report } from "../../doctor/report.ts";
import { command, editStack, local, place } from "./commands.ts";
import { containerOf, hold } from "./faults/inNode.ts";
import { start } from "./path.ts";

async function doctor(...args: string[]): Promise<{ status: number | null; report: Report }> {
  const { status, text } = await command(process.execPath, [
    join(projectDir, "doctor/main.ts"),
    "local",
    "--json",
    ...args,
  ]);
  const json = text.indexOf("{\n");
  assert.ok(json >= 0, text);
  return { status, report: JSON.parse(text.slice(json)) as Report };
}

/** Asks until the hop to mend is the expected one, as the cluster needs a moment for what was done to it. */
async function expectFailure(kind: HopKind, seen: RegExp, ...args: string[]): Promise<Hop> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { status, report } = await doctor(...args);
    const failure = firstFailure(report);
    if (failure?.kind === kind && seen.test(failure.seen)) {
      assert.equal(status, hopKinds[kind].exitCode);
      assert.ok(failure.means !== undefined && failure.fix !== undefined);
      return failure;
    }
    assert.ok(Date.now() < end, `${kind} ${String(seen)} was expected, and found: ${JSON.stringify(report, null, 1)}`);
    await sleep(500);
  }
}

async function expectWell(): Promise<Report> {
  const end = Date.now() + 60_000;
  for (;;) {
    const { status, report } = await doctor();
    if (status === 0 && report.hops.every(({ state }) => state === "ok")) return report;
    assert.ok(Date.now() < end, JSON.stringify(report, null, 1));
    await sleep(500);
  }
}

const apps = (...args: string[]) => kubectl(place, ["-n", "apps", ...args]);
const patch = (object: string, change: unknown) =>
  apps("patch", object, "--type=merge", "--patch", JSON.stringify(change));

async function live(object: string): Promise<LiveObject> {
  const [found] = await kubectlObjects(place, ["-n", "apps", "get", object]);
  return found ?? assert.fail(`there is no ${object}`);
}

/** An object as it can be made again. */
function bare({ apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec }: LiveObject) {
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}

/** Puts an object back as it was, whatever became of it. */
async function putBack(object: LiveObject): Promise<void> {
  const name = `${object.kind}/${object.metadata.name}`;
  const there = await apps("get", name, "--ignore-not-found", "-o", "name");
  const args = there === "" ? ["create", "-f", "-"] : ["replace", "-f", "-"];
  await kubectl(place, args, { input: JSON.stringify(bare(object)) });
}

const endPods = (name: string) =>
  apps("delete", "pods", "-l", `app.kubernetes.io/name=${name}`, "--force", "--grace-period=0", "--wait=false");

async function endLeaving(name: string): Promise<void> {
  const pods = await kubectlObjects(place, ["-n", "apps", "get", "pods", "-l", `app.kubernetes.io/name=${name}`]);
  const leaving = pods.flatMap(({ metadata }) => (metadata["deletionTimestamp"] === undefined ? [] : metadata.name));
  if (leaving.length > 0) await apps("delete", "pods", ...leaving, "--force", "--grace-period=0");
}

interface DeploymentSpec {
  readonly template: { readonly spec: { readonly containers: readonly Record<string, unknown>[] } };
}

/** With `Recreate` the pods of the release before do not serve on, which they would otherwise. */
async function breakPods(name: string, container: Record<string, unknown>): Promise<() => Promise<void>> {
  const was = await live(`deployment/${name}`);
  const { template } = was["spec"] as DeploymentSpec;
  const containers = template.spec.containers.map((one) => ({ ...one, ...container }));
  await patch(`deployment/${name}`, {
    spec: { strategy: { type: "Recreate", rollingUpdate: null }, template: { spec: { containers } } },
  });
  await endPods(name);
  return async () => {
    await putBack(was);
    await endPods(name);
    await apps("rollout", "status", `deployment/${name}`, "--timeout=60s");
  };
}

before(async () => {
  const { status, text } = await start();
  assert.equal(status, 0, text);
});
after(() => local("stop.ts", "--keep-cache"));

test("all is well, of each route to its content", async () => {
  const { hops } = await expectWell();
  assert.equal(hops.filter(({ kind }) => kind === "content").length, 3);
});

test("nothing listens at the entrance", async () => {
  await expectFailure("edge", /ECONNREFUSED/, "--http-port", "4480", "--https-port", "4443");
});

test("a config that was not applied: the route is not there", async (context) => {
  editStack(context, (text) => text.replace("{ path: /hoge/ }", "{ path: /hoge/ }, { path: /new/ }"));
  const { route, fix } = await expectFailure("route", /nginx runs with nginx-proxy-routes-\w+, and the config makes/);
  assert.deepEqual([route, fix], ["shop.localhost/new/", "npm start"]);
});

const pods: readonly (readonly [string, string, Record<string, unknown>, HopKind, RegExp, RegExp])[] = [
  [
    "an image that is not there",
    "hoge",
    { image: "localhost/nowhere/hoge:1" },
    "pods",
    /ErrImage|ImagePullBackOff/,
    /services\.hoge\.image/,
  ],
  [
    "a crash loop",
    "hoge",
    { command: ["/usr/bin/node", "-e", "process.exit(3)"] },
    "pods",
    /status 3 \(Error\)/,
    /logs hoge-.* --previous/,
  ],
  [
    "a pod that no node has room for",
    "web",
    { resources: { requests: { cpu: "1000" } } },
    "pods",
    /Pending: .*Insufficient cpu/,
    /Lower services\.web\.resources/,
  ],
  [
    "a health check on the wrong port",
    "web",
    { startupProbe: null, readinessProbe: { httpGet: { path: "/readyz", port: 9 }, periodSeconds: 1 } },
    "pods",
    /connection refused/,
    /services\.web\.port/,
  ],
  [
    "a health check by the wrong path",
    "nginx-proxy",
    { startupProbe: null, readinessProbe: { httpGet: { path: "/nowhere", port: "health" }, periodSeconds: 1 } },
    "proxy",
    /statuscode: 404/,
    /proxy\.healthPath|proxy/,
  ],
];
for (const [what, name, container, kind, seen, fix] of pods)
  test(what, async () => {
    const mend = await breakPods(name, container);
    try {
      const failure = await expectFailure(kind, seen);
      assert.match(failure.fix ?? "", fix);
      if (kind === "pods") {
        assert.equal(failure.service, name);
        // The other service is not called dead.
        const { report } = await doctor();
        for (const { service, state, seen } of report.hops.filter(
          (hop) => hop.kind === "content" && hop.service !== name,
        ))
          assert.equal(state, "ok", `${service ?? ""}: ${seen}`);
      }
    } finally {
      await mend();
    }
    await expectWell();
  });

test("a release that does not start, while the one before serves, is a warning", async () => {
  const was = await live("deployment/hoge");
  await apps("set", "image", "deployment/hoge", "hoge=localhost/nowhere/hoge:2");
  try {
    const end = Date.now() + 30_000;
    for (;;) {
      const { status, report } = await doctor();
      assert.equal(status, 0);
      const found = report.hops.find(({ kind, service }) => kind === "pods" && service === "hoge");
      if (found?.state === "warning" && /ErrImage|ImagePullBackOff/.test(found.seen)) break;
      assert.ok(Date.now() < end, JSON.stringify(found));
      await sleep(500);
    }
  } finally {
    await putBack(was);
  }
});

test("a service that is scaled to 0", async () => {
  await apps("scale", "deployment/hoge", "--replicas=0");
  const { fix } = await expectFailure("endpoints", /scaled to 0/);
  assert.equal(fix, "kubectl --kubeconfig .local/kubeconfig -n apps scale deployment/hoge --replicas=2");
  await kubectl(place, fix.split(" ").slice(3));
  await expectWell();
});

const objects: readonly (readonly [string, string, Record<string, unknown> | "deleted", HopKind, RegExp])[] = [
  [
    "a Service that selects no pods",
    "service/pods-hoge",
    { spec: { selector: { "app.kubernetes.io/name": "hogee" } } },
    "endpoints",
    /selects .*=hogee/,
  ],
  ["a Service that is not there", "service/pods-hoge", "deleted", "service", /there is no Service pods-hoge/],
  ["no pod of the proxy", "deployment/nginx-proxy", { spec: { replicas: 0 } }, "proxy", /scaled to 0/],
  ["an Ingress that is not there", "ingress/ingress", "deleted", "ingress", /there is no Ingress/],
  [
    "an Ingress of another class",
    "ingress/ingress",
    { spec: { ingressClassName: "other" } },
    "ingress",
    /of the class other, and the config says contour/,
  ],
  [
    "a Secret that is not there",
    "ingress/ingress",
    { spec: { tls: [{ secretName: "nowhere", hosts: ["shop.localhost"] }] } },
    "ingress",
    /names the Secret nowhere/,
  ],
];
for (const [what, name, change, kind, seen] of objects)
  test(what, async () => {
    const was = await live(name);
    try {
      await (change === "deleted" ? apps("delete", name) : patch(name, change));
      await expectFailure(kind, seen);
    } finally {
      await putBack(was);
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
  await kubectl(place, ["create", "-f", "-"], { input: JSON.stringify(secret) });
  try {
    const hosts = ["shop.localhost", "hoge.shop.localhost"];
    await patch("ingress/ingress", { spec: { tls: [{ secretName: "other-tls", hosts }] } });
    await expectFailure("certificate", /asked as (hoge\.)?shop\.localhost, the certificate is for other\.example\.com/);
  } finally {
    await putBack(was);
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
  await endLeaving("hoge"); // Of the pods that are there, the one that serves is to be held.
  const held = hold(await containerOf(place, "hoge"), 12);
  const { fix } = await expectFailure("content", /504 from nginx: too slow/);
  assert.match(fix ?? "", /services\.hoge\.routeDefaults\.timeoutSeconds/);
  await held;
  await expectWell();
});
