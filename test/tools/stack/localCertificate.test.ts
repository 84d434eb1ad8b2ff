/** The local CA outlives a stop, as long as it fits: browsers that trust it keep doing so. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connect, createServer } from "node:tls";
import { createAuthority, openAuthority, permits } from "../../../tools/cli/pki.ts";
import { ensureCertificate, keptAuthorityText } from "../../../tools/stack/localCertificate.ts";

const hosts = ["shop.localhost", "hoge.shop.localhost", "*.shop.localhost"];

function emptyFolders(context: TestContext) {
  const base = mkdtempSync(join(tmpdir(), "ca-"));
  context.after(() => {
    rmSync(base, { recursive: true });
  });
  return { tls: join(base, "tls"), authority: join(base, "authority") };
}
type Folders = ReturnType<typeof emptyFolders>;
const ca = ({ authority }: Folders) => readFileSync(join(authority, "ca.crt"), "utf8");
const leaf = ({ tls }: Folders) => new X509Certificate(readFileSync(join(tls, "tls.crt")));
const issuedBy = (folders: Folders) => leaf(folders).verify(new X509Certificate(ca(folders)).publicKey);

test("a start after a stop issues a new certificate of the same CA, whose key only the owner can read", async (context) => {
  const folders = emptyFolders(context);
  assert.equal(keptAuthorityText(folders.authority), undefined);
  await ensureCertificate(hosts, folders);
  const before = ca(folders);
  assert.equal(statSync(join(folders.authority, "ca.key")).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folders.tls).sort(), ["tls.crt", "tls.key"]);
  rmSync(folders.tls, { recursive: true }); // As a stop does.
  assert.match(
    keptAuthorityText(folders.authority) ?? "",
    new RegExp(`^Kept the local CA in .* rm -r ${folders.authority}$`),
  );
  await ensureCertificate(hosts, folders);
  assert.equal(ca(folders), before);
  assert.ok(issuedBy(folders));
  // Any other name of this machine fits too, and a host below the domain.
  await ensureCertificate([...hosts, "other.localhost"], folders);
  assert.equal(ca(folders), before);
  assert.ok(leaf(folders).checkHost("other.localhost") !== undefined);
});

test("a CA that may not sign for a new domain, ends too soon or has another key is replaced", async (context) => {
  const folders = emptyFolders(context);
  const changes = async (names: readonly string[], change: () => Promise<void> | void = () => undefined) => {
    await ensureCertificate(hosts, folders);
    const before = ca(folders);
    await change();
    rmSync(folders.tls, { recursive: true, force: true });
    await ensureCertificate(names, folders);
    assert.ok(issuedBy(folders));
    return ca(folders) !== before;
  };
  const place = async (days: number) => {
    const { certificate, key } = await createAuthority("gke-microservices local CA", "rsa", days, ["localhost"]);
    mkdirSync(folders.authority, { recursive: true });
    writeFileSync(join(folders.authority, "ca.crt"), certificate);
    writeFileSync(join(folders.authority, "ca.key"), key);
  };
  assert.equal(await changes(hosts), false);
  assert.equal(await changes(["shop.test", "a.shop.test"]), true);
  assert.equal(permits(ca(folders), ["b.shop.test", "x.localhost"]), true);
  assert.equal(permits(ca(folders), ["test"]), false);
  assert.equal(permits(ca(folders), ["xshop.test"]), false);
  const soon = await place(824).then(() => ca(folders));
  rmSync(folders.tls, { recursive: true, force: true });
  await ensureCertificate(hosts, folders);
  assert.notEqual(ca(folders), soon);
  const late = await place(830).then(() => ca(folders));
  rmSync(folders.tls, { recursive: true });
  await ensureCertificate(hosts, folders);
  assert.equal(ca(folders), late);
  const broken = () => {
    writeFileSync(join(folders.authority, "ca.key"), "no key");
  };
  assert.equal(await changes(hosts, broken), true);
  const other = async () => {
    writeFileSync(join(folders.authority, "ca.key"), (await createAuthority("other", "rsa")).key);
  };
  assert.equal(await changes(hosts, other), true);
  assert.equal(existsSync(join(folders.authority, "ca.key.unfinished")), false);
});

/** The error of a client that trusts the CA, for a server with this certificate; undefined if it accepts it. */
async function refusal(
  ca: string,
  pair: { certificate: string; key: string },
  host: string,
): Promise<string | undefined> {
  const server = createServer({ cert: pair.certificate, key: pair.key }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const isAddress = /^[\d.]+$/.test(host);
  const socket = connect({ host: "127.0.0.1", port, ca, ...(isAddress ? {} : { servername: host }) });
  try {
    await once(socket, "secureConnect");
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    socket.destroy();
    server.close();
  }
}

test("clients that trust the CA accept its certificates only for the stack's names and this machine", async (context) => {
  const folders = emptyFolders(context);
  const long = `${"a".repeat(60)}.${"b".repeat(60)}.${"c".repeat(60)}.example.com`;
  await ensureCertificate(["shop.example.com", long], folders);
  const key = readFileSync(join(folders.authority, "ca.key"), "utf8");
  const authority = await openAuthority({ certificate: ca(folders), key }, "rsa");
  const client = async (host: string) =>
    refusal(ca(folders), await authority.issue({ commonName: "any", names: [host] }), host);
  for (const host of ["shop.example.com", "a.shop.example.com", "x.localhost", "127.0.0.1", long])
    assert.equal(await client(host), undefined, host);
  for (const host of ["example.com", "bank.example", "xshop.example.com"])
    assert.equal(await client(host), "permitted subtree violation", host);
  const elsewhere = await authority.issue({ commonName: "any", names: ["127.0.0.1", "198.51.100.1"] });
  assert.equal(await refusal(ca(folders), elsewhere, "127.0.0.1"), "permitted subtree violation");
});
