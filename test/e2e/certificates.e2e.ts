/** TLS at the edge: versions and ciphers, chain and names, and the renewal of a certificate. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, createServer, type ConnectionOptions, type TLSSocket } from "node:tls";
import { authorityDir, stateDir, tlsDir } from "../../tools/cli/paths.ts";
import { createAuthority, openAuthority } from "../../tools/cli/pki.ts";
import { offer, type Offer } from "./certificates/clientHello.ts";
import { editStack, local, stop } from "./support/commands.ts";
import { underLoad } from "./support/load.ts";
import { answered, endpoint, start } from "./support/path.ts";

const hosts = ["shop.localhost", "hoge.shop.localhost"];
const day = 24 * 3600_000;

before(
  async () => {
    assert.equal((await start()).status, 0);
  },
  { timeout: 25 * 60_000 },
);
after(stop);

async function handshake(port: number, servername: string, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, servername, ca: endpoint().ca, ...options });
  await once(socket, "secureConnect");
  return socket;
}
/** The certificates that the edge sends for a host. */
async function served(host: string): Promise<readonly [leaf: X509Certificate, issuer: X509Certificate | undefined]> {
  const socket = await handshake(443, host);
  const { raw, issuerCertificate } = socket.getPeerCertificate(true);
  socket.destroy();
  return [new X509Certificate(raw), new X509Certificate(issuerCertificate.raw)];
}

/** A server that accepts everything that OpenSSL still supports, to show that an offer is valid. */
async function lenientServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const { certificate: cert, key } = await (
    await createAuthority("lenient", "rsa")
  ).issue({
    commonName: "lenient",
    names: hosts,
  });
  const server = createServer({ cert, key, minVersion: "TLSv1", ciphers: "ALL:COMPLEMENTOFALL:@SECLEVEL=0" });
  server.on("tlsClientError", () => undefined);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

const sound: Record<string, Offer> = {
  "ECDHE-RSA-AES128-GCM-SHA256": { version: "TLS 1.2", cipher: 0xc02f },
  "ECDHE-RSA-AES256-GCM-SHA384": { version: "TLS 1.2", cipher: 0xc030 },
  "ECDHE-RSA-CHACHA20-POLY1305": { version: "TLS 1.2", cipher: 0xcca8 },
};
/** Offers that the proxy refuses. `known`: whether current libraries still support the offer. */
const weak: Record<string, Offer & { readonly refused: string; readonly known: boolean }> = {
  "TLS 1.0": { version: "TLS 1.0", cipher: 0xc013, refused: "protocol_version", known: true },
  "TLS 1.1": { version: "TLS 1.1", cipher: 0xc013, refused: "protocol_version", known: true },
  "key exchange by RSA, with GCM": { version: "TLS 1.2", cipher: 0x009c, refused: "handshake_failure", known: true },
  "key exchange by RSA, with CBC": { version: "TLS 1.2", cipher: 0x002f, refused: "handshake_failure", known: true },
  "CBC with SHA-1": { version: "TLS 1.2", cipher: 0xc013, refused: "handshake_failure", known: true },
  "CBC with SHA-256": { version: "TLS 1.2", cipher: 0xc027, refused: "handshake_failure", known: true },
  "no encryption": { version: "TLS 1.2", cipher: 0x0002, refused: "handshake_failure", known: true },
  "no encryption, with ECDHE": { version: "TLS 1.2", cipher: 0xc010, refused: "handshake_failure", known: true },
  RC4: { version: "TLS 1.2", cipher: 0x0005, refused: "handshake_failure", known: false },
  "RC4 with ECDHE": { version: "TLS 1.2", cipher: 0xc011, refused: "handshake_failure", known: false },
  "3DES": { version: "TLS 1.2", cipher: 0x000a, refused: "handshake_failure", known: false },
  "3DES with ECDHE": { version: "TLS 1.2", cipher: 0xc012, refused: "handshake_failure", known: false },
  "export RC4": { version: "TLS 1.2", cipher: 0x0003, refused: "handshake_failure", known: false },
  DES: { version: "TLS 1.2", cipher: 0x0009, refused: "handshake_failure", known: false },
};

test("the edge rejects each old version and weak cipher, and accepts ECDHE with an AEAD", async () => {
  await using lenient = await lenientServer();
  for (const [name, offered] of Object.entries(sound)) {
    assert.equal(await offer(443, "shop.localhost", offered), "accepted", name);
    assert.equal(await offer(lenient.port, "shop.localhost", offered), "accepted", name);
  }
  for (const [name, { refused, known, ...offered }] of Object.entries(weak)) {
    assert.equal(await offer(443, "shop.localhost", offered), refused, name);
    // The offer is valid: a server with the cipher accepts it.
    if (known) assert.equal(await offer(lenient.port, "shop.localhost", offered), "accepted", name);
  }
});

test("complete handshakes: TLS 1.2 and 1.3 with strong ciphers; older versions fail", async () => {
  await using lenient = await lenientServer();
  const low = { rejectUnauthorized: false, ciphers: "ALL:COMPLEMENTOFALL:@SECLEVEL=0" } as const;
  for (const version of ["TLSv1", "TLSv1.1"] as const) {
    const options = { ...low, minVersion: version, maxVersion: version };
    await assert.rejects(handshake(443, "shop.localhost", options), /protocol version/, version);
    (await handshake(lenient.port, "shop.localhost", options)).destroy();
  }
  for (const [version, cipher] of [
    ["TLSv1.2", /^ECDHE-RSA-(AES\d+-GCM-SHA\d+|CHACHA20-POLY1305)$/],
    ["TLSv1.3", /^TLS_(AES_\d+_GCM_SHA\d+|CHACHA20_POLY1305_SHA256)$/],
  ] as const) {
    const socket = await handshake(443, "shop.localhost", { minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
    assert.match(socket.getCipher().name, cipher);
    socket.destroy();
  }
});

test("every host gets a chain of the stack's CA, for its name, and not valid longer than clients accept", async () => {
  const ca = new X509Certificate(endpoint().ca);
  assert.equal(ca.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  for (const host of hosts) {
    const [leaf, issuer] = await served(host); // The handshake has verified chain and name.
    assert.equal(issuer?.fingerprint256, ca.fingerprint256, "sent behind the leaf");
    assert.ok(leaf.verify(ca.publicKey) && leaf.checkIssued(ca) && !leaf.ca);
    assert.equal(leaf.checkHost(host, { subject: "never" }), host);
    assert.equal(leaf.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
    assert.deepEqual(leaf.subjectAltName?.split(", "), [...hosts.map((name) => `DNS:${name}`), "IP Address:127.0.0.1"]);
    const days = (leaf.validToDate.getTime() - leaf.validFromDate.getTime()) / day;
    assert.ok(days > 820 && days < 825.1, `${days} days`);
  }
});

test("an unknown host, or a client without SNI, gets no certificate", async () => {
  for (const host of ["other.example", "localhost", "deep.hoge.shop.localhost", ""])
    await assert.rejects(handshake(443, host, { rejectUnauthorized: false }), /socket disconnected|ECONNRESET/, host);
});

/** Writes a certificate of the stack's CA to the file that `npm start` uses. */
async function writeCertificate(days: number): Promise<X509Certificate> {
  const [ca, key] = ["ca.crt", "ca.key"].map((file) => readFileSync(join(authorityDir, file), "utf8"));
  const authority = await openAuthority({ certificate: ca ?? "", key: key ?? "" }, "rsa");
  const leaf = await authority.issue({ commonName: "shop.localhost", names: [...hosts, "127.0.0.1"], days });
  writeFileSync(join(tlsDir, "tls.key"), leaf.key);
  writeFileSync(join(tlsDir, "tls.crt"), `${leaf.certificate}\n${ca ?? ""}`);
  return new X509Certificate(leaf.certificate);
}

test("a certificate is renewed 30 days before its expiry and not earlier, and the renewal loses no request", async () => {
  const load = { url: "https://shop.localhost/hoge/", ca: endpoint().ca, good: answered("hoge") };
  const first = await served("shop.localhost");
  const { load: seen } = await underLoad(load, async () => {
    const kept = await writeCertificate(31);
    const { status, text } = await start();
    assert.equal(status, 0, text);
    assert.match(text, /applied .*Secret\/ingress-tls-\w+.*pruned Secret\/ingress-tls-\w+/s);
    assert.equal((await served("shop.localhost"))[0].serialNumber, kept.serialNumber, "31 days are enough");

    const late = await writeCertificate(29);
    const renewed = await start();
    assert.equal(renewed.status, 0, renewed.text);
    for (const host of hosts) {
      const [leaf] = await served(host);
      assert.ok(![kept, late, first[0]].some(({ serialNumber }) => serialNumber === leaf.serialNumber));
      assert.ok(leaf.validToDate.getTime() > Date.now() + 800 * day);
    }
  });
  assert.deepEqual(seen.failures, []);
  assert.ok(seen.sent > 1000, `${seen.sent} requests`);
});

test("every command warns about a supplied certificate in its last 30 days; an expired one is rejected", async (context) => {
  const folder = join(stateDir, "supplied");
  mkdirSync(folder, { recursive: true });
  const supply = async (days: number) => {
    const authority = await createAuthority("Somebody's CA");
    const leaf = await authority.issue({ commonName: "shop.localhost", names: hosts, days });
    writeFileSync(join(folder, "tls.crt"), leaf.certificate);
    writeFileSync(join(folder, "tls.key"), leaf.key);
  };
  editStack(context, (text) => text.replaceAll(".local/tls/tls.", ".local/supplied/tls."));
  const warning = /warning: .*[\w-]+:tls: the certificate, .* expires on \S+Z, in 19 days; renew it/;
  await supply(20);
  for (const command of ["check.ts", "render.ts"]) {
    const { status, text } = await local(command, "local");
    assert.equal(status, 0, text);
    assert.match(text, warning, command);
  }
  await supply(40);
  assert.doesNotMatch((await local("check.ts", "local")).text, /warning/);
  await supply(-1 / 24 / 60);
  const { status, text } = await local("check.ts", "local");
  assert.equal(status, 1);
  assert.match(text, /[\w-]+:tls\.certFile\n\s+"\.local\/supplied\/tls\.crt" expired on \S+Z; renew it/);
});
