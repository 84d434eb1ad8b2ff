/** `npm run render -- STACK [--out DIR] [--resources FILE]`: prints the stack's Kubernetes objects as YAML, without credentials. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { main, oneStack, writeResult } from "../cli/main.ts";
import { evaluate } from "../stack/evaluate.ts";
import { readStackFile, stackFile } from "../stack/stackFile.ts";
import { objectYaml, toYaml } from "../stack/yaml.ts";

const usage = `npm run render -- STACK [--out DIR] [--resources FILE]

Prints the Kubernetes objects of a stack as YAML. It needs neither credentials nor a cluster. Secrets, and values that
are known only after Google creates a resource, appear as "(… not shown)". With --out it writes one file per object to
DIR. With --resources it also writes everything that the program registers, such as Google's resources, as JSON to
FILE. In a pipe, use npm run --silent render: otherwise npm prints lines of its own first.`;

await main(usage, { out: { type: "string" }, resources: { type: "string" } }, async ({ values, positionals }) => {
  const stack = oneStack(positionals, "npm run --silent render -- staging");
  const out = values.out === undefined ? undefined : resolve(values.out); // Before evaluate() changes the working directory.
  const resourcesFile = values.resources === undefined ? undefined : resolve(values.resources);
  const { objects, resources } = await evaluate(stack, readStackFile(stackFile(stack)), "redacted");
  if (resourcesFile !== undefined) writeResult(resourcesFile, JSON.stringify(resources));
  if (out === undefined) {
    process.stdout.write(toYaml(objects));
    return;
  }
  mkdirSync(out, { recursive: true });
  for (const object of objects)
    writeFileSync(join(out, `${object.kind.toLowerCase()}-${object.metadata.name}.yaml`), objectYaml(object));
  console.error(`${objects.length} objects written to ${out}`);
});
