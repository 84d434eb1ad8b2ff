/** Certificates of authorities that openssl makes: keys, signatures and uses all along the chain, and forms of PEM text. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { certificateProblems, pemBlocks } from "../../config/certificate.ts";
import type { ServedBy } from "../../config/certificateKeys.ts";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, refusal, valid } from "./refusal.ts";

const names = ["shop.example.com", "hoge.shop.example.com"];
const folder = mkdtempSync(join(tmpdir(), "chains-"));
after(() => {
  rmSync(folder, { recursive: true });
});
const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
const rsa = (bits: number) => ["-newkey", `rsa:${bits}`];
const curve = (name: string) => ["-newkey", "ec", "-pkeyopt", `ec_paramgen_curve:${name}`];
const ed25519 = ["-newkey", "ed25519"];

interface Made {
  readonly crt: string;
  readonly key: string;
  readonly name: string;
}
const made = (name: string): Made => {
  const read = (kind: string) => readFileSync(join(folder, `${name}.${kind}`), "utf8");
  return { name, crt: read("crt"), key: read("key") };
};

/** An authority that signed itself. */
function root(name: string, newKey: readonly string[]): Made {
  const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`];
  openssl("req", "-x509", "-nodes", "-days", "900", ...newKey, ...files, "-subj", `/CN=${name}`);
  return made(name);
}

const server = [`subjectAltName=DNS:${names.join(",DNS:")}`, "extendedKeyUsage=serverAuth"];
const authority = ["basicConstraints=critical,CA:true", "keyUsage=keyCertSign"];

function issue(
  name: string,
  by: Made,
  newKey: readonly string[],
  extensions: readonly string[] = server,
  digest = "sha256",
) {
  const [request, list] = [`${name}.csr`, `${name}.ext`];
  openssl("req", "-nodes", ...newKey, "-keyout", `${name}.key`, "-out", request, "-subj", `/CN=${name}`);
  writeFileSync(join(folder, list), extensions.join("\n"));
  const signer = ["-CA", `${by.name}.crt`, "-CAkey", `${by.name}.key`, "-CAcreateserial", `-${digest}`];
  openssl("x509", "-req", "-in", request, ...signer, "-days", "90", "-out", `${name}.crt`, "-extfile", list);
  return made(name);
}

const problemsOf = (chain: readonly Made[], servedBy: ServedBy = "other") => {
  const crt = chain.map((each) => each.crt).join("");
  return certificateProblems(crt, chain[0]?.key ?? "", names, new Date(), servedBy).map(
    ({ of, found, fix }) => `${of} ${found}; ${fix}`,
  );
};

const ca = root("good-ca", rsa(2048));
const leaf = issue("leaf", ca, rsa(2048));

test("authorities have keys that browsers take", () => {
  const under = (name: string, newKey: readonly string[]) => {
    const signer = root(name, newKey);
    return problemsOf([issue(`under-${name}`, signer, curve("P-256")), signer]);
  };
  const other = "supply a chain of an authority that browsers take";
  assert.deepEqual(under("rsa1024", rsa(1024)), [
    `crt holds the certificate of CN=rsa1024, which has an RSA key of 1024 bits; ${other}`,
  ]);
  assert.deepEqual(under("secp256k1", curve("secp256k1")), [
    `crt holds the certificate of CN=secp256k1, which has a key of the curve secp256k1; ${other}`,
  ]);
  assert.deepEqual(under("ed25519", ed25519), [
    `crt holds the certificate of CN=ed25519, which has a key of the type ed25519, which browsers refuse; ${other}`,
    "crt is signed with ED25519, which browsers refuse; supply one that is signed with SHA-256",
  ]);
  for (const name of ["P-256", "P-384", "P-521"]) assert.deepEqual(under(name, curve(name)), [], name);
});

test("each certificate but the leaf is an authority, and the leaf is none", () => {
  const wrong = issue("wrong", ca, rsa(2048), ["basicConstraints=CA:false"]);
  assert.deepEqual(problemsOf([issue("under-wrong", wrong, rsa(2048)), wrong, ca]), [
    "crt holds the certificate of CN=wrong, which is no authority; supply the one that is",
  ]);
  assert.deepEqual(problemsOf([issue("ca-leaf", ca, rsa(2048), [...server, "basicConstraints=CA:true"]), ca]), [
    "crt is an authority (CA:TRUE) by its basic constraints, which browsers refuse of a server; supply one that is issued with CA:FALSE",
  ]);
  const own = root("own-root", [...rsa(2048), "-addext", server[0] ?? ""]);
  assert.deepEqual(problemsOf([own]), [], "as openssl req -x509 makes it");
});

test("digests and uses that browsers refuse are refused along the chain", () => {
  for (const [digest, name] of [
    ["sha224", "sha224WithRSAEncryption"],
    ["md5", "md5WithRSAEncryption"],
    ["sha1", "sha1WithRSAEncryption"],
    ["sha3-256", "RSA-SHA3-256"],
    ["sha512-256", "sha512-256WithRSAEncryption"],
  ] as const) {
    const [problem = "", ...others] = problemsOf([issue(`by-${digest}`, ca, rsa(2048), server, digest)]);
    assert.match(problem, new RegExp(`is signed with ${name}, which browsers refuse`, "i"));
    assert.deepEqual(others, []);
  }
  const [p256, p384] = [root("p256", curve("P-256")), root("p384", curve("P-384"))];
  assert.match(
    problemsOf([issue("by-ecdsa-sha3", p256, rsa(2048), server, "sha3-256")]).join(),
    /which browsers refuse/,
  );
  for (const digest of ["sha256", "sha384", "sha512"])
    for (const by of [p256, p384, ca])
      assert.deepEqual(problemsOf([issue(`${by.name}-${digest}`, by, rsa(2048), server, digest), by]), [], digest);
  const middle = issue("middle", ca, rsa(2048), authority, "sha1");
  assert.match(
    problemsOf([issue("under-middle", middle, rsa(2048)), middle, ca]).join(),
    /CN=middle, which is signed with sha1/,
  );
  assert.deepEqual(problemsOf([issue("by-sha512", ca, rsa(2048), server, "sha512"), ca]), []);
  const used = (use: string) => problemsOf([issue(`use-${use}`, ca, rsa(2048), [...server, `keyUsage=${use}`])]);
  for (const use of ["keyCertSign", "keyAgreement", "critical,keyEncipherment"])
    assert.deepEqual(used(use), [
      "crt is not for digital signatures by its key usage, which browsers need; supply one that is issued with digitalSignature",
    ]);
  for (const use of ["digitalSignature", "critical,digitalSignature,keyEncipherment"]) assert.deepEqual(used(use), []);
});

test("Google takes RSA keys of 2,048 bits and P-256, Certificate Manager more, and both five certificates", () => {
  const large = issue("large", ca, rsa(8192));
  const small = issue("small", ca, rsa(1024));
  const made = new Map([2048, 3072, 4096].map((bits) => [bits, issue(`rsa-${bits}`, ca, rsa(bits))]));
  const [p256, p384] = [issue("of-p256", ca, curve("P-256")), issue("of-p384", ca, curve("P-384"))];
  const said = (found: string, fix: string) => [`crt has ${found}; make one with ${fix}`];
  const [compute, manager] = ["RSA of 2048 bits, or with ECDSA P-256", "RSA of 2048 to 4096 bits, or with ECDSA P-256 or P-384"]; // prettier-ignore
  const notTaken = ", which Google's load balancer does not take";
  assert.deepEqual(problemsOf([large]), []);
  assert.deepEqual(problemsOf([large], "certificate-manager"), said(`an RSA key of 8192 bits${notTaken}`, manager));
  assert.deepEqual(problemsOf([small], "compute"), said("an RSA key of 1024 bits", compute));
  for (const each of [...made.values(), p256, p384]) assert.deepEqual(problemsOf([each], "certificate-manager"), []);
  for (const each of [made.get(2048), p256]) assert.deepEqual(each && problemsOf([each], "compute"), []);
  for (const bits of [3072, 4096])
    assert.deepEqual(
      problemsOf([made.get(bits) ?? ca], "compute"),
      said(`an RSA key of ${bits} bits${notTaken}`, compute),
    );
  assert.deepEqual(problemsOf([p384], "compute"), said(`a key of the curve secp384r1${notTaken}`, compute));
  const chain = [ca];
  for (let depth = 1; depth <= 4; depth++)
    chain.unshift(issue(`depth-${depth}`, chain[0] ?? ca, curve("P-256"), authority));
  const deep = [issue("deep", chain[0] ?? ca, curve("P-256")), ...chain];
  assert.deepEqual(problemsOf(deep), []);
  assert.deepEqual(problemsOf(deep.slice(0, 5), "compute"), []);
  assert.deepEqual(problemsOf(deep, "compute"), [
    "crt holds 6 certificates, and Google takes 5; leave out the root, and what is not between it and the leaf",
  ]);
  const supplied = {
    tls: { mode: "supplied" },
    secrets: { tls: { crt: deep.map(({ crt }) => crt).join(""), key: deep[0]?.key } },
  };
  const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
  const onGoogle = { ...valid, ...supplied, cluster: { kind: "gke" }, edge: { kind: "gce" }, registry: undefined };
  const long = { secrets: { tls: { crt: made.get(4096)?.crt, key: made.get(4096)?.key } } };
  for (const kind of ["gce", "gateway"])
    assert.match(refusal({ ...onGoogle, edge: { kind }, ...long }, google), /an RSA key of 4096 bits, which Google's/);
  const fallback = { edge: { kind: "gateway" }, tls: { mode: "managed", fallback: "supplied" }, ...long };
  assert.doesNotThrow(() =>
    checkConfig(raw({ ...onGoogle, domain: "shop.example.com", ...fallback }, google), "test", projectDir),
  );
  assert.match(refusal(onGoogle, google), /secrets\.tls\.crt\n\s+\(secret\) holds 6 certificates, and Google takes 5/);
});

test("text that only some readers take gets the usual form", () => {
  const usual = pemBlocks({ crt: `${leaf.crt}${ca.crt}`, key: leaf.key });
  assert.deepEqual(usual, { crt: `${leaf.crt}${ca.crt}`, key: leaf.key });
  const forms: Record<string, (text: string) => string> = {
    indented: (text) => text.replace(/^/gm, "    "),
    "with blank lines": (text) => text.replaceAll("\n", "\n\n"),
    "with the line ends of old Macs": (text) => text.replaceAll("\n", "\r"),
    "without a line break between blocks": (text) => text.replaceAll("\n-----BEGIN", "-----BEGIN"),
    "on one line": (text) => text.replaceAll("\n", " "),
  };
  for (const [name, form] of Object.entries(forms)) {
    const pair = { crt: form(usual.crt), key: form(usual.key) };
    assert.deepEqual(certificateProblems(pair.crt, pair.key, names), [], name);
    assert.deepEqual(pemBlocks(pair), usual, name);
  }
  const crlf = { crt: usual.crt.replaceAll("\n", "\r\n"), key: usual.key.replaceAll("\n", "\r\n") };
  assert.deepEqual(pemBlocks(crlf), crlf, "every reader takes it, so it stays");
  const [sec1, pkcs1] = ["leaf.sec1", "leaf.pkcs1"];
  openssl("rsa", "-in", "leaf.key", "-traditional", "-out", pkcs1);
  assert.deepEqual(certificateProblems(leaf.crt, readFileSync(join(folder, pkcs1), "utf8"), names), []);
  const p256 = issue("p256", ca, curve("P-256"));
  openssl("ec", "-in", "p256.key", "-out", sec1);
  assert.deepEqual(certificateProblems(p256.crt, readFileSync(join(folder, sec1), "utf8"), names), []);
  for (const options of [
    ["rsa", "-traditional"],
    ["pkcs8", "-topk8"],
  ]) {
    const [command = "", option = ""] = options;
    openssl(
      command,
      option,
      "-in",
      "leaf.key",
      ...(command === "rsa" ? ["-aes256"] : []),
      "-passout",
      "pass:x",
      "-out",
      "locked",
    );
    const [problem, ...others] = certificateProblems(leaf.crt, readFileSync(join(folder, "locked"), "utf8"), names);
    assert.match(problem?.found ?? "", /is not a private key as PEM text without a passphrase/);
    assert.deepEqual(others, []);
  }
});

test("a curve that is written out is refused, and one that is named is not", () => {
  const explicit = [...curve("P-256"), "-pkeyopt", "ec_param_enc:explicit"];
  const found = "has a key whose curve is written out, not named, which browsers refuse";
  assert.deepEqual(problemsOf([issue("explicit", ca, explicit), ca]), [
    `crt ${found}; make one with RSA 2048 or more, or with ECDSA P-256 or P-384`,
  ]);
  const signer = root("explicit-ca", explicit);
  assert.match(
    problemsOf([issue("under-explicit", signer, rsa(2048)), signer]).join(),
    new RegExp(`CN=explicit-ca, which ${found}`),
  );
  for (const name of ["P-256", "P-384"])
    assert.deepEqual(problemsOf([issue(`named-${name}`, ca, curve(name)), ca]), []);
});

test("a star stands for a whole label, in any case of letters", () => {
  const covers = (...alternatives: string[]) =>
    problemsOf([issue("stars", ca, rsa(2048), [`subjectAltName=DNS:${alternatives.join(",DNS:")}`]), ca]);
  assert.deepEqual(covers("shop.example.com", "*.shop.example.com"), []);
  assert.deepEqual(covers("SHOP.example.com", "*.Shop.Example.COM"), []);
  for (const star of ["h*.shop.example.com", "*e.shop.example.com", "ho*e.shop.example.com", "*.*.example.com"])
    assert.match(
      covers("shop.example.com", star).join(),
      /not for hoge\.shop\.example\.com; supply one for all hosts/,
      star,
    );
});
