/** The local CA, and the certificate that it signs for the stack's host names: what `tls.mode: supplied` of the local stack names. */
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renewalDays } from "../../names/certificates.ts";
import { certificateProblems } from "../../config/certificate.ts";
import { tlsDir } from "../cli/paths.ts";
import { createAuthority, createSelfSigned, openAuthority, type Authority, type Credentials } from "../cli/pki.ts";
import { writeWhole } from "../cli/writeWhole.ts";
import { proxyName } from "../../names/kubernetes.ts";

/** The CA's certificate, for clients to trust. */
export const caFile = join(tlsDir, "ca.crt");
const caKeyFile = join(tlsDir, "ca.key");
const crtFile = join(tlsDir, "tls.crt");
const keyFile = join(tlsDir, "tls.key");

const renewBefore = renewalDays * 24 * 3600_000;

/** Makes the CA where there is none, and a certificate where there is none that serves all names for another 30 days. */
export async function ensureCertificate(names: readonly string[]): Promise<void> {
  if (isServing(names)) return;
  mkdirSync(tlsDir, { recursive: true, mode: 0o700 });
  const authority = await localAuthority();
  // Clients accept no more than 825 days (https://support.apple.com/en-us/103769).
  const leaf = await authority.issue({
    commonName: names[0] ?? "localhost",
    names: [...names, "127.0.0.1"],
    days: 825,
  });
  writeWhole(keyFile, `${leaf.key}\n`, 0o600);
  writeWhole(crtFile, `${leaf.certificate}\n${authority.certificate}\n`);
}

function isServing(names: readonly string[]): boolean {
  if (![caFile, crtFile, keyFile].every((file) => existsSync(file))) return false;
  const crt = readFileSync(crtFile, "utf8");
  const signed = new X509Certificate(crt).checkIssued(new X509Certificate(readFileSync(caFile)));
  const later = new Date(Date.now() + renewBefore);
  return signed && certificateProblems(crt, readFileSync(keyFile, "utf8"), names, later).length === 0;
}

/**
 * The pair of the proxy's port for gRPC, made once: nobody verifies it, and another would roll the proxy out anew. Under the
 * Pulumi CLI it is the stack's own (components/workloads/grpcPort.ts).
 */
export async function grpcPair(folder = tlsDir): Promise<Credentials> {
  const [crt, key] = [join(folder, "grpc.crt"), join(folder, "grpc.key")];
  if (!existsSync(crt) || !existsSync(key)) {
    const made = await createSelfSigned(proxyName, 3650);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeWhole(key, `${made.key}\n`, 0o600);
    writeWhole(crt, `${made.certificate}\n`);
  }
  return { certificate: readFileSync(crt, "utf8"), key: readFileSync(key, "utf8") };
}

/** Kept while the cluster is, so that who trusts it need not do so again for a new host name. */
async function localAuthority(): Promise<Authority> {
  if (existsSync(caFile) && existsSync(caKeyFile)) {
    return openAuthority({ certificate: readFileSync(caFile, "utf8"), key: readFileSync(caKeyFile, "utf8") }, "rsa");
  }
  const authority = await createAuthority("gke-microservices local CA", "rsa");
  writeWhole(caKeyFile, `${authority.key}\n`, 0o600);
  writeWhole(caFile, `${authority.certificate}\n`);
  return authority;
}
