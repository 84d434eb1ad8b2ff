import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { projectDir, raw, valid } from "./refusal.ts";

function warnings(services: number, memory: string): readonly string[] {
  const names = Array.from({ length: services }, (_, index) => `s${index}`);
  const config = {
    ...valid,
    proxy: { resources: { memory } },
    services: Object.fromEntries(names.map((name) => [name, { image: "a/b:1", routes: [{ path: `/${name}/` }] }])),
  };
  return checkConfig(raw(config), "test", projectDir).warnings;
}

test("too many services for the proxy's memory cause a warning with the amount to set", () => {
  assert.deepEqual(warnings(700, "128Mi"), []);
  assert.equal(warnings(900, "128Mi").length, 1, "too little for requests");
  const [warning, ...others] = warnings(1100, "128Mi");
  assert.match(
    warning ?? "",
    /proxy\.resources\.memory: 128Mi may be too little for 1100 services .*; set 192Mi or more$/,
  );
  assert.deepEqual(others, []);
  assert.deepEqual(warnings(1100, "192Mi"), []);
  assert.deepEqual(warnings(1100, "1Gi"), []);
  assert.equal(warnings(1100, "100000000").length, 1, "bytes");
  assert.deepEqual(warnings(1, "64Mi"), []);
  assert.equal(warnings(1, "32Mi").length, 1);
});
