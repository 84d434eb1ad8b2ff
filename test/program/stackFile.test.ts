/** Under the Pulumi CLI the program gets JSON: it looks into the stack file for text that was lost on the way. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { parseStackFile } from "../../config/stackFile.ts";
import { Problem } from "../../tools/cli/problem.ts";
import {
  asText,
  loadStackFile,
  readStackFile,
  startProblem,
  withPlaceholderFiles,
} from "../../tools/stack/stackFile.ts";
import { project } from "../../names/project.ts";
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
    assert.match(error.message, /services\.hoge\.env\.A\n\s+"0777" without quotes is 511 to the Pulumi CLI; write "/);
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

/** A stack file with more in it, read as `npm run check` reads it. */
function checked(context: TestContext, more: string, from = "tls: { mode: none }", to = from) {
  const stack = `test-${process.pid}-secret`;
  const path = join(stacksDir, `Pulumi.${stack}.yaml`);
  context.after(() => {
    rmSync(path, { force: true });
  });
  writeFileSync(path, fileWith("{}").replace(from, to) + more);
  return { ...loadStackFile(stack), path };
}

test("secrets that were encrypted as a whole are taken; a certificate among them is a placeholder", (context) => {
  const whole = "  secrets: { secure: v1:canary }\n";
  const { settings, warnings, path } = checked(context, whole);
  assert.deepEqual([settings.secrets, warnings], [{}, []]);
  const secrets = `${project}:secrets`;
  assert.equal(withPlaceholderFiles(readStackFile(path))[secrets], "{}");
  const { certificate } = checked(context, whole, "mode: none", "mode: supplied");
  assert.deepEqual(certificate, {
    crt: `(secret ${secrets}.tls.crt not shown)`,
    key: `(secret ${secrets}.tls.key not shown)`,
  });
});

test("a value encrypted outside of secrets is refused by check too, and text below `secure` alone is encrypted", (context) => {
  assert.throws(
    () => checked(context, "", "env: {}", "env: { A: { secure: v1:canary } }"),
    /services\n\s+\(secret\) is encrypted, and only [\w-]+:secrets may be; set the secret there/,
  );
  assert.throws(
    () => checked(context, "  secrets: { hoge: { A: { secure: 5 } } }\n"),
    /secrets\.hoge\.A\n\s+\(secret\) must be text, a number, true or false/,
  );
});

test("check knows that npm start cannot read an encrypted secret", (context) => {
  const { path } = checked(context, `  secrets: { hoge: { A: { secure: v1:${"A".repeat(16)}:${"b".repeat(24)} } } }\n`);
  assert.match(
    startProblem(path) ?? "",
    /^npm start does not apply this stack\. .*secrets\.hoge\.A\. Write a plain-text/,
  );
  assert.equal(startProblem(checked(context, "").path), undefined);
});

test("text below `secure` that the CLI did not encrypt is refused, and not shown", (context) => {
  const secret = (text: string, name = "A") => `  secrets: { hoge: { ${name}: { secure: ${text} } } }\n`;
  // A password, a key in hexadecimal digits, an empty text, a key with a dash.
  for (const text of ["canary", "0123456789abcdef0123456789abcdef", '""', "sk-canary-0123456789012345678901"])
    assert.throws(
      () => checked(context, secret(text)),
      (error) =>
        error instanceof Problem &&
        /secrets\.hoge\.A\.secure was not encrypted by the Pulumi CLI/.test(error.message) &&
        error.fix.endsWith("npx pulumi config set --secret --path 'gke-microservices:secrets.hoge.A'") &&
        (text === '""' || !`${error.message}${error.fix}`.includes(text)),
      text,
    );
  assert.throws(
    () => checked(context, secret("canary", "a.b")),
    (error) => error instanceof Problem && error.fix.endsWith(`secrets.hoge["a.b"]'`),
  );
  for (const text of [`v1:${"A".repeat(16)}:${"b".repeat(24)}`, `AAABAH${"k".repeat(50)}==`])
    checked(context, secret(text));
});
