/** What `npm start` prints at its end: the address to open, and a curl command that works as pasted. */
import { lookup } from "node:dns/promises";
import { isIPv6, isIP } from "node:net";

export interface Opening {
  /** `shop.localhost/`: host and path of a route. */
  readonly hostPath: string;
  readonly secure: boolean;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** IP address or DNS name of the edge. */
  readonly address: string;
  /** PEM file of the CA to trust. */
  readonly caFile: string;
}

/** The route to open: that of the domain itself, otherwise the first that a browser can show. */
export function routeToOpen(routes: readonly string[], grpc: ReadonlySet<string>, domain: string): string {
  const shown = routes.filter((hostPath) => !grpc.has(hostPath));
  return shown.includes(`${domain}/`) ? `${domain}/` : (shown[0] ?? `${domain}/`);
}

/** The addresses that programs on this machine find for a host; none if it does not resolve. */
export async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}

/** @param resolved what the host resolves to on this machine */
export function howToOpen(opening: Opening, resolved: readonly string[]): string[] {
  const { hostPath, secure, httpPort, httpsPort, address, caFile } = opening;
  const host = hostPath.slice(0, hostPath.indexOf("/"));
  const port = secure ? httpsPort : httpPort;
  const portText = port === (secure ? 443 : 80) ? "" : `:${port}`;
  const url = `${secure ? "https" : "http"}://${host}${portText}${hostPath.slice(host.length)}`;
  const leads = resolved.includes(address) && resolved.every((found) => found === address || found === "::1");
  // curl takes only an IP address for --resolve.
  const to = leads
    ? []
    : isIP(address) === 0
      ? ["--connect-to", `${host}:${port}:${address}:${port}`]
      : ["--resolve", `${host}:${port}:${isIPv6(address) ? `[${address}]` : address}`];
  const command = ["curl", ...(secure ? ["--cacert", caFile] : []), ...to, url].map(quoted).join(" ");
  return [
    `Open ${url}`,
    `  ${command}`,
    ...(secure ? [`  To open it in a browser without a warning, import ${caFile} as a certificate authority.`] : []),
    // Browsers resolve these themselves: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    ...(leads || isIP(address) === 0 || host.endsWith(".localhost")
      ? []
      : [
          `  ${host} does not lead there from this machine. For a browser, add this line to /etc/hosts: ${address} ${host}`,
        ]),
  ];
}

/** Quoted for a shell, where that is necessary. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
