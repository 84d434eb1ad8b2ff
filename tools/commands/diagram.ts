/** `npm run diagram -- STACK [--out FILE]`: draws the stack as SVG, without credentials. */
import { main, oneStack, writeResult } from "../cli/main.ts";
import { drawn, stackDiagram } from "../diagram/diagram.ts";

const usage = `npm run diagram -- STACK [--out FILE]

Draws a stack as SVG from its config: DNS, edge, proxy, services with their routes, cluster, zones, network and registry. It needs
neither credentials nor a cluster. Without --out it prints the SVG (npm run --silent diagram -- STACK > FILE).`;

await main(usage, { out: { type: "string" } }, ({ values, positionals }) => {
  const svg = drawn(stackDiagram(oneStack(positionals, "npm run --silent diagram -- staging")));
  if (values.out === undefined) process.stdout.write(svg);
  else writeResult(values.out, svg);
});
