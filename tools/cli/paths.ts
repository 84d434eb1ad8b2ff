/** Where the local Kubernetes keeps things. Nothing is written outside these two folders. */
import { homedir } from "node:os";
import { join } from "node:path";
import { projectDir } from "../../names/project.ts";

export { projectDir };

/** Compiled programs, unpacked packages and base images: the same for every checkout, kept by `npm stop -- --keep-cache`. */
export const cacheDir = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "gke-microservices");

/** Held by who writes to the cache. */
export const cacheLock = `${cacheDir}.lock`;

/** State of the running cluster of this checkout: data, logs, certificates, kubeconfig. Removed by `npm stop`. */
export const stateDir = join(projectDir, ".local");

export const kubeconfigPath = join(stateDir, "kubeconfig");
/** What the node's processes are started with. */
export const nodeDir = join(stateDir, "node");
export const logsDir = join(stateDir, "logs");
/** The local CA (`ca.crt`) and the certificate that it signed (`tls.crt`, `tls.key`); `Pulumi.local.yaml` names them. */
export const tlsDir = join(stateDir, "tls");
