import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/**
 * Enables Google APIs for a component, as its children `${name}-api-<api>`. They stay enabled after `destroy`: other
 * stacks of the same project may live on them, and for that reason two components may enable the same one.
 *
 * @param apis names without `.googleapis.com`, as in `container`
 */
export function enableApis(
  name: string,
  project: string,
  apis: readonly string[],
  parent: pulumi.Resource,
): gcp.projects.Service[] {
  return apis.map(
    (api) =>
      new gcp.projects.Service(
        `${name}-api-${api}`,
        { project, service: `${api}.googleapis.com`, disableOnDestroy: false },
        { parent },
      ),
  );
}
