/** Kubernetes objects as YAML, for people and for kubectl. */
import { stringify } from "yaml";

/** One object. Nothing is folded or made an alias, so that a diff shows what changed and no more. */
export const objectYaml = (object: object): string => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false });

/** All of them in one text. */
export const toYaml = (objects: readonly object[]): string => objects.map(objectYaml).join("---\n");
