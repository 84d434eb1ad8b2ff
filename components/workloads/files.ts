/** Files of a service's pods: a ConfigMap and a Secret named after their content, mounted file by file. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { commonLabels, contentHash } from "../../names/kubernetes.ts";
import { makeContentSecret, prefixed } from "../contentSecret.ts";

/** The content of a file, as text or base64. */
export type FileContent = { readonly text: string } | { readonly base64: string };

export interface PodFiles {
  /** By path in the container. */
  readonly plain: Readonly<Record<string, FileContent>>;
  readonly secret: Readonly<Record<string, pulumi.Input<string>>>;
}

type Volume = k8s.types.input.core.v1.Volume;

/** Where a container sees a volume, or a file of it. */
export interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

/** So that a file in a folder is mounted after it. */
export const byPath = (mounts: readonly Mount[]): Mount[] =>
  [...mounts].sort((a, b) => (a.mountPath < b.mountPath ? -1 : 1));

export interface MountedFiles {
  readonly volumes: readonly Volume[];
  readonly mounts: readonly Mount[];
  /** Dependencies of the pods: a computed name does not imply that the object exists. */
  readonly resources: readonly pulumi.Resource[];
}

/** Keys of a ConfigMap have no slashes: the position, and the file's name for those who read the object. */
const keysOf = (paths: readonly string[]): readonly (readonly [path: string, key: string])[] =>
  [...paths]
    .sort()
    .map((path, index) => [path, `${index}-${path.replace(/.*\//, "").replaceAll(/[^-._A-Za-z0-9]/g, "_")}`]);

/** A changed content is a new object: it rolls out like a release, and old pods keep theirs. */
export function mountFiles(
  name: string,
  namespace: pulumi.Input<string>,
  { plain, secret }: PodFiles,
  opts: pulumi.CustomResourceOptions,
): MountedFiles {
  const labels = commonLabels(name);
  const parts: MountedFiles[] = [];
  const part = (
    volume: Volume & { readonly name: string },
    keys: ReturnType<typeof keysOf>,
    resource: pulumi.Resource,
  ) =>
    parts.push({
      volumes: [volume],
      mounts: keys.map(([path, key]) => ({ name: volume.name, mountPath: path, subPath: key, readOnly: true })),
      resources: [resource],
    });

  const keys = keysOf(Object.keys(plain));
  if (keys.length > 0) {
    const of = (kind: "text" | "base64") =>
      Object.fromEntries(
        keys.flatMap(([path, key]) => {
          const content = Object.entries(plain[path] ?? {}).find(([each]) => each === kind)?.[1];
          return content === undefined ? [] : [[key, content]];
        }),
      );
    const [data, binaryData] = [of("text"), of("base64")];
    const hash = contentHash({
      ...Object.fromEntries(keys),
      ...prefixed("text", data),
      ...prefixed("base64", binaryData),
    });
    const configMap = `${name}-files-${hash}`;
    const resource = new k8s.core.v1.ConfigMap(
      `${name}-files`,
      {
        metadata: { name: configMap, namespace, labels },
        immutable: true,
        data,
        ...(Object.keys(binaryData).length > 0 && { binaryData }),
      },
      opts,
    );
    part({ name: "files", configMap: { name: configMap } }, keys, resource);
  }

  const secretKeys = keysOf(Object.keys(secret));
  if (secretKeys.length > 0) {
    const values = Object.fromEntries(secretKeys.map(([path, key]) => [key, secret[path] ?? ""]));
    const prefix = `${name}-secret-files`;
    const also = Object.fromEntries(secretKeys);
    const made = makeContentSecret(prefix, { prefix, app: name, namespace, values, also }, opts);
    // Readable for the pod's group alone; kubelet would widen a stricter mode to this.
    part({ name: "secret-files", secret: { secretName: made.name, defaultMode: 0o440 } }, secretKeys, made.resource);
  }
  return {
    volumes: parts.flatMap(({ volumes }) => volumes),
    mounts: parts.flatMap(({ mounts }) => mounts),
    resources: parts.flatMap(({ resources }) => resources),
  };
}
