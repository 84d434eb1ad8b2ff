/** Regions and zones of Google Cloud. https://cloud.google.com/compute/docs/regions-zones */
import { nearest } from "../problems.ts";

/** Of 2026. Google adds some each year. */
const regions = [
  ...["africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3"],
  ...["asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "asia-southeast3"],
  ...["australia-southeast1", "australia-southeast2", "europe-central2", "europe-north1", "europe-north2"],
  ...["europe-southwest1", "europe-west1", "europe-west2", "europe-west3", "europe-west4", "europe-west6"],
  ...["europe-west8", "europe-west9", "europe-west10", "europe-west12", "me-central1", "me-central2", "me-west1"],
  ...["northamerica-northeast1", "northamerica-northeast2", "northamerica-south1", "southamerica-east1"],
  ...["southamerica-west1", "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2"],
  ...["us-west3", "us-west4"],
];

/** Letters of the zones. Two of the oldest regions have no a. */
const letters: Readonly<Record<string, readonly string[]>> = {
  "us-central1": ["a", "b", "c", "f"],
  "us-east1": ["b", "c", "d"],
  "europe-west1": ["b", "c", "d"],
};

/** Zones of a region, without those for AI alone. Of a region that is not listed, the usual ones. */
export const zonesOf = (region: string): string[] =>
  (letters[region] ?? ["a", "b", "c"]).map((letter) => `${region}-${letter}`);

/** Whether Google has the zone. Undefined for a region that is not listed, and for zones for AI, such as `us-south1-ai1b`. */
export const isZone = (zone: string, region: string): boolean | undefined =>
  regions.includes(region) && !/-ai\d[a-z]$/.test(zone) ? zonesOf(region).includes(zone) : undefined;

/** The region that a mistyped one, or one of its zones, means. */
export const nearestRegion = (text: string): string | undefined => nearest(text.replace(/(\d)-[a-z]$/, "$1"), regions);

export function regionWarnings(region: string | undefined): string[] {
  if (region === undefined || regions.includes(region)) return [];
  const meant = nearestRegion(region);
  return [
    `gcp:region: ${region} is a region that this program does not know; see gcloud compute regions list${meant === undefined ? "" : `, or write ${meant}`}`,
  ];
}
