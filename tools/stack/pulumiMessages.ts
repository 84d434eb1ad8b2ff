/** What the Pulumi CLI and its providers say when they fail, and the way on in this project. */

interface KnownMessage {
  /** A part of the message, as it stands in docs/troubleshooting.md. */
  readonly says: string;
  /** Sentences, in the imperative. */
  readonly fix: string;
}

/** In docs/troubleshooting.md as well. The first that matches counts. */
export const knownMessages: readonly KnownMessage[] = [
  {
    says: "because it is protected",
    fix: "Revert the change of the config that deletes or replaces the cluster. If you mean it, set cluster.deletionProtection to false and apply that alone first.",
  },
  {
    says: "failed to connect to any docker daemon",
    fix: "Start Docker or set DOCKER_HOST, or give ready images: services.NAME.image and proxy.image.",
  },
  {
    says: "the stack is currently locked",
    fix: "Wait until the other update has ended. If none runs, as after a killed one: npx pulumi cancel --stack STACK",
  },
  {
    says: "conflict with",
    fix: "Set another namespace, or remove the label gke-microservices/stack from this one if the other stack is gone.",
  },
  {
    says: "pending operations",
    fix: "Follow “An update that was killed” in docs/troubleshooting.md, then apply the stack again.",
  },
  {
    says: "configured Kubernetes cluster is unreachable",
    fix: "Check the network, and that cluster.context or the cluster's authorized networks let this machine in, then apply the stack again.",
  },
  {
    says: "has not been used in project",
    fix: "Wait some minutes: Google has only just enabled the API. Then apply the stack again.",
  },
  {
    says: "incorrect passphrase",
    fix: "Set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase that the stack was created with.",
  },
];

/** @returns undefined if the output has no known message */
export function fixFor(output: string): string | undefined {
  return knownMessages.find(({ says }) => output.includes(says))?.fix;
}
