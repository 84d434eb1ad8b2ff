/** Formats Kubernetes objects as YAML. */
import { stringify } from "yaml";

/** One object, without folded lines and aliases, so that a diff shows only what changed. */
export const objectYaml = (object: object): string => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });

/** Several objects as one multi-document text. */
export const toYaml = (objects: readonly object[]): string => objects.map(objectYaml).join("---\n");
