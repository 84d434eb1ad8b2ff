import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { allRules } from "../../policy/allRules.ts";
import { mark, table } from "../../policy/table.ts";
import { projectDir } from "../../names/project.ts";

test("docs/security.md contains the current table of rules", () => {
  const [written, rules, ...more] = readFileSync(join(projectDir, "docs/security.md"), "utf8").split(mark);
  assert.ok(written !== undefined && written.length > 500 && more.length === 0);
  assert.equal(rules, table(), "run `npm run rules`");
});

test("the table has a sorted row for each rule, with as many cells as its header", () => {
  const [head = "", line, ...rows] = table().trimEnd().split("\n");
  const cells = (row: string) => row.split(/(?<!\\)\|/).length;
  assert.match(line ?? "", /^\|( --- \|)+$/);
  assert.equal(rows.length, allRules.length);
  assert.deepEqual(
    rows,
    rows.toSorted((a, b) => (a.split("`")[1] ?? "").localeCompare(b.split("`")[1] ?? "", "en")),
  );
  for (const row of rows) assert.equal(cells(row), cells(head), row);
  const nodes = rows.find((row) => row.includes("`cluster-private-nodes`")) ?? assert.fail();
  assert.equal(
    nodes,
    "| `cluster-private-nodes` | Nodes have no public address | GKE cluster: `privateClusterConfig.enablePrivateNodes` is `true` | CIS GKE 5.6.5, CKV_GCP_25, CKV_GCP_64 | stops |",
  );
});
