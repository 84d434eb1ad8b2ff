/** Pods of one service on loopback, with separate addresses and one port, as behind a headless Service. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { startService, type Service } from "../../tools/testing/loopback.ts";

/**
 * A good pod answers 200 with its address. The others refuse connections, close after a request, never answer it, or
 * never accept a connection.
 */
export type Kind = "good" | "refusing" | "closing" | "hung" | "silent";

export interface Pods<Kinds extends readonly Kind[]> extends AsyncDisposable {
  readonly port: number;
  readonly addresses: { readonly [Index in keyof Kinds]: string };
  /** How many requests reached each pod. */
  readonly counts: () => number[];
}

/** @param kinds the first must listen, because it chooses the free port */
export async function startPods<const Kinds extends readonly Kind[]>(...kinds: Kinds): Promise<Pods<Kinds>> {
  const pods: Service[] = [];
  let port = 0;
  for (const [index, kind] of kinds.entries()) {
    const pod = await startPod(kind, `127.0.0.${index + 2}`, port);
    pods.push(pod);
    port = pod.port;
  }
  return {
    port,
    addresses: kinds.map((_, index) => `127.0.0.${index + 2}`) as { readonly [Index in keyof Kinds]: string },
    counts: () => pods.map((pod) => pod.count()),
    [Symbol.asyncDispose]: async () => {
      for (const pod of pods) await pod[Symbol.asyncDispose]();
    },
  };
}

function startPod(kind: Kind, address: string, port: number): Promise<Service> {
  const nothing = { port, count: () => 0, [Symbol.asyncDispose]: () => Promise.resolve() };
  switch (kind) {
    case "refusing":
      return Promise.resolve(nothing);
    case "silent":
      return startSilent(address, port);
    case "good":
    case "closing":
    case "hung":
      return startService(
        address,
        (request, response) => {
          request.resume();
          if (kind === "good") request.on("end", () => response.end(address));
          if (kind === "closing") request.on("end", () => request.socket.destroy());
        },
        address,
        port,
      );
  }
}

/**
 * Listens and accepts nothing. Once its queue is full, the kernel drops new connections, as if the node were gone.
 * @param milliseconds until it accepts and answers. @default - never
 */
export async function startSilent(address: string, port: number, milliseconds?: number): Promise<Service> {
  const worker = new Worker(
    `const { parentPort, workerData } = require("node:worker_threads");
     const { milliseconds, ...where } = workerData;
     const server = require("node:http").createServer((request, response) => response.end(where.host));
     server.listen({ ...where, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds));
     });`,
    { eval: true, workerData: { host: address, port, milliseconds } },
  );
  const [listening] = (await once(worker, "message")) as [number];
  const queued = Array.from({ length: 4 }, (): Socket => connect(listening, address).on("error", () => undefined));
  await once(queued[0] as Socket, "connect");
  return {
    port: listening,
    count: () => 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of queued) socket.destroy();
      await worker.terminate();
    },
  };
}
