/** Reads and writes one context of a kubeconfig. The rest of the file stays unchanged, including comments. */
import { Document, isMap, isSeq, parseDocument } from "yaml";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { Problem } from "../cli/problem.ts";
import { writeWhole } from "../cli/writeWhole.ts";

/** A cluster and a user, as in a kubeconfig. */
export interface Access {
  readonly cluster: Readonly<Record<string, unknown>>;
  readonly user: Readonly<Record<string, unknown>>;
}

interface Kubeconfig {
  readonly "current-context"?: string;
  readonly contexts?: readonly { name: string; context: { cluster: string; user: string } }[] | null;
  readonly clusters?: readonly { name: string; cluster: Access["cluster"] }[] | null;
  readonly users?: readonly { name: string; user: Access["user"] }[] | null;
}

/**
 * The cluster and user of one context.
 * @param where origin of the text, for messages
 * @param context @default - the current context
 * @throws Problem if the text is not a kubeconfig or has no such context
 */
export function accessIn(text: string, where: string, context?: string): Access {
  const config = kubeconfigIn(text, where).toJS() as Kubeconfig;
  const contextName = context ?? config["current-context"];
  const found = config.contexts?.find(({ name }) => name === contextName)?.context;
  const cluster = config.clusters?.find(({ name }) => name === found?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === found?.user)?.user;
  if (cluster === undefined || user === undefined)
    throw new Problem(
      `${where} has no complete context "${contextName ?? ""}".`,
      "Apply the stack again, or fix the file.",
    );
  return { cluster, user };
}

/**
 * Adds or updates a context, with a cluster and a user of the same name. Other settings of the context, such as a
 * namespace, stay.
 * @param text of the kubeconfig; empty if there is none yet
 * @param where origin of the text, for messages
 * @throws Problem if the text is not a kubeconfig
 */
export function withContext(text: string, where: string, name: string, { cluster, user }: Access): string {
  const config = kubeconfigIn(text, where);
  for (const [key, value] of Object.entries({ apiVersion: "v1", kind: "Config" }))
    if (!config.has(key)) config.set(key, value);
  put(config, "clusters", { name, cluster });
  put(config, "users", { name, user });
  const { contexts } = config.toJS() as Kubeconfig;
  const before = contexts?.find((entry) => entry.name === name)?.context;
  put(config, "contexts", { name, context: { ...before, cluster: name, user: name } });
  // Keep the current context if there is one: it is the user's choice.
  if ((config.get("current-context") ?? "") === "") config.set("current-context", name);
  return config.toString({ lineWidth: 0 });
}

/**
 * Removes what `withContext` added: the context, its cluster and its user, and the current context if it is this one.
 * @param text of the kubeconfig
 * @param where origin of the text, for messages
 * @param server of the cluster: a context of this name for another cluster stays
 * @returns undefined if there is no such context
 * @throws Problem if the text is not a kubeconfig
 */
export function withoutContext(text: string, where: string, name: string, server: string): string | undefined {
  const config = kubeconfigIn(text, where);
  const { contexts, clusters, ...rest } = config.toJS() as Kubeconfig;
  const found = contexts?.find((entry) => entry.name === name)?.context;
  const cluster = clusters?.find((entry) => entry.name === name)?.cluster;
  if (found?.cluster !== name || cluster?.["server"] !== server) return undefined;
  remove(config, "contexts", name);
  const others = (contexts ?? []).filter((entry) => entry.name !== name);
  // Another context, which the user made, may have the same cluster or user.
  if (!others.some(({ context }) => context.cluster === name)) remove(config, "clusters", name);
  if (!others.some(({ context }) => context.user === name)) remove(config, "users", name);
  if (rest["current-context"] === name) config.delete("current-context");
  return config.toString({ lineWidth: 0 });
}

function remove(config: Document, list: (typeof lists)[number], name: string) {
  const found = config.get(list);
  if (isSeq(found)) found.items = found.items.filter((item) => !(isMap(item) && item.get("name") === name));
}

/** The file that kubectl writes to: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
export function ownKubeconfig(): string {
  const first = process.env["KUBECONFIG"]?.split(delimiter).find((file) => file !== "");
  const file = resolve(first ?? join(homedir(), ".kube", "config"));
  return existsSync(file) ? realpathSync(file) : file; // Keep a symlink: write to its target.
}

/**
 * Removes the context of a cluster that is gone from the user's kubeconfig, where `npm run kubeconfig` wrote it.
 * @returns a description of what was removed; undefined if there is no such context, or the file is not a kubeconfig
 */
export function removeOwnContext(name: string, server: string): string | undefined {
  const file = ownKubeconfig();
  if (!existsSync(file)) return undefined;
  try {
    const text = withoutContext(readFileSync(file, "utf8"), file, name, server);
    if (text === undefined) return undefined;
    writeWhole(file, text, 0o600);
    return `the context ${name} from ${file}`;
  } catch (error) {
    if (error instanceof Problem) return undefined; // A broken file must not keep anything from stopping.
    throw error;
  }
}

const lists = ["clusters", "users", "contexts"] as const;

function put(config: Document, list: (typeof lists)[number], entry: { readonly name: string; [key: string]: unknown }) {
  const found = config.get(list);
  if (!isSeq(found)) {
    // kubectl writes `null` for a list without entries.
    config.set(list, config.createNode([entry]));
    return;
  }
  const named = found.items.findIndex((item) => isMap(item) && item.get("name") === entry.name);
  const node = config.createNode(entry);
  if (named === -1) found.add(node);
  else found.items[named] = node;
}

function kubeconfigIn(text: string, where: string): Document {
  const document = text.trim() === "" ? new Document({}) : parseDocument(text);
  const wrong = document.errors[0]?.message.split("\n")[0] ?? shapeProblem(document);
  if (wrong !== undefined)
    throw new Problem(`${where} is not a kubeconfig: ${wrong}`, "Fix it, or move it away; nothing was written.");
  return document;
}

function shapeProblem(document: Document): string | undefined {
  if (!isMap(document.contents)) return "it is not a map";
  const bad = lists.find((list) => {
    const value = document.get(list);
    return value !== null && value !== undefined && !(isSeq(value) && value.items.every(isMap));
  });
  return bad === undefined ? undefined : `its ${bad} are not lists of maps`;
}
