/** Calls the service `orders` over one channel for each of its two names, and answers how many calls each pod got. */
import { createServer } from "node:http";
import { Buffer } from "node:buffer";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import grpc from "@grpc/grpc-js";

const Client = grpc.makeGenericClientConstructor({
  get: {
    path: "/shop.v1.Orders/Get",
    requestStream: false,
    responseStream: false,
    requestSerialize: (value) => Buffer.from(JSON.stringify(value)),
    responseDeserialize: (bytes) => JSON.parse(bytes.toString()),
  },
});

async function podsOf(address) {
  const client = new Client(address, grpc.credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  });
  const counts = {};
  const call = () =>
    new Promise((resolve, reject) => {
      client.get({}, (error, answer) => (error === null ? resolve(answer.pod) : reject(error)));
    });
  // The first calls may go to the pod that is connected first.
  client.waitForReady(Date.now() + 10_000, () => undefined);
  await sleep(2000);
  for (let index = 0; index < 400; index += 1) {
    const pod = await call();
    counts[pod] = (counts[pod] ?? 0) + 1;
  }
  client.close();
  return counts;
}

createServer((request, response) => {
  if (request.url === "/healthz") return response.end("ok");
  const { ONE, EACH } = process.env;
  return Promise.all([podsOf(ONE), podsOf(EACH)]).then(
    ([one, each]) => response.end(JSON.stringify({ one, each })),
    (error) => response.writeHead(500).end(String(error)),
  );
}).listen(Number(process.env.PORT));
