/** What else runs in a service's pods than its program: sidecars, which all start first, and init containers. */
import type { InitSettings, SidecarSettings } from "./schema/containers.ts";
import type { ServiceSettings } from "./schema.ts";

type Holder = Pick<ServiceSettings, "sidecars" | "init">;

interface Named {
  readonly name: string;
  /** Its place below the service. */
  readonly path: readonly ["sidecars", string] | readonly ["init", number];
}
export type PodContainer = Named &
  (
    | { readonly kind: "sidecar"; readonly settings: SidecarSettings }
    | { readonly kind: "init"; readonly settings: InitSettings }
  );

/** In the order of their start. */
export const containersOf = ({ sidecars, init }: Holder): PodContainer[] => [
  ...Object.entries(sidecars)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, settings]) => ({ kind: "sidecar", name, path: ["sidecars", name], settings }) as const),
  ...init.map((settings, index) => ({ kind: "init", name: settings.name, path: ["init", index], settings }) as const),
];

/** The port of a sidecar, in the form of a service's. */
export const portOf = (container: PodContainer): number | "none" =>
  container.kind === "sidecar" ? (container.settings.port ?? "none") : "none";

/** As errors call it. */
export const titleOf = ({ kind, name }: Pick<PodContainer, "kind" | "name">): string =>
  kind === "sidecar" ? `the sidecar ${name}` : `the init container ${name}`;
