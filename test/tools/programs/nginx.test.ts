/** Errors that nginx finds in a configuration are reported before anything is applied. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { refuseBadRoutes, syntaxProblem } from "../../../tools/programs/nginx.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { renderRoutes } from "../../../nginx/routes.ts";

const routes = renderRoutes({
  resolver: "kube-dns.kube-system.svc.cluster.local",
  client: { trustedProxies: [], entry: "last" },
  upstreams: [{ service: "web", address: "web.shop.svc.cluster.local", port: 8080 }],
  routes: [{ service: "web", path: "/", keepPrefix: false }],
});

test("a valid configuration is accepted, although the cluster's names do not resolve here", async () => {
  assert.equal(await syntaxProblem(routes), undefined);
  await refuseBadRoutes(routes);
});

test("a configuration that includes the pod's name servers is accepted, although only a pod has the file", async () => {
  const including = routes.replace(/^resolver .*$/m, "include /tmp/resolver.conf;");
  assert.notEqual(including, routes);
  assert.equal(await syntaxProblem(including), undefined);
  assert.match((await syntaxProblem(including.replace("upstream web", "upstream w;b"))) ?? "", /routes\.conf:\d+/);
});

test("a configuration that nginx does not accept is rejected with nginx's message and line", async () => {
  const problem = await syntaxProblem(routes.replace("server_name", "servre_name"));
  assert.match(problem ?? "", /unknown directive "servre_name" in routes\.conf:\d+/);
  assert.doesNotMatch(problem ?? "", /nginx-check-/);
  await assert.rejects(
    refuseBadRoutes(routes.replace("$has_dot_segment", "$nobody")),
    (error) =>
      error instanceof Problem &&
      error.message.includes('unknown "nobody" variable') &&
      error.fix.includes("routes.ts"),
  );
});

test("the next check removes the folder of a check that was killed", async (t) => {
  // No process has an id above Linux's maximum (2^22).
  const stale = mkdtempSync(join(tmpdir(), "nginx-check-4194305-"));
  const active = mkdtempSync(join(tmpdir(), `nginx-check-${process.pid}-`));
  t.after(() => {
    rmSync(active, { recursive: true });
  });
  assert.equal(await syntaxProblem(routes), undefined);
  assert.deepEqual([existsSync(stale), existsSync(active)], [false, true]);
});
