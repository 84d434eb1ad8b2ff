/** `npm run bootstrap -- STACK [--run]`: sets up a Google Cloud project for the stack, once. */
import { needsOf } from "../bootstrap/needs.ts";
import { runScript } from "../bootstrap/run.ts";
import { bootstrapScript } from "../bootstrap/script.ts";
import type { BootstrapArgs } from "../bootstrap/steps.ts";
import { main, oneStack } from "../cli/main.ts";
import { Problem } from "../cli/problem.ts";
import { googleName } from "../../names/google.ts";

const usage = `npm run bootstrap -- STACK [--repository OWNER/NAME] [--branch NAME] [--bucket NAME] [--run]

Prints a shell script that sets up the Google Cloud project of a stack: APIs, a bucket for the state, a key for
secrets, one service account that deploys and one that previews, and the stack itself. With --run it executes the
script. It is safe to run again: what exists stays. The two accounts then have the roles that the stacks of this
checkout in that project need now; what an earlier run granted beyond that is taken back.

  --repository OWNER/NAME  allow the workflows of this GitHub repository, and no other, to use the two service accounts
  --branch NAME            the branch that deploys (default: main)
  --bucket NAME            bucket for the state (default: PROJECT-pulumi-state)
  --run                    run the script with gcloud, as the account that is logged in there`;

const options = {
  repository: { type: "string" },
  branch: { type: "string", default: "main" },
  bucket: { type: "string" },
  run: { type: "boolean", default: false },
} as const;

/** The projects of the stack files as they come. Somebody owns these ids: whoever forgets to replace them asks for strange rights. */
const placeholders: readonly string[] = ["acme-staging", "acme-production"];

await main(usage, options, async ({ values, positionals }) => {
  const stack = oneStack(positionals, "npm run --silent bootstrap -- staging");
  const args = argsOf(stack, values);
  if (placeholders.includes(args.project)) placeholderProject(args, values.run);
  if (values.run) await runScript(args);
  else process.stdout.write(bootstrapScript(args));
});

interface Values {
  readonly repository?: string | undefined;
  readonly branch: string;
  readonly bucket?: string | undefined;
}

function argsOf(stack: string, { repository, branch, bucket }: Values): BootstrapArgs {
  requireForm("--repository", repository, /^[A-Za-z0-9][\w.-]*\/[\w.-]+$/, "owner/name, as in acme/shop");
  requireForm("--branch", branch, /^[\w.-]+(\/[\w.-]+)*$/, "the name of a branch, as in main");
  // https://cloud.google.com/storage/docs/buckets#naming
  requireForm("--bucket", bucket, /^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$/, "3 to 63 lower case letters, digits, - and _");
  const needs = needsOf(stack);
  return { ...needs, branch, repository, bucket: allowedBucket(bucket ?? defaultBucket(needs.project)) };
}

/** @throws Problem with `--run`; the printed script only gets a warning */
function placeholderProject({ stack, project }: BootstrapArgs, run: boolean): void {
  const found = `The stack ${stack} still has the placeholder "${project}" as gcp:project.`;
  const fix = `Set the id of your own project as gcp:project in Pulumi.${stack}.yaml.`;
  if (run) throw new Problem(found, fix);
  console.error(`warning: ${found} ${fix}`);
}

/** A bucket's name has no colon, and dots are for owners of the domain: `example.com:shop` → `shop-example-com-…`. */
function defaultBucket(project: string): string {
  return googleName(`${project.split(":").reverse().join("-").replaceAll(".", "-")}-pulumi-state`, 63);
}

/** https://cloud.google.com/storage/docs/buckets#naming. A default name has that of the project, which may be an old one. */
function allowedBucket(name: string): string {
  const [word] = /^goog|google|g00gle/.exec(name) ?? [];
  if (word === undefined) return name;
  throw new Problem(
    `Google takes no bucket named ${name}: "${word}" is reserved.`,
    "Choose another name, as in --bucket acme-pulumi-state.",
  );
}

function requireForm(option: string, value: string | undefined, form: RegExp, allowed: string): void {
  if (value !== undefined && !form.test(value))
    throw new Problem(`${option} ${JSON.stringify(value)} is not ${allowed}.`, `See the usage:\n${usage}`);
}
