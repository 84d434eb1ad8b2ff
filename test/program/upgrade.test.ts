/**
 * From the release before, 0.2.0: its stack files still work, and each change of a pod is named here. A changed pod template
 * rolls out with the update, so that CHANGELOG.md must say why.
 */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { checkConfig } from "../../config/config.ts";
import { readStackFile, withPlaceholderFiles } from "../../tools/stack/stackFile.ts";
import { projectDir, render, stacksDir, type Deployment, type Rendered } from "./rendered.ts";

const folder = join(import.meta.dirname, "upgrade");
type Value = Readonly<Record<string, unknown>>;
/** The specs of the Deployments that 0.2.0 rendered from its stack files, by stack and name. */
const before = JSON.parse(readFileSync(join(folder, "deployments.json"), "utf8")) as Record<
  string,
  Record<string, Value>
>;

const isMap = (value: unknown): value is Value => typeof value === "object" && value !== null && !Array.isArray(value);
/** What a container, volume or variable is known by. */
const named = (items: readonly unknown[]): Value | undefined =>
  items.every((item) => isMap(item) && typeof item["name"] === "string")
    ? Object.fromEntries(items.map((item) => [(item as { name: string }).name, item]))
    : undefined;
/** The paths at which two values differ, such as `spec.containers.hoge.env.PORT`. */
function differences(one: unknown, other: unknown, path: readonly string[] = []): string[] {
  const [a, b] = [one, other].map((value) => (Array.isArray(value) ? (named(value) ?? value) : value));
  if (!isMap(a) || !isMap(b)) return JSON.stringify(one) === JSON.stringify(other) ? [] : [path.join(".")];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].sort().flatMap((key) => differences(a[key], b[key], [...path, key]));
}

/** What changes for each pod of a service, and why. */
const ofService = (name: string) => [
  `spec.containers.${name}.env.PORT`, // the port that it listens on
  `spec.containers.${name}.resources.limits.ephemeral-storage`, // with that of /tmp
  `spec.containers.${name}.volumeMounts`, // /tmp
  "spec.terminationGracePeriodSeconds", // for the longer default timeout of services
  `spec.volumes`,
];
const ofProxy = [
  "spec.containers.nginx.startupProbe.failureThreshold", // for a slow DNS
  "spec.terminationGracePeriodSeconds", // the same
  "spec.volumes.routes.configMap.name", // the routes' text
  "spec.volumes.tmp.emptyDir.sizeLimit", // computed from what clients may take
];
const expected: Readonly<Record<string, readonly string[]>> = {
  hoge: ofService("hoge"),
  web: ofService("web"),
  "nginx-proxy": ofProxy,
};

for (const stack of ["local", "production"])
  test(`${stack} of 0.2.0`, async (context) => {
    // Short: Google's names begin with it.
    const name = `test-${process.pid}-${stack.slice(0, 2)}`;
    const file = join(stacksDir, `Pulumi.${name}.yaml`);
    context.after(() => {
      rmSync(file, { force: true });
    });
    // Google refuses a window of four hours in a week, and so does this release, as CHANGELOG.md says.
    const text = readFileSync(join(folder, `Pulumi.${stack}.yaml`), "utf8").replace(
      "BYDAY=SA",
      "BYDAY=MO,TU,WE,TH,FR,SA",
    );
    writeFileSync(file, text);
    const raw = withPlaceholderFiles(readStackFile(file, "refuse"), "replaceable");
    const { warnings } = checkConfig(raw, "upgrade", projectDir);
    assert.deepEqual(
      warnings.filter((warning) => warning.includes("healthPath")),
      ["hoge", "web"].map(
        (service) => `gke-microservices:services.${service}.healthPath: is now called health; write health: /readyz`,
      ),
    );

    const { status, stdout, stderr } = await render(name);
    assert.equal(status, 0, stderr);
    const now = parseAllDocuments(stdout)
      .map((document) => document.toJS() as Rendered)
      .filter((object): object is Deployment => object.kind === "Deployment");
    assert.deepEqual(now.map(({ metadata }) => metadata.name).sort(), Object.keys(before[stack] ?? {}).sort());
    for (const { metadata, spec } of now) {
      const { template, ...rest } = before[stack]?.[metadata.name] ?? {};
      const { template: newTemplate, ...newRest } = spec;
      assert.deepEqual(newRest, rest, "the selector is immutable, and the rest rolls nothing out");
      // The tag of a built image follows from its folder.
      const changed = differences(template, newTemplate).filter((path) => !path.endsWith(".image"));
      assert.deepEqual(changed, expected[metadata.name], metadata.name);
    }
  });
