/**
 * Two changes of one apply that depend on each other lose nothing. `npm run e2e -- pairs` sends 60,000 requests at each, with the
 * Pulumi CLI too where it is installed. Among all suites, it draws five with kubectl, which SEED repeats.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { findPulumi } from "../../tools/stack/pulumiCli.ts";
import { stop } from "./support/commands.ts";
import { drawn } from "./support/random.ts";
import { apply, applied, nothingLost, overHttps, replace, restoreStackFile, type Edit } from "./faults/echoStack.ts";
import { table } from "./faults/table.ts";
import { underLoad } from "./faults/underLoad.ts";

const program = findPulumi();
const isShort = process.env["SHORT"] !== undefined;

after(async () => {
  restoreStackFile();
  console.log(table());
  await stop();
});

/** Another service with the program of echo. */
const fresh =
  (lines: string): Edit =>
  (text) =>
    `${text}    fresh:
      build: { context: ./test/e2e/echo }
      health: /
      resources: { cpu: 50m }
      ${lines}
`;
const both =
  (...edits: readonly Edit[]): Edit =>
  (text) =>
    edits.reduce((edited, edit) => edit(edited), text);
const echoAt = (...routes: readonly string[]) => replace("[{ path: /echo/ }]", `[${routes.join(", ")}]`);

/** Two things of one apply that depend on each other: the path that is under load, and the stack before and after. */
const pairs: Record<string, { path: string; before?: Edit; after?: Edit }> = {
  "a new service on a path of another": { path: "/echo/new/", after: fresh("routes: [{ path: /echo/new/ }]") },
  "a service deleted whose path falls back to another": {
    path: "/echo/new/",
    before: fresh("routes: [{ path: /echo/new/ }]"),
  },
  "a route moved from one service to another": {
    path: "/moved/",
    before: both(echoAt("{ path: /echo/ }", "{ path: /moved/ }"), fresh("routes: [{ path: /fresh/ }]")),
    after: fresh("routes: [{ path: /fresh/ }, { path: /moved/ }]"),
  },
  "a route moved to a new service, the old one deleted": {
    path: "/moved/",
    before: fresh("routes: [{ path: /moved/ }]"),
    after: echoAt("{ path: /echo/ }", "{ path: /moved/ }"),
  },
  "a canary to a new service": {
    path: "/echo/",
    after: both(echoAt("{ path: /echo/, canary: { service: fresh, percent: 50 } }"), fresh("replicas: 1")),
  },
  "a canary ended, its service deleted": {
    path: "/echo/",
    before: both(echoAt("{ path: /echo/, canary: { service: fresh, percent: 99 } }"), fresh("replicas: 1")),
  },
  "a new route beside fewer pods": {
    path: "/echo/",
    before: replace("health: /\n", "health: /\n      replicas: 4\n"),
    after: echoAt("{ path: /echo/ }", "{ path: /more/ }"),
  },
  "a route that becomes a service found by its name": {
    path: "/fresh/",
    before: fresh("routes: [{ path: /fresh/ }]"),
    after: both(fresh("replicas: 2"), replace("proxy:\n", "proxy:\n    wildcards: { path: { allow: [fresh] } }\n")),
  },
  "a service renamed": {
    path: "/moved/",
    before: fresh("routes: [{ path: /moved/ }]"),
    after: (text) => fresh("routes: [{ path: /moved/ }]")(text).replace("    fresh:", "    renamed:"),
  },
  "two services that swap their routes": {
    path: "/one/",
    before: both(echoAt("{ path: /echo/ }", "{ path: /one/ }"), fresh("routes: [{ path: /two/ }]")),
    after: both(echoAt("{ path: /echo/ }", "{ path: /two/ }"), fresh("routes: [{ path: /one/ }]")),
  },
};

for (const engine of ["kubectl", "pulumi"] as const) {
  const missing = engine === "pulumi" && (program === undefined ? "no Pulumi CLI on PATH" : isShort && "runs alone");
  describe(`two changes in one apply lose nothing, with ${engine}`, { skip: missing }, () => {
    before(
      async () => {
        await stop(); // The stack before may be of the other engine.
        await applied(undefined, engine);
      },
      { timeout: 25 * 60_000 },
    );

    for (const [what, { path, before: first, after: second }] of drawn(Object.entries(pairs), 5))
      test(what, { timeout: 10 * 60_000 }, async () => {
        await applied(first, engine);
        const observed = await underLoad(overHttps(path), () => applied(second, engine));
        nothingLost(observed, `${engine}: ${what}`);
      });

    test("a new service on a path of another never starts: the old route stays", { timeout: 10 * 60_000 }, async () => {
      await applied(undefined, engine);
      const edit = both(fresh("routes: [{ path: /echo/new/ }]"), (text) =>
        text.replace(/(fresh:\n *)build: .*/, "$1image: localhost/nowhere/echo:1"),
      );
      const observed = await underLoad(overHttps("/echo/new/"), () => apply(edit, engine));
      assert.equal(observed.result.status, 1, observed.result.text);
      assert.match(observed.result.text, /ErrImagePull|ImagePullBackOff/);
      nothingLost(observed, `${engine}: a new service that never starts`);
      await applied(undefined, engine);
    });
  });
}
