import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { commonLabels } from "../../names/kubernetes.ts";
import { forJob, jobSpec } from "./job.ts";
import { makeProgram, type ProgramArgs } from "./program.ts";

export interface Schedule {
  /** Five fields of cron. */
  readonly schedule: string;
  /** Name of a time zone. @default "Etc/UTC" */
  readonly timeZone?: string | undefined;
  /** What becomes of a run whose time comes while another is in progress. @default "forbid" */
  readonly concurrency?: "forbid" | "allow" | "replace" | undefined;
  /** Most seconds of a run, with its retries. @default - 6 hours: a run that hangs must not stop all others */
  readonly deadlineSeconds?: number | undefined;
  /** @default 0 */
  readonly retries?: number | undefined;
}

export interface ScheduledJobArgs extends ProgramArgs {
  readonly schedule: Schedule;
}

const policies = { forbid: "Forbid", allow: "Allow", replace: "Replace" } as const;

/** One microservice that runs to its end at given times: a CronJob. Nothing calls it. */
export class ScheduledJob extends pulumi.ComponentResource {
  /** @param name of the component and the CronJob: a DNS label */
  constructor(name: string, args: ScheduledJobArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:ScheduledJob", name, {}, opts);
    const { namespace } = args;
    const {
      schedule,
      timeZone = "Etc/UTC",
      concurrency = "forbid",
      deadlineSeconds = 21_600,
      retries = 0,
    } = args.schedule;
    const program = makeProgram(name, args, { parent: this });
    new k8s.batch.v1.CronJob(
      `${name}-cronjob`,
      {
        metadata: { name, namespace, labels: commonLabels(name) },
        spec: {
          schedule,
          timeZone,
          concurrencyPolicy: policies[concurrency],
          // The doctor looks at them.
          successfulJobsHistoryLimit: 1,
          failedJobsHistoryLimit: 3,
          jobTemplate: {
            metadata: { labels: commonLabels(name) },
            spec: jobSpec(program.template({ app: name, ...forJob }), { retries, deadlineSeconds }),
          },
        },
      },
      { parent: this, dependsOn: [...program.needs] },
    );
    this.registerOutputs({});
  }
}
