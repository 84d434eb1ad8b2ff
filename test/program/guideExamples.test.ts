/** The program accepts the examples of the guides: what readers copy must work. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { fullKey } from "../../names/project.ts";
import { checkConfig } from "../../config/config.ts";
import { projectDir } from "./rendered.ts";

const guides = ["README.md", ...readdirSync(join(projectDir, "docs")).filter((file) => file.endsWith(".md"))];

const textOf = (guide: string): string =>
  readFileSync(join(projectDir, guide === "README.md" ? guide : join("docs", guide)), "utf8");

/** YAML blocks: a part of a stack file, or the routes of one service. */
function examples(guide: string): string[] {
  return [...textOf(guide).matchAll(/```yaml\n([^]*?)```/g)].map(([, block = ""]) =>
    block.replaceAll("image: …", "image: a/b:1"),
  );
}

const image = "example.com/apps/web:1";
const stack = {
  domain: "shop.example.com",
  cluster: { kind: "gke" },
  proxy: { image: "example.com/apps/nginx-proxy:1" },
  services: Object.fromEntries(["web", "web-next", "web-beta"].map((name) => [name, { image }])),
};

function check(example: string): void {
  const block = parse(example) as Record<string, Record<string, unknown>>;
  assert.deepEqual(
    Object.keys(block).filter((key) => key.startsWith("gke-microservices:")),
    [],
    "`config:` is missing",
  );
  const settings = Object.fromEntries(
    Object.entries((block["config"] as typeof block | undefined) ?? block).map(([key, value]) => [
      key.replace("gke-microservices:", ""),
      value,
    ]),
  );
  const { routes, ...keys } = settings;
  const config = {
    ...stack,
    ...keys,
    proxy: { ...stack.proxy, ...keys["proxy"] },
    services: { ...stack.services, ...keys["services"], ...(routes && { web: { image, routes } }) },
  };
  const raw = Object.entries(config).map(([key, value]) => [
    fullKey(key),
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  checkConfig({ ...(Object.fromEntries(raw) as Record<string, string>), ...google }, "staging", projectDir);
}

for (const guide of guides)
  for (const [index, example] of examples(guide).entries())
    test(`${guide}: example ${index + 1} is a valid config`, () => {
      check(example);
    });

const commands = guides.flatMap((guide) =>
  [...textOf(guide).matchAll(/```sh\n([^]*?)```/g)].flatMap(([, block = ""]) =>
    block.split("\n").flatMap((line) => line.split("&&").map((command) => ({ guide, command: command.trim() }))),
  ),
);

test("the guides call Pulumi through npx, and pass the stack", () => {
  const pulumi = commands.filter(({ command }) => /(^|\s)pulumi\s/.test(command.replace(/#.*/, "")));
  assert.ok(pulumi.length > 20);
  for (const { guide, command } of pulumi) {
    assert.match(command, /^npx pulumi /, guide);
    if (!/^npx pulumi (new|login) /.test(command)) assert.match(command, / (-s|--stack) /, `${guide}: ${command}`);
  }
});

test("there are examples to check", () => {
  assert.ok(guides.flatMap(examples).length >= 5);
});
