/**
 * An open-loop load: a fixed rate of requests that does not depend on the responses, from clients that never retry. It
 * runs in its own process, so that the suite does not slow it down.
 */
import { createHash, randomBytes } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";

export interface LoadOptions {
  /** URL of the service `echo`, with a trailing slash. */
  readonly url: string;
  /** CA for https, PEM. */
  readonly ca?: string | undefined;
  /** Requests per second. */
  readonly rate: number;
}

export type Kind = "kept alive" | "fresh" | "upload" | "download" | "websocket";

export interface Failure {
  /** Milliseconds since the load began. */
  readonly at: number;
  readonly kind: Kind;
  readonly what: string;
}

export interface LoadResult {
  /** Number of requests by kind. For websockets: connection attempts and messages. */
  readonly sent: Readonly<Record<Kind, number>>;
  /** Duration of the load. */
  readonly seconds: number;
  readonly failures: readonly Failure[];
  /** Websockets that were closed with "going away" and reconnected at once, which is not a failure. */
  readonly goneAway: number;
  /** Latency from the time when a request was due, not when it was sent. Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

/** The kinds of each 20 requests. */
const mix: readonly Kind[] = [
  ...Array.from({ length: 14 }, () => "kept alive" as const),
  ...Array.from({ length: 3 }, () => "fresh" as const),
  ...Array.from({ length: 2 }, () => "upload" as const),
  "download",
];
const websockets = 10;
/** Lifetime of a websocket, well below the load balancer's limit. Milliseconds. */
const websocketLife = 15_000;
/** Pause before a client reconnects after a failure. Milliseconds. */
const websocketPause = 500;
const patience = 10_000;
/**
 * Longest idle time of a connection, below the edge's 60 s. A request that is sent just when the edge closes an idle
 * connection is lost, whatever the stack does. Milliseconds. https://www.rfc-editor.org/rfc/rfc9112#section-9.5
 */
const idleLimit = 30_000;
/** Hash of the body of a download. */
const downloadHash = createHash("sha256").update("0123456789abcdef".repeat(4096)).digest("hex");

const began = performance.now();
const sent: Record<Kind, number> = { "kept alive": 0, fresh: 0, upload: 0, download: 0, websocket: 0 };
const failures: Failure[] = [];
const latencies: number[] = [];
let goneAway = 0;
let running = true;
/** Time of the end since the beginning. Milliseconds. */
let ended = 0;

const since = () => Math.round(performance.now() - began);
const failed = (kind: Kind, what: string) => failures.push({ at: since(), kind, what: what.slice(0, 160) });
// This machine's resolver does not know the stack's host names.
const lookup: LookupFunction = (_name, { all }, found) => {
  if (all === true) found(null, [{ address: "127.0.0.1", family: 4 }]);
  else found(null, "127.0.0.1", 4);
};

async function run({ url, ca, rate }: LoadOptions): Promise<void> {
  const secure = url.startsWith("https:");
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: 256, timeout: idleLimit });
  const freeSince = new WeakMap<object, number>();
  agent.on("free", (socket: object) => freeSince.set(socket, performance.now()));
  const ask = (kind: Kind, path: string, options: RequestOptions, body?: Buffer) =>
    new Promise<Buffer>((resolve, reject) => {
      const target = new URL(path, url);
      const own = kind === "fresh" ? false : agent;
      const request = (secure ? httpsRequest : httpRequest)(
        target,
        { lookup, agent: own, timeout: patience, ...(ca !== undefined && { ca }), ...options },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("close", () => {
            const text = Buffer.concat(chunks);
            if (!response.complete) reject(new Error("the answer was cut off"));
            else if (response.statusCode === 200) resolve(text);
            else reject(new Error(`${response.statusCode ?? 0} ${text.toString().slice(0, 120)}`));
          });
        },
      );
      request.on("timeout", () => request.destroy(new Error("no answer within 10 s")));
      let idle = "";
      request.on("socket", (socket) => {
        const seconds = (performance.now() - (freeSince.get(socket) ?? NaN)) / 1000;
        if (seconds > 1) idle = ` after ${seconds.toFixed(1)} s without use`;
      });
      request.on("error", (error) => {
        reject(new Error(`${error.message}${idle}`));
      });
      request.end(body);
    });
  const hash = (data: Buffer) => createHash("sha256").update(data).digest("hex");
  const once = async (kind: Kind, due: number) => {
    sent[kind] += 1;
    try {
      if (kind === "upload") {
        const body = randomBytes(32 * 1024);
        const answer = JSON.parse((await ask(kind, "upload", { method: "POST" }, body)).toString()) as {
          sha256: string;
        };
        if (answer.sha256 !== hash(body)) throw new Error("the service got another body");
      } else if (kind === "download") {
        if (hash(await ask(kind, "download", {})) !== downloadHash) throw new Error("another body was received");
      } else if (!(await ask(kind, "", {})).includes('"service":"echo"')) throw new Error("another service answered");
      latencies.push(performance.now() - due);
    } catch (error) {
      failed(kind, error instanceof Error ? error.message : String(error));
    }
  };

  // Stagger the first lifetimes, so that the websockets do not all reconnect at once.
  const sockets = Array.from({ length: websockets }, (_, index) =>
    keepSocket(url, ca, (websocketLife * (index + 1)) / websockets),
  );
  const open = new Set<Promise<void>>();
  for (let count = 0; running; count += 1) {
    const due = began + (count * 1000) / rate;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    const asked = once(mix[(count * 7) % mix.length] ?? "kept alive", due).finally(() => open.delete(asked));
    open.add(asked);
  }
  await Promise.all([...open, ...sockets]);
  agent.destroy();
}

/**
 * Keeps one websocket open while the load runs. Twice a second it sends a message, which must be echoed.
 * @param firstLife lifetime of the first websocket. Milliseconds
 */
async function keepSocket(url: string, ca: string | undefined, firstLife: number): Promise<void> {
  for (let life = firstLife; running; life = websocketLife) {
    const failure = await oneSocket(url, ca, life);
    if (failure === undefined) continue;
    failed("websocket", failure);
    await sleep(websocketPause);
  }
}

/** @returns why it failed; undefined if it did not */
function oneSocket(url: string, ca: string | undefined, life: number): Promise<string | undefined> {
  sent.websocket += 1;
  const socket = new WebSocket(new URL("socket", url.replace(/^http/, "ws")), {
    lookup,
    handshakeTimeout: patience,
    ...(ca !== undefined && { ca }),
  });
  return new Promise((resolve) => {
    const end = Date.now() + life;
    let sentAt = 0;
    // Keep the first error: the close code 1006 that follows says nothing.
    let failure: string | undefined;
    const timer = setInterval(() => {
      if (sentAt !== 0 && Date.now() - sentAt > patience) {
        failure = "no answer within 10 s";
        socket.terminate();
      } else if (socket.readyState !== WebSocket.OPEN) return;
      else if (!running || Date.now() > end) socket.close(1000);
      else if (sentAt === 0) {
        sent.websocket += 1;
        sentAt = Date.now();
        socket.send("ping");
      }
    }, 500);
    socket.on("message", () => (sentAt = 0));
    socket.on("error", (error) => (failure ??= error.message));
    socket.on("close", (code) => {
      clearInterval(timer);
      if (code === 1001) goneAway += 1;
      resolve(failure ?? (code === 1000 || code === 1001 ? undefined : `closed with ${code}`));
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  process.once("message", () => {
    running = false;
    ended = since();
  });
  process.once("disconnect", () => process.exit(1)); // The suite has ended.
  await run(JSON.parse(process.argv[2] ?? "") as LoadOptions);
  const seconds = ended / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? NaN;
  const times = { p50: at(0.5), p99: at(0.99), longest: at(1) };
  process.send?.({ sent, seconds, failures, goneAway, ...times } satisfies LoadResult, () => process.exit(0));
}
