/** `npm start`: starts a local Kubernetes (or uses an existing cluster), builds images, applies `local` and verifies it by requests. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkConfig, type CheckedConfig } from "../../config/config.ts";
import { hostNames } from "../../config/hosts.ts";
import { grpcHostPaths } from "../../config/grpc.ts";
import { imageName } from "../../config/workloads.ts";
import { fullKey } from "../../names/project.ts";
import { canaryTable, proxyRoutes, routeTable } from "../../config/routes.ts";
import { renderRoutes } from "../../nginx/routes.ts";
import { chooseEngine, recordApplied, type Engine } from "../apply/engine.ts";
import { apply, liveState } from "../apply/apply.ts";
import { withLock } from "../cli/lock.ts";
import { main, noArguments } from "../cli/main.ts";
import { lockFile } from "../machine/cluster.ts";
import { embeddedCluster, existingCluster, type TargetCluster } from "../apply/targetCluster.ts";
import { evaluate } from "../stack/evaluate.ts";
import { editedMeanwhile, readStackFile, stackFile, withPlaceholderFiles, type RawConfig } from "../stack/stackFile.ts";
import { buildImages, type ImageSpec } from "../images/build.ts";
import { buildAnywhere } from "../images/containerEngine.ts";
import { imageLoader } from "../apply/imageLoader.ts";
import { edgeAddress } from "../verify/edgeAddress.ts";
import { refuseBadRoutes } from "../programs/nginx.ts";
import { port } from "../cli/options.ts";
import { projectDir } from "../cli/paths.ts";
import { createProgress, type Progress } from "../cli/progress.ts";
import { rollouts } from "../apply/rollout.ts";
import { up } from "../stack/pulumiCli.ts";
import { caFile, ensureCertificate } from "../stack/localCertificate.ts";
import { addressesOf, howToOpen, routeToOpen } from "../verify/howToOpen.ts";
import { verifyEveryPod } from "../verify/everyPod.ts";
import { answering, report, verify } from "../verify/verify.ts";
import { proxyName } from "../../names/kubernetes.ts";

const usage = `npm start [-- OPTIONS]

Starts a Kubernetes on this machine, builds the images, applies the stack "local" and verifies it by HTTPS requests.
Run it again to apply what changed in Pulumi.local.yaml.

  --engine auto|pulumi|kubectl  program that applies the stack; auto uses the Pulumi CLI if it is installed
  --context NAME                use the cluster of this kubectl context instead of starting one
  --address ADDRESS             address of that cluster's ingress controller (default: the Ingress's status)
  --http-port N, --https-port N ports of the edge (default: 80 and 443)`;

const options = {
  engine: { type: "string", default: "auto" },
  context: { type: "string" },
  address: { type: "string" },
  "http-port": { type: "string", default: "80" },
  "https-port": { type: "string", default: "443" },
} as const;

await main(usage, options, async ({ values, positionals }) => {
  noArguments(positionals, usage);
  const ports = { httpPort: port(values["http-port"]), httpsPort: port(values["https-port"]) };
  const file = stackFile("local");
  const readAt = new Date();
  const read = readStackFile(file, "refuse");
  const raw = withContext(read, values.context);
  // Validate first, so that a bad config changes nothing. A placeholder stands for a certificate that does not exist yet.
  const checked = checkConfig(withPlaceholderFiles(raw, "replaceable"), "local", projectDir);
  await refuseBadRoutes(renderRoutes(proxyRoutes(checked.settings)));
  const engine = chooseEngine(values.engine, values.context);
  const progress = createProgress();

  const { namespace, services, proxy } = checked.settings;
  const autoscaling = [...Object.values(services), proxy].some(({ replicas }) => typeof replicas !== "number");
  const build = values.context === undefined ? buildImages : buildAnywhere;
  const images = imageLoader(imagesToBuild(checked), progress, build);
  // The first start takes minutes. The file is read once, so that what is built, applied and verified belongs together.
  try {
    const cluster =
      values.context === undefined
        ? await embeddedCluster({ ...ports, namespace, autoscaling }, progress, images.put)
        : await existingCluster(values.context, images.put);
    await ensureCertificate(hostNames(checked.settings));
    // The program logs its warnings, but the Pulumi CLI's output is not shown here.
    if (engine.name === "pulumi")
      for (const warning of checkConfig(raw, "local", projectDir).warnings) console.error(`warning: ${warning}`);
    await withLock(lockFile, async () => {
      await images.putEdited();
      await applyStack(cluster, engine, raw, checked, progress);
    });
    await verifyRoutes(cluster, checked, { ...ports, address: values.address });
  } finally {
    const edited = editedMeanwhile(file, read, readAt);
    if (edited !== undefined) console.error(`\n${edited}`);
  }
});

function withContext(raw: RawConfig, context: string | undefined): RawConfig {
  return context === undefined ? raw : { ...raw, [fullKey("cluster")]: JSON.stringify({ kind: "existing", context }) };
}

/** The folder that each image is built from, by the name of its Deployment. */
function buildFolders({ services, proxy }: CheckedConfig["settings"]): Record<string, string> {
  const all = [...Object.entries(services), [proxyName, proxy] as const];
  return Object.fromEntries(all.flatMap(([name, { build }]) => (build === undefined ? [] : [[name, build.context]])));
}

function imagesToBuild({ settings }: CheckedConfig): ImageSpec[] {
  const isOwn = (name: string) => imageName(name, settings.services) === name;
  const folders = Object.entries(buildFolders(settings)).filter(([name]) => isOwn(name));
  return folders.map(([name, folder]) => ({
    name,
    base: name === proxyName ? "nginx" : "node",
    context: join(projectDir, folder),
  }));
}

async function applyStack(
  cluster: TargetCluster,
  engine: Engine,
  raw: RawConfig,
  { settings }: CheckedConfig,
  progress: Progress,
): Promise<void> {
  recordApplied(cluster.target.context, {
    engine: engine.name,
    namespace: settings.namespace,
    outlivesStop: cluster.outlivesStop,
  });
  const builds = buildFolders(settings);
  const outcome = await progress.step(`stack, with ${engine.name}`, async (step) => {
    if (engine.name === "pulumi") {
      const { changes } = await up(engine.program, raw);
      // Pulumi can report a Deployment as updated although its rollout fails.
      const running = Object.entries(settings.services).filter(([, { schedule }]) => schedule === undefined);
      const names = [...running.map(([name]) => name), proxyName];
      await rollouts(cluster.target, settings.namespace, names, settings.rolloutSeconds, { builds });
      return changes === 0 ? "nothing to apply" : `${changes} resources changed`;
    }
    const [{ objects, stages }, live] = await Promise.all([
      evaluate("local", raw, "plain"),
      liveState(cluster.target, settings.namespace),
    ]);
    const say = (text: string) => {
      step.detail(text);
    };
    const { applied, pruned } = await apply(cluster.target, live, objects, settings.rolloutSeconds, say, {
      builds,
      stages,
    });
    const parts = [
      applied.length > 0 && `applied ${listed(applied)}`,
      pruned.length > 0 && `pruned ${listed(pruned)}`,
    ].filter(Boolean);
    return parts.length === 0 ? "nothing to apply" : parts.join("; ");
  });
  console.error(`  ${outcome}`);
}

function listed(names: readonly string[]): string {
  return names.length <= 30 ? names.join(", ") : `${names.length} objects, ${names.slice(0, 5).join(", ")} and so on`;
}

async function verifyRoutes(
  cluster: TargetCluster,
  { settings }: CheckedConfig,
  { address, ...ports }: { address: string | undefined; httpPort: number; httpsPort: number },
) {
  const secure = settings.tls.mode !== "none";
  const endpoint = {
    address: address ?? cluster.address ?? (await edgeAddress(cluster.target, settings)),
    ...ports,
    ca: secure ? readFileSync(caFile, "utf8") : undefined,
  };
  const redirect = settings.tls.mode !== "none" && settings.tls.redirectHttp;
  console.log(`\n  hops: client → ${endpoint.address} → edge (${settings.edge.kind}) → nginx → service → pod`);
  const [routes, grpc] = [routeTable(settings), grpcHostPaths(settings)];
  const canaries = canaryTable(settings);
  const hops = await verify(endpoint, settings.domain, routes, redirect, grpc, canaries);
  const ofHttp = Object.entries(routes).filter(([hostPath]) => !grpc.has(hostPath));
  const services = new Map(ofHttp.map(([hostPath, service]) => [hostPath, answering(service, canaries[hostPath])]));
  report([...hops, await verifyEveryPod(cluster.target, settings.namespace, services)]);
  const hostPath = routeToOpen(Object.keys(routes), grpc, settings.domain);
  const resolved = await addressesOf(hostPath.slice(0, hostPath.indexOf("/")));
  console.log(`\n${howToOpen({ ...endpoint, hostPath, secure, caFile }, resolved).join("\n")}`);
}
