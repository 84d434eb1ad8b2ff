/** The proxy's gRPC port: HTTP/2 over TLS, which Google's load balancer requires for gRPC backends. */
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { commonLabels, proxyGrpcName, proxyName, selectorLabels } from "../../names/kubernetes.ts";
import { proxyServicePorts } from "../../names/ports.ts";
import { tlsSecret } from "../tlsSecret.ts";

/** How the edge learns that a Service uses HTTP/2 over TLS. */
export interface GrpcService {
  /** @default - none */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Protocol of the port. @default - none */
  readonly appProtocol?: string;
}

/**
 * Creates a certificate and a Service for the port, as children of the proxy. The certificate is valid for ten years.
 * Nobody verifies it: Google's load balancer and Envoy require encryption to a backend, but do not authenticate it.
 * https://cloud.google.com/load-balancing/docs/ssl-certificates/encryption-to-the-backends
 */
export function makeGrpcPort(
  name: string,
  namespace: pulumi.Input<string>,
  { annotations, appProtocol }: GrpcService,
  opts: pulumi.CustomResourceOptions,
): { readonly secretName: pulumi.Output<string>; readonly serviceName: pulumi.Output<string> } {
  const key = new tls.PrivateKey(`${name}-grpc-key`, { algorithm: "ECDSA", ecdsaCurve: "P256" }, opts);
  const certificate = new tls.SelfSignedCert(
    `${name}-grpc-certificate`,
    {
      privateKeyPem: key.privateKeyPem,
      subject: { commonName: proxyName },
      validityPeriodHours: 3650 * 24,
      allowedUses: ["digital_signature", "server_auth"],
    },
    opts,
  );
  const pair = { crt: certificate.certPem, key: key.privateKeyPem };
  const service = new k8s.core.v1.Service(
    `${name}-grpc-service`,
    {
      metadata: {
        name: proxyGrpcName,
        namespace,
        labels: commonLabels(proxyName),
        annotations: { "pulumi.com/skipAwait": "true", ...annotations },
      },
      spec: {
        type: "ClusterIP",
        selector: selectorLabels(proxyName),
        ports: [
          {
            name: "grpc",
            port: proxyServicePorts.grpc,
            targetPort: "grpc",
            ...(appProtocol !== undefined && { appProtocol }),
          },
        ],
      },
    },
    opts,
  );
  return {
    secretName: tlsSecret(`${name}-grpc`, proxyName, namespace, pair, opts),
    serviceName: service.metadata.name,
  };
}
