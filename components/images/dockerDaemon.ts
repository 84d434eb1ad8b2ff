/** Finds out whether a Docker daemon can be there: the provider's own error has no advice. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  readonly platform: string;
}

/**
 * The sockets at which the Docker provider looks for a daemon, if none of them exists.
 *
 * @returns undefined if one exists, or if the daemon is not at a local socket, so that nothing is known
 */
export function missingSockets({ env, home, platform }: Machine): readonly string[] | undefined {
  if (platform === "win32") return undefined; // A named pipe.
  const host =
    env["DOCKER_HOST"] ?? hostOfContext(env["DOCKER_CONFIG"] ?? join(home, ".docker"), env["DOCKER_CONTEXT"]);
  if (host !== undefined && !host.startsWith("unix://")) return undefined;
  const sockets =
    host === undefined
      ? ["/var/run/docker.sock", join(home, ".docker/run/docker.sock")]
      : [host.slice("unix://".length)];
  return sockets.some((socket) => existsSync(socket)) ? undefined : sockets;
}

/**
 * The daemon of the current context. https://docs.docker.com/engine/manage-resources/contexts/
 *
 * @param folder of Docker's own config
 * @returns undefined for the default context
 */
function hostOfContext(folder: string, chosen: string | undefined): string | undefined {
  const context = chosen ?? (json(join(folder, "config.json")) as { currentContext?: string }).currentContext;
  if (context === undefined || context === "default") return undefined;
  const id = createHash("sha256").update(context).digest("hex");
  const meta = json(join(folder, "contexts/meta", id, "meta.json")) as { Endpoints?: { docker?: { Host?: string } } };
  return meta.Endpoints?.docker?.Host;
}

/** @returns an empty object if the file does not exist or is not JSON */
function json(file: string): object {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as object;
  } catch {
    return {};
  }
}
