/** Verifies the routes at each pod of the proxy: the edge chooses one, and a request shows that pod alone. */
import { concurrently } from "../cli/concurrently.ts";
import { kubectl, kubectlObjects, type KubectlTarget } from "../cli/kubectl.ts";
import { nameLabel, proxyName } from "../../names/kubernetes.ts";
import { proxyPorts } from "../../names/ports.ts";
import { attempt, route, type Hop } from "./verify.ts";

/**
 * One line for all pods that do not end.
 * @param routes `shop.example.com/hoge/` → the services that may answer
 */
export async function verifyEveryPod(
  target: KubectlTarget,
  namespace: string,
  routes: ReadonlyMap<string, readonly string[]>,
  timeout?: number,
): Promise<Hop> {
  const found = await kubectlObjects(target, ["-n", namespace, "get", "pods", "-l", `${nameLabel}=${proxyName}`]);
  const pods = found.flatMap(({ metadata }) => (metadata["deletionTimestamp"] === undefined ? [metadata.name] : []));
  return attempt(
    "each pod of nginx",
    async () => {
      await concurrently(4, pods, (pod) => throughPod(target, namespace, pod, routes));
      return `${pods.length} pods, ${routes.size} routes each`;
    },
    timeout,
  );
}

async function throughPod(
  target: KubectlTarget,
  namespace: string,
  pod: string,
  routes: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  await forwarded(target, namespace, pod, async (httpPort) => {
    const endpoint = { address: "127.0.0.1", httpPort, httpsPort: httpPort };
    await concurrently(8, [...routes], async ([hostPath, services]) => {
      try {
        // Not through the edge, whose scheme the proxy would pass on.
        await route(endpoint, "http", hostPath, services);
      } catch (error) {
        throw new Error(`${pod}, ${hostPath}: ${error instanceof Error ? error.message : String(error)}`, {
          cause: error,
        });
      }
    });
  });
}

/** Has kubectl forward a port of this machine to the pod while `use` runs. */
async function forwarded(
  target: KubectlTarget,
  namespace: string,
  pod: string,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const ended = new AbortController();
  const port = Promise.withResolvers<number>();
  let output = "";
  const forwarding = kubectl(target, ["-n", namespace, "port-forward", `pod/${pod}`, `:${proxyPorts.http}`], {
    signal: ended.signal,
    onOutput: (text) => {
      output += text;
      const [, found] = /127\.0\.0\.1:(\d+) ->/.exec(output) ?? [];
      if (found !== undefined) port.resolve(Number(found));
    },
  });
  // After the port is known, this changes nothing.
  forwarding.catch((error: unknown) => {
    port.reject(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    await use(await port.promise);
  } finally {
    ended.abort();
    await forwarding.catch(() => undefined);
  }
}
