/** Which program builds images for a cluster that somebody has, with scripts in place of Docker and Podman. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, afterEach, test } from "node:test";
import { buildAnywhere, containerEngine } from "../../../tools/images/containerEngine.ts";
import { imageOf, type ImageSpec } from "../../../tools/images/build.ts";

const folder = mkdtempSync(join(tmpdir(), "engine-"));
const path = process.env["PATH"] ?? "";
after(() => {
  rmSync(folder, { recursive: true });
});
afterEach(() => {
  process.env["PATH"] = path;
});

/** Puts these scripts on PATH, in front of the machine's own programs without its engines. */
function install(scripts: Readonly<Record<string, string>>): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  const silent = { docker: "exit 1", podman: "exit 1" };
  for (const [name, text] of Object.entries({ ...silent, ...scripts })) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$@" >>${bin}/called\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  process.env["PATH"] = `${bin}${delimiter}${path}`;
  return bin;
}

/** A context of its own for each call, so that no archive exists. */
function spec(name = "hoge"): ImageSpec {
  const context = mkdtempSync(join(folder, "context-"));
  writeFileSync(join(context, "Dockerfile"), `FROM scratch\nLABEL a="${context}"\n`);
  return { name, context, base: "node" };
}

/** Answers as an engine that builds. */
const building = `case "$1" in
info) exit 0 ;;
save) for last; do :; done; while [ "$1" != --output ]; do shift; done; echo "$last" >"$2" ;;
esac`;

for (const [engine, format] of [
  ["docker", ""],
  ["podman", "--format docker-archive "],
] as const)
  test(`${engine} builds with the Dockerfile's own base, and saves an archive once`, async (context) => {
    const bin = install({ [engine]: building });
    assert.equal(await containerEngine(), engine);
    const one = spec();
    const { reference, archive } = imageOf(one, engine);
    context.after(() => {
      rmSync(archive, { force: true });
    });
    const progress: string[] = [];
    const built = await buildAnywhere([one], (name) => progress.push(name));
    assert.deepEqual(built.get("hoge"), { reference, archive });
    assert.equal(readFileSync(archive, "utf8").trim(), reference);
    assert.deepEqual(progress, ["hoge"]);
    const version = reference.split(":").at(-1) ?? "";
    const calls = readFileSync(join(bin, "called"), "utf8").split("\n").slice(-3, -1);
    assert.deepEqual(calls, [
      `build --build-arg VERSION=${version} --tag ${reference} ${one.context}`,
      `save ${format}--output ${archive}.unfinished ${reference}`,
    ]);
    await buildAnywhere([one], (name) => progress.push(name));
    assert.equal(progress.length, 1, "the archive exists");
    assert.notEqual(archive, imageOf(one).archive, "buildah's image has another base");
  });

test("a build that fails says why, and leaves no archive", async () => {
  install({ docker: `[ "$1" = info ] || { echo "no space for COPY" >&2; exit 1; }` });
  const one = spec();
  await assert.rejects(buildAnywhere([one]), {
    name: "Problem",
    message: "docker cannot build the image hoge:\nno space for COPY",
    fix: `Fix ${one.context}/Dockerfile.`,
  });
  assert.ok(!existsSync(imageOf(one, "docker").archive));
});

test("without an engine, root and apt, the error says what to start or to name", async () => {
  const bin = install({});
  mkdirSync(join(bin, "empty"));
  process.env["PATH"] = `${bin}${delimiter}${join(bin, "empty")}`; // There is no apt-get.
  await assert.rejects(buildAnywhere([spec("hoge"), spec("web")]), {
    name: "Problem",
    message: /^The images of hoge, web cannot be built: neither Docker nor Podman answers here/,
    fix: /^Start Docker or Podman\. .* set image: instead of build:/,
  });
});
