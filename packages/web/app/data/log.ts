import type { RawLog } from "@quorate/chain";

/** A log of the index with the time of its block. */
export type StoredLog = RawLog & {
  /** Unix s. */
  readonly timestamp: number;
};
