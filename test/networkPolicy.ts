/**
 * Whether network policies allow a connection, by the rules of Kubernetes:
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import assert from "node:assert/strict";
import { BlockList } from "node:net";
import type { Peer, PolicySpec, Selector } from "./program/rendered.ts";

export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** For engines that compare a pod's address with ranges; others (Cilium) identify pods only by label. */
  readonly address?: string;
}
/** Something outside the cluster. */
interface Outside {
  readonly address: string;
}
export type End = Pod | Outside;
export interface Policy {
  readonly metadata: { readonly namespace?: string };
  readonly spec: PolicySpec;
}

const isPod = (end: End): end is Pod => "namespace" in end;

/** Whether `from` may connect to a port of `to`: egress of the one and ingress of the other must allow it. */
export function mayConnect(
  policies: readonly Policy[],
  from: End,
  to: End,
  port: number,
  protocol: "TCP" | "UDP" = "TCP",
): boolean {
  const isOpen = (end: End, other: End, type: "Egress" | "Ingress") => {
    if (!isPod(end)) return true;
    const binding = policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === end.namespace &&
        spec.policyTypes.includes(type) &&
        selects(spec.podSelector, end.labels),
    );
    const rules = binding.flatMap(({ metadata, spec }) =>
      (type === "Egress"
        ? (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
        : (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
      ).map((rule) => ({ ...rule, namespace: metadata.namespace ?? "" })),
    );
    return (
      binding.length === 0 ||
      rules.some(
        ({ peers = [], ports = [], namespace }) =>
          (ports.length === 0 || ports.some((each) => each.port === port && each.protocol === protocol)) &&
          (peers.length === 0 || peers.some((peer) => isPeer(peer, other, namespace))),
      )
    );
  };
  return isOpen(from, to, "Egress") && isOpen(to, from, "Ingress");
}

function isPeer({ ipBlock, podSelector, namespaceSelector }: Peer, end: End, namespace: string): boolean {
  if (ipBlock !== undefined) {
    const { address } = end;
    assert.ok(
      podSelector === undefined && namespaceSelector === undefined,
      "a range and a selector exclude each other",
    );
    return (
      address !== undefined && isIn(ipBlock.cidr, address) && !ipBlock.except?.some((range) => isIn(range, address))
    );
  }
  assert.ok(podSelector !== undefined || namespaceSelector !== undefined, "a peer is somebody");
  if (!isPod(end)) return false;
  const inNamespace =
    namespaceSelector === undefined
      ? end.namespace === namespace
      : selects(namespaceSelector, { "kubernetes.io/metadata.name": end.namespace });
  return inNamespace && selects(podSelector ?? {}, end.labels);
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      const isThere = value !== undefined && values.includes(value);
      assert.ok(operator === "In" || operator === "NotIn", `${operator} is not known to this test`);
      assert.ok(values.length > 0, `${operator} has no values`);
      return operator === "In" ? isThere : !isThere;
    })
  );
}

function isIn(range: string, address: string): boolean {
  const [first = "", prefix = ""] = range.split("/");
  const family = (text: string) => (text.includes(":") ? "ipv6" : "ipv4");
  const list = new BlockList();
  list.addSubnet(first, Number(prefix), family(first));
  return list.check(address, family(address));
}
