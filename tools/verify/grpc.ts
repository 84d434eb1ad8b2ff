/** Verifies a gRPC route by a call. An answer with a gRPC status that is not the proxy's own comes from the service. */
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { grpcMessages } from "../../nginx/grpc.ts";
import type { EdgeEndpoint } from "./request.ts";

/**
 * @param hostPath `shop.example.com/shop.v1.Orders/`; for `/` it calls the health service
 * @param sent headers of the call, such as one that selects a version
 * @throws Error with what was seen
 */
export async function grpcRoute(
  endpoint: EdgeEndpoint,
  hostPath: string,
  service: string,
  sent: Readonly<Record<string, string>> = {},
): Promise<string> {
  const slash = hostPath.indexOf("/");
  const [host, path] = [hostPath.slice(0, slash), hostPath.slice(slash)];
  // A service answers an unknown method with status 12. It also answers status 12, before it runs an existing method, if
  // the message has an unknown compression (https://github.com/grpc/grpc/blob/master/doc/compression.md).
  const method = path === "/" ? "/grpc.health.v1.Health/Check" : path.endsWith("/") ? `${path}Verify` : path;
  const {
    ":status": http,
    "content-type": type,
    ...headers
  } = await call(endpoint, host, method, method === path, sent);
  const status = headers["grpc-status"];
  const message = String(headers["grpc-message"] ?? "");
  if (!String(type).startsWith("application/grpc") || status === undefined)
    throw new Error(`${http}, but not a gRPC response`);
  if (status === "14" || grpcMessages.some((own) => message.startsWith(own)))
    throw new Error(`grpc-status ${String(status)} from the proxy: ${message}`);
  return `grpc-status ${String(status)} from ${service}`;
}

/** Headers and trailers of a call with an empty message. */
function call(
  { address, httpPort, httpsPort, ca, anyCertificate = false }: EdgeEndpoint,
  host: string,
  path: string,
  unreadable: boolean,
  sent: Readonly<Record<string, string>>,
) {
  return new Promise<IncomingHttpHeaders & { ":status"?: number }>((resolve, reject) => {
    const session = connectHttp2(`${ca === undefined ? "http" : "https"}://${host}`, {
      createConnection: () =>
        ca === undefined
          ? connectTcp({ host: address, port: httpPort })
          : connectTls({
              host: address,
              port: httpsPort,
              servername: host,
              ca,
              rejectUnauthorized: !anyCertificate,
              ALPNProtocols: ["h2"],
            }),
    });
    const fail = (error: Error) => {
      session.destroy();
      reject(error);
    };
    session.on("error", fail);
    session.setTimeout(10_000, () => {
      fail(new Error("no answer within 10 s"));
    });
    const encoding = unreadable ? { "grpc-encoding": "unreadable" } : {};
    const headers = { "content-type": "application/grpc", te: "trailers", ...encoding, ...sent };
    const stream = session.request({ ":method": "POST", ":path": path, ...headers });
    let seen: IncomingHttpHeaders = {};
    stream.on("response", (received) => (seen = { ...seen, ...received }));
    stream.on("trailers", (received: IncomingHttpHeaders) => (seen = { ...seen, ...received }));
    stream.on("error", fail);
    stream.on("close", () => {
      session.close();
      resolve(seen);
    });
    stream.resume().end(Buffer.from([unreadable ? 1 : 0, 0, 0, 0, 0])); // The compressed flag, and the message length.
  });
}
