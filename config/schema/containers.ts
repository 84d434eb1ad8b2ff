/** Schema of what else runs in a service's pods: beside its program, and before it. */
import * as z from "zod";
import { doc } from "./doc.ts";
import { distinct, image, label, resources } from "./values.ts";
import { health, place, portNumber, serviceEnv, user, words } from "./workload.ts";

const since = "0.3.0";
/** Of each of the two kinds, in a pod. */
const most = 10;

const both = {
  image: image
    .optional()
    .meta(
      doc(
        "Image by tag or digest; not `latest`. Without it: the service's own, also one that is built.",
        "registry.example.com/tools/cloud-sql-proxy:2.20.0",
        since,
      ),
    ),
  command: words
    .optional()
    .meta(
      doc(
        "Program instead of the image's `ENTRYPOINT`, one word an item. `$(NAME)` is the value of a variable of its `env`.",
        ["/cloud-sql-proxy"],
        since,
      ),
    ),
  args: words
    .optional()
    .meta(
      doc(
        "Arguments instead of the image's `CMD`, one word an item. `$(NAME)` is the value of a variable of its `env`.",
        ["--private-ip", "--port=5432", "acme:asia-northeast1:shop"],
        since,
      ),
    ),
  env: serviceEnv.meta(
    doc(
      "Environment variables of this container, in the forms of the service's `env`, whose variables are not among them.",
      { LOG_LEVEL: "info", TOKEN: { secret: "TOKEN" }, CART: { service: "cart" } },
      since,
    ),
  ),
  resources: resources("50m", "64Mi", "the container", since),
  shares: z
    .array(place)
    .max(70)
    .refine(distinct, "must name each path once")
    .default([])
    .meta(
      doc(
        "Paths of the service's `scratch` and `files` that this container sees too. It may write to the folders. Its `/tmp` is its own.",
        ["/app/tmp", "/etc/shop/app.yaml"],
        since,
      ),
    ),
  user: user.meta(doc("User and group ID that the container runs as. Without it: the service's.", 2000, since)),
};

const sidecar = z.strictObject({
  ...both,
  port: portNumber
    .optional()
    .meta(
      doc(
        "Port that the sidecar listens on for the pod's other containers. It is also in its variable `PORT`.",
        5432,
        since,
      ),
    ),
  health: health.meta(
    doc(
      "How to see that the sidecar is ready, in the forms of the service's `health`. What starts after it waits for it, and so does the pod. Without it: `none`.",
      { path: "/readiness", startSeconds: 30 },
      since,
    ),
  ),
});
export type SidecarSettings = z.output<typeof sidecar>;

export const sidecars = z
  .record(label, sidecar)
  .refine((all) => Object.keys(all).length <= most, `must have at most ${most} sidecars`)
  .default({})
  .meta(
    doc(
      "Containers beside the program, by name. They start before it, in the order of their names, and end after it.",
      { sql: { image: "registry.example.com/tools/cloud-sql-proxy:2.20.0", port: 5432, health: "tcp" } },
      since,
    ),
  );

const initContainer = z.strictObject({
  name: label.meta(doc("Name of the container.", "wait-for-cart", since)),
  ...both,
});
export type InitSettings = z.output<typeof initContainer>;

export const init = z
  .array(initContainer)
  .max(most)
  .default([])
  .meta(
    doc(
      "Containers that run one after another before the program starts, once all sidecars have started. Each must end with 0.",
      [{ name: "fill-cache", args: ["bin/fill-cache"], shares: ["/app/cache"] }],
      since,
    ),
  );
