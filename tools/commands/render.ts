/** `npm run render -- STACK [--out DIR]`: prints the stack's Kubernetes objects as YAML, without credentials. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { main, oneStack } from "../cli/main.ts";
import { evaluate } from "../stack/evaluate.ts";
import { readStackFile, stackFile } from "../stack/stackFile.ts";
import { objectYaml, toYaml } from "../stack/yaml.ts";

const usage = `npm run render -- STACK [--out DIR]

Prints the Kubernetes objects of a stack as YAML. It needs neither credentials nor a cluster. Secrets, and values that
are known only after Google creates a resource, appear as "(… not shown)". With --out it writes one file per object to
DIR. In a pipe, use npm run --silent render: otherwise npm prints lines of its own first.`;

await main(usage, { out: { type: "string" } }, async ({ values, positionals }) => {
  const stack = oneStack(positionals, "npm run --silent render -- staging");
  const out = values.out === undefined ? undefined : resolve(values.out); // Before evaluate() changes the working directory.
  const { objects } = await evaluate(stack, readStackFile(stackFile(stack)), "redacted");
  if (out === undefined) {
    process.stdout.write(toYaml(objects));
    return;
  }
  mkdirSync(out, { recursive: true });
  for (const object of objects)
    writeFileSync(join(out, `${object.kind.toLowerCase()}-${object.metadata.name}.yaml`), objectYaml(object));
  console.error(`${objects.length} objects written to ${out}`);
});
