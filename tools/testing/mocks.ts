/** Pulumi without an engine: records the resources that a program registers. */
import * as pulumi from "@pulumi/pulumi";

export interface Recorded {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** Inputs as the provider would receive them, with secrets in plain text. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Paths of secret inputs. The SDK marks a whole object if one of its fields is secret. */
  readonly secrets: readonly string[];
  /** URN of the parent; empty for a resource directly under the stack. */
  readonly parent: string;
  /** URN of the explicit provider; empty for the default one. */
  readonly provider: string;
  /** URNs of the resources that it depends on. */
  readonly dependencies: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly deleteBeforeReplace: boolean;
  readonly retainOnDelete: boolean;
  /** URNs that the resource had before. */
  readonly aliases: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly replaceOnChanges: readonly string[];
  readonly customTimeouts: { readonly create: string; readonly update: string; readonly delete: string } | undefined;
}

export interface MockOptions {
  /** @default "gke-microservices" */
  readonly project?: string;
  /** @default "test" */
  readonly stack?: string;
  /** @default false */
  readonly preview?: boolean;
  /** Outputs of a type that are known only after creation, merged over the inputs. */
  readonly outputs?: Readonly<Record<string, (name: string) => Record<string, unknown>>>;
  /** Results of provider functions by token. A call that is not listed fails the test. */
  readonly calls?: Readonly<Record<string, Record<string, unknown>>>;
}

/** An old URN, or how it differs from the present one. */
interface AliasMessage {
  getUrn(): string;
  getSpec(): { getName(): string; getType(): string; getParenturn(): string; getNoparent(): boolean } | undefined;
}

/** The recorded part of a registration request to the engine. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getObject(): Parameters<typeof pulumi.runtime.deserializeProperties>[0];
  getDependenciesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getDeletebeforereplace(): boolean;
  getRetainondelete(): boolean;
  getAliasesList(): AliasMessage[];
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getCustomtimeouts(): { getCreate(): string; getUpdate(): string; getDelete(): string } | undefined;
}
type Callback = (error: unknown, response: { getUrn(): string } | undefined) => void;
interface Monitor {
  registerResource(request: RegisterRequest, callback: Callback): Promise<void>;
}

function reveal(value: unknown, path: string, secrets: string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => reveal(item, `${path}[${index}]`, secrets));
  const object = value as Record<string, unknown>;
  if (object[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig) {
    secrets.push(path);
    return reveal(object["value"], path, []);
  }
  return Object.fromEntries(
    Object.entries(object).map(([key, item]) => [key, reveal(item, path === "" ? key : `${path}.${key}`, secrets)]),
  );
}

export class Recording {
  readonly resources: Recorded[] = [];
  /** Tokens of the provider functions that were called. */
  readonly calls: string[] = [];

  /** The only resource of a type, or the one of that name. */
  one(type: string, name?: string): Recorded {
    const found = this.all(type).filter((resource) => name === undefined || resource.name === name);
    const [only] = found;
    if (only === undefined || found.length > 1) {
      const there = this.resources.map((resource) => `${resource.type} ${resource.name}`).join("\n  ");
      throw new Error(`${found.length} resources ${type} ${name ?? ""}; there are:\n  ${there}`);
    }
    return only;
  }

  /** The first resource of that name. */
  named(name: string): Recorded {
    const found = this.resources.find((resource) => resource.name === name);
    if (found === undefined) throw new Error(`There is no resource ${name}`);
    return found;
  }

  /** All resources of a type, in the order in which they were registered. */
  all(type: string): Recorded[] {
    return this.resources.filter((resource) => resource.type === type);
  }
}

/**
 * Installs the mocks. Await it before the program under test creates a resource. A generated name of a Google resource
 * is the resource's name with the suffix `-0000000`.
 */
export async function mockPulumi(options: MockOptions = {}): Promise<Recording> {
  const recording = new Recording();
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs, custom }) => {
        const generated = custom === true && type.startsWith("gcp:") ? { name: `${name}-0000000` } : {};
        const state = { ...generated, ...(inputs as Record<string, unknown>), ...options.outputs?.[type]?.(name) };
        return { id: custom === true ? `${name}-id` : "", state };
      },
      call: ({ token }) => {
        recording.calls.push(token);
        const answer = options.calls?.[token];
        if (answer === undefined) throw new Error(`The program called ${token}, which this test does not expect`);
        return answer;
      },
    },
    options.project ?? "gke-microservices",
    options.stack ?? "test",
    options.preview ?? false,
  );

  // The mocks' callback does not get parents, dependencies and options: intercept the request instead.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (response !== undefined) recording.resources.push(recorded(request, response.getUrn()));
      callback(error, response);
    });
  return recording;
}

function recorded(request: RegisterRequest, urn: string): Recorded {
  const secrets: string[] = [];
  const timeouts = request.getCustomtimeouts();
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    inputs: reveal(pulumi.runtime.deserializeProperties(request.getObject()), "", secrets) as Recorded["inputs"],
    secrets,
    parent: request.getParent(),
    // The request has `<urn>::<id>`.
    provider: request.getProvider().replace(/::[^:]*$/, ""),
    dependencies: request.getDependenciesList(),
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    retainOnDelete: request.getRetainondelete(),
    aliases: request.getAliasesList().map((alias) => aliasUrn(alias, request, urn)),
    ignoreChanges: request.getIgnorechangesList(),
    replaceOnChanges: request.getReplaceonchangesList(),
    customTimeouts: timeouts && {
      create: timeouts.getCreate(),
      update: timeouts.getUpdate(),
      delete: timeouts.getDelete(),
    },
  };
}

/** As in https://www.pulumi.com/docs/iac/concepts/options/aliases/: what an alias leaves out is as in the present URN. */
function aliasUrn(alias: AliasMessage, request: RegisterRequest, urn: string): string {
  const spec = alias.getSpec();
  if (spec === undefined) return alias.getUrn();
  const [stackPart, project] = urn.split("::");
  const parent = spec.getNoparent() ? "" : spec.getParenturn() || request.getParent();
  const parentTypes = parent.split("::")[2];
  const type = spec.getType() || request.getType();
  const types = parentTypes === undefined || parentTypes === "pulumi:pulumi:Stack" ? type : `${parentTypes}$${type}`;
  return [stackPart, project, types, spec.getName() || request.getName()].join("::");
}

/** Waits until all requests of the program are answered. */
export async function settled(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** The value of a known output. */
export async function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply((value) => {
      resolve(value);
    });
  });
}
