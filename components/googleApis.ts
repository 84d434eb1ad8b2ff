import * as gcp from "@pulumi/gcp";
import type * as pulumi from "@pulumi/pulumi";

/**
 * Enables Google APIs for a component, as its children `${name}-api-<api>`. They stay enabled after `destroy`, because
 * other stacks of the project may use them. For the same reason two components may enable the same API.
 *
 * @param apis names without `.googleapis.com`, such as `container`
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
