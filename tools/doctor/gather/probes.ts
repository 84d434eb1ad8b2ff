/** Sends requests to the edge's address as a client would, with host names. */
import { X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import { get, type EdgeEndpoint } from "../../verify/request.ts";
import { grpcRoute } from "../../verify/grpc.ts";
import type { Probe } from "../answers.ts";
import type { Version } from "../../../nginx/model.ts";
import { redirectLoop } from "./redirects.ts";
import { patience, type Subject, type SubjectRoute } from "../subject.ts";

/**
 * A path that nginx itself answers on every host, whatever the routes (`nginx/nginx.conf`: a path with dot segments).
 * Load balancers pass it on unchanged.
 */
export const onlyNginx = "/doctor%2f..%2f";

export async function ask(
  endpoint: EdgeEndpoint,
  scheme: "http" | "https",
  host: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Probe> {
  const url = `${scheme}://${host}${path}`;
  const began = performance.now();
  try {
    const answer = await get({ ...endpoint, anyCertificate: true }, scheme, host, path, headers);
    return { url, answer, seconds: (performance.now() - began) / 1000 };
  } catch (error) {
    return { url, error: errorOf(error) };
  }
}

export function errorOf(error: unknown): { code: string; message: string } {
  const { code = "", message } = error as Error & { code?: string };
  return { code, message };
}

/** The certificate that a server presents for a host name. */
export interface PresentedCertificate {
  readonly host: string;
  /** Why clients do not trust the chain, such as CERT_HAS_EXPIRED. @default - they trust it */
  readonly untrusted?: string;
  /** Whether the certificate is valid for the host. */
  readonly fits?: boolean;
  /** `DNS:shop.example.com, …` */
  readonly names?: string;
  readonly issuer?: string;
  readonly from?: Date;
  readonly to?: Date;
  /** Why there is no certificate. @default - there is one */
  readonly error?: { readonly code: string; readonly message: string };
}

export function certificateOf(
  { address, httpsPort, ca, timeoutSeconds = 10 }: EdgeEndpoint,
  host: string,
): Promise<PresentedCertificate> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port: httpsPort,
      servername: host,
      ALPNProtocols: ["h2", "http/1.1"],
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined, // Checked below, to distinguish errors of the chain and of the name.
      ...(ca !== undefined && { ca }),
    });
    const done = (presented: Omit<PresentedCertificate, "host">) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ host, ...presented });
    };
    const timer = setTimeout(() => {
      done({ error: { code: "NO_CONNECTION", message: `no connection within ${timeoutSeconds} s` } });
    }, timeoutSeconds * 1000);
    socket.on("error", (error) => {
      done({ error: errorOf(error) });
    });
    socket.on("secureConnect", () => {
      const leaf: X509Certificate | undefined = socket.getPeerX509Certificate();
      if (leaf === undefined) {
        done({ error: { code: "NO_CERTIFICATE", message: "the server presented no certificate" } });
        return;
      }
      const { authorizationError } = socket as { authorizationError?: Error | string | null };
      done({
        ...(!socket.authorized && { untrusted: String(authorizationError ?? "untrusted") }),
        fits: leaf.checkHost(host, { subject: "never" }) !== undefined,
        names: leaf.subjectAltName ?? "",
        issuer: leaf.issuer,
        from: leaf.validFromDate,
        to: leaf.validToDate,
      });
    });
  });
}

/** The header that selects a version. */
export const headerOf = ({ header, cookie, value }: Version): Record<string, string> =>
  header === undefined ? { cookie: `${cookie ?? ""}=${value}` } : { [header.toLowerCase()]: value };

/**
 * Sends a client's request to a route, with a timeout that is long enough for it.
 * @param version that the request selects. @default - none: the route's own service, or its canary
 */
export async function askRoute(
  endpoint: EdgeEndpoint,
  subject: Subject,
  route: SubjectRoute,
  version?: Version,
): Promise<Probe> {
  const headers = version === undefined ? {} : headerOf(version);
  const scheme = subject.tls.mode === "none" ? "http" : "https";
  const patient = { ...endpoint, timeoutSeconds: patience(route, subject) };
  if (route.protocol === "grpc") {
    try {
      const body = await grpcRoute(
        { ...patient, anyCertificate: true },
        route.hostPath,
        version?.service ?? route.services[0] ?? "",
        headers,
      );
      return {
        url: `grpc://${route.hostPath}`,
        answer: { status: 200, headers: { "x-content-type-options": "nosniff" }, body },
      };
    } catch (error) {
      return { url: `grpc://${route.hostPath}`, error: errorOf(error) };
    }
  }
  const probe = await ask(patient, scheme, route.host, route.path, headers);
  return { ...probe, loop: await redirectLoop(probe, subject.hosts, endpoint, headers) };
}
