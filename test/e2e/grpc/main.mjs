/** A service for the suite `grpc`, with the calls of test/nginx/grpcPeers.ts and the health check for Kubernetes. */
import { Buffer } from "node:buffer";
import process from "node:process";
import grpc from "@grpc/grpc-js";

const json = {
  requestSerialize: (value) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes) => JSON.parse(bytes.toString()),
  responseSerialize: (value) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes) => JSON.parse(bytes.toString()),
};
const method = (path, requestStream, responseStream) => ({ path, requestStream, responseStream, ...json });

const server = new grpc.Server();
server.addService(
  {
    get: method("/shop.v1.Orders/Get", false, false),
    list: method("/shop.v1.Orders/List", false, true),
    chat: method("/shop.v1.Orders/Chat", true, true),
  },
  {
    get: (call, reply) =>
      reply(null, {
        service: "orders",
        pod: process.env.HOSTNAME,
        host: call.getHost(),
        headers: call.metadata.getMap(),
      }),
    list: (call) => {
      for (let index = 0; index < call.request.count; index += 1) call.write({ index });
      call.end();
    },
    chat: (call) => {
      call.on("data", ({ say }) => call.write({ said: say }));
      call.on("end", () => call.end());
    },
  },
);

// https://github.com/grpc/grpc/blob/master/doc/health-checking.md: a message with one field, where 1 is SERVING and 2 is NOT_SERVING.
const status = Buffer.from([0x08, process.env.SERVING === "false" ? 2 : 1]);
const bytes = { requestSerialize: (value) => value, requestDeserialize: (value) => value };
server.addService(
  {
    check: {
      ...method("/grpc.health.v1.Health/Check", false, false),
      ...bytes,
      responseSerialize: (value) => value,
    },
  },
  { check: (_call, reply) => reply(null, status) },
);

server.bindAsync("0.0.0.0:50051", grpc.ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
process.once("SIGTERM", () => server.tryShutdown(() => process.exit(0)));
