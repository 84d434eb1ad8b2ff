/** What a picture is made of: boxes, nodes and arrows, before anything has a position. */

/** A box around nodes and other groups. */
export interface Group {
  readonly id: string;
  readonly title: string;
  readonly lines: readonly string[];
  /** The group around it. @default - the picture itself */
  readonly parent?: string;
}

export interface Node {
  readonly id: string;
  /** `outside` is what the stack does not run. */
  readonly kind: "outside" | "edge" | "proxy" | "service" | "schedule" | "zone" | "registry";
  readonly title: string;
  readonly lines: readonly string[];
  readonly group?: string;
  /** A class of its own in the picture, by which a page can colour it. @default - none */
  readonly state?: string;
}

export interface Arrow {
  readonly from: string;
  /** A node, or the group that it leads into. */
  readonly to: string;
  /** `lookup` is of a name, `images` are pulled. */
  readonly kind: "request" | "lookup" | "images";
  /** All that is said about it; a picture shows the first of them. */
  readonly lines: readonly string[];
  /** As a node's. */
  readonly state?: string;
}

export interface Diagram {
  readonly title: string;
  /** The same in prose, for those who do not see the picture. */
  readonly description: string;
  readonly groups: readonly Group[];
  readonly nodes: readonly Node[];
  readonly arrows: readonly Arrow[];
}
