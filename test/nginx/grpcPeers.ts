/**
 * The proxy's gRPC peers: a real server, a real client, and requests in the form of Google's load balancer.
 */
import * as grpc from "@grpc/grpc-js";
import { connect as connectHttp2, constants, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect } from "node:tls";

/** Messages are JSON: the tests check only their transport. */
type Message = Record<string, unknown>;
const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/shop.v1.Orders/${name}`,
  requestStream,
  responseStream,
  requestSerialize: (value: Message) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) as Message,
  responseSerialize: (value: Message) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) as Message,
});
const definition = {
  get: method("Get", false, false),
  fail: method("Fail", false, false),
  wait: method("Wait", false, false),
  list: method("List", false, true),
  add: method("Add", true, false),
  chat: method("Chat", true, true),
};

export interface GrpcService extends AsyncDisposable {
  readonly port: number;
  /** How many calls of `Get` arrived. */
  readonly count: () => number;
  /** Settles when a client cancels a call of `Wait`. */
  readonly cancelled: Promise<void>;
}

/** A gRPC server without TLS, as in a container. */
export async function startGrpcService(service: string): Promise<GrpcService> {
  let count = 0;
  const cancelled = Promise.withResolvers<undefined>();
  const server = new grpc.Server();
  const implementation: Record<keyof typeof definition, unknown> = {
    get: (call: grpc.ServerUnaryCall<Message, Message>, reply: grpc.sendUnaryData<Message>) => {
      count += 1;
      const { payload } = call.request;
      const deadline = Number(call.getDeadline());
      reply(null, { service, host: call.getHost(), deadline, headers: call.metadata.getMap(), payload });
    },
    fail: (_call: unknown, reply: grpc.sendUnaryData<Message>) => {
      const metadata = new grpc.Metadata();
      metadata.set("x-reason", "sold out");
      reply({ code: grpc.status.FAILED_PRECONDITION, details: "not now: 100% sold", metadata });
    },
    wait: (call: grpc.ServerUnaryCall<Message, Message>) => {
      call.on("cancelled", () => {
        cancelled.resolve(undefined);
      });
    },
    list: (call: grpc.ServerWritableStream<Message, Message>) => {
      for (let index = 0; index < Number(call.request["count"]); index += 1) call.write({ index });
      call.end();
    },
    add: (call: grpc.ServerReadableStream<Message, Message>, reply: grpc.sendUnaryData<Message>) => {
      let sum = 0;
      call.on("data", ({ value }: Message) => (sum += Number(value)));
      call.on("end", () => {
        reply(null, { sum });
      });
    },
    chat: (call: grpc.ServerDuplexStream<Message, Message>) => {
      call.on("data", (message: Message) => call.write({ echo: message["say"] }));
      call.on("end", () => {
        call.end();
      });
    },
  };
  server.addService(definition, implementation as grpc.UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    count: () => count,
    cancelled: cancelled.promise,
    [Symbol.asyncDispose]: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

interface Client {
  get(message: Message, metadata: grpc.Metadata, options: grpc.CallOptions, done: Done): void;
  fail(message: Message, metadata: grpc.Metadata, options: grpc.CallOptions, done: Done): void;
  wait(message: Message, metadata: grpc.Metadata, options: grpc.CallOptions, done: Done): void;
  list(message: Message): grpc.ClientReadableStream<Message>;
  add(done: Done): grpc.ClientWritableStream<Message>;
  chat(): grpc.ClientDuplexStream<Message, Message>;
}
type Done = (error: grpc.ServiceError | null, message?: Message) => void;

/**
 * A client for a host.
 * @param ca PEM. Without it the client does not verify the certificate, like Google with the proxy's gRPC port
 */
export async function withClient(
  port: number,
  host: string,
  use: (client: Client) => Promise<void>,
  ca?: string,
): Promise<void> {
  const Orders = grpc.makeGenericClientConstructor(definition, "Orders");
  const credentials =
    ca === undefined
      ? grpc.credentials.createSsl(null, null, null, { rejectUnauthorized: false })
      : grpc.credentials.createSsl(Buffer.from(ca));
  const client = new Orders(`127.0.0.1:${port}`, credentials, {
    "grpc.default_authority": host,
    "grpc.ssl_target_name_override": host,
    "grpc.max_receive_message_length": -1,
  });
  try {
    await use(client as unknown as Client);
  } finally {
    client.close();
  }
}

/** One unary call. @throws grpc.ServiceError */
export function call(
  client: Client,
  name: "get" | "fail" | "wait",
  {
    message = {},
    headers = {},
    deadline = 10_000,
  }: { message?: Message; headers?: Record<string, string>; deadline?: number } = {},
): Promise<Message> {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return new Promise((resolve, reject) => {
    client[name](message, metadata, { deadline: Date.now() + deadline }, (error, answer = {}) => {
      if (error === null) resolve(answer);
      else reject(error);
    });
  });
}

/** The parts of an answer that a gRPC client reads. */
export interface RawAnswer {
  readonly headers: IncomingHttpHeaders & { ":status"?: number | undefined };
  /** Whether the answer was trailers only. */
  readonly headersAlone: boolean;
  readonly trailers: IncomingHttpHeaders;
}

/** One call in the form of Google's load balancer; it can also send what client libraries refuse to. */
export async function askGrpc(
  port: number,
  path: string,
  {
    host = "shop.localhost",
    headers = {},
    from = "127.0.0.1",
    bytes = 0,
  }: {
    host?: string;
    headers?: Record<string, string | string[]>;
    from?: string;
    /** Size of the message. */
    bytes?: number;
  } = {},
): Promise<RawAnswer> {
  const session = connectHttp2(`https://${host}`, {
    createConnection: () => {
      const socket = connectTcp({ host: "127.0.0.1", port, localAddress: from });
      return connect({ socket, ALPNProtocols: ["h2"], rejectUnauthorized: false });
    },
  });
  try {
    const stream = session.request(
      {
        ":method": "POST",
        ":path": path,
        ":authority": host,
        "content-type": "application/grpc",
        te: "trailers",
        via: "1.1 google",
        ...headers,
      },
      { endStream: false },
    );
    const message = Buffer.from(JSON.stringify({ payload: "x".repeat(bytes) }));
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    stream.on("error", () => undefined); // An early answer is an answer too.
    stream.end(Buffer.concat([prefix, message]));
    return await new Promise<RawAnswer>((resolve, reject) => {
      session.on("error", reject);
      let answer: Omit<RawAnswer, "trailers"> | undefined;
      let trailers: IncomingHttpHeaders = {};
      stream.on("response", (headers, flags) => {
        answer = { headers, headersAlone: (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0 };
        stream.resume();
      });
      stream.on("trailers", (received: IncomingHttpHeaders) => (trailers = received));
      stream.on("close", () => {
        if (answer === undefined) reject(new Error(`the stream was closed with ${stream.rstCode}, unanswered`));
        else resolve({ ...answer, trailers });
      });
    });
  } finally {
    session.destroy();
  }
}
