/** Compiles the programs of the local Kubernetes from pinned Go modules into the cache. */
import { copyFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { completed, digest } from "../programs/cache.ts";
import { cacheDir } from "../cli/paths.ts";
import type { Step } from "../cli/progress.ts";
import { forgetGoBuild, goBuild } from "./goBuild.ts";
import { goMod, source } from "./goModules.ts";
import { writePauseImage } from "./pauseImage.ts";

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
  const build = { name: "go", source, packages: [".", "./pause", `${contour}/cmd/contour`], linkerFlags };
  await completed(programsDir, async (folder) => {
    await goBuild(build, folder, step, async (go) => {
      const contourSource = (await go(["list", "-m", "-f", "{{.Dir}}", contour])).trim();
      copyFileSync(join(contourSource, "examples/contour/01-crds.yaml"), join(folder, "crds.yaml"));
      copyFileSync(join(contourSource, "examples/contour/02-role-contour.yaml"), join(folder, "role.yaml"));
    });
    for (const name of names) symlinkSync("kubernetes", join(folder, name));
    await writePauseImage(folder);
  });
  forgetGoBuild(build);
}
