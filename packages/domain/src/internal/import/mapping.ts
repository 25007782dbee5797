import { FatalError, isQuorateError } from "@quorate/core";
import {
  type AttributeDefinition,
  checkRecord,
  type DatasetDefinition,
  encodeValue,
  type Papers,
  personOf,
  type RecordData,
  SCORECARD_FIELDS,
  type ScorecardDefinition,
} from "@quorate/proofs";
import { z } from "zod";
import { type RecordBody, recordBodyOf } from "../records.ts";
import type { Row } from "./rows.ts";

/** Takes a value from a column. */
export type FromColumn = { readonly column: string };

/** What all records of a mapping have. */
export type RecordMapping = {
  /** Column, or a date for all rows. First day, or its first second. */
  readonly validFrom: FromColumn | string;
  /** Column, or a date for all rows. Last day, to its last second. */
  readonly validUntil: FromColumn | string;
  /** Answers that a record may give. */
  readonly budget: FromColumn | number;
};

/** Which columns become which records. */
export type ImportMapping = {
  readonly version: 1;
  /** Column with the number by which the provider knows the subject. */
  readonly subject: FromColumn;
  /** Columns with the papers that the provider checked. */
  readonly papers?:
    | { readonly name: FromColumn; readonly birthDate: FromColumn; readonly documentNumber: FromColumn }
    | undefined;
  readonly records: readonly (
    | (RecordMapping & {
        /** Name of an attribute of the dataset. Unit, scale and sign, where given, must be those of its definition. */
        readonly attribute: string;
        readonly unit?: string | undefined;
        readonly scale?: number | undefined;
        readonly signed?: boolean | undefined;
        readonly value: FromColumn;
      })
    | (RecordMapping & {
        /** Name of a scorecard of the dataset. */
        readonly scorecard: string;
        /** A column for each of its fields. */
        readonly values: Readonly<Record<string, FromColumn>>;
      })
  )[];
};

const fromColumn = z.strictObject({ column: z.string().min(1).max(200) });
const date = z.string().min(1).max(40);
const meta = {
  validFrom: z.union([fromColumn, date]),
  validUntil: z.union([fromColumn, date]),
  budget: z.union([fromColumn, z.int().min(1).max(65_535)]),
};

/** Schema of a mapping file. */
export const importMappingSchema: z.ZodType<ImportMapping, unknown> = z.strictObject({
  version: z.literal(1),
  subject: fromColumn,
  papers: z.strictObject({ name: fromColumn, birthDate: fromColumn, documentNumber: fromColumn }).optional(),
  records: z
    .array(
      z.union([
        z.strictObject({
          attribute: z.string().min(1).max(100),
          unit: z.string().max(40).optional(),
          scale: z.int().min(0).max(18).optional(),
          signed: z.boolean().optional(),
          value: fromColumn,
          ...meta,
        }),
        z.strictObject({
          scorecard: z.string().min(1).max(100),
          values: z.record(z.string().min(1).max(100), fromColumn),
          ...meta,
        }),
      ]),
    )
    .min(1)
    .max(256),
});

/** What a row says. */
export type MappedRow = {
  readonly line: number;
  readonly reference: string;
  readonly papers: Papers | undefined;
  readonly records: readonly RecordBody[];
};

/** A rule that a row breaks. The message holds no value of the row. */
export type RowProblem = { readonly line: number; readonly rule: string; readonly message: string };

/** Reads rows of a source by a mapping. */
export type RowMapper = (row: Row) => MappedRow | { readonly problems: readonly RowProblem[] };

/**
 * Prepares a mapping for a dataset.
 *
 * @param mapping Mapping.
 * @param definition Of the dataset.
 * @throws FatalError `MAPPING_INVALID` when it names what the dataset does not define, or defines otherwise.
 */
export function createRowMapper(mapping: ImportMapping, definition: DatasetDefinition): RowMapper {
  const makers = mapping.records.map((record) =>
    "attribute" in record ? attributeMaker(record, definition) : scorecardMaker(record, definition),
  );
  return (row) => {
    const problems: RowProblem[] = [];
    const attempt = <T>(work: () => T): T | undefined => {
      try {
        return work();
      } catch (error) {
        if (!isQuorateError(error)) throw error;
        problems.push({ line: row.line, rule: error.code, message: error.message });
        return undefined;
      }
    };
    const reference = attempt(() => referenceOf(row, mapping.subject));
    const papers = mapping.papers === undefined ? undefined : attempt(() => papersOf(row, mapping));
    const records = makers.flatMap((make) => attempt(() => make(row)) ?? []);
    if (problems.length > 0 || reference === undefined) return { problems };
    return { line: row.line, reference, papers, records };
  };
}

type Maker = (row: Row) => RecordBody | undefined;
type Of<K extends string> = Extract<ImportMapping["records"][number], Record<K, unknown>>;

function attributeMaker(mapping: Of<"attribute">, definition: DatasetDefinition): Maker {
  const { unit, scale, signed } = mapping;
  const candidates = definition.attributes.filter(
    (attribute) =>
      attribute.name === mapping.attribute &&
      (unit === undefined || attribute.unit === unit) &&
      (scale === undefined || attribute.scale === scale) &&
      (signed === undefined || attribute.signed === signed),
  );
  const [attribute] = candidates;
  if (attribute === undefined || candidates.length !== 1)
    throw invalid(
      `the dataset "${definition.name}" has ${candidates.length} attributes "${mapping.attribute}" with this unit, scale and sign; name the one that you mean`,
    );
  return (row) => {
    const text = row.values.get(mapping.value.column);
    // No value, no record: not everybody has everything.
    if (text === undefined) return undefined;
    return bodyOf({ kind: "attribute", attribute, value: encode(text, attribute), ...metaOf(row, mapping) });
  };
}

function scorecardMaker(mapping: Of<"scorecard">, definition: DatasetDefinition): Maker {
  const candidates = definition.scorecards.filter(({ name }) => name === mapping.scorecard);
  const [scorecard] = candidates;
  if (scorecard === undefined || candidates.length !== 1)
    throw invalid(`the dataset "${definition.name}" has ${candidates.length} scorecards "${mapping.scorecard}"`);
  checkFields(mapping, scorecard);
  return (row) => {
    const texts = scorecard.fields.map((field) => row.values.get(mapping.values[field.name]?.column ?? ""));
    if (texts.every((text) => text === undefined)) return undefined;
    const values = scorecard.fields.map((field, n) => {
      const text = texts[n];
      if (text !== undefined) return encode(text, field);
      throw rowError("VALUE_MISSING", `The field "${field.name}" of "${scorecard.name}" is empty, others are not.`);
    });
    const padded = [...values, ...Array.from({ length: SCORECARD_FIELDS - values.length }, () => 0n)];
    return bodyOf({ kind: "scorecard", scorecard, values: padded, ...metaOf(row, mapping) });
  };
}

function checkFields(mapping: Of<"scorecard">, scorecard: ScorecardDefinition): void {
  const wanted = scorecard.fields.map(({ name }) => name);
  const missing = wanted.filter((name) => !Object.hasOwn(mapping.values, name));
  const unknown = Object.keys(mapping.values).filter((name) => !wanted.includes(name));
  if (missing.length + unknown.length > 0)
    throw invalid(
      `the scorecard "${scorecard.name}" has the fields ${wanted.join(", ")}; missing: ${missing.join(", ") || "none"}, unknown: ${unknown.join(", ") || "none"}`,
    );
}

function bodyOf(record: RecordData): RecordBody {
  checkRecord(record);
  return recordBodyOf(record);
}

function encode(text: string, attribute: AttributeDefinition): bigint {
  return encodeValue(text.trim(), attribute);
}

function referenceOf(row: Row, { column }: FromColumn): string {
  const text = row.values.get(column)?.trim().normalize("NFC");
  if (text !== undefined && text !== "" && text.length <= 200) return text;
  throw rowError("SUBJECT_MISSING", `The column "${column}" names no subject.`);
}

function papersOf(row: Row, { papers }: ImportMapping): Papers {
  const read = (column: string | undefined): string => row.values.get(column ?? "") ?? "";
  const found = {
    name: read(papers?.name.column),
    birthDate: read(papers?.birthDate.column).slice(0, 10),
    documentNumber: read(papers?.documentNumber.column),
  };
  // Refuses what is none, by its own code.
  personOf(found);
  return found;
}

function metaOf(row: Row, mapping: RecordMapping): { validFrom: number; validUntil: number; budget: number } {
  const validFrom = timeOf(row, mapping.validFrom, "validFrom");
  const validUntil = timeOf(row, mapping.validUntil, "validUntil");
  if (validUntil < validFrom) throw rowError("VALIDITY_EMPTY", "The record ends before it begins.");
  return { validFrom, validUntil, budget: budgetOf(row, mapping.budget) };
}

const DAY_S = 86_400;

/** A date means its first second as a beginning and its last second as an end, by UTC. */
function timeOf(row: Row, from: FromColumn | string, which: "validFrom" | "validUntil"): number {
  const text = typeof from === "string" ? from : row.values.get(from.column)?.trim();
  const where = typeof from === "string" ? which : `column "${from.column}" (${which})`;
  if (text === undefined) throw rowError("DATE_MISSING", `The ${where} is empty.`);
  const day = /^\d{4}-\d{2}-\d{2}$/.test(text) ? dayOf(text) : undefined;
  if (day !== undefined) return which === "validFrom" ? day : day + DAY_S - 1;
  if (/^\d{9,12}$/.test(text)) return Number(text);
  const moment = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(Z|[+-]\d{2}(?::?\d{2})?)$/.exec(text);
  if (moment !== null && dayOf(moment[1] ?? "") !== undefined) {
    const zone = (moment[3] ?? "Z").replace(
      /^([+-]\d{2}):?(\d{2})?$/,
      (_, hours, minutes = "00") => `${hours}:${minutes}`,
    );
    const ms = Date.parse(`${moment[1]}T${moment[2]}${zone}`);
    if (!Number.isNaN(ms) && ms >= 0) return Math.floor(ms / 1000);
  }
  throw rowError(
    "DATE_INVALID",
    `The ${where} is no date: write 2026-03-01, 2026-03-01T12:00:00Z, or seconds since 1970.`,
  );
}

function dayOf(text: string): number | undefined {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || ms < 0 || !new Date(ms).toISOString().startsWith(text) ? undefined : ms / 1000;
}

function budgetOf(row: Row, from: FromColumn | number): number {
  if (typeof from === "number") return from;
  const text = row.values.get(from.column)?.trim() ?? "";
  const budget = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  if (budget >= 1 && budget <= 65_535) return budget;
  throw rowError("BUDGET_INVALID", `The column "${from.column}" (budget) is no whole number from 1 to 65535.`);
}

function rowError(code: string, message: string): FatalError {
  return new FatalError(code, message, { docsPath: "guides/domain.md#import" });
}

function invalid(why: string): FatalError {
  return new FatalError("MAPPING_INVALID", `The mapping does not fit: ${why}.`, {
    docsPath: "guides/domain.md#import",
  });
}
