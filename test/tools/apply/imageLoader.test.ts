/** The images of `npm start`: built and loaded again if a folder is edited before they are applied. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { imageLoader } from "../../../tools/apply/imageLoader.ts";
import type { Progress } from "../../../tools/cli/progress.ts";
import { imageOf, type ImageSpec } from "../../../tools/images/build.ts";

const progress: Pick<Progress, "step"> = { step: (_name, work) => work({ detail: () => undefined }) };

test("an edited folder is built and loaded again, an unchanged one is not", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "image-"));
  context.after(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\n");
  const spec: ImageSpec = { name: "hoge", context: folder, base: "node" };
  const loaded: string[] = [];
  const images = imageLoader([spec], progress, (specs) =>
    Promise.resolve(new Map(specs.map((each) => [each.name, imageOf(each)]))),
  );
  await images.putEdited();
  assert.equal(loaded.length, 0, "nothing was loaded before, so there is no way to load it");
  await images.put((built) => {
    for (const { reference } of built) loaded.push(reference);
    return Promise.resolve();
  }, "local");
  await images.putEdited();
  assert.equal(loaded.length, 1);
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nUSER 1\n");
  await images.putEdited();
  assert.equal(loaded.length, 2);
  assert.equal(loaded[1], imageOf(spec).reference, "the tag that the program derives");
  assert.notEqual(loaded[1], loaded[0]);
});

test("a cluster without a way to load images is a problem, unless nothing is built", async () => {
  const spec: ImageSpec = { name: "hoge", context: "/nowhere", base: "node" };
  const build = () => assert.fail("nothing is built for it");
  await assert.rejects(imageLoader([spec], progress, build).put(undefined, "kind-x"), {
    name: "Problem",
    message: /builds hoge/,
  });
  await imageLoader([], progress, build).put(undefined, "kind-x");
});
