/** Releases' jobs and schedules in the checks of sizes, room and callers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkConfig } from "../../config/config.ts";
import { networkFlows } from "../../config/flows.ts";
import { hoge, projectDir, raw, refusal, valid } from "./refusal.ts";

const { image } = valid.services.hoge;
const google = { "gcp:project": "acme-staging", "gcp:region": "asia-northeast1" };
const schedule = { image, args: ["tick"], schedule: "@daily" };
const checked = (config: Record<string, unknown>, more: Record<string, string> = {}) =>
  checkConfig(raw(config, more), "test", projectDir);

const room = (services: object) => {
  const nodePools = { main: { machineType: "e2-standard-2", maxPerZone: 2 } };
  const cluster = { kind: "gke", zones: ["asia-northeast1-a"], nodePools };
  const { warnings } = checked({ domain: valid.domain, cluster, services }, google);
  return warnings.flatMap((text) => /rollout of everything needs (.*); raise/.exec(text)?.[1] ?? []);
};

test("a schedule needs room for one pod, which a rollout does not double", () => {
  const web = { image, replicas: 2, resources: { cpu: "300m" } };
  // 1960m are free, and the proxy's rollout needs 660m of them.
  assert.deepEqual(room({ web, tick: { ...schedule, resources: { cpu: "100m" } } }), []);
  const jobs = "the old pods, the new ones and those of jobs";
  assert.deepEqual(room({ web, tick: { ...schedule, resources: { cpu: "101m" } } }), [`1961m of CPU, ${jobs}`]);
  const allow = { ...schedule, concurrency: "allow", resources: { cpu: "100m" } };
  assert.deepEqual(room({ web, tick: allow }), []);
});

test("the job of a release needs room for one more pod of its service", () => {
  const release = { args: ["migrate"] };
  assert.deepEqual(room({ web: { image, replicas: 2, resources: { cpu: "260m" }, release } }), []);
  assert.deepEqual(room({ web: { image, replicas: 2, resources: { cpu: "261m" }, release } }), [
    "1965m of CPU, the old pods, the new ones and those of jobs",
  ]);
});

test("a pod of a schedule that no node takes is refused, as any other", () => {
  const nodePools = { main: { machineType: "e2-standard-2" } };
  const services = { tick: { ...schedule, resources: { cpu: "3" } } };
  const config = { domain: valid.domain, cluster: { kind: "gke", nodePools }, services };
  assert.match(refusal(config, google), /services\.tick\.resources\.cpu\n.*3000m of CPU, which no node has/);
  const autopilot = { ...config, cluster: { kind: "gke", mode: "autopilot" } };
  assert.match(refusal(autopilot, google), /services\.tick\.resources\.memory\n.* is less than the 1Gi/);
});

test("words and objects of a release's job have the same limits as its service's", () => {
  const word = "x".repeat(131_072);
  for (const key of ["command", "args"])
    assert.match(
      refusal(hoge({ release: { args: ["a"], [key]: ["a", word] } })),
      new RegExp(`services\\.hoge\\.release\\.${key}\\[1\\]\\n\\s+"x+… has 131,072 bytes, and Linux starts no program`),
    );
  const many = (size: number) => Array.from({ length: size }, () => "x".repeat(100_000));
  assert.match(
    refusal(hoge({ release: { args: many(16) } })),
    /services\.hoge\.release\.args\n\s+\[.* make a Job of about 1,\d{3},\d{3} bytes/,
  );
  checked(hoge({ release: { args: many(14) } }));
  const scheduled = { ...valid, services: { ...valid.services, tick: { ...schedule, args: many(16) } } };
  assert.match(refusal(scheduled), /services\.tick\.args\n\s+\[.* make a CronJob of about/);
});

test("a word that no shell reads is warned of in the job of a release too", () => {
  const { warnings } = checked(hoge({ release: { command: ["rails db:migrate"], args: ["$HOME"] } }));
  assert.deepEqual(
    warnings.map((text) => text.replace(/;.*/, "")),
    [
      'gke-microservices:services.hoge.release.command: "rails db:migrate" is one word, the name of a program with spaces in it',
      'gke-microservices:services.hoge.release.args: "$HOME" stays as it is, because no shell reads it',
    ],
  );
});

test("a call of a schedule is refused with a fix that a schedule has", () => {
  const stack = (changes: object) => ({ ...valid, services: { ...hoge({ ...changes }).services, tick: schedule } });
  const rule = /"tick" runs by a schedule, so that nothing can call it; remove it\n/;
  assert.match(refusal(stack({ calls: ["tick"] })), new RegExp(`services\\.hoge\\.calls\\[0\\]\\n\\s+${rule.source}`));
  assert.match(refusal(stack({ env: { TICK: { url: "tick" } } })), rule);
  assert.match(refusal(stack({ routes: [{ path: "/", canary: { service: "tick", percent: 5 } }] })), rule);
  const { warnings } = checked(stack({ env: { TICK: "http://tick:8080" } }));
  assert.match(warnings.join("\n"), /is the address of tick, which runs by a schedule, .*; remove the address$/m);
});

test("names in a path or subdomain find no schedule, and no worker", () => {
  const services = { web: { image }, jobs: { image, port: "none" }, tick: schedule };
  const config = { ...valid, services, proxy: { wildcards: { path: { allow: ["web", "jobs", "tick"], port: 8080 } } } };
  const { proxy } = networkFlows(checked(config).settings);
  assert.deepEqual(
    proxy.wildcards.map((each) => each.services),
    [["web"]],
  );
});
