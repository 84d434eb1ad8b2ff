/** Folders and files of the local Kubernetes. Nothing is written outside this checkout and the cache folder. */
import { homedir } from "node:os";
import { join } from "node:path";
import { projectDir, stacksDir } from "../../names/project.ts";

export { projectDir, stacksDir };

/** Compiled programs, unpacked packages and base images. Shared by all checkouts; `npm stop` keeps it. */
export const cacheDir = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "gke-microservices");

/** Lock file to hold while writing to the cache. */
export const cacheLock = `${cacheDir}.lock`;

/** State of this checkout's cluster: data, logs, certificates, kubeconfig. `npm stop` removes it. */
export const stateDir = join(projectDir, ".local");

export const kubeconfigPath = join(stateDir, "kubeconfig");
/** Configuration files of the node's processes. */
export const nodeDir = join(stateDir, "node");
export const logsDir = join(stateDir, "logs");
/** The certificate that the local CA signed (`tls.crt`, `tls.key`); `Pulumi.local.yaml` refers to it. */
export const tlsDir = join(stateDir, "tls");
/** The local CA (`ca.crt`, `ca.key`). `npm stop` keeps it: whoever trusts it need not trust a new one after each start. */
export const authorityDir = join(projectDir, ".local-ca");
