/** Reads and writes one context of a kubeconfig. The rest of the file stays unchanged, including comments. */
import { Document, isMap, isSeq, parseDocument } from "yaml";
import { Problem } from "../cli/problem.ts";

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
