/** `npm run doctor -- STACK`: follows the path from a client to each service, and reports the hop to fix. */
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

Follows the path from a client to each service, hop by hop. For the first hop that fails it reports what was seen, what
it means and how to fix it. It changes nothing. It uses the access that it has: without kubectl, Pulumi or Google Cloud
credentials it only sends requests from outside.

  --wait TIME                   repeat while the failure is temporary, as after a change: 10m, 90s
  --json                        print the report as JSON: npm run --silent doctor -- STACK --json
  --html FILE                   write the report as an HTML page, with a diagram of the stack
  --address ADDRESS             address of the edge, instead of the stack's
  --http-port N, --https-port N ports of the edge (default: 80 and 443)
  --ca FILE                     certificate authority to trust, in addition to the known ones
  --context NAME                kubectl context, instead of the stack's

Exit status: 0 nothing fails, 1 the doctor could not run, otherwise the hop to fix:
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
  const overrides = {
    address,
    ca,
    context,
    httpPort: port(values["http-port"]),
    httpsPort: port(values["https-port"]),
  };
  const report = await withSources(stack, overrides, (sources) =>
    createProgress().step(
      `doctor ${stack}`,
      (step) =>
        follow(sources, {
          wait,
          say: (what) => {
            step.detail(what);
          },
        }),
      "·", // Finishing is not a success: only the report tells whether the stack works.
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
    throw new Problem(`"${text}" is not a duration.`, "Use seconds, minutes or hours: 90s, 10m, 1h.");
  return Number(count) * ({ s: 1, m: 60, h: 3600 }[unit] ?? 1);
}
