/** Starts the measured proxies in front of the same service: this project's, the one that it replaces, and its peers. */
import { readFileSync } from "node:fs";
import { mkdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { placeConfig } from "../../programs/nginx.ts";
import { renderRoutes } from "../../../nginx/routes.ts";
import type { ProxyRoutes } from "../../../nginx/model.ts";
import type { Program, Programs } from "./programs.ts";
import { freePort, startServer, type Server } from "./servers.ts";

export const proxyNames = ["original", "this one", "HAProxy", "Envoy", "Caddy"] as const;
export type SubjectName = "direct" | (typeof proxyNames)[number];

export interface Subject {
  readonly server: Server;
  /** Path of its main configuration file. */
  readonly config: string;
  /** Empties the access log, which is in memory. */
  emptyLog(): Promise<void>;
}

export interface Surroundings {
  readonly programs: Programs;
  /** Folder in memory, so that the disk does not matter. */
  readonly folder: string;
  readonly upstreamPort: number;
  readonly resolverPort: number;
}

/** Replaces the placeholders (in capitals) in a configuration file of `subjects/`. */
export function fillIn(text: string, values: Readonly<Record<string, string | number>>): string {
  return text.replaceAll(/\b(?:[A-Z]+_)?PORT\b|\bFOLDER\b/g, (name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`There is no value for ${name}.`);
    return String(value);
  });
}

const subjectText = (file: string): string => readFileSync(join(import.meta.dirname, "subjects", file), "utf8");

/** Starts the service behind the proxies. "direct" measures it without a proxy. */
export async function startUpstream({ programs, folder }: Pick<Surroundings, "programs" | "folder">): Promise<Server> {
  const port = await freePort();
  const config = join(folder, "upstream.conf");
  await writeFile(join(folder, "64k"), "0123456789abcdef".repeat(4096));
  await writeFile(config, fillIn(subjectText("upstream.conf"), { FOLDER: folder, PORT: port }));
  const command = nginx(programs, config);
  return startServer({ name: "upstream", command, on: "rest", port, output: join(folder, "upstream.log") });
}

/** nginx with the arguments of the image's entry point. As root, its worker would otherwise run as another user. */
export const nginx = ({ nginx }: Programs, config: string): Program => [
  ...nginx,
  ...["-e", "stderr", "-g", "daemon off; user root;", "-c", config],
];

type PeerName = Exclude<(typeof proxyNames)[number], "this one">;
const peers: Readonly<Record<PeerName, { file: string; command: (programs: Programs, config: string) => Program }>> = {
  original: { file: "original.conf", command: nginx },
  HAProxy: { file: "haproxy.cfg", command: ({ haproxy }, config) => [...haproxy, "-db", "-f", config] },
  Envoy: {
    file: "envoy.yaml",
    command: ({ envoy }, config) => [
      ...envoy,
      ...["--config-path", config, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"],
    ],
  },
  Caddy: {
    file: "Caddyfile",
    command: ({ caddy }, config) => [...caddy, "run", "--adapter", "caddyfile", "--config", config],
  },
};

export async function startPeer(name: PeerName, around: Surroundings): Promise<Subject> {
  const { file, command } = peers[name];
  const folder = await subjectFolder(around, name);
  const port = await freePort();
  const { upstreamPort: UPSTREAM_PORT, resolverPort: RESOLVER_PORT } = around;
  const config = join(folder, file);
  await writeFile(config, fillIn(subjectText(file), { FOLDER: folder, PORT: port, UPSTREAM_PORT, RESOLVER_PORT }));
  const output = join(folder, "output.log");
  const env = { GOMAXPROCS: "1", HOME: folder };
  const server = await startServer({ name, command: command(around.programs, config), on: "proxy", port, output, env });
  const log = name === "HAProxy" ? output : join(folder, "access.log");
  return { server, config, emptyLog: () => truncate(log, 0) };
}

/** DNS name of the service. */
export const serviceAddress = (service: string): string => `${service}.shop.svc.cluster.local`;

export interface ThisOne {
  /** Name of the server and of its folder. @default "this one" */
  readonly name?: string;
  /** @default - one route, `/` */
  readonly routes?: Pick<ProxyRoutes, "upstreams" | "routes">;
  /** Path to request until the server answers. @default "/" */
  readonly path?: string;
}

export async function startThisOne(
  around: Surroundings,
  { name = "this one", routes, path }: ThisOne = {},
): Promise<Subject> {
  const [port, health, grpc] = [await freePort(), await freePort(), await freePort()];
  const folder = await subjectFolder(around, name);
  const text = renderRoutes({
    resolver: `127.0.0.1:${around.resolverPort}`,
    // The load generator takes the role of Google's load balancer.
    client: { trustedProxies: ["127.0.0.1/32"], entry: "second-to-last" },
    // It is one client.
    memoryMb: 1024,
    requestsPerClient: 3000,
    ...(routes ?? {
      upstreams: [{ service: "web", address: serviceAddress("web"), port: around.upstreamPort }],
      routes: [{ service: "web", path: "/", keepPrefix: false }],
    }),
  });
  const config = await placeConfig(folder, text, { http: port, health, grpc });
  await writeFile(config, withOneWorker(await readFile(config, "utf8")));
  const output = join(folder, "output.log");
  const server = await startServer({ name, command: nginx(around.programs, config), on: "proxy", port, output, path });
  return { server, config, emptyLog: () => truncate(join(folder, "access.log"), 0) };
}

function withOneWorker(config: string): string {
  const directive = /^worker_processes .*;/m;
  if (!directive.test(config)) throw new Error("nginx.conf no longer has worker_processes");
  return config.replace(directive, "worker_processes 1;");
}

/** A folder without spaces in its path, which nginx and Caddyfiles do not support. */
async function subjectFolder({ folder }: Surroundings, name: string): Promise<string> {
  const own = join(folder, name.replaceAll(" ", "-"));
  await mkdir(own);
  return own;
}
