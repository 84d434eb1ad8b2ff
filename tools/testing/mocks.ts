/** Pulumi without an engine: records the resources that a program registers. */
import * as pulumi from "@pulumi/pulumi";
import { isSecret, onRegistration, type Registration } from "../stack/registrations.ts";

/** A registered resource, with secrets in plain text. */
export interface Recorded extends Omit<Registration, "inputs"> {
  /** Inputs as the provider would receive them. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** Paths of secret inputs. The SDK marks a whole object if one of its fields is secret. */
  readonly secrets: readonly string[];
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

function reveal(value: unknown, path: string, secrets: string[]): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item, index) => reveal(item, `${path}[${index}]`, secrets));
  if (isSecret(value)) {
    secrets.push(path);
    return reveal(value.value, path, []);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, reveal(item, path === "" ? key : `${path}.${key}`, secrets)]),
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

  onRegistration((registration) => {
    recording.resources.push(recorded(registration));
  });
  return recording;
}

function recorded({ inputs, ...registration }: Registration): Recorded {
  const secrets: string[] = [];
  return { ...registration, inputs: reveal(inputs(), "", secrets) as Recorded["inputs"], secrets };
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
