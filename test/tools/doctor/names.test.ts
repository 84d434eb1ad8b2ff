/** DNS lookups and their diagnosis, with a name server that has each of the problems. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { withoutGoogleCa, dns } from "../../../tools/doctor/diagnose/dns.ts";
import { lookUp } from "../../../tools/doctor/gather/names.ts";
import type { Finding } from "../../../tools/doctor/report.ts";
import { startNameServer, type NameServer } from "../../../tools/testing/loopback.ts";
import { projectDir } from "../../../tools/cli/paths.ts";
import { address, subject } from "./examples.ts";
import { assertFixable, assertStackNamed } from "./fixes.ts";

const staging = subject("staging", { domain: "shop.example.com" });
const host = "shop.example.com";
let server: NameServer;
before(async () => {
  server = await startNameServer();
});
after(() => server[Symbol.asyncDispose]());

async function found(name = host): Promise<Finding> {
  return dns([await lookUp(name, [server.resolver])], address, staging);
}

test("a name that resolves to the stack's address", async () => {
  server.names.set(host, address);
  assert.deepEqual(await lookUp(host, [server.resolver]), { host, v4: [address], v6: [], issuers: [] });
  assert.equal((await found()).state, "ok");
});

for (const [what, set, seen] of [
  [
    "a name that does not exist",
    () => {
      server.names.clear();
    },
    /^shop\.example\.com: the name does not exist \(NXDOMAIN\)/,
  ],
  [
    "a name with only other records",
    () => server.records.set(host, [{ type: "TXT", name: host, data: "hello" }]),
    /^shop\.example\.com: the name has no address/,
  ],
  ["another address", () => server.names.set(host, "198.51.100.1"), /resolves to 198\.51\.100\.1, but the stack's/],
  [
    "an additional address",
    () => server.names.set(host, `198.51.100.1 ${address}`),
    /resolves to 198\.51\.100\.1, 203/,
  ],
  [
    "an AAAA record",
    () => {
      server.names.set(host, address);
      server.records.set(host, [{ type: "AAAA", name: host, ttl: 30, data: "2001:db8::1" }]);
    },
    /has the AAAA record 2001:db8::1/,
  ],
  ["a delegation that fails", () => server.failing.add(host), /SERVFAIL/],
] as const)
  test(`DNS name: ${what}`, async () => {
    server.names.clear();
    server.records.clear();
    set();
    const { state, seen: text } = await found();
    server.failing.clear();
    assert.equal(state, "failed");
    assert.match(text, seen);
  });

test("the fix of a missing name names the stack in each command, whether its address is known or not", async () => {
  server.names.clear();
  server.records.clear();
  const missing = [await lookUp(host, [server.resolver])];
  const fixOf = (changes: Record<string, unknown>, at?: string) => {
    const finding = dns(missing, at, subject("staging", { domain: host, ...changes }));
    assertFixable(finding);
    return finding.fix;
  };
  const orDns = ", or let the stack create it: set dns in its config (docs/edge.md)";
  assert.equal(
    fixOf({}),
    `Create the record ${host}. A the stack's address (npx pulumi stack output address -s staging)${orDns}`,
  );
  assert.equal(fixOf({}, address), `Create the record ${host}. A ${address}${orDns}`);
  assert.equal(
    fixOf({ dns: { create: true } }),
    'Delegate the domain: set its NS records to the output of "npx pulumi stack output nameServers --stack staging"',
  );
  assert.equal(
    fixOf({ dns: { zone: "shop" } }),
    "npx pulumi up --refresh --stack staging   # creates the record in the zone shop",
  );
});

test("every command of the Pulumi CLI in the doctor's texts names a stack", () => {
  const folder = join(projectDir, "tools/doctor");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const texts = files.map((file) => readFileSync(join(folder, file), "utf8"));
  for (const text of texts) assertStackNamed(text);
  assert.ok(texts.filter((text) => /pulumi (?:up|stack)/.test(text)).length >= 3);
  assert.throws(() => {
    assertStackNamed("npx pulumi stack output address");
  });
});

test("CAA records come from the name, or from its nearest parent that has any", async () => {
  server.names.set(host, address);
  const caa = (name: string, value: string) =>
    server.records.set(name, [{ type: "CAA", name, ttl: 30, data: { flags: 0, tag: "issue", value } }]);
  const withoutGoogle = async () => withoutGoogleCa([await lookUp(host, [server.resolver])]);
  server.records.clear();
  assert.deepEqual(await withoutGoogle(), []);
  caa("example.com", "letsencrypt.org");
  assert.deepEqual(await withoutGoogle(), [host]);
  caa(host, "pki.goog");
  assert.deepEqual(await withoutGoogle(), []);
});
