/** The parts that need no root: the tag of a context, and that an image is built only if needed. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test, type TestContext } from "node:test";

const cache = await mkdtemp(join(tmpdir(), "images-test-"));
after(() => rm(cache, { recursive: true, force: true }));
process.env["XDG_CACHE_HOME"] = cache; // read once, when the modules below are loaded
const { buildImages, imageOf, missingBase } = await import("../../../tools/images/build.ts");
const { baseKey } = await import("../../../tools/images/baseImages.ts");
const { contextTag } = await import("../../../components/images/buildContext.ts");
const { Problem } = await import("../../../tools/cli/problem.ts");

async function contextFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "context-"));
  context.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "Dockerfile"), "ARG BASE\nFROM ${BASE}\nCOPY . /app\n");
  await mkdir(join(folder, "src/deep"), { recursive: true });
  await writeFile(join(folder, "src/a.mjs"), "a");
  await writeFile(join(folder, "src/deep/b.mjs"), "b");
  return folder;
}

test("the hash depends on names, contents, links and the executable bit", async (context) => {
  const folder = await contextFolder(context);
  const seen = new Map<string, string>([[contextTag(folder), "at first"]]);
  const changes: Record<string, () => Promise<unknown>> = {
    content: () => writeFile(join(folder, "src/a.mjs"), "changed"),
    "executable bit": () => chmod(join(folder, "src/a.mjs"), 0o755),
    "file name": () => rename(join(folder, "src/a.mjs"), join(folder, "src/c.mjs")),
    "folder name": () => rename(join(folder, "src/deep"), join(folder, "src/deeper")),
    "added file": () => writeFile(join(folder, ".hidden"), ""),
    "added link": () => symlink("src/c.mjs", join(folder, "link")),
    "boundary between two files": async () => {
      await writeFile(join(folder, "src/c.mjs"), "change");
      await writeFile(join(folder, "src/deeper/b.mjs"), "db");
    },
    Dockerfile: () => writeFile(join(folder, "Dockerfile"), "FROM scratch\n"),
  };
  for (const [change, make] of Object.entries(changes)) {
    await make();
    const hash = contextTag(folder);
    assert.equal(seen.get(hash), undefined, `the ${change} changed, the hash did not`);
    seen.set(hash, change);
  }
});

test("the hash ignores times, permissions that an image does not keep, and the folder's path", async (context) => {
  const [one, other] = [await contextFolder(context), await contextFolder(context)];
  await utimes(join(other, "src/a.mjs"), 0, 0);
  await chmod(join(other, "src/a.mjs"), 0o600);
  assert.equal(contextTag(one), contextTag(other));
});

test("the hash ignores what .dockerignore excludes, but not what it includes again", async (context) => {
  const folder = await contextFolder(context);
  await writeFile(join(folder, ".dockerignore"), "# only the source\n*\n!src\nsrc/deep/\n");
  const before = contextTag(folder);
  await writeFile(join(folder, "README.md"), "ignored");
  await writeFile(join(folder, "src/deep/b.mjs"), "ignored");
  assert.equal(contextTag(folder), before);
  await writeFile(join(folder, "src/a.mjs"), "counts");
  assert.notEqual(contextTag(folder), before);
});

test("the proxy's image depends on nginx.conf and its entry point, but not on the renderer next to it", async (context) => {
  const folder = await contextFolder(context);
  await cp(join(import.meta.dirname, "../../../nginx"), folder, { recursive: true });
  const before = contextTag(folder);
  await writeFile(join(folder, "routes.ts"), "// changed");
  assert.equal(contextTag(folder), before);
  for (const file of ["nginx.conf", "entrypoint.sh"]) {
    const earlier = contextTag(folder);
    await writeFile(join(folder, file), "# changed");
    assert.notEqual(contextTag(folder), earlier, file);
  }
});

test("the tag is 12 hex digits derived from the context; the archive's name also depends on the base", async (context) => {
  const folder = await contextFolder(context);
  const node = imageOf({ name: "hoge", context: folder, base: "node" });
  const nginx = imageOf({ name: "hoge", context: folder, base: "nginx" });
  assert.match(node.reference, /^localhost\/gke-microservices\/hoge:[0-9a-f]{12}$/);
  assert.equal(node.reference, nginx.reference);
  assert.notEqual(node.archive, nginx.archive);
  assert.deepEqual(imageOf({ name: "hoge", context: folder, base: "node" }), node);
  assert.ok(node.archive.startsWith(join(cache, "gke-microservices")));
});

test("an existing archive is not built again; an unfinished one does not count", async (context) => {
  const spec = { name: "hoge", context: await contextFolder(context), base: "node" } as const;
  const image = imageOf(spec);
  await mkdir(dirname(image.archive), { recursive: true });
  const messages: string[] = [];
  const build = () => buildImages([spec], (message) => messages.push(message));

  const { PATH } = process.env;
  process.env["PATH"] = cache; // Without programs, a build would fail.
  context.after(() => (process.env["PATH"] = PATH));
  await writeFile(`${image.archive}.unfinished`, "half");
  await assert.rejects(build, (error) => error instanceof Problem && error.message.includes("apt-get"));
  await writeFile(image.archive, "whole");
  assert.deepEqual(await build(), new Map([["hoge", image]]));
  assert.deepEqual(messages, []);
});

test("a missing context, or one without a Dockerfile, is a problem that names it", async (context) => {
  const folder = await contextFolder(context);
  await rm(join(folder, "Dockerfile"));
  for (const path of [folder, join(folder, "nowhere")]) {
    const spec = { name: "hoge", context: path, base: "node" } as const;
    await assert.rejects(buildImages([spec]), (error) => {
      assert.ok(error instanceof Problem);
      assert.ok(error.message.includes(path));
      assert.match(error.fix, /Dockerfile/);
      return true;
    });
  }
});

test("archives of Node and nginx keep their names; those of other languages depend on each base", async (context) => {
  const folder = await contextFolder(context);
  const name = (dockerfile: string, base: "node" | "nginx" = "node") => {
    writeFileSync(join(folder, "Dockerfile"), dockerfile);
    return imageOf({ name: "hoge", context: folder, base });
  };
  const keyOf = (bases: string, { reference }: { reference: string }) =>
    createHash("sha256").update(`${bases} ${reference}`).digest("hex").slice(0, 12);
  for (const [bases, image] of [
    [baseKey("node"), name("ARG BASE=node:24\nFROM ${BASE}\n")],
    [baseKey("node"), name("ARG BASE\nFROM ${BASE}\n")],
    [baseKey("nginx"), name("ARG BASE=nginx:1\nFROM ${BASE}\n", "nginx")],
    [baseKey("python"), name("ARG BASE=python:3\nFROM ${BASE}\n")],
    [baseKey("go"), name("ARG GO=golang:1\nARG BASE=static\nFROM ${GO} AS build\nFROM ${BASE}\n")],
    [`${baseKey("go")} ${baseKey("node")}`, name("ARG GO=go\nARG BASE=node\nFROM ${GO} AS a\nFROM ${BASE}\n")],
    ["", name("FROM scratch\n")],
  ] as const)
    assert.equal(image.archive, join(cache, `gke-microservices/images/hoge-${keyOf(bases, image)}.tar`));
});

test("a base image that would have to be pulled is a problem that says what the local build has", () => {
  const failed = (output: string) => new Problem(`Building the image api failed:\n${output}`, "Fix what it names.");
  const output =
    "STEP 1/2: FROM python:3.13-slim\nError: creating build container: python:3.13-slim: image not known\n";
  const problem = missingBase({ name: "api", base: "node" }, failed(output));
  assert.deepEqual(
    [problem?.message, problem?.fix],
    [
      "The image api cannot be built on this machine: its Dockerfile starts from python:3.13-slim, and the local build pulls nothing.",
      'Start from what it has: "FROM scratch", or "FROM ${BASE}", whose default says which of them: an image named node, python, golang, static, nginx, postgres or redis, such as "ARG BASE=node:24". Or name a ready image in services.api.image and a cluster that pulls it: npm start -- --context NAME.',
    ],
  );
  const proxy = missingBase({ name: "nginx-proxy", base: "nginx" }, failed(output));
  assert.match(proxy?.fix ?? "", /^Start from what it has.* in proxy\.image and a cluster/);
  assert.equal(missingBase({ name: "api", base: "node" }, failed("Error: no space left on device")), undefined);
});
