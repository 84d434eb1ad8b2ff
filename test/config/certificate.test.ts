import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { test } from "node:test";
import { checkConfig } from "../../config.ts";
import { certificateProblems } from "../../config/certificate.ts";
import { createAuthority } from "../../local/pki.ts";

const names = ["shop.example.com", "hoge.shop.example.com"];
const authority = await createAuthority("Test CA");
const issue = (dnsNames: readonly string[], days = 90) =>
  authority.issue({ commonName: "shop.example.com", names: dnsNames, days });
const good = await issue(names);
const day = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * day);

/** Any line of a key's body: enough of it in a message would be a leak. */
const keyText = (key: string) => key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));

function assertNoKey(problems: readonly string[], ...keys: string[]): void {
  for (const line of keys.flatMap(keyText)) assert.ok(!problems.join("\n").includes(line), "a message holds key text");
}

test("a certificate for every name, with its key, is taken, also with its authority behind it", () => {
  assert.deepEqual(certificateProblems(good.certificate, good.key, names), []);
  assert.deepEqual(certificateProblems(`${good.certificate}\n${authority.certificate}`, good.key, names), []);
});

test("a key of another certificate is refused", async () => {
  const other = await issue(names);
  const problems = certificateProblems(good.certificate, other.key, names);
  assert.deepEqual(problems, ["the key does not belong to the certificate: supply the pair that was issued together"]);
  assertNoKey(problems, good.key, other.key);
});

test("a chain that begins with the authority is refused: its key is another's", () => {
  const problems = certificateProblems(`${authority.certificate}\n${good.certificate}`, good.key, names);
  assert.match(problems.join("\n"), /the key does not belong to the certificate/);
});

test("before its time and after it a certificate is refused, with the day", () => {
  const at = (now: Date) => certificateProblems(good.certificate, good.key, names, now);
  assert.deepEqual(at(inDays(89)), []);
  const [expired, ...others] = at(inDays(91));
  assert.match(expired ?? "", /^the certificate expired on \d{4}-\d\d-\d\dT.*Z: renew it$/);
  assert.deepEqual(others, []);
  const [early, ...more] = at(inDays(-1));
  assert.match(early ?? "", /^the certificate is not valid before \d{4}-\d\d-\d\dT/);
  assert.deepEqual(more, []);
});

test("each name that is missing is listed, with what the certificate names instead", async () => {
  const { certificate, key } = await issue(["shop.example.com", "other.example.com"]);
  assert.deepEqual(certificateProblems(certificate, key, [...names, "web.shop.example.com"]), [
    "the certificate is not for hoge.shop.example.com, web.shop.example.com; it names DNS:shop.example.com, DNS:other.example.com",
  ]);
});

test("a wildcard stands for one label, not for none and not for two", async () => {
  const { certificate, key } = await issue(["*.shop.example.com"]);
  assert.deepEqual(certificateProblems(certificate, key, ["hoge.shop.example.com"]), []);
  for (const name of ["shop.example.com", "a.b.shop.example.com", "hoge.example.com"])
    assert.match(certificateProblems(certificate, key, [name]).join(), new RegExp(`is not for ${name};`));
});

test("a name in the subject alone is refused: clients read only the alternative names", async () => {
  const { certificate, key } = await issue([]);
  assert.deepEqual(certificateProblems(certificate, key, ["shop.example.com"]), [
    "the certificate is not for shop.example.com; it names nothing",
  ]);
});

test("text that is no certificate, and a swapped pair, are refused without showing the text", () => {
  const notPem = "the certificate is not PEM text (-----BEGIN CERTIFICATE-----, the leaf first)";
  for (const text of ["", "canary", "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n", good.key]) {
    const problems = certificateProblems(text, good.certificate, names);
    assert.deepEqual(problems, [notPem]);
    assertNoKey(problems, good.key);
  }
});

test("a key that is encrypted, cut off or none at all is refused without showing it", () => {
  const encrypted = createPrivateKey(good.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "secret",
  });
  for (const key of [encrypted.toString(), good.key.slice(0, 60), "canary", "", good.certificate]) {
    const problems = certificateProblems(good.certificate, key, names);
    assert.deepEqual(problems, ["the key is not an unencrypted PEM private key (-----BEGIN PRIVATE KEY-----)"]);
    assertNoKey(problems, encrypted.toString(), good.key);
  }
});

test("everything that is wrong is said at once", async () => {
  const other = await issue(["other.example.com"]);
  assert.equal(certificateProblems(other.certificate, good.key, names, inDays(400)).length, 3);
});

test("through the stack's config: a bad pair under secrets is refused by its key, and its text is in no message", async () => {
  const other = await issue(["other.example.com"]);
  const raw = (tls: unknown) => ({
    "gke-microservices:domain": "shop.example.com",
    "gke-microservices:cluster": JSON.stringify({ kind: "existing", context: "somewhere" }),
    "gke-microservices:edge": JSON.stringify({ kind: "ingress", className: "contour" }),
    "gke-microservices:registry": JSON.stringify({ kind: "node" }),
    "gke-microservices:tls": JSON.stringify({ mode: "supplied" }),
    "gke-microservices:services": JSON.stringify({ hoge: { image: "registry.example.com/hoge:1" } }),
    "gke-microservices:secrets": JSON.stringify({ tls }),
  });
  const load = (tls: unknown) => checkConfig(raw(tls), "test", import.meta.dirname + "/../..");
  assert.equal(load({ crt: good.certificate, key: good.key }).tls?.key, good.key);
  for (const tls of [
    { crt: other.certificate, key: good.key },
    { crt: good.key, key: good.certificate },
    { crt: [good.key], key: { pem: good.key } },
    { crt: good.certificate, kye: good.key },
  ])
    assert.throws(
      () => load(tls),
      (error) => {
        assert.ok(error instanceof Error);
        assert.match(error.message, /gke-microservices:(tls|secrets)/);
        assertNoKey([error.message], good.key, other.key);
        // Nor in the way a string is written in JSON.
        assert.ok(!error.message.includes(keyText(good.key).join("\\n")));
        return true;
      },
    );
});
