import { setTimeout as delay } from "node:timers/promises";
import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { serviceOf, type GoogleApi } from "../names/googleApis.ts";

/**
 * Enables Google APIs for a component, as its children `${name}-api-<api>`. They stay enabled after `destroy`, because
 * other stacks of the project may use them. For the same reason two components may enable the same API. Whatever uses
 * an API depends on the result.
 */
export function enableApis(
  name: string,
  project: string,
  apis: readonly GoogleApi[],
  parent: pulumi.Resource,
): gcp.projects.Service[] {
  return apis.map(
    (api) =>
      new gcp.projects.Service(
        `${name}-api-${api}`,
        { project, service: serviceOf(api), disableOnDestroy: false },
        { parent },
      ),
  );
}

/**
 * What Google answers for some minutes after an API was enabled, or a service account or the first cluster was created,
 * although these are done. The provider waits for none of them.
 * https://github.com/hashicorp/terraform-provider-google/issues/2129 and https://cloud.google.com/iam/docs/access-change-propagation
 */
const notReady = new RegExp(
  [
    "accessNotConfigured|SERVICE_DISABLED|has not been used in project|API is not enabled for this project",
    // https://github.com/pulumi/examples/pull/899
    "should enable service:\\S+ before generating a service account",
    // https://github.com/GoogleCloudPlatform/kubernetes-workshops/pull/32
    "not fully initialized with the default service accounts",
    "service account \\S+ does not exist",
    // https://github.com/terraform-google-modules/terraform-google-kubernetes-engine/issues/916
    "Identity (Pool|namespace) does not exist",
  ].join("|"),
  "i",
);

/** Seconds between two attempts, and how many of them: five minutes. */
const pause = 10;
const attempts = 30;

/**
 * @param errors of all attempts so far, the newest first
 * @returns whether to try again, after a pause
 */
export async function isWorthRetrying(errors: readonly string[], wait: (ms: number) => Promise<void> = delay) {
  if (errors.length > attempts || !notReady.test(errors[0] ?? "")) return false;
  await wait(pause * 1000);
  return true;
}

/** Adds the hook to every Google resource. The engine asks it after a failure. */
export const onGoogle =
  (hook: pulumi.ErrorHook): pulumi.ResourceTransformation =>
  ({ type, props, opts }) =>
    type.startsWith("gcp:") ? { props, opts: pulumi.mergeOptions(opts, { hooks: { onError: [hook] } }) } : undefined;

/**
 * Lets the first `up` of a new project wait for its APIs. After `npm run bootstrap` there is nothing to wait for. Call
 * it before the first resource. https://www.pulumi.com/docs/iac/concepts/options/hooks/
 */
export function waitForApis(): void {
  if (!pulumi.runtime.hasEngine()) return; // Mocks have no hooks.
  const hook = new pulumi.ErrorHook("google-not-ready", ({ errors }) => isWorthRetrying(errors));
  pulumi.runtime.registerStackTransformation(onGoogle(hook));
}
