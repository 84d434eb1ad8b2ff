/**
 * Unpacks Debian packages into the cache without installing them, so that the machine stays unchanged (installing
 * Debian's containerd would replace Docker's).
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { CommandError, run } from "../cli/run.ts";
import { diskNeeded, requireDisk } from "../cli/disk.ts";
import { cacheDir } from "../cli/paths.ts";
import { Problem } from "../cli/problem.ts";

const debianDir = join(cacheDir, "debian");
const log = join(cacheDir, "logs", "debian.log");

/** A folder with its own C library and loader: run programs in it through `chroot`. Maintainer scripts have not run. */
export type DebianRoot = string;

let last: Promise<unknown> = Promise.resolve();

/**
 * Unpacks the packages and their dependencies (not their recommendations) into a folder of the cache, unless it exists.
 * @param suite - Debian release to use, signed by a key that this machine trusts. @default - the machine's own sources
 * @throws Problem if there is no apt, or the download fails
 */
export function debianPackages(names: readonly string[], suite?: string): Promise<DebianRoot> {
  // One at a time: all calls share apt's folders.
  const next = last.then(() => unpacked([...names, "libc-bin"].sort(), suite));
  last = next.catch(() => undefined);
  return next;
}

async function unpacked(names: readonly string[], suite?: string): Promise<DebianRoot> {
  const source = suite === undefined ? names : [...names, `/${suite}`];
  const key = createHash("sha256").update(source.join(" ")).digest("hex").slice(0, 12);
  const root = join(debianDir, key);
  if (existsSync(root)) return root;
  requireDisk(root, diskNeeded.unpack);
  await mkdir(debianDir, { recursive: true });
  const work = await mkdtemp(join(debianDir, "unfinished-"));
  try {
    const files = await download(names, work, suite);
    const unfinished = join(work, "root");
    await unpack(files, unfinished);
    await rename(unfinished, root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return root;
}

async function download(names: readonly string[], work: string, suite?: string): Promise<string[]> {
  const archives = join(work, "archives");
  const lists = join(debianDir, suite === undefined ? "lists" : `lists-${suite}`);
  for (const folder of [archives, lists]) await mkdir(join(folder, "partial"), { recursive: true });
  const status = join(work, "status");
  await writeFile(status, "");
  const sources = join(work, "suite.list");
  if (suite !== undefined) await writeFile(sources, await sourcesOf(suite).catch(rethrow(names)));
  const options = Object.entries({
    "Dir::State": join(work, "state"),
    "Dir::State::lists": lists,
    // An empty status file makes apt download every dependency, so that the result is the same on every machine of a release.
    "Dir::State::status": status,
    "Dir::Cache": work,
    "Dir::Cache::archives": archives,
    // A mirror can be a snapshot of one day: its signature stays valid, but its metadata expires.
    "Acquire::Check-Valid-Until": "false",
    "Acquire::Languages": "none",
    "Acquire::Retries": "3",
    "APT::Sandbox::User": "root",
    "APT::Install-Recommends": "false",
    "APT::Get::AutomaticRemove": "false",
    ...(suite !== undefined && { "Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": "/dev/null" }),
  }).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const apt = (...args: string[]) => run("apt-get", [...options, ...args], { log });
  const get = () => apt("install", "--yes", "--download-only", ...names);
  try {
    // An old package list can name files that the mirror no longer has: on failure, update the lists and retry. An
    // unreachable source other than Debian's does not matter, as long as the packages can be downloaded.
    await get().catch(async (first: unknown) => {
      if (!(first instanceof CommandError)) throw first;
      const updated = await apt("update", "-o", "APT::Update::Error-Mode=any").catch((error: unknown) => error);
      // Without lists, apt only reports an unknown package. The error of the update is more useful.
      await get().catch((error: unknown) => {
        throw updated instanceof Error ? updated : error;
      });
    });
  } catch (error) {
    return rethrow(names)(error);
  }
  return (await readdir(archives)).filter((file) => file.endsWith(".deb")).map((file) => join(archives, file));
}

/** Sources for another suite from this machine's mirrors. Mirrors other than Debian's lack the suite or Debian's signature. */
async function sourcesOf(suite: string): Promise<string> {
  const mirrors = await run("apt-get", ["indextargets", "--format", "$(SITE)", "Created-By: Packages"]);
  const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
  const lines = [...new Set(mirrors.trim().split("\n"))].map(
    (site) => `deb [signed-by=${keyring}] ${site} ${suite} main\n`,
  );
  return lines.join("");
}

const rethrow =
  (names: readonly string[]) =>
  (error: unknown): never => {
    throw problem(names, error);
  };

function problem(names: readonly string[], error: unknown): unknown {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") {
    return new Problem(
      "The local Kubernetes uses programs from Debian packages, but there is no apt-get on this machine.",
      "Run it on Debian 12 (or in a Debian 12 container or virtual machine), or use an existing cluster, with Docker or Podman: npm start -- --context NAME",
    );
  }
  if (!(error instanceof CommandError)) return error;
  const messages = error.output.split("\n").filter((line) => /^[EW]: /.test(line)); // errors and warnings
  return new Problem(
    `Debian packages could not be downloaded (${names.join(", ")}):\n${messages.join("\n") || error.output}`,
    `Check the network, and the sources and proxy in /etc/apt ("apt-config dump"), then run the command again. Full log: ${log}`,
  );
}

async function unpack(files: readonly string[], root: string): Promise<void> {
  // Packages use both /bin and /usr/bin. Debian's merged layout makes them one folder (https://wiki.debian.org/UsrMerge).
  for (const folder of ["bin", "sbin", "lib", "lib64"]) {
    await mkdir(join(root, "usr", folder), { recursive: true });
    await symlink(`usr/${folder}`, join(root, folder));
  }
  for (const file of files) {
    const script =
      'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2"';
    await run("bash", ["-c", script, basename(file), file, root], { log });
  }
  await run("chroot", [root, "/sbin/ldconfig"], { log });
}
