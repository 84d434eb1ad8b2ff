/** Debian's buildah, run out of its unpacked packages: no daemon, no registry, nothing of the machine's own containers touched. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, run } from "../cli/run.ts";
import { debianPackages } from "../programs/debian.ts";
import { cacheDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

export const imagesDir = join(cacheDir, "images");
const log = join(cacheDir, "logs", "images.log");

/**
 * Its C library and its configuration are found through chroot. The mounts live in a mount namespace of its own, so they
 * end with it, however it ends; buildah itself needs its root to be a mount. $1: the packages' folder, $2: folders it shall see (one a line), the rest: arguments.
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
 * @param folder - a folder that the command reads, beside the one that holds images
 * @throws Problem with what buildah said
 */
export async function buildah(what: string, args: readonly string[], folder?: string): Promise<string> {
  const root = await debianPackages(["buildah"]);
  const temporary = join(imagesDir, "tmp");
  await mkdir(temporary, { recursive: true });
  const folders = [imagesDir, ...(folder === undefined ? [] : [folder])];
  const unspaced = folders.find((path) => /\s/.test(path));
  if (unspaced !== undefined) {
    throw new Problem(
      `Images cannot be built from a path with a blank in it: ${unspaced}`,
      "Move the folder elsewhere.",
    );
  }
  // vfs: plain copies, which work on every file system; overlay does not work on top of another overlay.
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
