/** Runs the real nginx with the project's configuration, without root. */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { getuid } from "node:process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { nginxProgram, placeConfig } from "../../tools/programs/nginx.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import type { ProxyRoutes } from "../../nginx/model.ts";
import { ask } from "../../tools/testing/loopback.ts";

/** nginx writes log lines within a second (`flush` in nginx.conf). Milliseconds. */
const logDelay = 1500;

export interface RunningNginx {
  readonly port: number;
  /** For gRPC, with HTTP/2 over TLS. */
  readonly grpcPort: number;
  readonly healthPort: number;
  /** Of the master process; the workers are its children. */
  readonly pid: number;
  /** Replaces /tmp of a pod. */
  readonly folder: string;
  /** The access log's lines so far. */
  readonly log: () => Promise<string[]>;
  /** nginx's standard error. */
  readonly errors: () => string;
  /** Stops nginx as kubelet does, with the image's stop signal. @returns after it has exited */
  readonly quit: () => Promise<void>;
}

/**
 * Runs nginx with the rendered text while `use` runs.
 * @param prepare runs before nginx starts, with the path of the access log
 */
export async function withNginx(
  routes: string,
  use: (nginx: RunningNginx) => Promise<void>,
  prepare?: (accessLog: string) => void,
): Promise<void> {
  const nginx = await nginxProgram();
  const [port, grpcPort, healthPort] = [await freePort(), await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), "nginx-test-"));
  try {
    const config = await placeConfig(folder, routes, { http: port, grpc: grpcPort, health: healthPort });
    prepare?.(join(folder, "access.log"));
    // As in the image's entry point. Under root, workers would run as `nobody`, who may not write to this folder.
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
        grpcPort,
        healthPort,
        pid: process.pid ?? 0,
        folder,
        log: async () => {
          await sleep(logDelay);
          return (await readFile(join(folder, "access.log"), "utf8")).split("\n").filter((line) => line !== "");
        },
        errors: () => errors,
        quit: async () => {
          process.kill("SIGQUIT");
          await exited;
        },
      });
    } finally {
      process.kill("SIGTERM");
      await exited;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Runs nginx for a proxy with a route for `/`. Waits until nginx has resolved its services, which it does right after
 * start.
 */
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

/** Below the ephemeral ports: an outgoing connection could otherwise take the port first. */
export async function freePort(): Promise<number> {
  const port = randomInt(15_000, 32_000);
  const server = createServer().listen(port, "127.0.0.1");
  const isFree = await once(server, "listening").then(
    () => true,
    () => false,
  );
  if (!isFree) return freePort();
  server.close();
  await once(server, "close");
  return port;
}
