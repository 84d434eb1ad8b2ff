import * as gcp from "@pulumi/gcp";
import * as pulumi from "@pulumi/pulumi";
import { enableApis } from "../googleApis.ts";

export interface RequestMetricsArgs {
  /** ID of the Google Cloud project. */
  readonly project: string;
  readonly stack: string;
  readonly clusterName: pulumi.Input<string>;
  readonly namespace: pulumi.Input<string>;
}

/** Upper bounds in seconds: Prometheus' defaults, and two for requests as long as a load balancer's timeout. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/**
 * Requests of each service by status class, with their latency. Cloud Logging derives the metric from the proxy's
 * access log. https://docs.cloud.google.com/logging/docs/logs-based-metrics
 */
export class RequestMetrics extends pulumi.ComponentResource {
  constructor(name: string, args: RequestMetricsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:RequestMetrics", name, {}, opts);
    const { project, stack, clusterName, namespace } = args;
    const label = (key: string, description: string) => ({ key, valueType: "STRING", description });
    new gcp.logging.Metric(
      `${name}-latency`,
      {
        project,
        name: `${stack}/proxy/latency`,
        description: `Time from a request's first byte to the answer's last, at the proxy of the stack ${stack}`,
        filter: pulumi.interpolate`resource.type="k8s_container" AND resource.labels.cluster_name="${clusterName}" AND resource.labels.namespace_name="${namespace}" AND resource.labels.container_name="nginx" AND jsonPayload.seconds>=0`,
        metricDescriptor: {
          metricKind: "DELTA",
          valueType: "DISTRIBUTION",
          unit: "s",
          labels: [
            label("service", "Empty where no route took the request"),
            label("status_class", "First digit of the status"),
          ],
        },
        valueExtractor: "EXTRACT(jsonPayload.seconds)",
        labelExtractors: {
          service: "EXTRACT(jsonPayload.service)",
          status_class: 'REGEXP_EXTRACT(httpRequest.status, "^([1-5])")',
        },
        bucketOptions: { explicitBuckets: { bounds } },
      },
      { parent: this, dependsOn: enableApis(name, project, ["logging"], this) },
    );
    this.registerOutputs({});
  }
}
