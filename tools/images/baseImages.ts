/** Builds base images from Debian packages, for machines without access to an image registry. They have no package manager, and only nginx and PostgreSQL have a shell. */
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildah, imagesDir } from "./buildah.ts";
import { debianPackages } from "../programs/debian.ts";

export type Base = "node" | "nginx" | "python" | "go" | "postgres" | "redis";

/** The first Debian release with Node 24 and nginx 1.30.1 or newer (older ones have a known overflow). */
const suite = "forky";

const recipes: Readonly<Record<Base, { readonly packages: readonly string[]; readonly config: string }>> = {
  node: { packages: ["nodejs"], config: 'ENTRYPOINT ["/usr/bin/node"]' },
  // nginx/entrypoint.sh needs a shell and sleep; every root has getent.
  python: { packages: ["python3"], config: 'ENTRYPOINT ["/usr/bin/python3"]' },
  // For the stage that compiles. WORKDIR makes the folder, which the compiler writes to.
  go: { packages: ["golang-go"], config: "ENV GOTOOLCHAIN=local\nWORKDIR /tmp" },
  // Programs that start it without root: Debian's own commands would look for its accounts and folders.
  postgres: {
    packages: ["postgresql", "dash", "coreutils"],
    config: [
      "RUN /bin/ln -sf /bin/dash /bin/sh",
      "RUN echo 'postgres:x:65532:65532::/tmp:/bin/sh' >> /etc/passwd && ln -sf /usr/lib/postgresql/*/bin/* /usr/bin/",
    ].join("\n"),
  },
  redis: { packages: ["redis-server"], config: 'ENTRYPOINT ["/usr/bin/redis-server"]' },
  nginx: { packages: ["nginx", "dash", "coreutils"], config: 'ENTRYPOINT ["/usr/sbin/nginx"]' },
};

// Files that a running service never reads. Not all of usr/share: Node's modules are in usr/share/nodejs.
const unneeded = ["doc", "man", "info", "lintian", "bash-completion", "gdb", "perl5", "vim", "locale"];
const ignore = [...unneeded.map((folder) => `usr/share/${folder}`), "usr/lib/locale", "dev", "proc", "sys"].join("\n");

const containerfile = (base: Base): string =>
  ["FROM scratch", "COPY . /", "ENV PATH=/usr/sbin:/usr/bin", recipes[base].config, ""].join("\n");

/** Digest of a base image's sources. It is part of the archive's name of each image built on it. */
export function baseKey(base: Base): string {
  const parts = [suite, ignore, ...recipes[base].packages, containerfile(base)];
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 12);
}

/** Builds the base image unless buildah's storage has it. @returns its name there */
export async function baseImage(base: Base): Promise<string> {
  const reference = `localhost/gke-microservices/base-${base}:${baseKey(base)}`;
  const what = `Making the ${base} base image`;
  if ((await buildah(what, ["images", "--json"])).includes(`"${reference}"`)) return reference;
  const root = await debianPackages(recipes[base].packages, suite);
  const [recipe, ignored] = [join(imagesDir, `base-${base}.containerfile`), join(imagesDir, `base-${base}.ignore`)];
  await writeFile(recipe, containerfile(base));
  await writeFile(ignored, ignore);
  const files = ["--file", recipe, "--ignorefile", ignored];
  await buildah(what, ["build", "--isolation", "chroot", "--timestamp", "0", ...files, "--tag", reference, root], root);
  return reference;
}
