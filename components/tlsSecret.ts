import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash } from "../names/kubernetes.ts";

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
