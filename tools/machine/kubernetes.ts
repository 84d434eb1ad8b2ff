/** Compiles the programs of the local Kubernetes from pinned Go modules into the cache. */
import { copyFileSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { completed, digest } from "../programs/cache.ts";
import { run } from "../cli/run.ts";
import { cacheDir } from "../cli/paths.ts";
import type { Step } from "../cli/progress.ts";
import { goMod, goProblem, source } from "./goModules.ts";
import { writePauseImage } from "./pauseImage.ts";

const goDir = join(cacheDir, "go");
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
const [, version = "", major = "", minor = ""] = /k8s\.io\/kubernetes (v(\d+)\.(\d+)\S*)/.exec(goMod) ?? [];
// Kubernetes' own build sets the version in the same way. Clients use it to decide which features they can use.
const linkerFlags = [
  "-s -w",
  ...["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"].flatMap((path) =>
    Object.entries({ gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: "clean" }).map(
      ([name, value]) => `-X ${path}.${name}=${value}`,
    ),
  ),
].join(" ");

/** Folder of the compiled programs, `pause.tar` (the image of the pause container), and Contour's `crds.yaml` and `role.yaml`. */
export const programsDir = join(
  cacheDir,
  "kubernetes",
  digest(
    ["go.mod", "go.sum", "main.go", "policies.go", "pause/main.go"].map((file) => join(source, file)),
    linkerFlags,
  ),
);
export const kubectlPath = join(programsDir, "kubectl");

/**
 * Compiles the programs unless the cache has them. The Go version is not part of the cache key: another one compiles
 * the same programs.
 * @throws Problem if Go is missing or too old, or a download fails
 */
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
      // No DWARF: the linker strips it anyway, and not generating it saves 8 % of the time.
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
  // Gigabytes that would help only after a change of the pinned versions. Until here, an interrupted build can continue from them.
  rmSync(goDir, { recursive: true, force: true });
}
