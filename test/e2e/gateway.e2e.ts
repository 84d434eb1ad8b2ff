/** The path with a Gateway instead of an Ingress, and the switch from one to the other on a running stack. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { kubectlObjects } from "../../tools/cli/kubectl.ts";
import { stackFile, localTarget, stop } from "./support/commands.ts";
import { pathTests, start } from "./support/path.ts";

const original = readFileSync(stackFile, "utf8");
writeFileSync(stackFile, original.replace("kind: ingress", "kind: gateway"));
after(async () => {
  writeFileSync(stackFile, original);
  await stop();
});

pathTests();

const objects = (kind: string) => {
  return kubectlObjects(localTarget, ["get", kind, "-n", "apps"]);
};

test("the controller has accepted the Gateway and each HTTPRoute", async () => {
  interface Status {
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly parents?: readonly {
      readonly conditions: readonly { readonly type: string; readonly status: string }[];
    }[];
  }
  const [gateway] = await objects("gateways");
  const conditions = (gateway?.["status"] as Status).conditions ?? [];
  for (const condition of ["Accepted", "Programmed"])
    assert.ok(
      conditions.some(({ type, status }) => type === condition && status === "True"),
      JSON.stringify(conditions),
    );
  const routes = await objects("httproutes");
  assert.equal(routes.length, 3);
  for (const { metadata, ...route } of routes)
    for (const { conditions } of (route["status"] as Status).parents ?? assert.fail(metadata.name))
      assert.deepEqual(
        conditions.filter(({ status }) => status !== "True"),
        [],
        metadata.name,
      );
});

test("back to an Ingress: every hop works, and nothing remains of the Gateway", async () => {
  writeFileSync(stackFile, original);
  const { status, text } = await start();
  assert.equal(status, 0, text);
  assert.match(text, /applied .*Ingress\/ingress.*pruned Gateway\/gateway, HTTPRoute\/gateway-redirect, /);
  assert.deepEqual([await objects("gateways"), await objects("httproutes")], [[], []]);
  const again = await start();
  assert.match(again.text, /nothing to apply/);
});
