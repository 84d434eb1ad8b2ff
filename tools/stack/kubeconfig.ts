/** One context in a kubeconfig that has others: everything else in the file stays as it is, comments included. */
import { Document, isMap, isSeq, parseDocument } from "yaml";
import { Problem } from "../cli/problem.ts";

/** A cluster, and a user of it, as a kubeconfig describes them. */
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
 * What a kubeconfig says of one context.
 * @param where the text is from, for messages
 * @param context @default - the current one
 * @throws Problem where the text is no kubeconfig or has no such context
 */
export function accessIn(text: string, where: string, context?: string): Access {
  const config = kubeconfigIn(text, where).toJS() as Kubeconfig;
  const wanted = context ?? config["current-context"];
  const found = config.contexts?.find(({ name }) => name === wanted)?.context;
  const cluster = config.clusters?.find(({ name }) => name === found?.cluster)?.cluster;
  const user = config.users?.find(({ name }) => name === found?.user)?.user;
  if (cluster === undefined || user === undefined)
    throw new Problem(`${where} has no complete context "${wanted ?? ""}".`, "Make the stack again, or fix the file.");
  return { cluster, user };
}

/**
 * The kubeconfig with one context that has a cluster and a user of the same name. Added where it is missing, refreshed
 * where it is there; what else somebody set on the context, such as a namespace, stays.
 * @param text of the kubeconfig; empty where there is none yet
 * @param where the text is from, for messages
 * @throws Problem where the text is no kubeconfig
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
  // Which cluster a bare kubectl speaks to is for its owner to say, unless nobody has yet.
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
