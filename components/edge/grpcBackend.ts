/** Routing at the edge between the proxy's gRPC port and its HTTP port. */
import type * as pulumi from "@pulumi/pulumi";

/** A path of a host, and the protocol of its backend. */
export interface EdgePath {
  /** A path that ends with `/` matches everything below it; any other matches exactly. */
  readonly path: string;
  readonly protocol: "http" | "grpc";
}

/** The gRPC Service, and the paths of each host that use it. */
export interface GrpcBackend {
  readonly serviceName: pulumi.Input<string>;
  /** By host, the longest path first and `/` last. */
  readonly paths: Readonly<Record<string, readonly EdgePath[]>>;
}

/** The paths that the edge routes separately on a host. */
export const edgePathsOf = (host: string, grpc: GrpcBackend | undefined): readonly EdgePath[] =>
  grpc?.paths[host] ?? [{ path: "/", protocol: "http" }];
