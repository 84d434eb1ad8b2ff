import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { editedSecrets } from "../../../tools/diff/encrypted.ts";
import { rulesOnObjects, rulesOnResources, rulesOnRoutes } from "../../../tools/diff/rules.ts";
import { objectsOf } from "../../program/rendered.ts";

test("an object is checked as Pulumi's resource of its kind, and unknown values violate no rule", () => {
  const object = (apiVersion: string, kind: string, rest: object) => ({
    apiVersion,
    kind,
    metadata: { name: "a", namespace: "apps" },
    ...rest,
  });
  assert.deepEqual(
    rulesOnObjects([
      object("v1", "Service", { spec: { type: "NodePort" } }),
      object("networking.gke.io/v1beta1", "FrontendConfig", {
        spec: { sslPolicy: "(ssl-policy name not shown)", redirectToHttps: { enabled: false } },
      }),
      object("v1", "Secret", { immutable: true }),
    ]),
    [
      {
        id: "service-inside",
        where: "Service apps/a",
        text: 'spec.type is "NodePort"; use ClusterIP, and a route of the proxy',
        stops: true,
      },
      {
        id: "edge-https-only",
        where: "FrontendConfig apps/a",
        text: "spec.redirectToHttps.enabled is false; set tls.mode, and tls.redirectHttp to true",
        stops: false,
      },
    ],
  );
});

test("resources of the program are checked without a preview; placeholders violate no rule", () => {
  const cluster = (enableLegacyAbac: unknown) => ({ type: "gcp:container/cluster:Cluster", resource: "gcp:container/cluster:Cluster a", inputs: { enableLegacyAbac } }); // prettier-ignore
  const abac = (value: unknown) => rulesOnResources([cluster(value)]).find(({ id }) => id === "cluster-rbac-only");
  assert.deepEqual(abac(true), {
    id: "cluster-rbac-only",
    where: "gcp:container/cluster:Cluster a",
    text: "enableLegacyAbac is true; set it to false",
    stops: true,
  });
  assert.equal(abac("(a enableLegacyAbac not shown)"), undefined);
  // The rendering has these already.
  assert.deepEqual(rulesOnResources([{ type: "kubernetes:core/v1:Service", resource: "a", inputs: { spec: { type: "NodePort" } } }]), []); // prettier-ignore
});

test("nginx tests the routes", async () => {
  const object = await objectsOf("local");
  const good =
    object.of("ConfigMap").find(({ data }) => data?.["routes.conf"] !== undefined)?.data?.["routes.conf"] ??
    assert.fail();
  const routes = (text: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "routes" }, data: { "routes.conf": text } }); // prettier-ignore
  assert.deepEqual(await rulesOnRoutes([routes(good)]), []);
  const [broken, ...more] =
    (await rulesOnRoutes([routes(good.replace("listen 8080", "lissen 8080"))])) ?? assert.fail();
  assert.deepEqual(more, []);
  assert.match(broken?.text ?? "", /^\[emerg\] unknown directive "lissen" in routes\.conf:\d+\n/);
  assert.deepEqual({ ...broken, text: "" }, { id: "proxy-routes-accepted", where: "ConfigMap routes", text: "", stops: true }); // prettier-ignore
});

test("encrypted values that differ are reported only by key", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "encrypted-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const before = file("before", "config:\n  a:secrets:\n    hoge: { KEY: { secure: v1 }, OLD: { secure: v1 }, SAME: { secure: s } }\n  a:x: { secure: plain, beside: 1 }\n"); // prettier-ignore
  const after = file("after", "config:\n  a:secrets:\n    hoge: { KEY: { secure: v2 }, SAME: { secure: s } }\n  a:new: { secure: v }\n  a:x: { secure: other, beside: 1 }\n"); // prettier-ignore
  assert.deepEqual(editedSecrets(before, after), ["a:new", "a:secrets.hoge.KEY", "a:secrets.hoge.OLD"]);
  assert.deepEqual(editedSecrets(join(folder, "none"), after), ["a:new", "a:secrets.hoge.KEY", "a:secrets.hoge.SAME"]);
  for (const other of ["", "a: [", "- 1\n"]) assert.deepEqual(editedSecrets(before, before), editedSecrets(file("x", other), file("y", other))); // prettier-ignore
});
