/** Kubernetes quantities as numbers. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/ */

const units: Readonly<Record<string, number>> = {
  ...{ Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 },
  ...{ k: 1e3, M: 1e6, G: 1e9, T: 1e12 },
};

/** `128Mi` or `1.5Gi` in bytes. */
export const bytesOf = (quantity: string): number =>
  Math.ceil(parseFloat(quantity) * (units[quantity.replace(/^[\d.]+/, "")] ?? 1));

/** `250m` or `0.25` in thousandths of a CPU. */
export const milliCpuOf = (quantity: string): number =>
  quantity.endsWith("m") ? parseFloat(quantity) : parseFloat(quantity) * 1000;
