/** `npm run bootstrap -- STACK [--run]`: sets up a Google Cloud project for the stack, once. */
import { bootstrapScript } from "../bootstrap/script.ts";
import { runSteps } from "../bootstrap/run.ts";
import type { BootstrapArgs } from "../bootstrap/steps.ts";
import { main, oneStack } from "../cli/main.ts";
import { loadStackFile } from "../stack/stackFile.ts";
import { Problem } from "../cli/problem.ts";

const usage = `npm run bootstrap -- STACK [--repository OWNER/NAME] [--branch NAME] [--bucket NAME] [--run]

Prints a shell script that sets up the Google Cloud project of a stack: APIs, a bucket for the state, a key for
secrets, one service account that deploys and one that previews, and the stack itself. With --run it executes the steps.
Existing resources are left unchanged, so it is safe to run again.

  --repository OWNER/NAME  allow the workflows of this GitHub repository to use the two service accounts
  --branch NAME            branch that deploys (default: main)
  --bucket NAME            bucket for the state (default: PROJECT-pulumi-state)
  --run                    run the steps with gcloud, as the account that is logged in there`;

const options = {
  repository: { type: "string" },
  branch: { type: "string", default: "main" },
  bucket: { type: "string" },
  run: { type: "boolean", default: false },
} as const;

await main(usage, options, async ({ values, positionals }) => {
  const stack = oneStack(positionals, "npm run --silent bootstrap -- staging");
  const args = argsOf(stack, values);
  if (values.run) await runSteps(args);
  else process.stdout.write(bootstrapScript(args));
});

interface Values {
  readonly repository?: string | undefined;
  readonly branch: string;
  readonly bucket?: string | undefined;
}

function argsOf(stack: string, { repository, branch, bucket }: Values): BootstrapArgs {
  const { settings } = loadStackFile(stack);
  const { cluster } = settings;
  if (cluster.kind !== "gke")
    throw new Problem(
      `The stack ${stack} has nothing on Google Cloud: its cluster.kind is ${cluster.kind}.`,
      "Name a stack whose cluster.kind is gke.",
    );
  const { project, region } = cluster;
  const args = { project, region, stack, branch, repository, bucket: bucket ?? `${project}-pulumi-state` };
  requireForm("--repository", repository, /^[A-Za-z0-9][\w.-]*\/[\w.-]+$/, "owner/name, as in acme/shop");
  requireForm("--branch", branch, /^[\w.-]+(\/[\w.-]+)*$/, "the name of a branch, as in main");
  // https://cloud.google.com/storage/docs/buckets#naming
  requireForm(
    "--bucket",
    args.bucket,
    /^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$/,
    "3 to 63 lower case letters, digits, - and _",
  );
  const roles = Object.values(settings.services).flatMap((service) => service.roles);
  return {
    ...args,
    grants: ["roles/container.defaultNodeServiceAccount", "roles/artifactregistry.reader", ...roles],
    encryptionKey: cluster.encryptionKey,
    dns: settings.dns !== undefined,
    certificateManager: settings.edge.kind === "gateway" && settings.tls.mode === "managed",
    requestMetrics: settings.proxy.metrics.byService,
    iap: "iap" in settings.edge && settings.edge.iap?.enabled === true,
  };
}

function requireForm(option: string, value: string | undefined, form: RegExp, allowed: string): void {
  if (value !== undefined && !form.test(value))
    throw new Problem(`${option} ${JSON.stringify(value)} is not ${allowed}.`, `See the usage:\n${usage}`);
}
