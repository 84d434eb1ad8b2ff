/** The routes at each pod of the proxy; a script plays kubectl, and a server each pod. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { verifyEveryPod } from "../../../tools/verify/everyPod.ts";
import { startService, type Service } from "../../../tools/testing/loopback.ts";
import { installKubectl, program } from "../apply/kubectlScript.ts";

const target = { kubectl: program, context: "pods.test" };
const routes = new Map([
  ["shop.example.com/", ["web"]],
  ["shop.example.com/hoge/", ["hoge", "next"]],
]);

/** What a pod of the proxy passes on: the request as the service got it. */
const pod = (hoge: string) =>
  startService("proxy", ({ url = "", headers: { host = "" } }, response) => {
    const service = url.startsWith("/hoge/") ? hoge : "web";
    const headers = { host, "x-forwarded-host": host, "x-forwarded-proto": "http", "x-real-ip": "::1", "x-forwarded-for": "::1" }; // prettier-ignore
    if (service === "down") response.statusCode = 502;
    const error = { error: "service unknown or down", service: "hoge", requestId: "1" };
    response.end(JSON.stringify(service === "down" ? error : { service, headers, pod: "p" }));
  });

let pods: Readonly<Record<"good" | "canary" | "bad", Service>>;
before(async () => {
  pods = { good: await pod("hoge"), canary: await pod("next"), bad: await pod("down") };
});
after(async () => {
  for (const each of Object.values(pods)) await each[Symbol.asyncDispose]();
});

function withPods(...names: readonly (keyof typeof pods | "ending")[]): void {
  const items = names.map((name) => ({
    kind: "Pod",
    metadata: { name, ...(name === "ending" && { deletionTimestamp: "2026-01-01T00:00:00Z" }) },
  }));
  installKubectl(
    `*"get pods"*) echo '${JSON.stringify({ kind: "List", items })}'`,
    ...Object.entries(pods).map(
      ([name, { port }]) =>
        `*"port-forward pod/${name} "*) echo "Forwarding from 127.0.0.1:${port} -> 8080"; exec sleep 60`,
    ),
    "*) exit 1",
  );
}

test("each pod that does not end answers for every route; a canary may have answered", async () => {
  withPods("good", "canary", "ending");
  const began = Date.now();
  const hop = await verifyEveryPod(target, "apps", routes);
  assert.deepEqual(hop, { hop: "each pod of nginx", ok: true, seen: "2 pods, 2 routes each" });
  assert.deepEqual([pods.good.count(), pods.canary.count()], [2, 2]);
  assert.ok(Date.now() - began < 20_000, "the forwarding ended with it");
});

test(
  "one pod that does not know a service fails the whole, with its name and the route",
  { timeout: 60_000 },
  async () => {
    withPods("good", "bad");
    const { ok, seen } = await verifyEveryPod(target, "apps", routes, 1000);
    assert.equal(ok, false);
    assert.equal(seen, "bad, shop.example.com/hoge/: 502 from the proxy: service unknown or down (hoge)");
  },
);
