import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { requireFreePorts } from "../../../tools/machine/preconditions.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { commandLine, listener, startTime } from "../../../tools/cli/procfs.ts";

const linux = { skip: process.platform === "linux" ? false : "reads /proc" };

test("for a port in use, the problem names the process and the option for another port", linux, async (context) => {
  const server = createServer().listen(0, "127.0.0.1");
  context.after(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  assert.equal((listener(port) as { pid: number }).pid, process.pid);
  await assert.rejects(
    requireFreePorts("127.0.0.1", [port]),
    (error) =>
      error instanceof Problem &&
      error.message.includes(`Port ${port} on 127.0.0.1 is in use by`) &&
      error.message.includes(`(process ${process.pid})`) &&
      error.fix.includes("--http-port"),
  );
  // As a killed process that is about to end.
  setTimeout(() => server.close(), 500);
  await requireFreePorts("127.0.0.1", [port]);
});

test("a process is identified by its start time and its id", linux, () => {
  assert.match(startTime(process.pid) ?? "", /^\d+$/);
  assert.equal(startTime(4194304), undefined);
  assert.deepEqual(commandLine(4194304), []);
  assert.equal(commandLine(process.pid)[0], process.argv0);
});
