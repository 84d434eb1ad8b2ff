/** A real nginx with routes of every kind, between a client, services and a DNS server. */
import type { ProxyRoutes } from "../../nginx/model.ts";
import {
  addressOf,
  proxyRoutes,
  startNameServer,
  startService,
  type NameServer,
  type Service,
} from "../../tools/testing/loopback.ts";
import { withProxy, type RunningNginx } from "./realNginx.ts";

export const hogeHost = "hoge.shop.localhost";
const routes: ProxyRoutes["routes"] = [
  { service: "web", path: "/", keepPrefix: false },
  { service: "hoge", path: "/hoge/", keepPrefix: false },
  { service: "hoge", path: "/v1.0/api/", keepPrefix: false },
  { service: "hoge", path: "/kept/", keepPrefix: true },
  { service: "hoge", path: "/exact", keepPrefix: false },
  { service: "hoge", host: hogeHost, path: "/", keepPrefix: false },
  { service: "hoge", host: "part.shop.localhost", path: "/only/", keepPrefix: false },
  { service: "later", path: "/later/", keepPrefix: false },
  { service: "dead", path: "/dead/", keepPrefix: false },
  { service: "failing", path: "/failing/", keepPrefix: false },
];

export interface System extends AsyncDisposable {
  readonly nameServer: NameServer;
  readonly services: Readonly<Record<"web" | "hoge" | "failing", Service>>;
  /** Runs nginx and waits until it has resolved names, which it does right after start. */
  withProxy(use: (nginx: RunningNginx) => Promise<void>): Promise<void>;
}

export async function startSystem(): Promise<System> {
  const nameServer = await startNameServer();
  const services = {
    web: await startService("web"),
    hoge: await startService("hoge"),
    failing: await startService("failing", (request, response) => {
      request.resume();
      if (request.url === "/reset") request.socket.destroy();
      else response.writeHead(Number(request.url?.slice(1))).end("the service's own words");
    }),
  };
  const { web, hoge, failing } = services;
  for (const service of ["web", "hoge", "failing", "dead"]) nameServer.names.set(addressOf(service), "127.0.0.1");
  // Nobody listens on port 1 of loopback.
  const ports = { web: web.port, hoge: hoge.port, failing: failing.port, later: hoge.port, dead: 1 };
  const proxy = proxyRoutes(nameServer, ports, routes);
  return {
    nameServer,
    services,
    withProxy: (use) => withProxy(proxy, use),
    async [Symbol.asyncDispose]() {
      for (const service of Object.values(services)) await service[Symbol.asyncDispose]();
      await nameServer[Symbol.asyncDispose]();
    },
  };
}
