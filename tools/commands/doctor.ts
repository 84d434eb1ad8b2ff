/** `npm run doctor -- STACK`: walks the path from a client to each service, and names the hop to fix. */
import { stackDiagram } from "../diagram/diagram.ts";
import { main, oneStack, writeResult } from "../cli/main.ts";
import { port } from "../cli/options.ts";
import { Problem } from "../cli/problem.ts";
import { createProgress } from "../cli/progress.ts";
import { follow } from "../doctor/follow.ts";
import { page } from "../doctor/html.ts";
import { print } from "../doctor/print.ts";
import { exitCode, hopKinds } from "../doctor/report.ts";
import { withSources } from "../doctor/sources.ts";

const usage = `npm run doctor -- STACK [OPTIONS]

Walks the path from a client to each service, hop by hop, and says of the first that fails what was seen, what it means
and how to fix it. It changes nothing, and makes do with what it can see: without kubectl, Pulumi or Google's credentials
it asks from outside alone.

  --wait TIME                   go on while what fails passes by itself, as after a change: 10m, 90s
  --json                        the report for machines, on standard output: npm run --silent doctor -- STACK --json
  --html FILE                   the report as one page, with a picture of the stack
  --address ADDRESS             where the edge answers, instead of where the stack says
  --http-port N, --https-port N its ports (80 and 443)
  --ca FILE                     a certificate authority to trust, beside those that are known
  --context NAME                the kubectl context, instead of the stack's own

Status: 0 all is well, 1 it could not be run, and of the hop to fix:
  ${Object.values(hopKinds)
    .map(({ title, exitCode }) => `${exitCode} ${title}`)
    .join(", ")}`;

const options = {
  wait: { type: "string" },
  json: { type: "boolean", default: false },
  html: { type: "string" },
  address: { type: "string" },
  "http-port": { type: "string", default: "80" },
  "https-port": { type: "string", default: "443" },
  ca: { type: "string" },
  context: { type: "string" },
} as const;

await main(usage, options, async ({ values, positionals }) => {
  const stack = oneStack(positionals, "npm run doctor -- staging");
  const wait = seconds(values.wait ?? "0s");
  const { address, ca, context } = values;
  const named = { address, ca, context, httpPort: port(values["http-port"]), httpsPort: port(values["https-port"]) };
  const report = await withSources(stack, named, (sources) =>
    createProgress().step(
      `doctor ${stack}`,
      (step) =>
        follow(sources, {
          wait,
          say: (what) => {
            step.detail(what);
          },
        }),
      "·", // That it has looked is no success: the report says what was found.
    ),
  );
  if (values.json) console.log(JSON.stringify(report, null, 2));
  else print(report);
  if (values.html !== undefined) writeResult(values.html, page(report, stackDiagram(stack)));
  process.exitCode = exitCode(report);
});

function seconds(text: string): number {
  const [, count, unit = "s"] = /^(\d{1,5})([smh]?)$/.exec(text) ?? [];
  if (count === undefined)
    throw new Problem(`"${text}" is not a duration.`, "Allowed are seconds, minutes and hours: 90s, 10m, 1h.");
  return Number(count) * ({ s: 1, m: 60, h: 3600 }[unit] ?? 1);
}
