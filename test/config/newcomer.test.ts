/** What people write at first, and what errors say to write instead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { lostText } from "../../config/input.ts";
import { parseStackFile } from "../../config/stackFile.ts";
import { checkConfig } from "../../config/config.ts";
import { asText } from "../../tools/stack/stackFile.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

const egress = (cidr: string) => refusal(hoge({ egress: [{ cidr, ports: [443] }] }));

test("no pods at all are answered with what to do instead", () => {
  assert.match(
    refusal(hoge({ replicas: 0 })),
    /replicas\n\s+0 must be at least 1: to run none, remove it from the config$/m,
  );
  assert.match(
    refusal(hoge({ replicas: { min: 0, max: 2 } })),
    /replicas\.min\n\s+0 must be at least 1: the autoscaler does not go down to none$/m,
  );
});

test("a host where addresses belong is answered with the form of addresses", () => {
  for (const [cidr, host] of [
    ["db.example.com", "db.example.com"],
    ["https://api.example.com/v1", "api.example.com"],
    ["db.example.com:5432", "db.example.com"],
    ["cart", "cart"],
  ] as const)
    assert.ok(
      egress(cidr).includes(
        `must be an address range, and not a name; write each address of ${host}, such as 203.0.113.7/32, or 0.0.0.0/0 if they change; for a service of the stack, use calls\n`,
      ),
      egress(cidr),
    );
  assert.match(
    refusal({ ...valid, networkPolicies: { dns: ["ns.example.com"] } }),
    /not a name; write each address of ns\.example\.com, such as 203\.0\.113\.7\/32$/m,
  );
  for (const [cidr, meant] of [
    ["10.0.0.1", "10.0.0.1/32"],
    ["10.0.0.1:5432", "10.0.0.1/32"],
    ["10.0.0.1/24", "10.0.0.0/24"],
    ["fd00::1", "fd00::1/128"],
    ["fd00::1/64", "fd00::/64"],
  ] as const)
    assert.ok(egress(cidr).includes(`; did you mean "${meant}"?`), egress(cidr));
  assert.match(egress("10.0.0.0.0/8"), /must be an address range such as 10\.0\.0\.0\/8$/m);
});

test("an amount of CPU may be a number in any form", () => {
  for (const [cpu, expected] of [
    ["0.75", "0.75"],
    ["0.50", "0.5"],
    [".5", "0.5"],
    ["1.0", "1"],
    ["2", "2"],
  ] as const) {
    const text = `config:\n  services:\n    hoge: { image: a/b:1, resources: { cpu: ${cpu} } }\n`;
    const { values, rewritten } = parseStackFile(text);
    const config = { ...raw(valid), ...Object.fromEntries([...values].map(([key, value]) => [key, asText(value)])) };
    assert.deepEqual(lostText(config, rewritten), [], cpu);
    assert.equal(checkConfig(config, "test", projectDir).settings.services["hoge"]?.resources.cpu, expected);
  }
  const text = "config:\n  services:\n    hoge: { image: a/b:1, resources: { cpu: 010 }, env: { cpu: 0.50 } }\n";
  const { values, rewritten } = parseStackFile(text);
  const config = Object.fromEntries([...values].map(([key, value]) => [key, asText(value)]));
  assert.equal(lostText(config, rewritten).length, 2);
});
