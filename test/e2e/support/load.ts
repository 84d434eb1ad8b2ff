/** Sends constant requests through the whole path, without retries, to show that a change loses none. */
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

export interface Load {
  readonly url: string;
  readonly ca?: string;
  /** Whether the response is as expected. */
  readonly good: (status: number, body: string) => boolean;
}

export interface LoadResult {
  readonly sent: number;
  /** What was received instead of a good response. */
  readonly failures: string[];
}

const workers = 8;
/** Pause between two requests of a worker: together, some hundred requests per second. Milliseconds. */
const pause = 20;
/** Time limit of a load, in case nothing stops it. Milliseconds. */
const limit = 15 * 60_000;

/** Sends requests while the work runs. Half of the workers keep their connections, half open a new one each time. */
export async function underLoad<T>(load: Load, work: () => Promise<T>): Promise<{ result: T; load: LoadResult }> {
  const failures: string[] = [];
  let sent = 0;
  let running = true;
  const end = Date.now() + limit;
  const secure = load.url.startsWith("https:");
  const worker = async (keepAlive: boolean) => {
    const agent = secure ? new HttpsAgent({ keepAlive, maxSockets: 1 }) : new HttpAgent({ keepAlive, maxSockets: 1 });
    while (running && Date.now() < end) {
      sent++;
      try {
        const { status, body } = await once(load, agent, secure);
        if (!load.good(status, body)) failures.push(`${status} ${body.slice(0, 120)}`);
      } catch (error) {
        failures.push(String(error));
      }
      await sleep(pause);
    }
    agent.destroy();
  };
  const all = Array.from({ length: workers }, (_, index) => worker(index % 2 === 0));
  await sleep(1000);
  try {
    const result = await work();
    await sleep(3000); // Old pods end after the command.
    return { result, load: { sent, failures } };
  } finally {
    running = false;
    await Promise.all(all);
  }
}

function once(
  { url, ca }: Load,
  agent: HttpAgent | HttpsAgent,
  secure: boolean,
): Promise<{ status: number; body: string }> {
  const { hostname, pathname } = new URL(url);
  const options: RequestOptions & { servername?: string; ca?: string } = {
    host: "127.0.0.1",
    path: pathname,
    headers: { host: hostname, accept: "application/json" },
    agent,
    timeout: 10_000,
    ...(secure && { servername: hostname, ...(ca !== undefined && { ca }) }),
  };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)(options, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
    request.on("error", reject);
    request.end();
  });
}
