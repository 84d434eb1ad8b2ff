/** Where a client ends that follows an answer's redirects. */
import { get, type EdgeEndpoint } from "../../verify/request.ts";
import { target, type Probe } from "../answers.ts";

/** Redirects that are followed: who has not arrived by then, or come back, is somewhere else. */
const most = 5;

/**
 * Follows the redirects of `first` within the stack. Cookies go along: a service may redirect to the same address once, to
 * set one.
 * @returns the answers up to the one that sends the client back to where it was; nothing where none does
 */
export async function circleOf(
  first: Probe,
  hosts: readonly string[],
  endpoint: EdgeEndpoint,
): Promise<readonly Probe[] | undefined> {
  const cookies = new Map<string, string>();
  const seen = new Set([`${new URL(first.url).href} `]);
  const chain = [first];
  for (let probe = first; chain.length <= most + 1;) {
    const to = target(probe);
    if (to === undefined || to.port !== "" || !hosts.includes(to.hostname)) return undefined;
    for (const line of probe.answer?.headers["set-cookie"] ?? []) {
      const [, name = "", value = ""] = /^([^=;]*)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    to.hash = "";
    const key = `${to.href} ${cookie}`;
    if (seen.has(key)) return chain;
    seen.add(key);
    const scheme = to.protocol === "https:" ? "https" : "http";
    const headers = cookie === "" ? {} : { cookie };
    try {
      const path = `${to.pathname}${to.search}`;
      const answer = await get({ ...endpoint, anyCertificate: true }, scheme, to.hostname, path, headers);
      probe = { url: to.href, answer };
    } catch {
      return undefined; // What another address does not answer is not this route's.
    }
    chain.push(probe);
  }
  return undefined;
}
