/** Records the resources that a stack registers, without a Pulumi engine. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import { fullKey } from "../../names/project.ts";
import { projectDir } from "../cli/paths.ts";
import { readStackFile, stackFile, withPlaceholderFiles, type RawConfig } from "../stack/stackFile.ts";
import { mockPulumi, settled, type Recording } from "./mocks.ts";

let count = 0;

/**
 * Evaluates `index.ts` for a stack of this project.
 * @param changes values of whole config keys, instead of the stack file's
 */
export async function record(stack: string, changes: Readonly<Record<string, object>> = {}): Promise<Evaluated> {
  const config = readStackFile(stackFile(stack));
  for (const [key, value] of Object.entries(changes)) config[fullKey(key)] = JSON.stringify(value);
  return recordConfig(stack, withPlaceholderFiles(config));
}

export interface Evaluated {
  readonly recording: Recording;
  readonly outputs: Record<string, unknown>;
}

/** Evaluates `index.ts` for any config, in the form in which Pulumi passes it. */
export async function recordConfig(stack: string, config: RawConfig): Promise<Evaluated> {
  process.chdir(projectDir); // As Pulumi does: contexts are relative to the project.
  const recording = await mockPulumi({
    stack,
    outputs: {
      "gcp:container/cluster:Cluster": () => ({
        controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: "gke-0123.asia-northeast1.gke.goog" } },
      }),
      "gcp:serviceaccount/account:Account": (name) => ({ email: `${name}@acme-staging.iam.gserviceaccount.com` }),
      "gcp:certificatemanager/dnsAuthorization:DnsAuthorization": (name) => ({
        dnsResourceRecords: [{ name: `_acme-challenge.${name}.`, type: "CNAME", data: "0123.authorize.example." }],
      }),
      "gcp:compute/globalAddress:GlobalAddress": () => ({ address: "203.0.113.7" }),
      "docker:index/image:Image": (name) => ({ repoDigest: `registry.example.com/${name}@sha256:${"0".repeat(64)}` }),
      "tls:index/privateKey:PrivateKey": (name) => ({ privateKeyPem: `canary of ${name}` }),
      "tls:index/selfSignedCert:SelfSignedCert": () => ({ certPem: "the CA\n" }),
      "tls:index/certRequest:CertRequest": () => ({ certRequestPem: "the request\n" }),
      "tls:index/locallySignedCert:LocallySignedCert": () => ({ certPem: "the leaf\n" }),
    },
    calls: {
      "gcp:organizations/getClientConfig:getClientConfig": { accessToken: "canary of the login" },
      "gcp:organizations/getProject:getProject": { number: "123456789012" },
    },
  });
  pulumi.runtime.setAllConfig(config);
  // A module runs once per URL: use a new URL for each evaluation.
  const program = pathToFileURL(join(projectDir, "index.ts"));
  program.searchParams.set("evaluation", String((count += 1)));
  const { default: outputs } = (await import(program.href)) as { default: Record<string, unknown> };
  await settled();
  return { recording, outputs };
}
