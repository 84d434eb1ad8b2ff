/** `npm run diff -- BASE STACK`: shows what the working tree changes in a stack, as Markdown for a pull request's comment. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { main } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";
import { difference } from "../diff/difference.ts";
import { commentLimit } from "../diff/report.ts";

const usage = `npm run diff -- BASE STACK [OPTIONS]

Prints, as Markdown, what the working tree changes in a stack compared with the git revision BASE: the differences
between the rendered Kubernetes objects, the other resources that are created, changed, replaced or deleted, and
violated rules. It needs neither credentials nor a cluster, and shows no secrets. The exit status is 1 if an update would
fail: the config is invalid, the preview failed, something protected would be deleted or replaced, or a rule that stops
an update is violated.

  --preview FILE      output of "npx pulumi preview --json --show-sames" to include
  --commit SHA        commit to name in the text
  --limit CHARACTERS  longest text; longer diffs are cut (default: ${commentLimit}, which fits a comment on GitHub)`;

const options = {
  preview: { type: "string" },
  commit: { type: "string" },
  limit: { type: "string", default: String(commentLimit) },
} as const;

await main(usage, options, async ({ values, positionals }) => {
  const [base, stack, ...rest] = positionals;
  if (base === undefined || stack === undefined || rest.length > 0)
    throw new Problem("Name a revision and a stack.", "Run for example: npm run --silent diff -- main staging");
  if (!/^[\w.-]{1,100}$/.test(stack))
    throw new Problem(`${JSON.stringify(stack)} is not the name of a stack.`, "Use only letters, digits, -, _ and .");
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 20_000)
    throw new Problem(
      `"${values.limit}" is not a limit of 20000 characters or more.`,
      "Use for example: --limit 65000",
    );
  const preview = values.preview === undefined ? undefined : read(values.preview);
  const { text, bad } = await difference({ base, stack, preview, limit, headCommit: values.commit });
  process.stdout.write(text);
  if (bad) process.exitCode = 1;
});

function read(file: string): string {
  const path = resolve(file);
  if (existsSync(path)) return readFileSync(path, "utf8");
  throw new Problem(
    `There is no ${path}.`,
    `Create it: npx pulumi preview --json --show-sames --stack STACK > ${file}`,
  );
}
