import { FatalError } from "@quorate/core";
import { z } from "zod";
import {
  type AttributeDefinition,
  attributeDefinitionSchema,
  attributeOf,
  SCORECARD_FIELDS,
  type ScorecardDefinition,
  schemaOf,
  scorecardDefinitionSchema,
} from "./dataset.ts";
import { hash } from "./field.ts";
import { decimalBelow, parseWith, unixTime } from "./internal/json.ts";
import { pack } from "./statement.ts";
import { VALUE_LIMIT } from "./value.ts";

/** When a record counts, and how many answers it may give. */
export type RecordMeta = {
  /** Unix s, first second; also names the period that the budget is for. */
  readonly validFrom: number;
  /** Unix s, last second. */
  readonly validUntil: number;
  /** Answers, 1 to 65,535. */
  readonly budget: number;
};

/** One value of one subject. */
export type AttributeRecord = RecordMeta & {
  readonly kind: "attribute";
  readonly attribute: AttributeDefinition;
  /** Encoded. */
  readonly value: bigint;
};
/** The values of a scorecard of one subject. */
export type ScorecardRecord = RecordMeta & {
  readonly kind: "scorecard";
  readonly scorecard: ScorecardDefinition;
  /** Eight, encoded; 0 where the scorecard has no field. */
  readonly values: readonly bigint[];
};
/** A record without its subject. */
export type RecordData = AttributeRecord | ScorecardRecord;

/** Whose leaf it is. */
export type LeafOwner = {
  /** From `subjectIdOf`. */
  readonly subjectId: bigint;
  /** Nullifier key of the subject. */
  readonly nk: bigint;
};

const value = decimalBelow(VALUE_LIMIT, "2^64");
const meta = { validFrom: unixTime, validUntil: unixTime, budget: z.int().min(1).max(65_535) };
/** Schema of a record in JSON: values are decimal strings of the encoded numbers. */
export const recordSchema: z.ZodType<RecordData> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("attribute"), attribute: attributeDefinitionSchema, value, ...meta }),
  z.strictObject({
    kind: z.literal("scorecard"),
    scorecard: scorecardDefinitionSchema,
    values: z.array(value).length(SCORECARD_FIELDS),
    ...meta,
  }),
]);

/**
 * Reads a record.
 *
 * @param json Parsed JSON from anywhere.
 * @throws FatalError `RECORD_INVALID`.
 */
export function parseRecord(json: unknown): RecordData {
  const record = parseWith(recordSchema, json, "RECORD_INVALID", "The record is malformed");
  checkRecord(record);
  return record;
}

/**
 * Refuses a record that no circuit can prove anything about.
 *
 * @param record Record.
 * @throws FatalError `VALUE_OUT_OF_RANGE`, `RECORD_INVALID`.
 */
export function checkRecord(record: RecordData): void {
  const values = valuesOf(record);
  if (record.kind === "scorecard" && values.length !== SCORECARD_FIELDS) {
    throw invalid(`has ${values.length} values, a scorecard has ${SCORECARD_FIELDS}`);
  }
  if (values.some((number) => number < 0n || number >= VALUE_LIMIT)) {
    throw new FatalError("VALUE_OUT_OF_RANGE", "A value of the record does not fit into 64 bits. Encode it first.", {
      docsPath: "protocol/queries.md#what-numbers-mean",
    });
  }
  const unused = record.kind === "scorecard" ? values.slice(record.scorecard.fields.length) : [];
  if (unused.some((number) => number !== 0n)) throw invalid("has a value where its scorecard has no field");
  for (const time of [record.validFrom, record.validUntil]) {
    if (!Number.isInteger(time) || time < 0 || time >= 2 ** 40) throw invalid("has a time that is no unix seconds");
  }
  if (record.validUntil < record.validFrom) throw invalid("ends before it begins");
  if (!Number.isInteger(record.budget) || record.budget < 1 || record.budget > 65_535) {
    throw invalid("has a budget outside of 1 to 65535");
  }
}

/**
 * Encoded values of a record.
 *
 * @param record Record.
 * @returns One of an attribute, eight of a scorecard.
 */
export function valuesOf(record: RecordData): readonly bigint[] {
  return record.kind === "attribute" ? [record.value] : record.values;
}

/**
 * Number of what a record is about: the attribute, or the schema of the scorecard.
 *
 * @param record Record.
 */
export function topicOf(record: RecordData): bigint {
  return record.kind === "attribute" ? attributeOf(record.attribute) : schemaOf(record.scorecard);
}

/**
 * Name of what a record is about.
 *
 * @param record Record.
 */
export function titleOf(record: RecordData): string {
  return record.kind === "attribute" ? record.attribute.name : record.scorecard.name;
}

/**
 * Leaf of a record in the tree.
 *
 * @param record Record.
 * @param owner Its subject.
 * @throws FatalError `VALUE_OUT_OF_RANGE`, `RECORD_INVALID`, `FIELD_OVERFLOW`.
 */
export function leafOf(record: RecordData, { subjectId, nk }: LeafOwner): bigint {
  checkRecord(record);
  const terms = pack([BigInt(record.validFrom), BigInt(record.validUntil), BigInt(record.budget)], 40n);
  if (record.kind === "attribute") return hash(subjectId, attributeOf(record.attribute), record.value, terms, nk);
  const { values, scorecard } = record;
  const words = [values.slice(0, 3), values.slice(3, 6), values.slice(6)].map((part) => pack(part, 64n));
  // The terms have 96 bits and the schema 152: together below the modulus.
  return hash(subjectId, ...words, terms | (schemaOf(scorecard) << 96n), nk);
}

function invalid(why: string): FatalError {
  return new FatalError("RECORD_INVALID", `The record ${why}.`, { docsPath: "protocol/queries.md" });
}
