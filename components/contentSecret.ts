import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash } from "../names/kubernetes.ts";

export interface ContentSecretArgs {
  /** Name of the Secret, without the hash that follows. */
  readonly prefix: string;
  /** The workload that it belongs to, for its label. */
  readonly app: string;
  readonly namespace: pulumi.Input<string>;
  readonly values: Readonly<Record<string, pulumi.Input<string>>>;
  /** What else is part of the content, such as where its files are mounted. @default - nothing */
  readonly also?: Readonly<Record<string, string>>;
  /** @default - Kubernetes' own, Opaque */
  readonly type?: string;
}

/** The data under names that no other part of a content has. */
export const prefixed = (prefix: string, data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [`${prefix} ${key}`, value]));

export interface ContentSecret {
  readonly name: pulumi.Output<string>;
  /** Dependency of the pods: the computed name does not imply that the Secret exists. */
  readonly resource: k8s.core.v1.Secret;
}

/** Makes a Secret named after its content: a new value rolls out like a release, and old pods keep their values. */
export function makeContentSecret(
  resourceName: string,
  { prefix, app, namespace, values, also, type }: ContentSecretArgs,
  opts: pulumi.CustomResourceOptions,
): ContentSecret {
  const stringData = pulumi.secret(pulumi.all(values));
  const hashed = (data: Readonly<Record<string, string>>) =>
    also === undefined ? data : { ...also, ...prefixed("data", data) };
  // Mark the name as not secret: it is only a hash. A secret name would hide every pod template that uses it.
  const name = pulumi.unsecret(stringData.apply((data) => `${prefix}-${contentHash(hashed(data))}`));
  const metadata = { name, namespace, labels: commonLabels(app) };
  const content = { metadata, ...(type !== undefined && { type }), immutable: true, stringData };
  const resource = new k8s.core.v1.Secret(resourceName, content, opts);
  return { name, resource };
}
