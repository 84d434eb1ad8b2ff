// The entry point of every npm command: `node tools/run.js NAME [ARGUMENTS]`. It runs on any Node from 20 on.
// It installs the npm packages if the lockfile has changed, then runs `tools/commands/NAME.ts` on the pinned Node.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import module from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** In the order in which people need them. Each is a script in package.json and a file in `tools/commands`. */
const commands = {
  start: "run the stack `local` on a local Kubernetes, or apply what changed",
  stop: "remove everything that `npm start` created",
  check: "check a stack's config and its nginx configuration",
  render: "print a stack's Kubernetes objects as YAML",
  diff: "show what the working tree changes in a stack, compared with a git revision",
  doctor: "probe the request path hop by hop; report the first failure and its fix",
  kubeconfig: "add a stack's context to your kubeconfig",
  "add-service": "add a microservice to the config, with a folder that builds and runs",
  bootstrap: "set up a Google Cloud project once, before the first `pulumi up`",
  diagram: "draw a stack as an SVG picture",
  test: "run type checks, lint, unit and property tests",
  e2e: "run the end-to-end tests on the local Kubernetes",
  bench: "run the benchmarks, next to comparable programs",
  format: "format all files",
  rules: "write the table of security rules into docs/security.md",
  reference: "write the config reference, docs/config.md and config.schema.json",
  "full-keys": "prefix the keys of a stack file with the project's name",
  "release-notes": "print the section of CHANGELOG.md for this version",
};

const [name, ...args] = process.argv.slice(2);
const asksForHelp = name === undefined || name === "help";
if (asksForHelp || !Object.hasOwn(commands, name)) {
  const width = Math.max(...Object.keys(commands).map((each) => each.length));
  const lines = Object.entries(commands).map(([each, what]) => `  ${each.padEnd(width)}  ${what}`);
  if (!asksForHelp) console.error(`There is no command "${name}".\n`);
  const say = asksForHelp ? console.log : console.error;
  say(["npm run NAME -- [ARGUMENTS] (start, stop and test also work without `run`):\n", ...lines].join("\n"));
  say("\nEvery command has --help.");
  process.exit(asksForHelp ? 0 : 1);
}

install();
const compileCache = `${root}node_modules/.cache/compile`;
process.env.NODE_COMPILE_CACHE ??= compileCache; // for the programs that the command runs
const file = `${root}tools/commands/${name.replaceAll(/-(.)/g, (_, letter) => letter.toUpperCase())}.ts`;
const pinned = `${root}node_modules/.bin/node`;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (!existsSync(pinned) && (major < 22 || (major === 22 && minor < 18))) {
  console.error(
    `Node.js 22.18 or newer is needed; this is ${process.version}. Only on Linux do the packages bring one: install it.`,
  );
  process.exit(1);
}
if (!existsSync(pinned) || realpathSync(pinned) === realpathSync(process.execPath)) {
  module.enableCompileCache?.(process.env.NODE_COMPILE_CACHE);
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
} else {
  const child = spawn(pinned, [file, ...args], { stdio: "inherit" });
  // Ctrl-C in a terminal reaches both processes. Forward signals that were sent to this one alone.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("close", (status, signal) => {
    process.exitCode = status ?? 128 + (signal === "SIGINT" ? 2 : 15);
  });
}

function install() {
  const stamp = `${root}node_modules/.lockfile-installed`;
  const lockfile = readFileSync(`${root}package-lock.json`, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockfile) return;
  if (isInstalled(JSON.parse(lockfile))) {
    writeFileSync(stamp, lockfile);
    return;
  }
  console.error("Installing the npm packages of package-lock.json …");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel", "error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) {
    console.error(
      '"npm ci" failed (see above). Check the network and the registry in "npm config get registry", then run the command again.',
    );
    process.exit(1);
  }
  writeFileSync(stamp, lockfile);
}

/** Whether `npm ci` or `npm install` has just been run by hand: npm notes in node_modules what it has installed. */
function isInstalled({ packages }) {
  const note = `${root}node_modules/.package-lock.json`;
  if (!existsSync(note)) return false;
  const { packages: installed } = JSON.parse(readFileSync(note, "utf8"));
  const isForOthers = ({ os = [process.platform], cpu = [process.arch] }) =>
    !os.includes(process.platform) || !cpu.includes(process.arch);
  return (
    Object.keys(installed).every((path) => path in packages) &&
    Object.entries(packages).every(([path, entry]) =>
      path in installed
        ? installed[path].version === entry.version && installed[path].integrity === entry.integrity
        : path === "" || isForOthers(entry),
    )
  );
}
