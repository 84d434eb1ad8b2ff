/** Retries while an API or a service account of a new project is not ready. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { isWorthRetrying, onGoogle } from "../../components/googleApis.ts";

const disabled =
  "googleapi: Error 403: Compute Engine API has not been used in project 123 before or it is disabled. Enable it by visiting … If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry., accessNotConfigured";
const unknown =
  "Error applying IAM policy: googleapi: Error 400: Service account staging-nodes@acme-staging.iam.gserviceaccount.com does not exist., badRequest";
/** As others have reported them, with other names. */
const others = [
  "googleapi: Error 403: Kubernetes Engine API is not enabled for this project. Please ensure it is enabled in Google Cloud Console and try again",
  "googleapi: Error 400: Failed precondition when calling the ServiceConsumerManager: tenantmanager::185014: Consumer 123 should enable service:container.googleapis.com before generating a service account., failedPrecondition",
  "googleapi: Error 503: Project acme-staging is not fully initialized with the default service accounts. Please try again later.",
  'googleapi: Error 400: Service account "staging-nodes@acme-staging.iam.gserviceaccount.com" does not exist., badRequest',
  "googleapi: Error 400: Identity Pool does not exist (acme-staging.svc.id.goog). Please check that you specified a valid resource name as returned in the `name` attribute in the configuration API., badRequest",
  "googleapi: Error 400: Identity namespace does not exist (acme-staging.svc.id.goog)., badRequest",
];
const denied = "googleapi: Error 403: Required 'compute.networks.create' permission for 'projects/x', forbidden";

async function answer(errors: readonly string[]) {
  const waits: number[] = [];
  const again = await isWorthRetrying(errors, (ms) => Promise.resolve(void waits.push(ms)));
  return { again, waits };
}

test("what is not ready yet is tried again every ten seconds, for five minutes", async () => {
  for (const error of [disabled, unknown, "… SERVICE_DISABLED …", ...others]) {
    assert.deepEqual(await answer([error]), { again: true, waits: [10_000] }, error);
    assert.deepEqual(await answer([error, denied]), { again: true, waits: [10_000] });
    assert.deepEqual(await answer(Array.from({ length: 30 }, () => error)), { again: true, waits: [10_000] });
    assert.deepEqual(await answer(Array.from({ length: 31 }, () => error)), { again: false, waits: [] });
  }
});

test("any other failure is final", async () => {
  const final = [
    denied,
    "googleapi: Error 404: The key does not exist",
    "googleapi: Error 403: Quota 'SSL_CERTIFICATES' exceeded. Limit: 10.0 globally., quotaExceeded",
    "googleapi: Error 400: Role roles/no.such is not supported for this resource., badRequest",
    "",
  ];
  for (const errors of [...final.map((error) => [error]), [denied, disabled], []])
    assert.deepEqual(await answer(errors), { again: false, waits: [] }, errors.join());
});

test("the hook is on every Google resource, beside its own, and on no other", () => {
  const hook = Object.create(pulumi.ErrorHook.prototype) as pulumi.ErrorHook; // The constructor needs an engine.
  const transform = onGoogle(hook);
  const given = (type: string, opts: pulumi.CustomResourceOptions) =>
    transform({ type, name: "a", props: { a: 1 }, opts, resource: undefined as unknown as pulumi.Resource });
  const kept = { protect: true, customTimeouts: { create: "60m" } };
  assert.deepEqual(given("gcp:compute/network:Network", kept), {
    props: { a: 1 },
    opts: { ...kept, hooks: { onError: [hook] } },
  });
  for (const type of ["kubernetes:core/v1:Service", "gke-microservices:index:Network", "docker:index/image:Image"])
    assert.equal(given(type, kept), undefined);
});
