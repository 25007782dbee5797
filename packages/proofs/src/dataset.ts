import { canonicalJson, FatalError, utf8 } from "@quorate/core";
import { type Hex, keccak256 } from "viem";
import { z } from "zod";
import { parseWith } from "./internal/json.ts";

/** What a number in a record means. Whoever writes the same definition means the same attribute. */
export type AttributeDefinition = {
  readonly name: string;
  /** For example `EUR`; empty for counts and scores. */
  readonly unit: string;
  /** Decimal places that are kept, 0 to 18. */
  readonly scale: number;
  /** Whether values may be negative. */
  readonly signed: boolean;
  readonly description: string;
};

/** Up to eight numbers of one record, asked about together. */
export type ScorecardDefinition = {
  readonly name: string;
  readonly description: string;
  /** In the order of the values, 1 to 8, names differ. */
  readonly fields: readonly AttributeDefinition[];
};

/** What a domain provider answers questions about. Its hash names the dataset. */
export type DatasetDefinition = {
  readonly version: 1;
  readonly name: string;
  /** Whether questions may be about days before yesterday. */
  readonly history: boolean;
  readonly attributes: readonly AttributeDefinition[];
  readonly scorecards: readonly ScorecardDefinition[];
};

/** Values of a scorecard; fields that a definition does not have are 0. */
export const SCORECARD_FIELDS = 8;
/** Bits of a schema number. */
export const SCHEMA_BITS = 152n;

// Two spellings of one word must not be two attributes that look alike.
const words = (max: number): z.ZodString =>
  z
    .string()
    .max(max)
    .refine((text) => text === text.normalize("NFC").trim(), "is not in Unicode NFC, or has space around it")
    .refine((text) => text.isWellFormed() && !/\p{C}/u.test(text), "has control characters");

const attributeSchema = z.strictObject({
  name: words(100)
    .min(1)
    .refine((name) => name !== "__proto__", "is no name"),
  unit: words(40),
  scale: z.int().min(0).max(18),
  signed: z.boolean(),
  description: words(1000),
});
const differ =
  <T>(key: (item: T) => string) =>
  (items: readonly T[]): boolean =>
    new Set(items.map(key)).size === items.length;
const scorecardSchema = z.strictObject({
  name: words(100).min(1),
  description: words(1000),
  fields: z
    .array(attributeSchema)
    .min(1)
    .max(SCORECARD_FIELDS)
    .refine(
      differ(({ name }: AttributeDefinition) => name),
      "has a name twice",
    ),
});
const datasetSchema = z.strictObject({
  version: z.literal(1),
  name: words(100).min(1),
  history: z.boolean(),
  attributes: z.array(attributeSchema).max(1000).refine(differ(canonicalJson), "has an attribute twice"),
  scorecards: z.array(scorecardSchema).max(1000).refine(differ(canonicalJson), "has a scorecard twice"),
});

/** Schema of an attribute in JSON. */
export const attributeDefinitionSchema: z.ZodType<AttributeDefinition> = attributeSchema;
/** Schema of a scorecard in JSON. */
export const scorecardDefinitionSchema: z.ZodType<ScorecardDefinition> = scorecardSchema;
/** Schema of a dataset's definition in JSON. */
export const datasetDefinitionSchema: z.ZodType<DatasetDefinition> = datasetSchema;

/**
 * Reads the definition of a dataset.
 *
 * @param json Parsed JSON from anywhere.
 * @throws FatalError `DATASET_INVALID`, also for unknown members: they would change the hash and mean nothing.
 */
export function parseDatasetDefinition(json: unknown): DatasetDefinition {
  return parseWith(datasetDefinitionSchema, json, "DATASET_INVALID", "The definition of the dataset is malformed");
}

/**
 * Number of an attribute: `keccak256(canonical JSON) >> 8`.
 *
 * @param definition Attribute.
 */
export function attributeOf({ name, unit, scale, signed, description }: AttributeDefinition): bigint {
  return digest({ name, unit, scale, signed, description }) >> 8n;
}

/**
 * Number of a scorecard's schema: `keccak256(canonical JSON) >> 104`, never 0.
 *
 * @param definition Scorecard.
 */
export function schemaOf({ name, description, fields }: ScorecardDefinition): bigint {
  const schema = digest({ name, description, fields: fields.map(plainAttribute) }) >> 104n;
  if (schema === 0n) throw new FatalError("DATASET_INVALID", "The schema's number is 0. Change its description.");
  return schema;
}

/**
 * Hash of a dataset's definition, from which the provider's registration follows: `keccak256(canonical JSON)`.
 *
 * @param definition Dataset.
 */
export function definitionHash({ version, name, history, attributes, scorecards }: DatasetDefinition): Hex {
  return keccak256(
    utf8(
      canonicalJson({
        version,
        name,
        history,
        attributes: attributes.map(plainAttribute),
        scorecards: scorecards.map((card) => ({
          name: card.name,
          description: card.description,
          fields: card.fields.map(plainAttribute),
        })),
      }),
    ),
  );
}

function plainAttribute({ name, unit, scale, signed, description }: AttributeDefinition): AttributeDefinition {
  return { name, unit, scale, signed, description };
}

function digest(value: unknown): bigint {
  return BigInt(keccak256(utf8(canonicalJson(value))));
}
