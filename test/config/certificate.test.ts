import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fullKey } from "../../names/project.ts";
import { checkConfig } from "../../config/config.ts";
import { expiryWarning } from "../../names/certificates.ts";
import { certificateProblems, pemBlocks } from "../../config/certificate.ts";
import { createAuthority } from "../../tools/cli/pki.ts";

const names = ["shop.example.com", "hoge.shop.example.com"];
const authority = await createAuthority("Test CA");
const issue = (dnsNames: readonly string[], days = 90) =>
  authority.issue({ commonName: "shop.example.com", names: dnsNames, days });
const good = await issue(names);
const day = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * day);

const problemsOf = (...args: Parameters<typeof certificateProblems>) =>
  certificateProblems(...args).map(({ of, found, fix }) => `${of} ${found}; ${fix}`);

/** The problems of a certificate that openssl signs with its own key. */
const signed = (args: readonly string[]) => {
  const folder = mkdtempSync(join(tmpdir(), "key-"));
  try {
    const [key, crt] = [join(folder, "key"), join(folder, "crt")];
    const subject = ["-subj", "/CN=shop.example.com", "-addext", `subjectAltName=DNS:${names.join(",DNS:")}`];
    execFileSync(
      "openssl",
      ["req", "-x509", "-nodes", "-days", "90", "-keyout", key, "-out", crt, ...subject, ...args],
      {
        stdio: "ignore",
      },
    );
    return problemsOf(readFileSync(crt, "utf8"), readFileSync(key, "utf8"), names);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** Any line of a key's body: a message with one would leak the key. */
const keyText = (key: string) => key.split("\n").filter((line) => line !== "" && !line.startsWith("-----"));

function assertNoKey(problems: readonly string[], ...keys: string[]): void {
  for (const line of keys.flatMap(keyText)) assert.ok(!problems.join("\n").includes(line), "a message holds key text");
}

test("a certificate for every host is accepted with its key, with and without its CA", () => {
  assert.deepEqual(problemsOf(good.certificate, good.key, names), []);
  assert.deepEqual(problemsOf(`${good.certificate}\n${authority.certificate}`, good.key, names), []);
});

test("a key of another certificate is refused", async () => {
  const other = await issue(names);
  const problems = problemsOf(good.certificate, other.key, names);
  assert.deepEqual(problems, ["key does not belong to the certificate; supply the pair that was issued together"]);
  assertNoKey(problems, good.key, other.key);
});

test("a chain that starts with the CA is refused: its key is different", () => {
  const problems = problemsOf(`${authority.certificate}\n${good.certificate}`, good.key, names);
  assert.match(problems.join("\n"), /key does not belong to the certificate/);
});

test("a certificate that is expired or not yet valid is refused, with the date", () => {
  const at = (now: Date) => problemsOf(good.certificate, good.key, names, now);
  assert.deepEqual(at(inDays(89)), []);
  const [expired, ...others] = at(inDays(91));
  assert.match(expired ?? "", /^crt expired on \d{4}-\d\d-\d\dT.*Z; renew it$/);
  assert.deepEqual(others, []);
  const [early, ...more] = at(inDays(-1));
  assert.match(early ?? "", /^crt is not valid before \d{4}-\d\d-\d\dT/);
  assert.deepEqual(more, []);
});

test("each missing host is listed, with the hosts of the certificate", async () => {
  const { certificate, key } = await issue(["shop.example.com", "other.example.com"]);
  assert.deepEqual(problemsOf(certificate, key, [...names, "web.shop.example.com"]), [
    "crt is for DNS:shop.example.com, DNS:other.example.com, not for hoge.shop.example.com, web.shop.example.com; supply one for all hosts of the stack",
  ]);
});

test("a wildcard covers exactly one label", async () => {
  const { certificate, key } = await issue(["*.shop.example.com"]);
  assert.deepEqual(problemsOf(certificate, key, ["hoge.shop.example.com"]), []);
  for (const name of ["shop.example.com", "a.b.shop.example.com", "hoge.example.com"])
    assert.match(problemsOf(certificate, key, [name]).join(), new RegExp(`, not for ${name};`));
});

test("a name only in the subject is refused: clients read only the alternative names", async () => {
  const { certificate, key } = await issue([]);
  assert.deepEqual(problemsOf(certificate, key, ["shop.example.com"]), [
    "crt is not for servers by its extended key usage; supply one that is issued with serverAuth",
    "crt is for no name, not for shop.example.com; supply one for all hosts of the stack",
  ]);
});

test("text without a certificate and a swapped pair are refused without showing the text", () => {
  const notPem = "crt is not a certificate as PEM text; supply the chain, the leaf first: -----BEGIN CERTIFICATE-----";
  for (const text of ["", "canary", "-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n", good.key]) {
    const problems = problemsOf(text, good.certificate, names);
    assert.deepEqual(problems, [notPem]);
    assertNoKey(problems, good.key);
  }
});

test("an encrypted, truncated or missing key is refused without showing it", () => {
  const encrypted = createPrivateKey(good.key).export({
    type: "pkcs8",
    format: "pem",
    cipher: "aes-256-cbc",
    passphrase: "secret",
  });
  for (const key of [encrypted.toString(), good.key.slice(0, 60), "canary", "", good.certificate]) {
    const problems = problemsOf(good.certificate, key, names);
    assert.deepEqual(problems, [
      "key is not a private key as PEM text without a passphrase; supply one that starts with -----BEGIN PRIVATE KEY-----",
    ]);
    assertNoKey(problems, encrypted.toString(), good.key);
  }
});

test("each next certificate in the chain must have signed the one before, and must be valid", async () => {
  const [other, short] = [await createAuthority("Test CA"), await createAuthority("Short CA", "ecdsa", 10)];
  const chain = (authority: { certificate: string }) => `${good.certificate}\n${authority.certificate}`;
  assert.deepEqual(problemsOf(chain(other), good.key, names), [
    "crt was not signed by the certificate that follows it, CN=Test CA; put the leaf first, then the certificate that signed it, and so on",
  ]);
  const leaf = await short.issue({ commonName: "shop.example.com", names, days: 90 });
  const text = `${leaf.certificate}\n${short.certificate}`;
  assert.deepEqual(problemsOf(text, leaf.key, names, inDays(9)), []);
  assert.match(
    problemsOf(text, leaf.key, names, inDays(11)).join(),
    /^crt holds the certificate of CN=Short CA, which expired on \d{4}-.*; supply a chain with its successor$/,
  );
  const broken = `${good.certificate}\n-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n`;
  assert.match(problemsOf(broken, good.key, names).join(), /^crt is not a certificate as PEM text/);
});

test("keys that clients and load balancers reject are refused, others are not", () => {
  const curve = (name: string) => signed(["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${name}`]);
  assert.deepEqual(signed(["-newkey", "rsa:2048"]), []);
  assert.deepEqual([curve("prime256v1"), curve("secp384r1")], [[], []]);
  assert.deepEqual(signed(["-newkey", "rsa:1024"]), [
    "crt has an RSA key of 1024 bits; make one with RSA 2048 or more, or with ECDSA P-256 or P-384",
  ]);
  assert.deepEqual(curve("secp256k1"), [
    "crt has a key of the curve secp256k1; make one with RSA 2048 or more, or with ECDSA P-256 or P-384",
  ]);
  for (const type of ["ed25519", "ed448"])
    assert.deepEqual(signed(["-newkey", type]), [
      `crt has a key of the type ${type}, which browsers refuse; make one with RSA 2048 or more, or with ECDSA P-256 or P-384`,
    ]);
});

test("a certificate in its last 30 days causes a warning with the date; so does a chain whose CA expires first", async () => {
  const warning = (days: number) => expiryWarning(good.certificate, inDays(days));
  assert.deepEqual([warning(0), warning(59.9), warning(91)], [undefined, undefined, undefined]);
  assert.match(warning(60.1) ?? "", /^expires on \d{4}-\d\d-\d\dT.*Z, in 29 days$/);
  assert.match(warning(88.9) ?? "", /, in 1 day$/);
  assert.match(warning(89.9) ?? "", /, in 0 days$/);
  const short = await createAuthority("Short CA", "ecdsa", 10.5);
  const leaf = await short.issue({ commonName: "shop.example.com", names, days: 90 });
  assert.equal(expiryWarning(leaf.certificate), undefined);
  assert.match(expiryWarning(`${leaf.certificate}\n${short.certificate}`) ?? "", /, in 10 days$/);
  assert.equal(expiryWarning("(.local/tls/tls.crt not shown)"), undefined);
});

test("what stands around PEM blocks is dropped: a byte order mark, bag attributes, parameters; a key in the certificate is refused", () => {
  const around = (pem: string) => `\ufeffBag Attributes\n    friendlyName: a\nsubject=CN = a\n${pem}\ntrailing\n`;
  const parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  const pair = { crt: around(`${good.certificate}\n${authority.certificate}`), key: around(parameters + good.key) };
  assert.deepEqual(problemsOf(pair.crt, pair.key, names), []);
  assert.deepEqual(pemBlocks(pair), {
    crt: `${good.certificate.trim()}\n${authority.certificate.trim()}\n`,
    key: `${good.key.trim()}\n`,
  });
  const { certificate: crt, key } = good;
  assert.deepEqual(pemBlocks({ crt, key }), { crt, key }, "a pair that has nothing around it keeps its text");
  assert.deepEqual(pemBlocks({ crt: "(a not shown)", key: "" }), { crt: "(a not shown)", key: "" });
  const both = `${good.certificate}\n${good.key}`;
  const problems = problemsOf(both, good.key, names);
  assert.deepEqual(problems, ["crt holds a private key as well; supply the key apart from the certificate"]);
  assertNoKey(problems, good.key);
  assertNoKey([pemBlocks({ crt: both, key: good.key }).crt], good.key);
});

test("signatures and uses that browsers refuse are refused", () => {
  assert.deepEqual(signed(["-newkey", "rsa:2048", "-sha1"]), [
    "crt is signed with sha1WithRSAEncryption, which browsers refuse; supply one that is signed with SHA-256",
  ]);
  assert.deepEqual(signed(["-newkey", "rsa:2048", "-addext", "extendedKeyUsage=clientAuth"]), [
    "crt is not for servers by its extended key usage; supply one that is issued with serverAuth",
  ]);
  for (const use of ["serverAuth", "serverAuth,clientAuth", "anyExtendedKeyUsage"])
    assert.deepEqual(signed(["-newkey", "rsa:2048", "-addext", `extendedKeyUsage=${use}`]), [], use);
});

test("all problems are reported together", async () => {
  const other = await issue(["other.example.com"]);
  assert.equal(problemsOf(other.certificate, good.key, names, inDays(400)).length, 3);
});

test("through the stack's config: a bad pair under secrets is refused by its key, without its text", async () => {
  const other = await issue(["other.example.com"]);
  const raw = (tls: unknown) => ({
    [fullKey("domain")]: "shop.example.com",
    [fullKey("cluster")]: JSON.stringify({ kind: "existing", context: "somewhere" }),
    [fullKey("edge")]: JSON.stringify({ kind: "ingress", className: "contour" }),
    [fullKey("registry")]: JSON.stringify({ kind: "node" }),
    [fullKey("tls")]: JSON.stringify({ mode: "supplied" }),
    [fullKey("services")]: JSON.stringify({ hoge: { image: "registry.example.com/hoge:1" } }),
    [fullKey("secrets")]: JSON.stringify({ tls }),
  });
  const load = (tls: unknown) => checkConfig(raw(tls), "test", import.meta.dirname + "/../..");
  const { certificate, warnings } = load({ crt: good.certificate, key: good.key });
  assert.deepEqual([certificate?.key, warnings], [good.key, []]);
  const soon = await issue(names, 12.5);
  assert.match(
    load({ crt: soon.certificate, key: soon.key }).warnings.join(),
    /^[\w-]+:tls: the certificate, or one in its chain, expires on \S+Z, in 12 days; renew it and supply the new one$/,
  );
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
        assert.match(error.message, /[\w-]+:(tls|secrets)/);
        assertNoKey([error.message], good.key, other.key);
        // Nor JSON-escaped.
        assert.ok(!error.message.includes(keyText(good.key).join("\\n")));
        return true;
      },
    );
});
