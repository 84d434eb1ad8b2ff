/** As much of PostgreSQL's protocol as the tests need: https://www.postgresql.org/docs/current/protocol.html */
import { Buffer } from "node:buffer";
import { connect } from "node:net";

const int32 = (value) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const message = (type, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
};
const text = (value) => Buffer.from(`${value}\0`);

/** @returns a function that runs SQL and returns the rows, and one that closes the connection */
export async function open(address) {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  const waiting = [];
  let buffer = Buffer.alloc(0);
  let rows = [];
  let failure;
  const settle = () => {
    const { resolve, reject } = waiting.shift() ?? {};
    if (failure === undefined) resolve?.(rows);
    else reject?.(failure);
    [rows, failure] = [[], undefined];
  };
  socket.on("data", (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= 5 && buffer.length > buffer.readInt32BE(1)) {
      const length = buffer.readInt32BE(1);
      const [type, body] = [String.fromCharCode(buffer[0]), buffer.subarray(5, length + 1)];
      buffer = buffer.subarray(length + 1);
      if (type === "D") rows.push(fieldsOf(body));
      if (type === "E") failure = new Error(body.toString().replaceAll("\0", " "));
      if (type === "Z") settle();
    }
  });
  socket.on("error", (error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  socket.on("close", () => {
    for (const { reject } of waiting.splice(0)) reject(new Error("the database closed the connection"));
  });
  const answer = () => new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  socket.write(
    message("", int32(196_608), text("user"), text("postgres"), text("database"), text("postgres"), Buffer.alloc(1)),
  );
  await answer();
  const query = (sql) => {
    socket.write(message("Q", text(sql)));
    return answer();
  };
  return { query, close: () => socket.destroy() };
}

function fieldsOf(body) {
  const fields = [];
  let at = 2;
  while (fields.length < body.readInt16BE(0)) {
    const length = body.readInt32BE(at);
    fields.push(length < 0 ? null : body.subarray(at + 4, at + 4 + length).toString());
    at += 4 + Math.max(0, length);
  }
  return fields;
}
