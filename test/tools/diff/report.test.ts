import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { Reason } from "../../../tools/diff/resources.ts";
import { commentLimit, marker, report, type ReportArgs } from "../../../tools/diff/report.ts";
import { blocks, withoutCode } from "./markdown.ts";

const nothing: ReportArgs = {
  stack: "staging",
  base: "main",
  commit: "0123456789abcdef0123456789abcdef01234567",
  notes: [],
  changes: [],
  objects: 23,
  consequences: [],
  secrets: [],
  warnings: [],
  rules: [],
  limit: commentLimit,
};
const change = { operation: "changed", object: "Service apps/web", because: [], before: "a\n", after: "b\n" } as const;
const diff = "@@ -1 +1 @@\n-a\n+b\n";

test("nothing differs", () => {
  assert.equal(
    report(nothing),
    `<!-- gke-microservices diff: staging -->
## Stack \`staging\`

No Kubernetes object differs, compared with \`main\` (0123456789ab): 23 in all.

### Rules

Violated: 0 that stop an update, 0 that warn.
`,
  );
});

test("the heading names the commit of the change", () => {
  const [, heading] = report({ ...nothing, headCommit: "89abcdef0123456789abcdef0123456789abcdef" }).split("\n");
  assert.equal(heading, "## Stack `staging` at `89abcdef0123`");
});

test("deletions come first, then a table, the diffs, the rules and the preview", () => {
  const text = report({
    ...nothing,
    changes: [
      { ...change, operation: "deleted", object: "Deployment apps/web", diff: "@@ -1 +0,0 @@\n-a\n" },
      { ...change, operation: "replaced", object: "Service apps/shop", because: ["spec.clusterIP"], diff },
    ],
    secrets: ["gke-microservices:secrets.hoge.KEY"],
    rules: [
      { id: "pod-not-root", where: "Deployment apps/shop", text: "runAsNonRoot is false; set it to true", stops: true },
      { id: "edge-armor", where: "BackendConfig apps/nginx-proxy", text: "it is not set; set it", stops: false },
    ],
    preview: {
      planned: [
        { operation: "replaced", resource: "gcp:container/cluster:Cluster staging", because: ["location"] },
        { operation: "renewed", resource: "kubernetes:core/v1:ConfigMap nginx-proxy-routes", because: ["data"] },
        { operation: "deleted", resource: "kubernetes:apps/v1:Deployment web", because: [] },
      ],
      unchanged: 40,
      resources: [],
      failed: [],
    },
  });
  assert.equal(
    text,
    `<!-- gke-microservices diff: staging -->
## Stack \`staging\`

> [!CAUTION]
> **\`pulumi up\` WOULD DELETE**:
> - \`kubernetes:apps/v1:Deployment web\`
>
> **\`pulumi up\` WOULD REPLACE**:
> - \`gcp:container/cluster:Cluster staging\`, because of \`location\`
>
> **RULES THAT STOP AN UPDATE** are violated:
> - \`pod-not-root\` by \`Deployment apps/shop\`

Kubernetes objects, compared with \`main\` (0123456789ab): 23 in all.

| | | |
|---|---|---|
| deleted | 1 | \`Deployment apps/web\` |
| replaced | 1 | \`Service apps/shop\` |

Encrypted values differ, which the diffs do not show: \`gke-microservices:secrets.hoge.KEY\`.

<details><summary>deleted: <code>Deployment apps/web</code></summary>

\`\`\`diff
@@ -1 +0,0 @@
-a
\`\`\`

</details>

<details><summary>replaced: <code>Service apps/shop</code></summary>

\`\`\`diff
@@ -1 +1 @@
-a
+b
\`\`\`

</details>

### Rules

Violated: 1 that stop an update, 1 that warn.

- \`pod-not-root\` by \`Deployment apps/shop\`: \`runAsNonRoot is false; set it to true\`

<details><summary>rules that warn</summary>

- \`edge-armor\` by \`BackendConfig apps/nginx-proxy\`: \`it is not set; set it\`

</details>

### Pulumi preview

| resources | |
|---|---|
| deleted | 1 |
| replaced | 1 |
| renewed | 1 |
| changed | 0 |
| created | 0 |
| unchanged | 40 |

<details><summary>renewed: 1</summary>

- \`kubernetes:core/v1:ConfigMap nginx-proxy-routes\`, because of \`data\`

</details>
`,
  );
});

const resource = (operation: "deleted" | "replaced" | "changed" | "created", name: string, because: readonly Reason[] = []) =>
  ({ operation, resource: `gcp:a/b:C ${name}`, type: "gcp:a/b:C", inputs: {}, because, refused: false, unclear: false }) as const; // prettier-ignore

test("other resources: what users notice, what is lost, the objects of a replaced cluster once, and what is refused", () => {
  const resources = {
    changes: [
      resource("deleted", "old"),
      { ...resource("replaced", "cluster", [{ path: "location", values: ["a", "b"] as const }]), refused: true },
      resource("replaced", "pool", [{ path: "cluster", source: "cluster" }]),
      { ...resource("changed", "policy", [{ path: "rules" }]), unclear: true },
      resource("created", "new"),
    ],
    compared: new Map([
      ["gcp", 20],
      ["random", 1],
    ]),
    replacedObjects: 23,
    kept: [],
    retained: [],
    revalued: [],
  };
  const consequences = [{ text: "The address changes." }, { text: "Not served any more", names: ["a.example"] }];
  assert.equal(
    report({ ...nothing, resources, consequences }),
    `<!-- gke-microservices diff: staging -->
## Stack \`staging\`

> [!CAUTION]
> **THIS MEANS FOR USERS**:
> - The address changes.
> - Not served any more: \`a.example\`.
>
> **THIS DELETES**, according to the config:
> - \`gcp:a/b:C old\`
>
> **THIS REPLACES** (deletes and creates again), according to the config:
> - \`gcp:a/b:C cluster\`, because of \`location\` (\`a\` → \`b\`)
> - \`gcp:a/b:C pool\`, because of \`cluster\` of \`cluster\`
> - 23 Kubernetes objects, because of their cluster
>
> **\`pulumi up\` WOULD FAIL**, because these are protected:
> - \`gcp:a/b:C cluster\`

No Kubernetes object differs but for its cluster, compared with \`main\` (0123456789ab): 23 in all.

Other resources: 20 of Google, 1 of \`random\`.

| | | |
|---|---|---|
| deleted | 1 | \`gcp:a/b:C old\` |
| replaced | 2 | \`gcp:a/b:C cluster\`, \`gcp:a/b:C pool\` |
| changed | 1 | \`gcp:a/b:C policy\` |
| created | 1 | \`gcp:a/b:C new\` |

Whether this replaces them is not known: \`gcp:a/b:C policy\`.

<details><summary>changed: 1</summary>

- \`gcp:a/b:C policy\`, because of \`rules\`

</details>

### Rules

Violated: 0 that stop an update, 0 that warn.
`,
  );
});

test("other resources that do not differ, and objects with new values", () => {
  const resources = { changes: [], compared: new Map([["gcp", 20]]), replacedObjects: 0, kept: [], retained: [], revalued: [{ object: "Secret apps/tls", source: "cert" }] }; // prettier-ignore
  assert.match(
    report({ ...nothing, resources }),
    /: 23 in all\.\n\nNo other resource differs: 20 of Google\.\n\nKubernetes objects get new values of other resources, which the diffs do not show: `Secret apps\/tls`\.\n\n### Rules/,
  );
  assert.match(
    report({
      ...nothing,
      resources: { ...resources, kept: [{ resource: "gcp:a/b:C c", path: "d" }], retained: ["gcp:e/f:G h"] },
    }),
    /No other resource differs: 20 of Google\.\n\nRemoved from the config, but Google keeps the values: `gcp:a\/b:C c d`\.\n\nRemoved from the program, but what they made stays in Google: `gcp:e\/f:G h`\.\n\nKubernetes/,
  );
  // A local stack has none, and its text is as short as without them.
  assert.equal(report({ ...nothing, resources: { ...resources, compared: new Map(), revalued: [] } }), report(nothing));
});

test("the engine's word replaces the program's, and counts the objects of a replaced cluster", () => {
  const planned = [
    "gcp:container/cluster:Cluster c",
    "kubernetes:core/v1:Service a",
    "kubernetes:core/v1:Service b",
  ].map((of) => ({ operation: "replaced" as const, resource: of, because: [] }));
  const changes = [{ ...change, operation: "deleted" as const, diff }];
  const preview = { planned, unchanged: 0, resources: [], failed: [] };
  const text = report({ ...nothing, changes, preview });
  assert.match(text, /> \[!CAUTION\]\n> \*\*`pulumi up` WOULD REPLACE\*\*:\n> - `gcp:container\/cluster:Cluster c`\n> - 2 Kubernetes objects, because of their cluster\n\n/); // prettier-ignore
  assert.doesNotMatch(text, /according to the config|core\/v1:Service a/);
  // A preview that failed may not have everything.
  assert.match(
    report({ ...nothing, changes, preview: { ...preview, failed: ["a"] } }),
    /THIS DELETES[^]*WOULD REPLACE/,
  );
});

test("an invalid config, and a preview that failed or printed no result, are in the alert", () => {
  const { rules: _, ...without } = nothing;
  assert.equal(
    report({ ...without, refused: "error: 1 problem\n  a key", preview: null }),
    `<!-- gke-microservices diff: staging -->
## Stack \`staging\`

> [!CAUTION]
> **THE PROGRAM FAILS**: an update would change nothing.
>
> **\`pulumi preview\` FAILED**, see below.

\`\`\`text
error: 1 problem
  a key
\`\`\`

### Pulumi preview

It printed no result. Its output may contain values, so it is not repeated here. See the log of the run if the repository is private, or run \`npx pulumi preview\`.
`,
  );
  const failed = report({ ...nothing, preview: { planned: [], unchanged: 0, resources: [], failed: ["a:b:C web"] } });
  assert.match(failed, /^> \*\*`pulumi preview` FAILED\*\*, see below\.$/m);
  assert.match(
    failed,
    /^It failed for `a:b:C web`, so more may change than is listed\. Its output may contain values/m,
  );
});

test("long diffs are cut so that short ones stay complete, with the number of missing lines", () => {
  const long = `@@ -1 +1,9000 @@\n${Array.from({ length: 9000 }, (_, index) => `+line ${index}\n`).join("")}`;
  const changes = ["a", "b", "c"].map((name) => ({ ...change, object: `Service apps/${name}`, diff: name === "b" ? diff : long })); // prettier-ignore
  const text = report({ ...nothing, changes });
  assert.ok(text.length <= commentLimit && text.length > commentLimit - 3000, String(text.length));
  const [first = "", second = "", third = ""] = text.split("<details>").slice(1);
  assert.match(second, /^<summary>changed: <code>Service apps\/b<\/code>/);
  assert.ok(second.includes(diff));
  for (const each of [first, third]) {
    assert.match(each, /^<summary>changed: <code>Service apps\/[ac]<\/code> \(cut\)<\/summary>/);
    const shown = each.match(/^[+@]/gm)?.length ?? 0;
    assert.ok(shown > 1000);
    assert.ok(each.includes(`… and ${9001 - shown} more lines.`));
  }
});

test("the text stays below the limit, however many changes there are; deletions come first", () => {
  const many = Array.from({ length: 3000 }, (_, index) => `x${index}-${"n".repeat(150)}`);
  const reasonsOfAll = many.map((path) => ({ path }));
  const text = report({
    ...nothing,
    notes: ["a note"],
    secrets: many,
    warnings: many,
    changes: [
      ...many.map((object) => ({ ...change, operation: "deleted" as const, object, diff })),
      ...many.map((object) => ({ ...change, operation: "replaced" as const, object, because: many, diff })),
    ],
    consequences: Array.from({ length: 20 }, () => ({ text: "A sentence.", names: many })),
    resources: {
      changes: (["deleted", "replaced", "changed", "created"] as const).flatMap((operation) =>
        many.map((name) => ({ ...resource(operation, name, reasonsOfAll), refused: true, unclear: true })),
      ),
      compared: new Map([["gcp", 1]]),
      replacedObjects: 1,
      kept: many.map((path) => ({ resource: path, path })),
      retained: many,
      revalued: many.map((object) => ({ object, source: object })),
    },
    rules: many.flatMap((id) => [true, false].map((stops) => ({ id, where: id, text: id.repeat(9), stops }))),
    preview: {
      planned: (["deleted", "replaced", "renewed", "changed", "created"] as const).flatMap((operation) =>
        many.map((resource) => ({ operation, resource, because: many })),
      ),
      unchanged: 1,
      resources: [],
      failed: many,
    },
  });
  assert.ok(text.length <= commentLimit, String(text.length));
  assert.match(text, /THIS DELETES[^]*x0-n[^]*… and \d{4} more[^]*WOULD DELETE[^]*x0-n/);
  assert.match(text, /6000 more diffs are not shown, because the text would be too long\./);
  assert.ok(blocks(text).length > 0);
});

const hostile = fc
  .array(
    fc.oneof(
      fc.string(),
      fc.constantFrom("`", "```", "\n````\n", "|", "\\", "</details>", "<!-- ", "\n", "\n# ", "@here", "\n> "),
    ),
    { maxLength: 12 },
  ) // prettier-ignore
  .map((parts) => parts.join(""));
const changes = fc.array(
  fc.record({
    operation: fc.constantFrom("deleted", "replaced", "changed", "created"),
    object: hostile,
    because: fc.array(hostile, { maxLength: 8 }),
    before: hostile,
    after: hostile,
    diff: fc.tuple(hostile, fc.nat(3000)).map(([text, times]) => `${text}\n`.repeat(times)),
  }),
  { maxLength: 6 },
);
const rules = fc.array(fc.record({ id: hostile, where: hostile, text: hostile, stops: fc.boolean() }), {
  maxLength: 5,
});
const reasons = fc.array(
  fc.record({ path: hostile, values: fc.tuple(hostile, hostile), source: hostile }, { requiredKeys: ["path"] }),
  { maxLength: 7 },
);
const resources = fc.record({
  changes: fc.array(
    fc.record({
      operation: fc.constantFrom("deleted", "replaced", "changed", "created"),
      resource: hostile,
      type: hostile,
      inputs: fc.constant({}),
      because: reasons,
      refused: fc.boolean(),
      unclear: fc.boolean(),
    }),
    { maxLength: 5 },
  ),
  compared: fc.array(fc.tuple(hostile, fc.nat(99)), { maxLength: 3 }).map((entries) => new Map(entries)),
  replacedObjects: fc.nat(3),
  kept: fc.array(fc.record({ resource: hostile, path: hostile }), { maxLength: 3 }),
  retained: fc.array(hostile, { maxLength: 3 }),
  revalued: fc.array(fc.record({ object: hostile, source: hostile }), { maxLength: 3 }),
});
const consequences = fc.array(fc.record({ text: fc.constant("A sentence."), names: fc.array(hostile) }), { maxLength: 3 }); // prettier-ignore
const planned = fc.array(
  fc.record({
    operation: fc.constantFrom("deleted", "replaced", "renewed", "changed", "created"),
    resource: hostile,
    because: fc.array(hostile, { maxLength: 8 }),
  }),
  { maxLength: 5 },
);

test("any content keeps the text well-formed (fences, cells, lists, elements) and below the limit", () => {
  const form = [
    /^$/,
    /^<!-- gke-microservices diff: staging -->$/,
    /^## Stack CODE$/,
    /^>( \[!CAUTION\]| \*\*[^`<]+| - CODE(, because of [^`<|]+)?| - … and \d+ more| - CODE by CODE)?$/,
    /^> - (A sentence\.: [CODE, 0-9more]*\.|\d Kubernetes objects, because of their cluster)$/,
    /^(Kubernetes objects|No Kubernetes object differs( but for its cluster)?), compared with CODE \([0-9a-f]{12}\): 23 in all\.$/,
    /^(Other resources|No other resource differs): (\d+ of (CODE|Google|TLS|Docker)(, |\.$))+/,
    /^(Whether this replaces them is not known|Removed from the config, but Google keeps the values|Removed from the program, but what they made stays in Google|Kubernetes objects get new values of other resources, which the diffs do not show): [CODE, 0-9more]+\.$/,
    /^\|[- |]+\|$/,
    /^\| (deleted|replaced|changed|created) \| \d+ \| [CODE, 0-9more]+ \|$/,
    /^\| (resources \| |(deleted|replaced|renewed|changed|created|unchanged) \| \d+ )\|$/,
    /^Encrypted values differ, which the diffs do not show: [CODE, 0-9more]+\.$/,
    /^<details><summary>(rules that warn|\w+: (\d+|<code>[^<>"]*<\/code>( \(cut\))?))<\/summary>$/,
    /^<\/details>$/,
    /^… and \d+ more lines\.$/,
    /^\d+ more diffs are not shown, because the text would be too long\.$/,
    /^### (Rules|Pulumi preview)$/,
    /^Violated: \d+ that stop an update, \d+ that warn\.$/,
    /^- (CODE by CODE: CODE|CODE(, because of [^`<|]+)?|… and \d+ more)$/,
    /^It failed for [CODE, 0-9more]+, so more may change than is listed\. Its output may contain values, [^`]*$/,
    /^Warnings of CODE:$/,
  ];
  fc.assert(
    fc.property(
      fc.record({ changes, rules, planned, resources, consequences, secrets: fc.array(hostile), warnings: fc.array(hostile), base: hostile, refused: fc.option(hostile) }), // prettier-ignore
      ({ planned: of, refused, ...args }) => {
        const preview = { planned: of, unchanged: 1, resources: [], failed: args.secrets };
        const text = report({ ...nothing, ...args, ...(refused !== null && { refused }), preview, limit: 20_000 });
        assert.ok(text.length <= 20_000);
        assert.ok(text.startsWith(`${marker("staging")}\n`));
        for (const { kind, lines } of blocks(text))
          if (kind === "text")
            for (const line of lines.map(withoutCode))
              assert.ok(form.some((each) => each.test(line)), JSON.stringify(line)); // prettier-ignore
      },
    ),
    { numRuns: 300 },
  );
});
