import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, test } from "node:test";
import { existingCluster, type LoadImages } from "../../../tools/apply/targetCluster.ts";
import { Problem } from "../../../tools/cli/problem.ts";

const programs = mkdtempSync(join(tmpdir(), "programs-"));
const called = join(programs, "called");
const path = process.env["PATH"] ?? "";
const images = [{ reference: "localhost/gke-microservices/hoge:1", archive: "/cache/hoge.tar" }];

/** Puts a program first on PATH that logs its calls. */
function program(name: string, script = ""): void {
  writeFileSync(join(programs, name), `#!/bin/sh\necho ${name} "$@" >>${called}\n${script}\n`, { mode: 0o755 });
}
const calls = () => readFileSync(called, "utf8").trim().split("\n");

beforeEach(() => {
  program("kubectl", 'case "$*" in *get-contexts*) echo kind-dev; echo k3d-dev; echo minikube; echo far ;; esac');
  process.env["PATH"] = `${programs}:${path}`;
});
afterEach(() => {
  rmSync(called, { force: true });
  process.env["PATH"] = path;
});
after(() => {
  rmSync(programs, { recursive: true });
});

function problem(message: RegExp, fix: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof Problem, String(error));
    assert.match(error.message, message);
    assert.match(error.fix, fix);
    return true;
  };
}

/** The cluster, and its loader of images. */
async function found(context: string) {
  let load: LoadImages | undefined;
  const cluster = await existingCluster(context, (loader) => {
    load = loader;
    return Promise.resolve();
  });
  return { ...cluster, load };
}
const noImages = () => Promise.resolve();

test("without any context, the problem says so instead of listing none", async () => {
  program("kubectl");
  await assert.rejects(
    existingCluster("nosuch", noImages),
    problem(
      /^No context is known to kubectl\.$/,
      /^Create one with the tool of your cluster, or leave --context out: /,
    ),
  );
});

for (const [context, command] of [
  ["kind-dev", "kind load image-archive /cache/hoge.tar --name dev"],
  ["k3d-dev", "k3d image import /cache/hoge.tar --cluster dev"],
  ["minikube", "minikube --profile minikube image load /cache/hoge.tar"],
] as const) {
  test(`images are loaded into ${context} by its own command`, async () => {
    const [name = ""] = command.split(" ");
    program(name);
    const { target, load, outlivesStop } = await found(context);
    assert.deepEqual(target, { kubectl: "kubectl", context });
    assert.equal(outlivesStop, true);
    await load?.(images);
    assert.equal(calls().at(-1), command);

    program(name, "echo no such cluster >&2; exit 1");
    await assert.rejects(
      load?.(images) ?? Promise.resolve(),
      problem(/hoge:1 cannot be loaded into the cluster of "[\w-]+": no such cluster/, /set image: instead of build:/),
    );
  });
}

test("another cluster has no loader", async () => {
  assert.equal((await found("far")).load, undefined);
});

test("without the cluster's own command, the problem names it", async () => {
  const { load } = await found("kind-dev");
  process.env["PATH"] = programs;
  rmSync(join(programs, "kind"), { force: true });
  await assert.rejects(load?.(images) ?? Promise.resolve(), problem(/there is no kind on PATH/, /set image:/));
});

test("a missing context is a problem with the existing ones; a cluster that does not answer is one too", async () => {
  await assert.rejects(
    existingCluster("kind-dve", noImages),
    problem(/There is no kubectl context "kind-dve"/, /allowed: kind-dev, .*did you mean "kind-dev"/),
  );
  program("kubectl", 'case "$*" in *get-contexts*) echo far ;; *) echo connection refused >&2; exit 1 ;; esac');
  await assert.rejects(
    existingCluster("far", noImages),
    problem(/"far" does not answer:\nconnection refused/, /Start it/),
  );
});

test("without kubectl, or with an invalid kubeconfig, the problem says what to fix", async () => {
  program("kubectl", "echo error loading config file >&2; exit 1");
  await assert.rejects(
    existingCluster("far", noImages),
    problem(/cannot be read by kubectl:\nerror loading/, /kubeconfig/),
  );
  rmSync(join(programs, "kubectl"));
  process.env["PATH"] = programs;
  await assert.rejects(existingCluster("far", noImages), problem(/no kubectl on PATH/, /Install it/));
});
