/** Sends one request to the edge by host name, without DNS. */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

export interface EdgeEndpoint {
  /** Address of the edge. Host names are not resolved, so that no DNS is needed. */
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** PEM of the CA to trust. @default - plain HTTP */
  readonly ca?: string | undefined;
  /** Whether to accept a certificate that clients would reject. @default false */
  readonly anyCertificate?: boolean;
  /** Timeout for the whole response. @default 10 */
  readonly timeoutSeconds?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Sends one request. The certificate is verified for `host`. */
export function get(
  endpoint: EdgeEndpoint,
  scheme: "http" | "https",
  host: string,
  path: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const { address, ca, anyCertificate = false, timeoutSeconds = 10 } = endpoint;
  const options = {
    host: address,
    path,
    headers: { host, accept: "application/json", ...headers },
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const request =
      scheme === "https"
        ? httpsRequest({
            ...options,
            port: endpoint.httpsPort,
            servername: host,
            rejectUnauthorized: !anyCertificate,
            ...(ca !== undefined && { ca }),
          })
        : httpRequest({ ...options, port: endpoint.httpPort });
    let response: IncomingMessage | undefined;
    const chunks: Buffer[] = [];
    const answered = () => {
      const { statusCode: status = 0, headers = {} } = response ?? {};
      resolve({ status, headers, body: Buffer.concat(chunks).toString() });
    };
    const timer = setTimeout(() => {
      const [code, what] =
        request.socket?.connecting === true ? ["NO_CONNECTION", "connection"] : ["NO_ANSWER", "answer"];
      // If a stream has started, the part received so far is enough.
      if (response !== undefined) answered();
      request.destroy(Object.assign(new Error(`no ${what} within ${timeoutSeconds} s`), { code }));
    }, timeoutSeconds * 1000);
    request.on("response", (incoming) => {
      response = incoming;
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", answered);
    });
    request.on("error", reject);
    request.on("close", () => {
      clearTimeout(timer);
    });
    request.end();
  });
}
