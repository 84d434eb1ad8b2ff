/** Schema of what runs to its end: a release's job, and a schedule. `../checks/jobs.ts` checks the times. */
import * as z from "zod";
import { doc } from "./doc.ts";
import { words } from "./workload.ts";

/** A day: a job that takes longer is no part of a release. */
const mostSeconds = 86_400;

export const release = z
  .strictObject({
    command: words
      .optional()
      .meta(doc("Program of the job. Without it: that of the service.", ["/app/migrate"], "0.3.0")),
    args: words
      .optional()
      .meta(doc("Arguments of the job. Without them: those of the service.", ["rails", "db:migrate"], "0.3.0")),
    timeoutSeconds: z
      .int()
      .min(1)
      .max(mostSeconds)
      .default(600)
      .meta(doc("Most seconds that it may take, with the pull of its image.", 1800, "0.3.0")),
  })
  .refine(
    ({ command, args }) => command !== undefined || args !== undefined,
    "must have command or args: without them the job would be the service itself, which does not end",
  )
  .optional()
  .meta(
    doc(
      "Job that must succeed before a new release of the service starts, such as a migration. If it fails, the release before serves on. It runs again after a rollback and after a node's upgrade, so it must be safe to repeat.",
      { args: ["rails", "db:migrate"], timeoutSeconds: 600 },
      "0.3.0",
    ),
  );

export const schedule = z
  .string()
  .optional()
  .meta(
    doc(
      "When the service runs to its end, as five fields of cron: minute, hour, day of the month, month, day of the week. Such a service has no port, no routes and no replicas.",
      "0 3 * * *",
      "0.3.0",
    ),
  );
export const timeZone = z
  .string()
  .optional()
  .meta(doc("Time zone of `schedule`. Without it: `Etc/UTC`.", "Asia/Tokyo", "0.3.0"));
export const concurrency = z
  .enum(["forbid", "allow", "replace"])
  .optional()
  .meta(
    doc(
      "What happens at a time of `schedule` at which a run is in progress: no new run, one beside it, or one in its place. Without it: `forbid`.",
      "allow",
      "0.3.0",
    ),
  );
export const deadlineSeconds = z
  .int()
  .min(1)
  .max(7 * mostSeconds)
  .optional()
  .meta(doc("Most seconds that a run of `schedule` may take, with its retries. Without it: 21600.", 600, "0.3.0"));
export const retries = z
  .int()
  .min(0)
  .max(10)
  .optional()
  .meta(doc("How often a failed run of `schedule` is tried again. Without it: 0.", 2, "0.3.0"));
