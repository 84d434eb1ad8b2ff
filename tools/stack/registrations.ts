/**
 * Records the resources that the program registers under the SDK's mocks. The mocks themselves get neither parents nor
 * dependencies nor options, so this reads the requests to the engine.
 */
import * as pulumi from "@pulumi/pulumi";

export interface Registration {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Whether a provider manages it; false for a component. */
  readonly custom: boolean;
  /** Inputs as the provider would receive them, with secrets wrapped: see `isSecret`. */
  readonly inputs: () => Record<string, unknown>;
  /** URN of the parent; empty for a resource directly under the stack. */
  readonly parent: string;
  /** URN of the explicit provider; empty for the default one. */
  readonly provider: string;
  /** URNs of the resources that it depends on. */
  readonly dependencies: readonly string[];
  /** By input: URNs of the resources whose outputs its value has. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
  readonly aliases: readonly Alias[];
  readonly protect: boolean;
  /** Undefined if the program leaves it to the provider. */
  readonly deleteBeforeReplace: boolean | undefined;
  readonly retainOnDelete: boolean;
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly customTimeouts: { readonly create: string; readonly update: string; readonly delete: string } | undefined;
}

/** A former identity: a URN, or the parts of one that differ from today's. */
export type Alias =
  | { readonly urn: string }
  /** `parent` is a URN; empty for a resource that was directly under the stack. */
  | { readonly name?: string; readonly type?: string; readonly parent?: string };

/** The used part of the SDK's `RegisterResourceRequest`. */
interface Request {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getProvider(): string;
  getObject(): Parameters<typeof pulumi.runtime.deserializeProperties>[0];
  getDependenciesList(): string[];
  getPropertydependenciesMap(): Iterable<[string, { getUrnsList(): string[] }]> & {
    forEach(each: (value: { getUrnsList(): string[] }, key: string) => void): void;
  };
  getAliasesList(): AliasRequest[];
  getProtect(): boolean;
  getDeletebeforereplace(): boolean;
  getDeletebeforereplacedefined(): boolean;
  getRetainondelete(): boolean;
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getCustomtimeouts(): { getCreate(): string; getUpdate(): string; getDelete(): string } | undefined;
}
interface AliasRequest {
  getUrn(): string;
  getSpec(): { getName(): string; getType(): string; getParenturn(): string; getNoparent(): boolean } | undefined;
}
type Callback = (error: unknown, response: { getUrn(): string } | undefined) => void;
interface Monitor {
  registerResource(request: Request, callback: Callback): Promise<void>;
}

/** Calls `record` for each resource, after the mocks have answered. Call this after `setMocks`. */
export function onRegistration(record: (registration: Registration) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (response !== undefined) record(registration(request, response.getUrn()));
      callback(error, response);
    });
}

function registration(request: Request, urn: string): Registration {
  const timeouts = request.getCustomtimeouts();
  const sources: Record<string, readonly string[]> = {};
  request.getPropertydependenciesMap().forEach((urns, property) => {
    const list = urns.getUrnsList();
    if (list.length > 0) sources[property] = list;
  });
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    inputs: () => pulumi.runtime.deserializeProperties(request.getObject()),
    parent: request.getParent(),
    // The request has `<urn>::<id>`.
    provider: request.getProvider().replace(/::[^:]*$/, ""),
    dependencies: request.getDependenciesList(),
    sources,
    aliases: request.getAliasesList().map(aliasOf),
    protect: request.getProtect(),
    deleteBeforeReplace: request.getDeletebeforereplacedefined() ? request.getDeletebeforereplace() : undefined,
    retainOnDelete: request.getRetainondelete(),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    customTimeouts: timeouts && {
      create: timeouts.getCreate(),
      update: timeouts.getUpdate(),
      delete: timeouts.getDelete(),
    },
  };
}

function aliasOf(alias: AliasRequest): Alias {
  const spec = alias.getSpec();
  if (spec === undefined) return { urn: alias.getUrn() };
  const [name, type, parent] = [spec.getName(), spec.getType(), spec.getParenturn()];
  return {
    ...(name !== "" && { name }),
    ...(type !== "" && { type }),
    ...((parent !== "" || spec.getNoparent()) && { parent }),
  };
}

/**
 * The URN that an alias stands for: what it leaves out is as in the resource's own.
 * https://www.pulumi.com/docs/iac/concepts/options/aliases/
 */
export function aliasUrn(alias: Alias, of: Pick<Registration, "urn" | "type" | "name" | "parent">): string {
  if ("urn" in alias) return alias.urn;
  const [stack, project] = of.urn.split("::");
  const parentTypes = (alias.parent ?? of.parent).split("::")[2];
  const type = alias.type ?? of.type;
  const types = parentTypes === undefined || parentTypes === "pulumi:pulumi:Stack" ? type : `${parentTypes}$${type}`;
  return [stack, project, types, alias.name ?? of.name].join("::");
}

/** Whether the SDK has wrapped the value as a secret; the plain one is its `value`. */
export const isSecret = (value: object): value is { readonly value: unknown } =>
  (value as Record<string, unknown>)[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig;
