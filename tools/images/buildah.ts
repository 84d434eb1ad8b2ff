/** Runs Debian's buildah from unpacked packages: without a daemon or a registry, and apart from the machine's own containers. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, run } from "../cli/run.ts";
import { debianPackages } from "../programs/debian.ts";
import { cacheDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export const imagesDir = join(cacheDir, "images");
const log = join(cacheDir, "logs", "images.log");

/**
 * chroot makes buildah find its C library and configuration. The mounts are in a mount namespace of their own, so that
 * they end with the process. buildah needs its root to be a mount.
 * $1: folder of the packages, $2: folders to mount (one per line), the rest: arguments of buildah.
 */
const script = `
  root=$1 folders=$2; shift 2
  mount --bind "$root" "$root"
  for folder in /dev /proc /sys $folders; do
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
  done
  echo root:x:0:0:root:/root:/usr/sbin/nologin >"$root/etc/passwd"
  exec chroot "$root" /usr/bin/buildah "$@"
`;

/**
 * @param folder - a folder that the command reads, in addition to the images' folder
 * @throws Problem with buildah's output
 */
export async function buildah(what: string, args: readonly string[], folder?: string): Promise<string> {
  const root = await debianPackages(["buildah"]);
  const temporary = join(imagesDir, "tmp");
  await mkdir(temporary, { recursive: true });
  const folders = [imagesDir, ...(folder === undefined ? [] : [folder])];
  const spaced = folders.find((path) => /\s/.test(path));
  if (spaced !== undefined) {
    throw new Problem(
      `Images cannot be built from a path with a space in it: ${spaced}`,
      "Move the folder to a path without spaces.",
    );
  }
  // vfs copies files, which works on every file system. overlay does not work on top of another overlay.
  const storage = [
    "--root",
    join(imagesDir, "storage"),
    "--runroot",
    join(imagesDir, "run"),
    "--storage-driver",
    "vfs",
  ];
  const command = ["--mount", "--propagation", "private", "sh", "-euc", script, "buildah", root, folders.join("\n")];
  try {
    return await run("unshare", [...command, ...storage, ...args], {
      env: { HOME: imagesDir, TMPDIR: temporary, PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin", STORAGE_OPTS: "" },
      log,
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Problem(
      `${what} failed:\n${error.output}`,
      `Fix what it names, then run the command again. Full log: ${log}`,
    );
  }
}
