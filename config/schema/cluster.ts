/** The shape of where the Kubernetes is. */
import * as z from "zod";

const gke = z.strictObject({
  kind: z.literal("gke"),
  network: z
    .strictObject({
      nodes: z.cidrv4().default("10.0.0.0/20"),
      pods: z.cidrv4().default("10.4.0.0/14"),
      services: z.cidrv4().default("10.8.0.0/20"),
    })
    .prefault({}),
  nodes: z
    .strictObject({
      machineType: z
        .string()
        .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/, "must be a machine type such as e2-standard-4")
        .default("e2-standard-4"),
      minPerZone: z.int().min(0).max(100).default(1),
      maxPerZone: z.int().min(1).max(100).default(3),
      spot: z.boolean().default(false),
      diskGb: z.int().min(20).max(2000).default(50),
    })
    .prefault({}),
  releaseChannel: z.enum(["RAPID", "REGULAR", "STABLE"]).default("REGULAR"),
  maintenance: z
    .strictObject({
      start: z.iso.datetime().default("2026-01-03T17:00:00Z"),
      end: z.iso.datetime().default("2026-01-03T21:00:00Z"),
      recurrence: z
        .string()
        .startsWith("FREQ=", "must be an RFC 5545 rule such as FREQ=WEEKLY;BYDAY=SA,SU")
        .default("FREQ=WEEKLY;BYDAY=SA,SU"),
    })
    .prefault({}),
  deletionProtection: z.boolean().default(true),
});

const existing = z.strictObject({
  kind: z.literal("existing"),
  context: z.string().min(1).max(200),
  /** Path of the kubeconfig, relative to the project. */
  kubeconfig: z.string().min(1).optional(),
});

export const cluster = z.discriminatedUnion("kind", [gke, existing]).prefault({ kind: "gke" });
