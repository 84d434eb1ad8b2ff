/** What changes of releases' jobs and of schedules mean, in words. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { consequences } from "../../../tools/diff/consequences.ts";
import type { KubernetesObject } from "../../../tools/stack/evaluate.ts";

const job = (service: string, hash: string): KubernetesObject => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: {
    name: `${service}-release-${hash}`,
    namespace: "apps",
    labels: { "app.kubernetes.io/name": `${service}-release` },
  },
});
const cronJob = (name: string, schedule: string, timeZone = "Etc/UTC"): KubernetesObject => ({
  apiVersion: "batch/v1",
  kind: "CronJob",
  metadata: { name, namespace: "apps" },
  spec: { schedule, timeZone },
});
const texts = (before: KubernetesObject[], after: KubernetesObject[]) =>
  consequences([], { before: { objects: before }, after: { objects: after } }).map(
    ({ text, names = [] }) => `${text}: ${names.join("; ")}`,
  );

test("a job that will run before the new pods start", () => {
  const runs =
    "Before the new pods of these services start, the job of their release runs; if it fails, those that run serve on";
  const [one, two] = ["0123456789", "abcdef0123"];
  assert.deepEqual(texts([job("shop", one), job("stock", one)], [job("shop", two), job("stock", one)]), [
    `${runs}: shop`,
  ]);
  assert.deepEqual(texts([], [job("shop", one), job("stock", one)]), [`${runs}: shop; stock`]);
  assert.deepEqual(texts([job("shop", one)], [job("shop", one)]), []);
  assert.deepEqual(texts([job("shop", one)], []), []);
});

test("a schedule that is new, has other times, or is gone", () => {
  const [cleanup, report] = [cronJob("cleanup", "0 3 * * *"), cronJob("report", "@weekly", "Asia/Tokyo")];
  assert.deepEqual(texts([cleanup], [cleanup, report]), [
    "These services run by a schedule, which is new: report: @weekly (Asia/Tokyo)",
  ]);
  assert.deepEqual(texts([cleanup, report], [cronJob("cleanup", "0 4 * * *"), cronJob("report", "@weekly")]), [
    "These services run at other times: cleanup: 0 4 * * * (Etc/UTC), so far 0 3 * * * (Etc/UTC); report: @weekly (Etc/UTC), so far @weekly (Asia/Tokyo)",
  ]);
  assert.deepEqual(texts([cleanup, report], [report]), [
    "These services do not run by their schedule any more: cleanup: 0 3 * * * (Etc/UTC)",
  ]);
  assert.deepEqual(texts([cleanup], [{ ...cleanup, spec: { ...(cleanup["spec"] as object), suspend: true } }]), []);
});
