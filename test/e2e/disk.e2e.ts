/** A really full disk: cache and checkout are on a small file system in memory, which shrinks while commands run. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { envoyDir } from "../../tools/machine/envoy.ts";
import { programsDir } from "../../tools/machine/kubernetes.ts";
import { cacheDir } from "../../tools/cli/paths.ts";
import { copyCheckout } from "./support/checkout.ts";
import { command, local, type Outcome, stop } from "./support/commands.ts";

const options = { timeout: 10 * 60_000 };
const disk = mkdtempSync(join(tmpdir(), "disk-"));
const checkout = join(disk, "checkout");
const cache = join(disk, "cache/gke-microservices");
const env = { XDG_CACHE_HOME: join(disk, "cache") };

const inCheckout = (script: string, ...args: string[]) =>
  command(process.execPath, [join(checkout, "tools/commands", script), ...args], env);
const start = () => inCheckout("start.ts", "--engine", "kubectl");

function must(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: "utf8" });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${stderr}`);
}

/** Resizes the disk so that this much space is free. */
function leave(mebibytes: number): void {
  const { blocks, bfree, bsize } = statfsSync(disk);
  const used = Math.ceil(((blocks - bfree) * bsize) / 2 ** 20);
  must("mount", "-o", `remount,size=${used + mebibytes}m`, disk);
}

/** Runs a start, and fills the disk at the given moment. */
async function startAndFill(moment: (text: string) => boolean, mebibytes: number): Promise<Outcome> {
  leave(4096);
  const child = spawn(process.execPath, [join(checkout, "tools/commands/start.ts"), "--engine", "kubectl"], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const status = new Promise<number | null>((resolve) => child.on("close", resolve));
  while (child.exitCode === null && !moment(text)) await sleep(10);
  leave(mebibytes);
  return { status: await status, text, seconds: 0 };
}

function assertDiskFull({ status, text }: Outcome): void {
  assert.equal(status, 1, text);
  assert.match(text, /No space left on the disk of|GiB free, but|The disk of .* is full/);
  assert.match(
    text,
    /Free \d+\.\d GiB there, or (set XDG_CACHE_HOME to a folder on another|move the checkout to another) disk, then run the command again/,
  );
  assert.doesNotMatch(text, /\n\s+at /, "no stack trace");
}

const unfinished = (folder: string) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("unfinished"))
    : [];

before(
  async () => {
    // Fills the cache, and stops a running cluster.
    const { status, text } = await local("start.ts", "--engine", "kubectl");
    assert.equal(status, 0, text);
    await stop();
    must("mount", "-t", "tmpfs", "-o", "size=6g", "tmpfs", disk);
    mkdirSync(checkout);
    copyCheckout(checkout);
    // Copy the programs, because compiling them again would take minutes.
    for (const folder of [programsDir, envoyDir])
      cpSync(folder, join(cache, relative(cacheDir, folder)), { recursive: true, verbatimSymlinks: true });
  },
  { timeout: 25 * 60_000 },
);

after(async () => {
  leave(4096);
  await inCheckout("stop.ts");
  must("umount", disk);
  rmSync(disk, { recursive: true });
});

test("too little space fails before any download", options, async () => {
  leave(200);
  const outcome = await start();
  assertDiskFull(outcome);
  assert.deepEqual(existsSync(join(cache, "debian")) ? readdirSync(join(cache, "debian")) : [], []);
});

test("full while Debian packages are unpacked", options, async () => {
  const unpacking = () => unfinished(join(cache, "debian")).some((name) => name.endsWith("/root/usr/bin"));
  assertDiskFull(await startAndFill(unpacking, 1));
  assert.deepEqual(unfinished(cache), []);
  assert.deepEqual(
    readdirSync(join(cache, "debian")).filter((name) => /^[0-9a-f]{12}$/.test(name)),
    [],
  );
});

test("full while an image is built", options, async () => {
  assertDiskFull(await startAndFill(() => existsSync(join(cache, "images/storage/vfs/dir")), 5));
  assert.deepEqual(
    readdirSync(join(cache, "images")).filter((name) => name.includes(".tar")),
    [],
  );
});

test("full while images are imported into the node", options, async () => {
  const archives = () =>
    existsSync(join(cache, "images"))
      ? readdirSync(join(cache, "images")).filter((name) => name.endsWith(".tar")).length
      : 0;
  assertDiskFull(await startAndFill(() => archives() === 3, 1));
});

test("with space again, the next start succeeds", options, async () => {
  leave(4096);
  const { status, text } = await start();
  assert.equal(status, 0, text);
});

test("full while the cluster runs: an error, nothing is lost, and with space again it continues", options, async () => {
  leave(0);
  // Fill the rest.
  const filler = join(checkout, ".local/filler");
  try {
    writeFileSync(filler, Buffer.alloc(1 << 20));
  } catch {
    // Expected: the disk is full.
  }
  const stackFile = join(checkout, "Pulumi.local.yaml");
  assertDiskFull(await start());
  rmSync(filler, { force: true });
  leave(4096);
  writeFileSync(
    stackFile,
    readFileSync(stackFile, "utf8").replace("{ path: /hoge/ }", "{ path: /hoge/ }, { path: /new/ }"),
  );
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(text, /ok +https:\/\/shop\.localhost\/new\//);
});
