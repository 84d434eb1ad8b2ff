/** `npm run diff -- BASE STACK`: what the working tree changes in a stack, as the Markdown of a pull request's comment. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { main } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";
import { difference } from "../diff/difference.ts";
import { commentLimit } from "../diff/report.ts";

const usage = `npm run diff -- BASE STACK [OPTIONS]

Prints, as Markdown, what the working tree changes in a stack compared with the git revision BASE: Kubernetes objects as
both render them, and rules that are broken. It needs neither credentials nor a cluster, and shows no secrets. It ends
with status 1 where the config is refused, the preview failed or a rule that stops an update is broken.

  --preview FILE      what "npx pulumi preview --json --show-sames" printed, to be part of it
  --commit SHA        the commit that is looked at, to be named in the text
  --limit CHARACTERS  how long the text may be; diffs are cut (${commentLimit}, for a comment on GitHub)`;

const options = {
  preview: { type: "string" },
  commit: { type: "string" },
  limit: { type: "string", default: String(commentLimit) },
} as const;

await main(usage, options, async ({ values, positionals }) => {
  const [base, stack, ...rest] = positionals;
  if (base === undefined || stack === undefined || rest.length > 0)
    throw new Problem("A revision and a stack are to be named.", "For example: npm run --silent diff -- main staging");
  if (!/^[\w.-]{1,100}$/.test(stack))
    throw new Problem(
      `${JSON.stringify(stack)} is not the name of a stack.`,
      "It has letters, digits, -, _ and . alone.",
    );
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 20_000)
    throw new Problem(`--limit ${values.limit} is not a whole number of 20000 or more.`, "For example: --limit 65000");
  const preview = values.preview === undefined ? undefined : read(values.preview);
  const { text, bad } = await difference({ base, stack, preview, limit, looked: values.commit });
  process.stdout.write(text);
  if (bad) process.exitCode = 1;
});

function read(file: string): string {
  const path = resolve(file);
  if (existsSync(path)) return readFileSync(path, "utf8");
  throw new Problem(`There is no ${path}.`, `Make it: npx pulumi preview --json --show-sames --stack STACK > ${file}`);
}
