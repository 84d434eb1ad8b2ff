/**
 * The baseline of the evaluation: registers the same resources, with the same options, directly with the SDK's classes
 * from recorded inputs. It has no config, components or outputs. Arguments: the file of `record.ts`, and "pausing" to
 * let the SDK finish each resource before the next one is created.
 */
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import * as docker from "@pulumi/docker";
import * as gcp from "@pulumi/gcp";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Recorded } from "../../testing/mocks.ts";
import type { Bare } from "./results.ts";

type Class = new (name: string, inputs: object, opts: pulumi.CustomResourceOptions) => pulumi.CustomResource;

const packages: Record<string, object> = { docker, gcp, tls };

/** `kubernetes:apps/v1:Deployment` → `k8s.apps.v1.Deployment`, `gcp:compute/network:Network` → `gcp.compute.Network`. */
function classOf(type: string): Class {
  const [of = "", module = "", name = ""] = type.split(":");
  const [group = "", version = ""] = module.split("/");
  if (of === "pulumi") return k8s.Provider;
  const known =
    of === "kubernetes"
      ? (at(k8s, group.replace(/\..*/, ""), version, name) ?? k8s.apiextensions.CustomResource)
      : at(packages[of] ?? {}, ...(group === "index" ? [] : [group]), name);
  if (typeof known !== "function") throw new Error(`The SDKs have no class for ${type}.`);
  return known as Class;
}

const at = (object: object, ...names: readonly string[]): unknown =>
  names.reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object);

async function register(resources: readonly Recorded[], pausing: boolean): Promise<void> {
  const created = new Map<string, pulumi.CustomResource>();
  const providerAt = (urn: string) => {
    const provider = created.get(urn);
    return provider instanceof pulumi.ProviderResource ? { provider } : {};
  };
  for (const { urn, type, name, inputs, secrets, dependencies, provider, customTimeouts } of resources) {
    const props = { ...inputs };
    for (const key of secrets.filter((path) => path in props)) props[key] = pulumi.secret(props[key]);
    const opts: pulumi.CustomResourceOptions = {
      dependsOn: dependencies.flatMap((dependency) => created.get(dependency) ?? []),
      ...providerAt(provider),
      ...(customTimeouts && { customTimeouts }),
    };
    created.set(urn, new (classOf(type))(name, props, opts));
    if (pausing) await nextTurn();
  }
}

const [, , path = "", how] = process.argv;
const resources = (JSON.parse(readFileSync(path, "utf8")) as Recorded[]).filter(
  ({ type }) => type !== "pulumi:pulumi:Stack" && !type.startsWith("gke-microservices:"),
);
Error.stackTraceLimit = 1; // As in `evaluate`.
const before = process.cpuUsage();
let registered = 0;
await pulumi.runtime.setMocks(
  {
    newResource: ({ name, inputs }) => {
      registered += 1;
      return { id: `${name}-id`, state: inputs as object };
    },
    call: () => ({}),
  },
  "bare",
  "bench",
  false,
);
await register(resources, how === "pausing");
await pulumi.runtime.disconnect();
const { user, system } = process.cpuUsage(before);
if (registered !== resources.length) throw new Error(`${registered} of ${resources.length} resources were registered.`);
const measured: Bare = {
  milliseconds: (user + system) / 1000,
  memoryMiB: process.resourceUsage().maxRSS / 1024,
  resources: registered,
};
console.log(JSON.stringify(measured));
