/** Variables of a container, and the words of its command, in which they may be named. */
import type * as pulumi from "@pulumi/pulumi";
import { literal } from "../../names/kubernetes.ts";
import { makeContentSecret } from "../contentSecret.ts";

/** A variable of a container: a text, or a field of its pod. */
export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
}

export interface VariablesArgs {
  /** Name of their Secret, before the hash of its content. */
  readonly prefix: string;
  /** The service that the Secret belongs to. */
  readonly service: string;
  readonly namespace: pulumi.Input<string>;
  readonly env: readonly EnvVar[];
  /** Those in the Secret. @default - none */
  readonly secretEnv?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
}

/** Makes the Secret, if there are secret variables. */
export function makeVariables(
  { prefix, service, namespace, env, secretEnv = {} }: VariablesArgs,
  opts: pulumi.CustomResourceOptions,
) {
  const secret =
    Object.keys(secretEnv).length === 0
      ? undefined
      : makeContentSecret(prefix, { prefix, app: service, namespace, values: secretEnv }, opts);
  const names = [...env.map((each) => each.name), ...Object.keys(secretEnv)];
  return {
    /** Of the container. */
    keys: { env: [...env], ...(secret && { envFrom: [{ secretRef: { name: secret.name } }] }) },
    /** Words in which `$(NAME)` is a variable's value, and everything else is text. */
    words: (all: readonly string[]) => all.map((word) => literal(word, names)),
    /** What must exist before the container does. */
    needs: secret === undefined ? [] : [secret.resource],
  };
}
