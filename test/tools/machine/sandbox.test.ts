import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { stateDir } from "../../../tools/cli/paths.ts";
import { initScript, sandboxState } from "../../../tools/machine/sandbox.ts";

const options = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
const outer = ["unshare", ...options, "bash"];

test("a sandbox is the exact command that starts it, of this checkout, another one, or an older revision", () => {
  assert.equal(sandboxState([...outer, initScript, stateDir]), stateDir);
  for (const folder of ["tools/machine", "local/kubernetes"])
    assert.equal(
      sandboxState([...outer, `/src/other/${folder}/node/init.sh`, "/src/other/.local"]),
      "/src/other/.local",
    );
});

const script = "/src/other/tools/machine/node/init.sh";
const state = "/src/other/.local";
const others: Readonly<Record<string, readonly string[]>> = {
  "an editor of the script": ["vim", script],
  "the script itself, in the sandbox": ["bash", script, state],
  "a search that has the whole command as its text": ["grep", "-r", [...outer, script, state].join(" "), "/src"],
  "another program with the same arguments": ["nsenter", ...options, "bash", script, state],
  "other namespaces": ["unshare", "--mount", "--pid", "--fork", "bash", script, state],
  "a further argument": [...outer, script, state, "--verbose"],
  "no state folder": [...outer, script],
  "a state folder of another name": [...outer, script, "/src/other/state"],
  "the script of another folder": [...outer, "/src/different/tools/machine/node/init.sh", state],
  "another script of the checkout": [...outer, "/src/other/services/node/initialize.sh", state],
  "a kernel thread, which has no command line": [],
};
for (const [name, command] of Object.entries(others))
  test(`not a sandbox: ${name}`, () => {
    assert.equal(sandboxState(command), undefined);
  });

test("the script is in this checkout", () => {
  assert.ok(initScript.startsWith(join(stateDir, "..", "/")));
});
