/** What the edge sends to the proxy's port for gRPC instead of the usual one. */
import type * as pulumi from "@pulumi/pulumi";

/** What of a host goes where: the port for gRPC, or the one for everything else. */
export interface EdgePath {
  /** With `/` at its end everything below it, otherwise this one path. */
  readonly path: string;
  readonly protocol: "http" | "grpc";
}

/** The Service for gRPC, and what of each host goes to it. */
export interface GrpcBackend {
  readonly serviceName: pulumi.Input<string>;
  /** By host, the longest path first and `/` last. */
  readonly paths: Readonly<Record<string, readonly EdgePath[]>>;
}

/** What an edge has to tell apart on a host. */
export const edgePathsOf = (host: string, grpc: GrpcBackend | undefined): readonly EdgePath[] =>
  grpc?.paths[host] ?? [{ path: "/", protocol: "http" }];
