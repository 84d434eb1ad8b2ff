/** `npm run diagram -- STACK [--out FILE]`: a picture of the stack as SVG, without credentials. */
import { writeFileSync } from "node:fs";
import { main, oneStack } from "../local/cli.ts";
import { Problem } from "../local/problem.ts";
import { drawn } from "./diagram.ts";

const usage = `npm run diagram -- STACK [--out FILE]

Draws a stack as SVG from its config: entrance, proxy, services with their routes, cluster and network. It needs neither
credentials nor a cluster. Without --out it prints the picture (npm run --silent diagram -- STACK > FILE).`;

await main(usage, { out: { type: "string" } }, async ({ values, positionals }) => {
  const svg = await drawn(oneStack(positionals, "npm run --silent diagram -- staging"));
  if (values.out === undefined) process.stdout.write(svg);
  else
    try {
      writeFileSync(values.out, svg);
    } catch (error) {
      throw new Problem(
        `The picture could not be written: ${error instanceof Error ? error.message : String(error)}.`,
        "Name a file in a folder that is there and that you may write to.",
      );
    }
});
