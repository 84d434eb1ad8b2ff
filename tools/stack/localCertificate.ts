/** The local CA, and the certificate that it signs for the stack's host names. The local stack uses it as `tls.mode: supplied`. */
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renewalDays } from "../../names/certificates.ts";
import { certificateProblems } from "../../config/certificate.ts";
import { tlsDir } from "../cli/paths.ts";
import { createAuthority, createSelfSigned, openAuthority, type Authority, type Credentials } from "../cli/pki.ts";
import { writeWhole } from "../cli/writeWhole.ts";
import { proxyName } from "../../names/kubernetes.ts";

/** The CA certificate, for clients to trust. */
export const caFile = join(tlsDir, "ca.crt");
const caKeyFile = join(tlsDir, "ca.key");
const crtFile = join(tlsDir, "tls.crt");
const keyFile = join(tlsDir, "tls.key");

const renewBefore = renewalDays * 24 * 3600_000;

/** Creates the CA if there is none, and a certificate unless one is valid for all names for another 30 days. */
export async function ensureCertificate(names: readonly string[]): Promise<void> {
  if (isValid(names)) return;
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

function isValid(names: readonly string[]): boolean {
  if (![caFile, crtFile, keyFile].every((file) => existsSync(file))) return false;
  const crt = readFileSync(crtFile, "utf8");
  const signed = new X509Certificate(crt).checkIssued(new X509Certificate(readFileSync(caFile)));
  const later = new Date(Date.now() + renewBefore);
  return signed && certificateProblems(crt, readFileSync(keyFile, "utf8"), names, later).length === 0;
}

/**
 * Certificate and key of the proxy's gRPC port. Created once, because a new pair would restart the proxy; no client
 * verifies it. Under the Pulumi CLI the stack creates its own pair (components/workloads/grpcPort.ts).
 */
export async function grpcPair(folder = tlsDir): Promise<Credentials> {
  const [crt, key] = [join(folder, "grpc.crt"), join(folder, "grpc.key")];
  if (!existsSync(crt) || !existsSync(key)) {
    const pair = await createSelfSigned(proxyName, 3650);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeWhole(key, `${pair.key}\n`, 0o600);
    writeWhole(crt, `${pair.certificate}\n`);
  }
  return { certificate: readFileSync(crt, "utf8"), key: readFileSync(key, "utf8") };
}

/** The CA. It is kept as long as the cluster, so that clients need not trust a new one for each new host name. */
async function localAuthority(): Promise<Authority> {
  if (existsSync(caFile) && existsSync(caKeyFile)) {
    return openAuthority({ certificate: readFileSync(caFile, "utf8"), key: readFileSync(caKeyFile, "utf8") }, "rsa");
  }
  const authority = await createAuthority("gke-microservices local CA", "rsa");
  writeWhole(caKeyFile, `${authority.key}\n`, 0o600);
  writeWhole(caFile, `${authority.certificate}\n`);
  return authority;
}
