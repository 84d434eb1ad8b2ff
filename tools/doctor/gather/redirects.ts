/** Finds redirect loops. */
import { get, type EdgeEndpoint } from "../../verify/request.ts";
import { target, type Probe } from "../answers.ts";

/** Redirects to follow. */
const limit = 5;

/**
 * Follows the redirects of `first` within the stack, with cookies: a service may redirect to the same address once to set
 * a cookie.
 * @param sent headers of the first request, which the others have too
 * @returns the responses up to the one that closes the loop; undefined if there is no loop
 */
export async function redirectLoop(
  first: Probe,
  hosts: readonly string[],
  endpoint: EdgeEndpoint,
  { cookie: own, ...sent }: Readonly<Record<string, string>> = {},
): Promise<readonly Probe[] | undefined> {
  const cookies = new Map<string, string>();
  const keep = (line: string) => {
    const [, name = "", value = ""] = /^([^=;]*)=([^;]*)/.exec(line) ?? [];
    cookies.set(name, value);
  };
  if (own !== undefined) keep(own);
  const seen = new Set([`${new URL(first.url).href} `]);
  const chain = [first];
  for (let probe = first; chain.length <= limit + 1;) {
    const to = target(probe);
    if (to === undefined || to.port !== "" || !hosts.includes(to.hostname)) return undefined;
    for (const line of probe.answer?.headers["set-cookie"] ?? []) keep(line);
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    to.hash = "";
    const key = `${to.href} ${cookie}`;
    if (seen.has(key)) return chain;
    seen.add(key);
    const scheme = to.protocol === "https:" ? "https" : "http";
    const headers = cookie === "" ? sent : { ...sent, cookie };
    try {
      const path = `${to.pathname}${to.search}`;
      const answer = await get({ ...endpoint, anyCertificate: true }, scheme, to.hostname, path, headers);
      probe = { url: to.href, answer };
    } catch {
      return undefined; // The failure of another address does not belong to this route.
    }
    chain.push(probe);
  }
  return undefined;
}
