/**
 * A load that does not wait for answers: so many requests a second, whatever becomes of them, from clients that never try
 * again. It is a process of its own, so that what the suite does beside it takes no time from it.
 */
import { createHash, randomBytes } from "node:crypto";
import { Agent as HttpAgent, request as httpRequest, type RequestOptions } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { LookupFunction } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import WebSocket from "ws";

export interface LoadOptions {
  /** Where the service `echo` is, with a slash at its end. */
  readonly url: string;
  /** PEM; for https. */
  readonly ca?: string | undefined;
  /** Requests a second. */
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
  /** Of websockets: connections that were tried, and messages. */
  readonly sent: Readonly<Record<Kind, number>>;
  /** That it was sent in. */
  readonly seconds: number;
  readonly failures: readonly Failure[];
  /** Websockets that were closed as going away and connected again at once: no failure. */
  readonly goneAway: number;
  /** Milliseconds from when a request was due, not from when there was time to send it, to its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
}

/** Of each 20 requests. */
const mix: readonly Kind[] = [
  ...Array.from({ length: 14 }, () => "kept alive" as const),
  ...Array.from({ length: 3 }, () => "fresh" as const),
  ...Array.from({ length: 2 }, () => "upload" as const),
  "download",
];
const websockets = 10;
/** Milliseconds that a websocket is kept: well within what a load balancer gives it. */
const websocketLife = 15_000;
/** Milliseconds until a client asks again where it was refused or cut off. */
const websocketPause = 500;
const patience = 10_000;
/**
 * Milliseconds that a connection may wait for its next request: less than the 60 s that the edge gives it. Who sends at the very moment
 * that the other end closes is cut off, whatever becomes of the stack. https://www.rfc-editor.org/rfc/rfc9112#section-9.5
 */
const idleLimit = 30_000;
/** The body that the service sends for a download. */
const downloadHash = createHash("sha256").update("0123456789abcdef".repeat(4096)).digest("hex");

const began = performance.now();
const sent: Record<Kind, number> = { "kept alive": 0, fresh: 0, upload: 0, download: 0, websocket: 0 };
const failures: Failure[] = [];
const latencies: number[] = [];
let goneAway = 0;
let running = true;
/** Milliseconds after the beginning. */
let ended = 0;

const since = () => Math.round(performance.now() - began);
const failed = (kind: Kind, what: string) => failures.push({ at: since(), kind, what: what.slice(0, 160) });
// The names of the stack are not those of this machine's resolver.
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
        if (hash(await ask(kind, "download", {})) !== downloadHash) throw new Error("another body came");
      } else if (!(await ask(kind, "", {})).includes('"service":"echo"')) throw new Error("another service answered");
      latencies.push(performance.now() - due);
    } catch (error) {
      failed(kind, error instanceof Error ? error.message : String(error));
    }
  };

  // Their first lives end one after another, so that never all of them come at once.
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
 * One websocket at a time, for as long as the load runs; twice a second it must get back what it sent.
 * @param firstLife milliseconds that the first is kept
 */
async function keepSocket(url: string, ca: string | undefined, firstLife: number): Promise<void> {
  for (let life = firstLife; running; life = websocketLife) {
    const failure = await oneSocket(url, ca, life);
    if (failure === undefined) continue;
    failed("websocket", failure);
    await sleep(websocketPause);
  }
}

/** @returns why it ended, where it should not have */
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
    // What is seen first: after it the connection is closed with 1006, which says nothing more.
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
  process.once("disconnect", () => process.exit(1)); // without the suite nobody wants the answers
  await run(JSON.parse(process.argv[2] ?? "") as LoadOptions);
  const seconds = ended / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? NaN;
  const times = { p50: at(0.5), p99: at(0.99), longest: at(1) };
  process.send?.({ sent, seconds, failures, goneAway, ...times } satisfies LoadResult, () => process.exit(0));
}
