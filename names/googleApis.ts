/** The Google APIs that a stack can need, in one list for the program and for `npm run bootstrap`. */

/** Names without `.googleapis.com`, and what uses each. */
export const googleApis = {
  serviceusage: "which APIs are enabled",
  cloudresourcemanager: "the project and who may do what in it",
  iam: "service accounts and workload identity",
  iamcredentials: "tokens of service accounts",
  sts: "workflows that act as a service account",
  storage: "Pulumi's state",
  cloudkms: "the keys of secrets",
  compute: "the network, the address, the load balancer and Cloud Armor",
  container: "the cluster",
  binaryauthorization: "which images may run",
  artifactregistry: "images",
  dns: "zones and records",
  certificatemanager: "certificates of a Gateway",
  iap: "Identity-Aware Proxy",
  logging: "metrics of the access log",
  /** While it is enabled, Google scans and charges for each image that the project gets. */
  containerscanning: "known vulnerabilities of images",
} as const;

export type GoogleApi = keyof typeof googleApis;

/** Names of the API's service, such as `container.googleapis.com`. */
export const serviceOf = (api: GoogleApi): string => `${api}.googleapis.com`;
