/** Breaks parts of the running local stack. Each way to break returns how to repair it. */
import { readFileSync, writeFileSync } from "node:fs";
import { createAuthority } from "../../../tools/cli/pki.ts";
import { kubectl } from "../../../tools/cli/kubectl.ts";
import { localTarget, stackFile } from "../support/commands.ts";
import { start } from "../support/path.ts";
import { apps, breakPods, endPods, live, patch, restore } from "./fixing.ts";
import { suspend, processesOf } from "../faults/nodeProcesses.ts";

export type Repair = () => Promise<unknown>;
export type Break = () => Promise<Repair>;

/** Changes the container of a Deployment, and other parts of its pods. The pods of the previous revision end. */
export const pods =
  (
    name: string,
    container: Readonly<Record<string, unknown>>,
    pod?: (spec: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
  ): Break =>
  () =>
    breakPods(name, container, pod);

/** Changes or deletes an object of the stack's namespace. */
export const object =
  (name: string, change: Readonly<Record<string, unknown>> | "deleted"): Break =>
  async () => {
    const was = await live(name);
    await (change === "deleted" ? apps("delete", name) : patch(name, change));
    return () => restore(was);
  };

/** Runs kubectl in the stack's namespace. */
export const commands =
  (breaks: readonly string[], repairs: readonly string[]): Break =>
  async () => {
    await apps(...breaks);
    return () => apps(...repairs);
  };

/** Replaces the pods of a Deployment, for what running ones do not show. Its controller repairs it. */
export const replacePods =
  (name: string): Break =>
  async () => {
    await endPods(name);
    return () => Promise.resolve();
  };

/** Edits the stack file without applying it. */
export const unapplied =
  (edit: (text: string) => string): Break =>
  () => {
    const original = readFileSync(stackFile, "utf8");
    writeFileSync(stackFile, edit(original));
    return Promise.resolve(() => {
      writeFileSync(stackFile, original);
      return Promise.resolve();
    });
  };

/** Edits the stack file and applies it. */
export const applied =
  (edit: (text: string) => string): Break =>
  async () => {
    const restoreFile = await unapplied(edit)();
    await start();
    return async () => {
      await restoreFile();
      await start();
    };
  };

/** Serves another certificate. @param names that it is for @param days that it is valid, negative if it has expired */
export const certificate =
  (names: readonly string[], days?: number): Break =>
  async () => {
    const authority = await createAuthority("somebody's CA");
    const issued = await authority.issue({ commonName: "other", names, ...(days !== undefined && { days }) });
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "other-tls", namespace: "apps" },
      type: "kubernetes.io/tls",
      stringData: { "tls.crt": issued.certificate, "tls.key": issued.key },
    };
    await kubectl(localTarget, ["create", "-f", "-"], { input: JSON.stringify(secret) });
    const hosts = ["shop.localhost", "hoge.shop.localhost"];
    const repair = await object("ingress/ingress", { spec: { tls: [{ secretName: "other-tls", hosts }] } })();
    return async () => {
      await repair();
      await apps("delete", "secret", "other-tls");
    };
  };

/** Suspends a program of the node. */
export const suspended =
  (program: string, seconds: number): Break =>
  () => {
    const done = suspend(processesOf(program), seconds);
    return Promise.resolve(() => done);
  };
