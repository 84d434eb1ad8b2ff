/** A stack's resources as the engine is told of them, without an engine. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { readStackFile, withPlaceholderFiles } from "../../local/evaluate.ts";
import { mockPulumi, settled, type Recording } from "../mocks.ts";
import { projectDir } from "./rendered.ts";

/** Evaluates `index.ts` for a stack of this project; once for each stack in a process. */
export async function record(
  stack: string,
): Promise<{ readonly recording: Recording; readonly outputs: Record<string, unknown> }> {
  process.chdir(projectDir); // As Pulumi does: contexts are relative to the project.
  const recording = await mockPulumi({
    stack,
    outputs: {
      "gcp:container/cluster:Cluster": () => ({
        controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: "gke-0123.asia-northeast1.gke.goog" } },
      }),
      "gcp:serviceaccount/account:Account": (name) => ({ email: `${name}@acme-staging.iam.gserviceaccount.com` }),
      "gcp:compute/globalAddress:GlobalAddress": () => ({ address: "203.0.113.7" }),
      "docker:index/image:Image": (name) => ({ repoDigest: `registry.example.com/${name}@sha256:${"0".repeat(64)}` }),
      "tls:index/privateKey:PrivateKey": (name) => ({ privateKeyPem: `canary of ${name}` }),
      "tls:index/selfSignedCert:SelfSignedCert": () => ({ certPem: "the CA\n" }),
      "tls:index/certRequest:CertRequest": () => ({ certRequestPem: "the request\n" }),
      "tls:index/locallySignedCert:LocallySignedCert": () => ({ certPem: "the leaf\n" }),
    },
    calls: { "gcp:organizations/getClientConfig:getClientConfig": { accessToken: "canary of the login" } },
  });
  pulumi.runtime.setAllConfig(withPlaceholderFiles(readStackFile(join(projectDir, `Pulumi.${stack}.yaml`))));
  // Modules run once; another address makes it another module.
  const program = pathToFileURL(join(projectDir, "index.ts"));
  program.searchParams.set("stack", stack);
  const { default: outputs } = (await import(program.href)) as { default: Record<string, unknown> };
  await settled();
  return { recording, outputs };
}
