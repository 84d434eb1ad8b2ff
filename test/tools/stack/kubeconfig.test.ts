import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { parse, parseDocument, stringify } from "yaml";
import { accessIn, removeOwnContext, withContext, withoutContext } from "../../../tools/stack/kubeconfig.ts";
import { Problem } from "../../../tools/cli/problem.ts";

const access = { cluster: { server: "https://new.example" }, user: { exec: { command: "plugin" } } };
const name = "gke-microservices-staging";

const others = `# mine
apiVersion: v1
kind: Config
current-context: work # do not touch
preferences: { colors: true }
clusters:
  - name: work
    cluster: { server: https://work.example }
contexts:
  - name: work
    context: { cluster: work, user: me, namespace: team }
users:
  - name: me
    user: { token: "0123" }
`;

test("without a file, a complete one is created, whose current context is the new one", () => {
  for (const empty of ["", "\n", "apiVersion: v1\nkind: Config\nclusters: null\ncontexts: []\ncurrent-context: ''\n"])
    assert.deepEqual(parse(withContext(empty, "file", name, access)), {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: access.cluster }],
      users: [{ name, user: access.user }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
    });
});

test("the rest of the file stays: contexts, the current context, comments", () => {
  const text = withContext(others, "file", name, access);
  for (const line of others.split("\n")) assert.ok(text.includes(line.trim()), line);
  assert.deepEqual(accessIn(text, "file", name), access);
  assert.deepEqual(accessIn(text, "file"), { cluster: { server: "https://work.example" }, user: { token: "0123" } });
  assert.equal(withContext(text, "file", name, access), text);
});

test("an existing context is updated, and keeps its namespace", () => {
  const old = withContext(others, "file", name, { cluster: { server: "https://old.example" }, user: { token: "old" } });
  const chosen = old.replace(`user: ${name}\n`, `user: ${name}\n      namespace: apps\n`);
  assert.notEqual(chosen, old);
  const text = withContext(chosen, "file", name, access);
  assert.doesNotMatch(text, /old/);
  const { contexts, clusters, users } = parse(text) as Record<string, { name: string }[]>;
  assert.deepEqual(contexts?.[1], { name, context: { cluster: name, user: name, namespace: "apps" } });
  for (const list of [contexts, clusters, users]) assert.equal(list?.length, 2);
});

test("property: any number of contexts can be added in any order, and none affects another", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(names, fc.array(fc.nat(5), { maxLength: 6 }), (all, again) => {
      const accessOf = (each: string) => ({ cluster: { server: `https://${each}` }, user: { token: each } });
      const order = [...all, ...again.flatMap((index) => all[index] ?? [])];
      const text = order.reduce((before, each) => withContext(before, "file", each, accessOf(each)), "");
      for (const each of all) assert.deepEqual(accessIn(text, "file", each), accessOf(each));
      assert.equal((parse(text) as { contexts: unknown[] }).contexts.length, all.length);
      assert.equal((parse(text) as { "current-context": string })["current-context"], all[0]);
    }),
  );
});

test("a text that is not a kubeconfig is a problem, and is never overwritten", () => {
  const cases: [string, RegExp][] = [
    ["a: [", /^file is not a kubeconfig: /],
    ["just text", /^file is not a kubeconfig: it is not a map$/],
    ["clusters: here", /^file is not a kubeconfig: its clusters are not lists of maps$/],
    ["users: [me]", /^file is not a kubeconfig: its users are not lists of maps$/],
  ];
  for (const [text, message] of cases)
    for (const use of [() => withContext(text, "file", name, access), () => accessIn(text, "file")])
      assert.throws(use, (error) => error instanceof Problem && message.test(error.message));
});

test("a context that is missing, or has no cluster and user, is a problem that names it", () => {
  const dangling = stringify({ contexts: [{ name, context: { cluster: "gone", user: "gone" } }] });
  for (const text of [others, dangling])
    assert.throws(
      () => accessIn(text, "The output of stack staging", name),
      (error) =>
        error instanceof Problem && error.message === `The output of stack staging has no complete context "${name}".`,
    );
});

test("removing a context leaves exactly what was there before, comments included", () => {
  const { server } = access.cluster;
  // The YAML library writes the file in its own form, as `withContext` does.
  assert.equal(
    withoutContext(withContext(others, "file", name, access), "file", name, server),
    parseDocument(others).toString({ lineWidth: 0 }),
  );
  const alone = parse(withoutContext(withContext("", "file", name, access), "file", name, server) ?? "") as object;
  assert.deepEqual(alone, { apiVersion: "v1", kind: "Config", clusters: [], users: [], contexts: [] });
});

test("a current context that is another stays, and so do a cluster and a user that others have", () => {
  const { server } = access.cluster;
  const both = withContext(others, "file", name, access);
  assert.match(withoutContext(both, "file", name, server) ?? "", /^current-context: work # do not touch$/m);
  const chosen = both.replace("current-context: work", `current-context: ${name}`);
  assert.doesNotMatch(withoutContext(chosen, "file", name, server) ?? "", /current-context/);
  const shared = both.replace("cluster: work, user: me", `cluster: ${name}, user: ${name}`);
  const { contexts, clusters, users } = parse(withoutContext(shared, "file", name, server) ?? "") as Record<
    string,
    { name: string }[]
  >;
  assert.deepEqual(
    [contexts, clusters, users].map((list) => list?.map((entry) => entry.name)),
    [["work"], ["work", name], ["me", name]],
  );
});

test("no context, or one of this name for another cluster, is not removed", () => {
  assert.equal(withoutContext(others, "file", name, "https://new.example"), undefined);
  assert.equal(withoutContext("", "file", name, "https://new.example"), undefined);
  const both = withContext(others, "file", name, access);
  assert.equal(withoutContext(both, "file", name, "https://other.example"), undefined);
});

test("the context is removed from the first file of $KUBECONFIG; a broken file stays as it is", (context) => {
  const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
  const before = process.env["KUBECONFIG"];
  context.after(() => {
    if (before === undefined) delete process.env["KUBECONFIG"];
    else process.env["KUBECONFIG"] = before;
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "config");
  process.env["KUBECONFIG"] = `${file}:${join(folder, "other")}`;
  const remove = () => removeOwnContext(name, access.cluster.server);
  assert.equal(remove(), undefined);
  assert.equal(existsSync(file), false);
  writeFileSync(file, withContext(others, "file", name, access), { mode: 0o600 });
  assert.equal(remove(), `the context ${name} from ${file}`);
  assert.deepEqual(parse(readFileSync(file, "utf8")), parse(others));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(remove(), undefined);
  writeFileSync(file, "users: [me]");
  assert.equal(remove(), undefined);
  assert.equal(readFileSync(file, "utf8"), "users: [me]");
});
