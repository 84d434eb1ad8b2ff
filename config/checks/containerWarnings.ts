/** Sidecars and init containers: what is no mistake for certain, and seldom meant. */
import { bytesOf } from "../../names/quantities.ts";
import type { PodContainer } from "../containers.ts";
import { keyOf } from "../problems.ts";
import type { ServiceSettings, Settings } from "../schema.ts";
import { callsOf } from "../variables.ts";

type At = readonly PropertyKey[];

/** Words such as `nc -z cart 7070`, in a pod that may not call the service: its init container would wait for ever. */
export function waitWarnings(
  name: string,
  at: At,
  { command = [], args = [] }: Pick<ServiceSettings, "command" | "args">,
  { services, networkPolicies }: Settings,
): string[] {
  const service = services[name];
  if (service === undefined || !networkPolicies.enabled) return [];
  const calls = callsOf(service);
  const text = [...command, ...args].join(" ");
  return Object.keys(services)
    .filter((other) => other !== name && !calls.includes(other))
    .filter((other) => new RegExp(`(^|[\\s/"'=@])${other}(\\.[-.a-z0-9]+)?[: ]\\d{2,5}(?!\\d)`).test(text))
    .map(
      (other) =>
        `${keyOf([...at, args.length > 0 ? "args" : "command"])}: has an address of ${other}, which the service may not call; write $(NAME) with NAME: { service: ${other} } in its env, or add ${other} to calls`,
    );
}

/** What is in a folder in memory counts for the container that wrote it. */
export function sharedMemoryWarnings(
  at: At,
  { settings }: PodContainer,
  scratch: ServiceSettings["scratch"],
): string[] {
  const shared = Object.entries(scratch).filter(([path, { memory }]) => memory && settings.shares.includes(path));
  const most = shared.reduce((sum, [, { size }]) => sum + bytesOf(size), 0);
  const { memory } = settings.resources;
  return most > 0 && most >= bytesOf(memory)
    ? [
        `${keyOf([...at, "resources", "memory"])}: ${memory} is not more than the folders in memory that it shares, ${shared.map(([path]) => path).join(", ")}; raise it if the container fills them`,
      ]
    : [];
}
