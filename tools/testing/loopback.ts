/** The surroundings of the proxy in its tests: a DNS server, services and a client, all on loopback. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, request, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { AUTHORITATIVE_ANSWER, decode, encode, TRUNCATED_RESPONSE, type Answer as DnsRecord } from "dns-packet";
import type { ProxyRoutes } from "../../nginx/model.ts";

export interface NameServer extends AsyncDisposable {
  /** `address:port`, for nginx's `resolver` directive. */
  readonly resolver: string;
  /** Addresses by name, separated by spaces. Other names do not exist. Can be changed at any time. */
  readonly names: Map<string, string>;
  /** Records of other types by name. */
  readonly records: Map<string, readonly DnsRecord[]>;
  /** Names that it answers with SERVFAIL. */
  readonly failing: Set<string>;
  /** Number of queries by UDP and by TCP. */
  readonly asked: { udp: number; tcp: number };
  /** Whether it answers at all. Can be changed at any time. @default true */
  answering: boolean;
}

/** Longest UDP response for clients without EDNS, such as nginx (RFC 1035, 4.2.1). Bytes. */
const udpLimit = 512;

/** Starts a name server. Like a cluster's DNS, it truncates long responses by UDP, and gives the whole by TCP. */
export async function startNameServer(): Promise<NameServer> {
  const names = new Map<string, string>();
  const records = new Map<string, readonly DnsRecord[]>();
  const failing = new Set<string>();
  const asked = { udp: 0, tcp: 0 };
  const answer = (message: Buffer, limit = Infinity) => {
    const { id, questions = [] } = decode(message);
    const { name = "", type = "A" } = questions[0] ?? {};
    const addresses = names.get(name)?.split(" ") ?? [];
    const known = [
      ...addresses.map((data) => ({ type: "A" as const, name, ttl: 30, data })),
      ...(records.get(name) ?? []),
    ];
    const response = {
      type: "response" as const,
      id: id ?? 0,
      // The low four bits are the code; 2 is SERVFAIL, 3 is NXDOMAIN (RFC 1035, 4.1.1).
      flags: AUTHORITATIVE_ANSWER | (failing.has(name) ? 2 : known.length > 0 ? 0 : 3),
      questions,
      answers: known.filter((record) => record.type === type),
    };
    const whole = encode(response);
    return whole.length <= limit
      ? whole
      : encode({ ...response, flags: response.flags | TRUNCATED_RESPONSE, answers: [] });
  };
  const byTcp = createTcpServer((connection) => {
    let received = Buffer.alloc(0);
    connection.on("error", () => connection.destroy());
    connection.on("data", (data: Buffer) => {
      received = Buffer.concat([received, data]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE()) {
        const end = 2 + received.readUInt16BE();
        asked.tcp += 1;
        const whole = answer(received.subarray(2, end));
        received = received.subarray(end);
        const length = Buffer.alloc(2);
        length.writeUInt16BE(whole.length);
        if (server.answering) connection.write(Buffer.concat([length, whole]));
      }
    });
  }).listen(0, "127.0.0.1");
  await once(byTcp, "listening");
  const { port } = byTcp.address() as AddressInfo;
  const byUdp = createSocket("udp4");
  byUdp.on("message", (message, peer) => {
    asked.udp += 1;
    if (server.answering) byUdp.send(answer(message, udpLimit), peer.port, peer.address);
  });
  byUdp.bind(port, "127.0.0.1");
  await once(byUdp, "listening");
  const server: NameServer = {
    resolver: `127.0.0.1:${port}`,
    names,
    records,
    failing,
    asked,
    answering: true,
    [Symbol.asyncDispose]: async () => {
      byUdp.close();
      byTcp.close();
      await once(byUdp, "close");
    },
  };
  return server;
}

/** A request as a test service received it. */
export interface Seen {
  readonly service: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Service extends AsyncDisposable {
  readonly port: number;
  /** Number of requests that it received. */
  readonly count: () => number;
}

/** A service that echoes each request, unless `listener` answers. */
export async function startService(
  service: string,
  listener?: RequestListener,
  host = "127.0.0.1",
  port = 0,
): Promise<Service> {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    if (listener !== undefined) {
      listener(request, response);
      return;
    }
    request.resume();
    const seen: Seen = { service, method: request.method ?? "", url: request.url ?? "", headers: request.headers };
    response.setHeader("content-type", "application/json").end(JSON.stringify(seen));
  });
  // After a WebSocket handshake, echo everything.
  server.on("upgrade", (request, socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade ?? ""}\r\nConnection: Upgrade\r\n\r\n`,
    );
    socket.pipe(socket);
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    count: () => count,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  /** The client's address: any of 127.0.0.0/8. @default 127.0.0.1 */
  readonly from?: string;
}

/** Sends one request with the path unchanged: without resolving dot segments or encoding. */
export async function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body, from = "127.0.0.1" }: Asking = {},
): Promise<Answer> {
  const asking = request({
    host: "127.0.0.1",
    port,
    path,
    method,
    headers,
    localAddress: from,
    agent: false,
    maxHeaderSize: 2 ** 20,
  });
  const response = new Promise<Answer>((resolve, reject) => {
    asking.on("error", reject).on("response", (message) => {
      text(message).then((body) => {
        resolve({ status: message.statusCode ?? 0, headers: message.headers, body });
      }, reject);
    });
  });
  asking.end(body);
  return response;
}

/** The request as the service received it. @throws if no service answered */
export async function seenAt(port: number, path: string, asking?: Asking): Promise<Seen> {
  const { status, body } = await ask(port, path, asking);
  if (status !== 200) throw new Error(`${path} was answered with ${status}: ${body}`);
  return JSON.parse(body) as Seen;
}

/** The full name of a service in the cluster's DNS. */
export const addressOf = (service: string): string => `${service}.shop.svc.cluster.local`;

/** Routes that use the test's name server, and trust only 127.0.0.1 as a proxy. */
export function proxyRoutes(
  nameServer: NameServer,
  ports: Readonly<Record<string, number>>,
  routes: ProxyRoutes["routes"],
  entry: ProxyRoutes["client"]["entry"] = "second-to-last",
): ProxyRoutes {
  return {
    resolver: nameServer.resolver,
    client: { trustedProxies: ["127.0.0.1/32"], entry },
    upstreams: Object.entries(ports).map(([service, port]) => ({ service, address: addressOf(service), port })),
    routes,
  };
}
