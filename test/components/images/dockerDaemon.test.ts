import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { missingSockets } from "../../../components/images/dockerDaemon.ts";

const home = mkdtempSync(join(tmpdir(), "docker-"));
after(() => {
  rmSync(home, { recursive: true });
});
const socket = join(home, "docker.sock");
writeFileSync(socket, "");

const find = (env: Record<string, string>, platform = "linux") => missingSockets({ env, home, platform });

test("DOCKER_HOST names the socket; a daemon elsewhere is not known", () => {
  assert.deepEqual(find({ DOCKER_HOST: `unix://${home}/none.sock` }), [`${home}/none.sock`]);
  assert.equal(find({ DOCKER_HOST: `unix://${socket}` }), undefined);
  assert.equal(find({ DOCKER_HOST: "tcp://127.0.0.1:2375" }), undefined);
  assert.equal(find({ DOCKER_HOST: "ssh://user@build.example.com" }), undefined);
  assert.equal(find({}, "win32"), undefined);
});

test("the current context names the socket", () => {
  const id = createHash("sha256").update("own").digest("hex");
  mkdirSync(join(home, ".docker/contexts/meta", id), { recursive: true });
  const meta = join(home, ".docker/contexts/meta", id, "meta.json");
  writeFileSync(join(home, ".docker/config.json"), JSON.stringify({ currentContext: "own" }));
  writeFileSync(meta, JSON.stringify({ Endpoints: { docker: { Host: `unix://${home}/own.sock` } } }));
  assert.deepEqual(find({}), [`${home}/own.sock`]);
  assert.equal(find({ DOCKER_HOST: `unix://${socket}` }), undefined);
  writeFileSync(meta, JSON.stringify({ Endpoints: { docker: { Host: `unix://${socket}` } } }));
  assert.equal(find({}), undefined);
  writeFileSync(join(home, ".docker/config.json"), "not JSON");
  assert.equal(find({ DOCKER_CONTEXT: "own" }), undefined);
});
