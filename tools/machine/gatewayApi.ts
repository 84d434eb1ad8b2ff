/** Downloads the CRDs of the Gateway API, in the version that Contour is compiled with. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { goMod, goProblem, source } from "./goModules.ts";
import { completed } from "../programs/cache.ts";
import { run } from "../cli/run.ts";
import { cacheDir } from "../cli/paths.ts";

const gatewayModule = "sigs.k8s.io/gateway-api";
const [, version = ""] = new RegExp(`${gatewayModule} (v\\S+)`).exec(goMod) ?? [];
/** The kinds that Contour reads. */
const kinds = ["gatewayclasses", "gateways", "httproutes", "referencegrants"];

export const gatewayApiDir = join(cacheDir, "gateway-api", version);
export const gatewayApiFile = join(gatewayApiDir, "crds.yaml");

/** @throws Problem if there is no Go, or the download fails */
export async function getGatewayApi(): Promise<void> {
  await completed(gatewayApiDir, async (folder) => {
    const log = join(cacheDir, "logs", "gateway-api.log");
    const modules = join(folder, "modules");
    try {
      // Go verifies the download against go.sum.
      const text = await run("go", ["mod", "download", "-json", gatewayModule], {
        cwd: source,
        log,
        env: { GOFLAGS: "-modcacherw", GOWORK: "off", GOMODCACHE: modules },
      });
      const { Dir } = JSON.parse(text) as { Dir: string };
      const definition = (kind: string) =>
        readFileSync(join(Dir, `config/crd/standard/gateway.networking.k8s.io_${kind}.yaml`), "utf8");
      writeFileSync(join(folder, "crds.yaml"), kinds.map(definition).join("---\n"));
    } catch (error) {
      throw goProblem(error, log);
    }
    rmSync(modules, { recursive: true });
  });
}
