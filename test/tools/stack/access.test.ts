import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { stringify } from "yaml";
import { withContext } from "../../../tools/stack/kubeconfig.ts";
import { fullKey } from "../../../names/project.ts";
import { Problem } from "../../../tools/cli/problem.ts";
import { accessTo } from "../../../tools/stack/access.ts";

const project = await mkdtemp(join(tmpdir(), "stacks-"));
test.after(() => rm(project, { recursive: true, force: true }));
const access = { cluster: { server: "https://127.0.0.1:6443" }, user: { token: "0123" } };

async function stackWith(cluster: object): Promise<void> {
  const config = { [fullKey("cluster")]: { kind: "existing", ...cluster } };
  await writeFile(join(project, "Pulumi.here.yaml"), stringify({ config }));
}
const refusal = (message: RegExp) =>
  assert.rejects(
    accessTo("here", project),
    (error) => error instanceof Problem && message.test(`${error.message}\n${error.fix}`),
  );

test("a stack with a kubeconfig file uses the context in that file", async () => {
  await stackWith({ context: "mine", kubeconfig: "own.kubeconfig" });
  await refusal(/There is no .*own\.kubeconfig: the cluster of stack here does not exist\.\nStart it with "npm start"/);
  const other = withContext("", "file", "other", { cluster: {}, user: {} });
  await writeFile(join(project, "own.kubeconfig"), withContext(other, "file", "mine", access));
  assert.deepEqual(await accessTo("here", project), access);
  await stackWith({ context: "theirs", kubeconfig: "own.kubeconfig" });
  await refusal(/own\.kubeconfig has no complete context "theirs"/);
});

test("a stack on one of the user's contexts has no kubeconfig of its own", async () => {
  await stackWith({ context: "minikube" });
  await refusal(/uses the context "minikube" of your kubeconfig\.\nUse it: kubectl --context minikube get pods/);
});
