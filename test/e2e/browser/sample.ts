/** The sample server as it runs in a pod, behind a proxy that says of a request what nginx says of it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectDir } from "../../config/refusal.ts";

export interface Sample {
  /** Address of the page behind the proxy. */
  readonly proxied: string;
  /** How long the proxy waits with each answer. */
  readonly proxyMilliseconds: number;
  readonly close: () => Promise<void>;
}

const proxyMilliseconds = 5;

export async function startSample(): Promise<Sample> {
  const child = spawn(process.execPath, [join(projectDir, "services/sample/main.mjs")], {
    env: { PORT: "0", NAME: "web", VERSION: "1.4.2", HOSTNAME: "web-7d9c5b6f4-x2v9k" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { port } = JSON.parse(line) as { port: number };
  const told = {
    host: "shop.localhost",
    "x-real-ip": "2001:db8:1234:5678:9abc:def0:1234:5678",
    "x-forwarded-for": "2001:db8:1234:5678:9abc:def0:1234:5678",
    "x-forwarded-host": "shop.localhost",
    "x-forwarded-proto": "https",
    "x-request-id": "0af7651916cd43dd8448eb211c80319c",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  const proxy = createServer((asked, answer) => {
    const passed = { port, path: asked.url, headers: { ...asked.headers, ...told } };
    const upstream = request(passed, (response) => {
      setTimeout(() => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      }, proxyMilliseconds);
    });
    asked.pipe(upstream);
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  return {
    proxied: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/`,
    proxyMilliseconds,
    async close() {
      proxy.close();
      proxy.closeAllConnections();
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    },
  };
}
