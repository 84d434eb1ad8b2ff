import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash } from "../names/kubernetes.ts";

/** A PEM chain, the leaf first, and the PEM key of the leaf. */
export interface Certificate {
  readonly crt: pulumi.Input<string>;
  readonly key: pulumi.Input<string>;
}

/**
 * The Secret `${name}-tls` of a component, named after its content: a rotated certificate is a new Secret beside the old
 * one, never a gap.
 *
 * @param app the part of the stack that it belongs to, as its label and the start of its name
 * @returns the Secret's name, for what refers to it
 */
export function tlsSecret(
  name: string,
  app: string,
  namespace: pulumi.Input<string>,
  { crt, key }: Certificate,
  opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  const stringData = pulumi.secret(pulumi.all({ "tls.crt": crt, "tls.key": key }));
  const secretName = pulumi.unsecret(stringData.apply((data) => `${app}-tls-${contentHash(data)}`));
  const secret = new k8s.core.v1.Secret(
    `${name}-tls`,
    {
      metadata: { name: secretName, namespace, labels: commonLabels(app) },
      type: "kubernetes.io/tls",
      immutable: true,
      stringData,
    },
    opts,
  );
  return secret.metadata.name;
}
