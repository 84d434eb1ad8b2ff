/** The name of the key that encrypts the secrets in config and state. */
import { googleName } from "../../names/google.ts";

/** The key ring of that key. */
export const keyRing = "pulumi";

interface Place {
  /** Name of the Pulumi project. */
  readonly pulumiProject: string;
  /** Google Cloud project. */
  readonly project: string;
  readonly region: string;
}

/**
 * That of the Pulumi project. A stack that has a key keeps it: a project may be renamed afterwards, and another key could
 * not read its secrets.
 * @param stackFile its text, in which `pulumi stack init` writes the key
 */
export function keyNameOf({ pulumiProject, project, region }: Place, stackFile: string): string {
  const [, url] = /^secretsprovider:\s*["']?gcpkms:\/\/([^\s"'?]+)/m.exec(stackFile) ?? [];
  const keys = `projects/${project}/locations/${region}/keyRings/${keyRing}/cryptoKeys/`;
  return url?.startsWith(keys) === true && !url.slice(keys.length).includes("/")
    ? url.slice(keys.length)
    : googleName(pulumiProject, 63);
}
