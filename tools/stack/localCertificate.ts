/** The local CA, and the certificate that it signs for the stack's host names. The local stack uses it as `tls.mode: supplied`. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { renewalDays } from "../../names/certificates.ts";
import { certificateProblems } from "../../config/certificate.ts";
import { authorityDir, tlsDir } from "../cli/paths.ts";
import {
  createAuthority,
  createSelfSigned,
  openAuthority,
  permits,
  type Authority,
  type Credentials,
} from "../cli/pki.ts";
import { writeWhole } from "../cli/writeWhole.ts";
import { proxyName } from "../../names/kubernetes.ts";

/** The CA certificate, for clients to trust. */
export const caFile = join(authorityDir, "ca.crt");

const day = 24 * 3600_000;
const renewBefore = renewalDays * day;
/** Clients accept no longer validity (https://support.apple.com/en-us/103769). Days. */
const leafDays = 825;

/** Where the CA and its certificate are. */
interface Folders {
  readonly tls: string;
  readonly authority: string;
}
const ownFolders: Folders = { tls: tlsDir, authority: authorityDir };
const filesIn = ({ tls, authority }: Folders) => ({
  caFile: join(authority, "ca.crt"),
  caKeyFile: join(authority, "ca.key"),
  crtFile: join(tls, "tls.crt"),
  keyFile: join(tls, "tls.key"),
});

/**
 * Creates a certificate unless one is valid for all names for another 30 days, and the CA unless one from an earlier
 * start fits.
 */
export async function ensureCertificate(names: readonly string[], folders = ownFolders): Promise<void> {
  if (isValid(names, folders)) return;
  const { crtFile, keyFile } = filesIn(folders);
  mkdirSync(folders.tls, { recursive: true, mode: 0o700 });
  const authority = await localAuthority(names, folders);
  const leaf = await authority.issue({
    commonName: names[0] ?? "localhost",
    names: [...names, "127.0.0.1"],
    days: leafDays,
  });
  writeWhole(keyFile, `${leaf.key}\n`, 0o600);
  writeWhole(crtFile, `${leaf.certificate}\n${authority.certificate}\n`);
}

function isValid(names: readonly string[], folders: Folders): boolean {
  const { caFile, crtFile, keyFile } = filesIn(folders);
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

/** Names of this machine alone, which no DNS server may answer for (https://www.rfc-editor.org/rfc/rfc6761#section-6.3). */
const machineNames = "localhost";

/** The CA of an earlier start, or a new one. Its key stays on disk, so clients accept it only for the stack's names. */
async function localAuthority(names: readonly string[], folders: Folders): Promise<Authority> {
  const kept = keptAuthority(names, folders);
  if (kept !== undefined) return openAuthority(kept, "rsa");
  const { caFile, caKeyFile } = filesIn(folders);
  const bare = names.map((name) => name.replace(/^\*\./, ""));
  const permitted = [...new Set([machineNames, ...bare])].filter(
    (name, _, all) => !all.some((other) => name.endsWith(`.${other}`)),
  );
  const authority = await createAuthority("gke-microservices local CA", "rsa", undefined, permitted);
  writeWhole(caKeyFile, `${authority.key}\n`, 0o600);
  writeWhole(caFile, `${authority.certificate}\n`);
  return authority;
}

/** The CA of an earlier start, if it outlives a certificate that it signs now, and may sign for all the names. */
function keptAuthority(names: readonly string[], folders: Folders): Credentials | undefined {
  const { caFile, caKeyFile } = filesIn(folders);
  if (!existsSync(caFile) || !existsSync(caKeyFile)) return undefined;
  const kept = { certificate: readFileSync(caFile, "utf8"), key: readFileSync(caKeyFile, "utf8") };
  try {
    const parsed = new X509Certificate(kept.certificate);
    const lasts = parsed.validToDate.getTime() > Date.now() + leafDays * day;
    const fits = parsed.checkPrivateKey(createPrivateKey(kept.key)) && permits(kept.certificate, names);
    return lasts && fits ? kept : undefined;
  } catch {
    return undefined; // Somebody changed the files.
  }
}

/** What `npm stop` says about the CA, which it keeps; undefined if there is none. */
export function keptAuthorityText(folder = authorityDir): string | undefined {
  return existsSync(join(folder, "ca.key"))
    ? `Kept the local CA in ${folder}, so that browsers which trust it still do after the next start. To delete it: rm -r ${folder}`
    : undefined;
}
