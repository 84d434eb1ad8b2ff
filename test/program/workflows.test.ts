/** The workflows follow the rules in docs/pull-requests.md; `npm run e2e -- checks` lints them with actionlint. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { marker } from "../../tools/diff/report.ts";
import { workflowVariables } from "../../tools/bootstrap/steps.ts";
import { projectDir } from "./rendered.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly uses?: string;
  readonly if?: string;
  readonly needs?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly concurrency?: unknown;
  readonly strategy?: { readonly matrix: { readonly include: readonly { readonly stack: string }[] } };
  readonly "timeout-minutes"?: number;
  readonly steps?: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: unknown;
  readonly concurrency?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(projectDir, ".github/workflows");
const texts = new Map(readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]));
const workflow = (file: string) => parse(texts.get(file) ?? assert.fail(file)) as Workflow;
const workflows = [...texts.keys()].map((file) => [file, workflow(file)] as const);
const jobs = workflows.flatMap(([file, { jobs: all }]) =>
  Object.entries(all).map(([name, job]) => ({ at: `${file} ${name}`, ...job })),
);
const job = (file: string, name: string) => workflow(file).jobs[name] ?? assert.fail(`${file} has no job ${name}`);

test("no workflow gives permissions to unreviewed code, or uses a stored secret", () => {
  assert.deepEqual([...texts.keys()].sort(), ["deploy.yml", "preview.yml", "release.yml", "test.yml", "up.yml"]);
  for (const [file, { on }] of workflows)
    for (const event of Object.keys(on))
      assert.ok(["pull_request", "push", "workflow_call", "workflow_dispatch"].includes(event), `${file}: ${event}`);
  for (const [file, text] of texts) assert.doesNotMatch(text, /\bsecrets\b/, file);
});

test("permissions are set per job, and no job that runs a pull request's code may write", () => {
  for (const [file, { permissions }] of workflows) assert.deepEqual(permissions, {}, file);
  assert.deepEqual(Object.fromEntries(jobs.map(({ at, permissions }) => [at, permissions])), {
    "deploy.yml approval": {},
    "deploy.yml production": { contents: "read", "id-token": "write" },
    "deploy.yml staging": { contents: "read", "id-token": "write" },
    "deploy.yml test": { contents: "read" },
    "preview.yml comment": { "pull-requests": "write" },
    "preview.yml diff": { contents: "read", "id-token": "write" },
    "release.yml release": { contents: "write" },
    "test.yml test": { contents: "read" },
    "up.yml up": { contents: "read", "id-token": "write" },
  });
});

test("the job that comments runs only its own script, and not for forks", () => {
  const { steps = [], if: condition = "" } = job("preview.yml", "comment");
  assert.deepEqual(steps.map(({ uses }) => uses?.split("@")[0]), ["actions/download-artifact", undefined]); // prettier-ignore
  assert.doesNotMatch(steps[1]?.run ?? "", /\bnpm\b|\bnpx\b|\bnode\b|\bpulumi\b|\.\//);
  assert.match(condition, /head\.repo\.full_name == github\.repository/);
});

test("each stack has one comment, created once and then updated; without a text for the stack, it says so", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "comment-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  // A stand-in for GitHub's command, with an existing comment for staging. The log has each call, then its body.
  const gh = `#!/bin/sh
printf '%s ' "$@" >> log
for word in "$@"; do case $word in body=@*) head -n 4 "\${word#body=@}" >> log ;; esac; done
case "$*" in *--paginate*) case "$MARKER" in *staging*) echo 42; echo 43 ;; esac ;; esac
`;
  writeFileSync(join(folder, "gh"), gh, { mode: 0o755 });
  const comment = () => {
    const { run = "" } = job("preview.yml", "comment").steps?.[1] ?? {};
    writeFileSync(join(folder, "log"), "");
    const path = `${folder}:${process.env["PATH"] ?? ""}`;
    const env = {
      PATH: path,
      COMMENTS: "COMMENTS",
      COMMENT: "COMMENT",
      COMMIT: "0123456789abcdef",
      RUN: "https://run/7",
    };
    const { status, stdout } = spawnSync("bash", ["-eo", "pipefail", "-c", run], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    assert.equal(status, 0);
    return { stdout, calls: readFileSync(join(folder, "log"), "utf8").replaceAll(/ --jq [^\n]*?\.id /g, "") };
  };
  const write = (stack: string, text: string) => {
    mkdirSync(join(folder, `diffs/diff-${stack}`), { recursive: true });
    writeFileSync(join(folder, `diffs/diff-${stack}/diff.md`), text);
  };
  write("staging", `${marker("staging")}\n## a\n`);
  write("production", `${marker("production")}\n## b\n`);
  assert.deepEqual(comment().calls.split("api ").slice(1), [
    "--paginate COMMENTS",
    `--silent --method PATCH COMMENT/42 --field body=@diffs/diff-staging/diff.md ${marker("staging")}\n## a\n`,
    "--paginate COMMENTS",
    `--silent --method POST COMMENTS --field body=@diffs/diff-production/diff.md ${marker("production")}\n## b\n`,
  ]);
  write("staging", `${marker("production")}\n## of another\n`);
  rmSync(join(folder, "diffs/diff-production"), { recursive: true });
  const { stdout, calls } = comment();
  const none = (stack: string) =>
    `none-${stack}.md ${marker(stack)}\n## Stack \`${stack}\` at \`0123456789ab\`\n\nThere is no result for this commit: see [the run](https://run/7).\n`;
  assert.deepEqual(calls.split("api ").slice(1), [
    "--paginate COMMENTS",
    `--silent --method PATCH COMMENT/42 --field body=@${none("staging")}`,
    "--paginate COMMENTS",
    `--silent --method POST COMMENTS --field body=@${none("production")}`,
  ]);
  assert.equal(stdout.match(/^::warning::There is no text for (staging|production)/gm)?.length, 2);
});

test("the doctor gets ten minutes, and an hour for a stack that has never answered", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "wait-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const run = job("up.yml", "up").steps?.find(({ run: text = "" }) => text.includes("GITHUB_OUTPUT"))?.run ?? "";
  const env = {
    PATH: `${folder}:${process.env["PATH"] ?? ""}`,
    STACK: "staging",
    GITHUB_OUTPUT: join(folder, "output"),
  };
  const waits = (npx: string, curl: string) => {
    for (const [name, script] of Object.entries({ npx, curl }))
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    writeFileSync(env.GITHUB_OUTPUT, "");
    assert.equal(spawnSync("bash", ["-eo", "pipefail", "-c", run], { env }).status, 0);
    return readFileSync(env.GITHUB_OUTPUT, "utf8");
  };
  const answers = 'case "$*" in *https://shop.example.com/) exit 0 ;; esac; exit 3';
  const outputs = (status: string) =>
    `case "$*" in *"output url"*) echo https://shop.example.com/ ;; *) echo '{"shop.example.com":{"status":"${status}"}}' ;; esac`;
  assert.equal(waits(outputs("issued"), answers), "time=10m\n");
  assert.equal(waits(outputs("issued"), "exit 35"), "time=60m\n");
  // Then the fallback answers, until Google has issued the certificates.
  assert.equal(waits(outputs("provisioning"), answers), "time=60m\n");
  assert.equal(waits("exit 255", answers), "time=60m\n");
});

test("a release is created from merged code, once per version, with the changelog's notes", (t) => {
  assert.deepEqual(workflow("release.yml").on, { push: { branches: ["main"], paths: ["package.json"] } });
  const folder = mkdtempSync(join(tmpdir(), "release-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const { run = "" } = job("release.yml", "release").steps?.[1] ?? {};
  writeFileSync(join(folder, "package.json"), JSON.stringify({ version: "1.2.3" }));
  writeFileSync(join(folder, "npm"), '#!/bin/sh\nprintf "%s\\n" "$*" > npm.log; echo notes', { mode: 0o755 });
  const publish = (released: boolean) => {
    const gh = `#!/bin/sh\nprintf '%s ' "$@" >> log\n[ "$2" = create ] || exit ${released ? 0 : 1}\n`;
    writeFileSync(join(folder, "gh"), gh, { mode: 0o755 });
    writeFileSync(join(folder, "log"), "");
    const env = { PATH: `${folder}:${process.env["PATH"] ?? ""}`, GITHUB_SHA: "0123abcd" };
    const { status, stderr } = spawnSync("bash", ["-eo", "pipefail", "-c", run], {
      cwd: folder,
      env,
      encoding: "utf8",
    });
    assert.equal(status, 0, stderr);
    return readFileSync(join(folder, "log"), "utf8").trim();
  };
  assert.equal(publish(true), "release view v1.2.3");
  assert.equal(
    publish(false),
    "release view v1.2.3 release create v1.2.3 --target 0123abcd --title v1.2.3 --notes-file notes.md",
  );
  assert.equal(readFileSync(join(folder, "npm.log"), "utf8"), "run --silent release-notes\n");
  assert.equal(readFileSync(join(folder, "notes.md"), "utf8"), "notes\n");
});

test("text of a pull request, such as the name of its branch, is never part of a command", () => {
  for (const { at, steps = [] } of jobs) for (const { run } of steps) assert.doesNotMatch(run ?? "", /\$\{\{/, at);
});

test("npm packages are pinned to one version", () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(projectDir, "package.json"), "utf8"),
  ) as Record<string, Record<string, string>>;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }))
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name}: write the exact version in package.json, then run npm install`);
});

test("actions are pinned by commit, with the version in a comment; a checkout keeps no token", () => {
  for (const [file, text] of texts)
    for (const [line, action = "", comment = ""] of text.matchAll(/^[\s-]*uses: *(\S+)(.*)$/gm)) {
      if (action.startsWith("./")) assert.ok(existsSync(join(projectDir, action)), line);
      else {
        assert.match(action, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/, file);
        assert.match(comment, /^ # v\d+\.\d+\.\d+$/, line);
      }
    }
  const checkouts = jobs.flatMap(({ steps = [] }) => steps).filter(({ uses }) => uses?.includes("/checkout@"));
  assert.equal(checkouts.length, 4);
  for (const { with: given } of checkouts) assert.equal(given?.["persist-credentials"], false);
});

test("a newer preview cancels an older one; an update is never cancelled, never concurrent, never blocked by an approval", () => {
  assert.deepEqual(workflow("preview.yml").concurrency, {
    group: "preview-${{ github.event.pull_request.number }}",
    "cancel-in-progress": true,
  });
  assert.deepEqual(job("up.yml", "up").concurrency, { group: "up-${{ inputs.stack }}", "cancel-in-progress": false });
  assert.equal(workflow("deploy.yml").concurrency, undefined);
  assert.deepEqual(["staging", "approval", "production"].map((name) => job("deploy.yml", name).needs), ["test", "staging", "approval"]); // prettier-ignore
  assert.equal(job("deploy.yml", "approval").environment, "production");
  assert.ok(jobs.every(({ environment, concurrency }) => environment === undefined || concurrency === undefined));
  for (const { at, uses, "timeout-minutes": minutes } of jobs) assert.ok(uses !== undefined || (minutes ?? 0) > 0, at);
});

test("the stacks are those of the repository, the comment's marker matches, and each command exists", () => {
  const stacks = (job("preview.yml", "diff").strategy?.matrix.include ?? []).map(({ stack }) => stack);
  assert.deepEqual(stacks, ["staging", "production"]);
  for (const stack of stacks) assert.ok(existsSync(join(projectDir, `Pulumi.${stack}.yaml`)));
  const { run = "" } = job("preview.yml", "comment").steps?.[1] ?? {};
  assert.ok(run.includes(`for stack in ${stacks.join(" ")}; do`));
  assert.ok(run.includes(`MARKER="${marker("$stack")}"`));
  const { scripts } = JSON.parse(readFileSync(join(projectDir, "package.json"), "utf8")) as { scripts: object };
  const called = [...texts.values()].flatMap((text) => [...text.matchAll(/\bnpm run (?:--\w+ )?([\w-]+)/g)]);
  assert.deepEqual([...new Set(called.map(([, script]) => script))].sort(), ["diff", "doctor", "release-notes"]);
  for (const [, script = ""] of called) assert.ok(script in scripts, `npm run ${script}`);
});

test("the variables are those that bootstrap prints", () => {
  const printed = ["staging", "production"].flatMap((stack) =>
    workflowVariables({ stack, project: "p", bucket: "b", repository: "a/b" }).map(([, , , name]) => name),
  );
  const used = [...texts.values()].flatMap((text) => [...text.matchAll(/\bvars\.(\w+)/g)].map(([, name]) => name));
  assert.deepEqual([...new Set(used)].sort(), printed.sort());
});

test("the images that Dependabot updates are those that the project pins", () => {
  const pod = parse(readFileSync(join(projectDir, ".github/images/images.yaml"), "utf8")) as {
    spec: { containers: readonly { name: string; image: string }[] };
  };
  const images = Object.fromEntries(pod.spec.containers.map(({ name, image }) => [name, image]));
  const places: [string, string][] = [
    ["proxy", "nginx/Dockerfile"],
    ["sample", "services/sample/Dockerfile"],
    ...["web", "worker"].flatMap((kind): [string, string][] => [
      ["sample", `tools/addService/template/node/${kind}/Dockerfile`],
      ["python", `tools/addService/template/python/${kind}/Dockerfile`],
      ["go-build", `tools/addService/template/go/${kind}/Dockerfile`],
      ["go", `tools/addService/template/go/${kind}/Dockerfile`],
    ]),
    ["exporter", "config/schema/proxy.ts"],
  ];
  for (const [name, file] of places) {
    assert.match(images[name] ?? "", /@sha256:[0-9a-f]{64}$/);
    assert.ok(
      readFileSync(join(projectDir, file), "utf8").includes(images[name] ?? "?"),
      `${file}: say ${images[name] ?? ""}`,
    );
  }
  const dockerfiles = readdirSync(projectDir, { recursive: true, encoding: "utf8" }).filter(
    (file) => /(^|\/)Dockerfile$/.test(file) && !/node_modules|^\.local|^test\/|^services\/(?!sample\/)/.test(file),
  );
  for (const file of dockerfiles)
    assert.ok(
      places.some(([, place]) => place === file),
      `${file}: add it to images.yaml and here`,
    );
});
