/** Looks up the stack's host names, with this machine's name servers. */
import { Resolver } from "node:dns/promises";
import { errorOf } from "./probes.ts";

export interface NameRecords {
  readonly host: string;
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  /** Error code if there is no address, such as ENOTFOUND. */
  readonly error?: string;
  /** Certificate authorities that CAA records allow; empty if they allow all. */
  readonly issuers: readonly string[];
}

/** @param servers name servers. @default - those of this machine */
export async function lookUp(host: string, servers: readonly string[] = []): Promise<NameRecords> {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  if (servers.length > 0) resolver.setServers(servers);
  const found = async <T>(question: Promise<T[]>): Promise<T[] | string> => {
    try {
      return await question;
    } catch (error) {
      return errorOf(error).code;
    }
  };
  const [v4, v6, issuers] = await Promise.all([
    found(resolver.resolve4(host)),
    found(resolver.resolve6(host)),
    issuersOf(resolver, host),
  ]);
  const list = <T>(answer: T[] | string) => (typeof answer === "string" ? [] : answer);
  return {
    host,
    v4: list(v4),
    v6: list(v6),
    issuers,
    ...(typeof v4 === "string" && typeof v6 === "string" && { error: v4 }),
  };
}

/** The CAA records of the name, or of its nearest parent that has any (RFC 8659). */
async function issuersOf(resolver: Resolver, host: string): Promise<string[]> {
  const labels = host.split(".");
  for (let from = 0; from < labels.length - 1; from += 1) {
    const records = await resolver.resolveCaa(labels.slice(from).join(".")).catch(() => []);
    if (records.length > 0) return records.flatMap(({ issue }) => issue ?? []);
  }
  return [];
}
