import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { createAuthority } from "../../../tools/cli/pki.ts";

test("server and client authenticate each other by certificates of one authority", async (context) => {
  const authority = await createAuthority("test authority");
  const server = await authority.issue({ commonName: "server", names: ["localhost", "127.0.0.1"] });
  const client = await authority.issue({ commonName: "system:node:local", organizations: ["system:nodes"] });
  const listening = createServer({
    ...pair(server),
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  });
  context.after(() => listening.close());
  listening.listen(0, "127.0.0.1");
  await once(listening, "listening");
  const accepted = once(listening, "secureConnection") as Promise<[TLSSocket]>;
  const socket = connect({
    ...pair(client),
    host: "127.0.0.1",
    port: (listening.address() as AddressInfo).port,
    ca: authority.certificate,
  });
  await once(socket, "secureConnect"); // This includes the check of the address against the certificate's names.
  const [peer] = await accepted;
  const { subject } = peer.getPeerCertificate();
  assert.deepEqual({ ...subject }, { O: "system:nodes", CN: "system:node:local" });
  socket.destroy();
  peer.destroy();
});

test("a certificate of another authority with the same name is rejected", async () => {
  const [ours, theirs] = [await createAuthority("local"), await createAuthority("local")];
  const leaf = new X509Certificate((await theirs.issue({ commonName: "server", names: ["localhost"] })).certificate);
  assert.ok(leaf.verify(new X509Certificate(theirs.certificate).publicKey));
  assert.ok(!leaf.verify(new X509Certificate(ours.certificate).publicKey));
});

test("a certificate for browsers is RSA 2048, with names, and not valid longer than they accept", async () => {
  const authority = await createAuthority("edge", "rsa");
  const root = new X509Certificate(authority.certificate);
  assert.ok(root.ca);
  const { certificate } = await authority.issue({
    commonName: "shop.localhost",
    names: ["shop.localhost", "*.shop.localhost"],
    days: 825,
  });
  const leaf = new X509Certificate(certificate);
  assert.ok(leaf.checkIssued(root));
  assert.ok(!leaf.ca);
  assert.equal(leaf.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  assert.equal(leaf.checkHost("hoge.shop.localhost"), "*.shop.localhost");
  assert.equal(leaf.checkHost("hoge.other.localhost"), undefined);
  const days = (Date.parse(leaf.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 824 && days <= 825, String(days));
});

function pair({ certificate, key }: { certificate: string; key: string }) {
  return { cert: certificate, key };
}
