/** Everything that README, guides and templates name exists: commands and options, links and anchors, config keys. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { schema } from "../../config/schema.ts";
import { projectDir } from "./rendered.ts";

const guides = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
  ...globSync([".github/*.md", ".github/ISSUE_TEMPLATE/*.yml"], { cwd: projectDir }).sort(),
  ...readdirSync(join(projectDir, "docs"))
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];
const read = (file: string) => readFileSync(join(projectDir, file), "utf8");
const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };

/** Without code blocks, which contain no links or headings. */
const prose = (text: string) => text.replaceAll(/^```[^]*?^```$/gm, "");

/** GitHub's anchors of headings. */
const anchors = (file: string) =>
  [...prose(read(file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test("every link to a file or heading of the project has a target", () => {
  let count = 0;
  for (const guide of guides)
    for (const [, target = ""] of prose(read(guide)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      count++;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? guide : join(dirname(guide), path);
      assert.ok(existsSync(join(projectDir, file)), `${guide}: ${target}`);
      if (anchor !== undefined) assert.ok(anchors(file).includes(anchor), `${guide}: ${target} has no such heading`);
    }
  assert.ok(count > 30, `${count} links`);
});

/** `npm run NAME -- WORDS` and `npm start -- WORDS`, in blocks and in sentences. */
const commands = guides.flatMap((guide) =>
  [...read(guide).matchAll(/\bnpm (?:run (?:--silent )?([\w-]+)|(start|stop|test|audit))((?: -- [^`\n#]*)?)/g)].map(
    ([, run, plain, rest = ""]) => ({
      guide,
      script: run ?? plain ?? "",
      options: [...rest.matchAll(/(?<= )--[a-z][\w-]*/g)].map(([option]) => option),
    }),
  ),
);

test("every npm command is a script of the project, with options that its --help names", () => {
  const own = commands.filter(({ script }) => script !== "audit");
  assert.ok(own.length > 30, `${own.length} commands`);
  const help = new Map<string, string>();
  for (const { guide, script, options } of own) {
    assert.ok(script in scripts, `${guide}: there is no npm run ${script}`);
    if (options.length === 0) continue;
    if (!help.has(script)) {
      const args = [join(projectDir, "tools/run.js"), script, "--help"];
      help.set(script, spawnSync(process.execPath, args, { encoding: "utf8", timeout: 60_000 }).stdout);
    }
    for (const option of options)
      assert.ok(help.get(script)?.includes(option), `${guide}: npm run ${script} has no ${option}`);
  }
});

test("every key that the guides set by the CLI is in the config", () => {
  const set = guides.flatMap((guide) =>
    [...read(guide).matchAll(/pulumi config (?:set|rm)((?: -\S+(?: \w+(?= ))?)*) '?([\w.:-]+)/g)].map(
      ([, , key = ""]) => ({
        guide,
        key,
      }),
    ),
  );
  assert.ok(set.length > 5, `${set.length} keys`);
  for (const { guide, key } of set) {
    const [name = ""] = key.replace("gke-microservices:", "").split(".");
    if (/^gcp:/.test(key)) continue;
    assert.ok(Object.hasOwn(schema.shape, name), `${guide}: ${key}`);
  }
});
