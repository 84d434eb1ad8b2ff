/** Under the Pulumi CLI the program gets JSON: it looks into the stack file for text that was lost on the way. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { parseStackFile } from "../../config/stackFile.ts";
import { asText } from "../../tools/stack/stackFile.ts";
import { recordConfig } from "../../tools/testing/recorded.ts";
import { stacksDir } from "./rendered.ts";

const fileWith = (env: string) => `config:
  domain: shop.example.com
  cluster: { kind: existing, context: somewhere }
  edge: { kind: ingress, className: contour }
  tls: { mode: none }
  registry: { kind: node }
  proxy: { image: "example.com/nginx-proxy:1" }
  services:
    hoge: { image: "example.com/hoge:1", env: ${env}, routes: [{ path: / }] }
`;

/** Runs the program with what the CLI hands over for a file, and the file beside it. */
async function run(context: TestContext, env: string, written = env): Promise<unknown> {
  const stack = `test-${process.pid}-text`;
  const path = join(stacksDir, `Pulumi.${stack}.yaml`);
  context.after(() => {
    rmSync(path, { force: true });
  });
  writeFileSync(path, fileWith(written));
  const config = [...parseStackFile(fileWith(env)).values].map(([key, value]) => [key, asText(value)]);
  return recordConfig(stack, Object.fromEntries(config) as Record<string, string>);
}

test("text that the CLI has changed is refused by the program, before anything is registered", async (context) => {
  await assert.rejects(run(context, "{ A: 0777 }"), (error: Error) => {
    assert.match(error.message, /1 problem in the config of stack test-\d+-text; nothing was changed/);
    assert.match(error.message, /services\.hoge\.env\.A\n\s+"0777" without quotes is 511 to the Pulumi CLI; quote it/);
    return true;
  });
});

test("a file that cannot be followed is one line, not a stack trace", async (context) => {
  const written = "{ A: 0777, B: !!binary aGk= }";
  await assert.rejects(
    run(context, "{ A: 511 }", written),
    /^Error: Pulumi\.test-\d+-text\.yaml, line 9: the tag !!binary is not known here; remove it/,
  );
});

test("text with quotes, and a value that another file gave, are taken", async (context) => {
  await run(context, '{ A: "0777" }');
  await run(context, "{ A: other }", "{ A: 0777 }");
});
