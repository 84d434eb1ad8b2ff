/** The metrics exporter next to the proxy: Debian's nginx and Debian's build of the exporter, on loopback. */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { exporterContainer } from "../../components/workloads/metricsExporter.ts";
import { debianPackages } from "../../tools/programs/debian.ts";
import { placeConfig } from "../../tools/programs/nginx.ts";
import { metricsText } from "../../nginx/status.ts";
import { renderRoutes } from "../../nginx/routes.ts";

const suite = "forky";
const ports = { http: 18_480, health: 18_481, grpc: 18_482 };
const processes: ChildProcess[] = [];
let folder: string;

/** Runs a program of an unpacked package with the package's C library. */
async function start(packageName: string, program: string, args: readonly string[]): Promise<ChildProcess> {
  const root = await debianPackages([packageName], suite);
  const [loader = ""] = globSync(join(root, "usr/lib/*-linux-gnu/ld-linux-*.so.*"));
  const libraries = globSync(join(root, "usr/lib/*-linux-gnu")).join(":");
  const process = spawn(loader, ["--library-path", libraries, join(root, program), ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  processes.push(process);
  return process;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "metrics-"));
  const routes = renderRoutes({
    resolver: "127.0.0.1",
    client: { trustedProxies: [], entry: "last" },
    upstreams: [],
    routes: [],
  });
  const config = await placeConfig(folder, `${routes}\n${metricsText}`, ports);
  await writeFile(join(folder, "access.log"), "");
  await start("nginx", "usr/sbin/nginx", ["-e", "stderr", "-g", "daemon off; user root;", "-c", config]);
});
after(async () => {
  for (const process of processes) {
    if (process.exitCode !== null) continue;
    process.kill("SIGTERM");
    await once(process, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

async function values(): Promise<Map<string, number>> {
  const text = await fetch("http://127.0.0.1:9113/metrics").then((answer) => answer.text());
  return new Map(
    [...text.matchAll(/^(nginx_\w+)(?:\{.*\})? (\S+)$/gm)].map(([, name = "", value]) => [name, Number(value)]),
  );
}

test("the exporter, with the arguments of the pod, counts nginx's requests, and reports when nginx is down", async () => {
  const { args } = exporterContainer(
    { image: "", resources: { cpu: "", memory: "" }, labels: {}, scrape: "own" },
    false,
  );
  await start("prometheus-nginx-exporter", "usr/bin/prometheus-nginx-exporter", args as string[]);
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await values().catch(() => new Map())).get("nginx_up") === 1) break;
    await sleep(100);
  }
  const first = await values();
  for (let count = 0; count < 50; count += 1)
    assert.equal((await fetch(`http://127.0.0.1:${ports.http}/nowhere`)).status, 404);
  const then = await values();
  const more = (name: string) => (then.get(name) ?? NaN) - (first.get(name) ?? NaN);
  // Reading the metrics is a request too.
  assert.equal(more("nginx_http_requests_total"), 51);
  assert.equal(then.get("nginx_connections_accepted"), then.get("nginx_connections_handled"));
  assert.ok((then.get("nginx_connections_active") ?? 0) >= 1);
  assert.deepEqual(
    [...then.keys()].sort(),
    [
      "nginx_connections_accepted",
      "nginx_connections_active",
      "nginx_connections_handled",
      "nginx_connections_reading",
      "nginx_connections_waiting",
      "nginx_connections_writing",
      "nginx_exporter_build_info",
      "nginx_http_requests_total",
      "nginx_up",
    ],
    "Google bills by the number of metrics",
  );

  const [nginx, exporter] = processes;
  assert.ok(nginx !== undefined && exporter !== undefined);
  nginx.kill("SIGQUIT");
  await once(nginx, "exit");
  assert.equal((await values()).get("nginx_up"), 0);
  assert.equal(exporter.exitCode, null);
  const asked = performance.now();
  exporter.kill("SIGTERM");
  await once(exporter, "exit");
  assert.ok(performance.now() - asked < 2000, "it ends at once");
});
