/** What nginx has against a configuration is said before anything is applied. */
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

test("a configuration is read as the cluster would, whose names need not be known here", async () => {
  assert.equal(await syntaxProblem(routes), undefined);
  await refuseBadRoutes(routes);
});

test("a configuration that nginx does not take is refused in nginx's words, with the line", async () => {
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

test("a check that was killed leaves nothing behind for good", async (t) => {
  // No process has an id above the most that Linux gives (2^22).
  const left = mkdtempSync(join(tmpdir(), "nginx-check-4194305-"));
  const atWork = mkdtempSync(join(tmpdir(), `nginx-check-${process.pid}-`));
  t.after(() => {
    rmSync(atWork, { recursive: true });
  });
  assert.equal(await syntaxProblem(routes), undefined);
  assert.deepEqual([existsSync(left), existsSync(atWork)], [false, true]);
});
