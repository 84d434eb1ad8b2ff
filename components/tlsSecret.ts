import type * as pulumi from "@pulumi/pulumi";
import { makeContentSecret } from "./contentSecret.ts";

/** A PEM chain, leaf first, and the leaf's PEM key. */
export interface Certificate {
  readonly crt: pulumi.Input<string>;
  readonly key: pulumi.Input<string>;
}

/**
 * The Secret `${name}-tls` of a component, named after its content. A rotated certificate is a new Secret beside the
 * old one, so TLS never breaks.
 *
 * @param app the label of the Secret, and the prefix of its name
 * @returns the Secret's name, for references
 */
export function tlsSecret(
  name: string,
  app: string,
  namespace: pulumi.Input<string>,
  { crt, key }: Certificate,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const values = { "tls.crt": crt, "tls.key": key };
  const content = { prefix: `${app}-tls`, app, namespace, values, type: "kubernetes.io/tls" };
  return makeContentSecret(`${name}-tls`, content, opts).resource.metadata.name;
}
