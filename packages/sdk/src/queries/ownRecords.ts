import { FatalError } from "@quorate/core";
import {
  type AnsweredQuestion,
  attributeOf,
  type DatasetDefinition,
  encodeStatement,
  parseStatement,
  type RecordData,
  type Statement,
  schemaOf,
  topicOf,
  valuesOf,
} from "@quorate/proofs";
import type { SubjectRecord } from "@quorate/wire";
import type { Hex } from "viem";
import type { GivenConsent, SeenRecord, SubjectState } from "./subjectStore.ts";

/** A record of the subject, as its provider showed it. */
export type OwnRecordView = {
  /** Name of the attribute or scorecard. */
  readonly name: string;
  readonly record: RecordData;
  /** Answers given or promised of the budget. */
  readonly used: number;
  readonly leaf: bigint;
  /**
   * `published`: its leaf was recomputed with the subject's own key and lies under a root that the chain has. `unpublished`: not
   * in the current tree. `foreign`: the leaf is not what the subject's key makes of it. `changed`: not what it was when it was
   * first seen.
   */
  readonly state: "published" | "unpublished" | "foreign" | "changed";
};

/** A record as the reply shows it, and with its definition. */
export type FetchedRecord = { readonly shown: SubjectRecord; readonly record: RecordData };

/**
 * The person that the provider puts into a subject's records.
 *
 * @param state What the subject's client keeps.
 * @param dataset Dataset of the records.
 * @throws FatalError `SUBJECT_NOT_ENROLLED` when the store knows of no enrolment.
 */
export function personIn(state: SubjectState, dataset: Hex): bigint {
  const person = state.persons[dataset];
  if (person !== undefined) return person;
  throw new FatalError(
    "SUBJECT_NOT_ENROLLED",
    `This store knows of no enrolment for dataset ${dataset}. Enrol with a code of the provider, or restore the store that enrolled.`,
  );
}

/**
 * The record with the definition that its number names.
 *
 * @param shown Record of a reply.
 * @param definition Of the dataset.
 * @throws FatalError `RECORD_INVALID`
 */
export function recordOf(shown: SubjectRecord, definition: DatasetDefinition): RecordData {
  const { topic, values, validFrom, validUntil, budget } = shown;
  const record = recordOfSeen({ topic, values, validFrom, validUntil, budget }, definition);
  if (record !== undefined) return record;
  throw new FatalError(
    "RECORD_INVALID",
    `The provider shows a record "${shown.name}" that its dataset does not define. Do not consent to anything about it.`,
  );
}

/**
 * A kept record with the definition that its number names.
 *
 * @param seen What was kept.
 * @param definition Of the dataset.
 * @returns Undefined when the dataset does not define it.
 */
export function recordOfSeen(
  { topic, values, validFrom, validUntil, budget }: Omit<SeenRecord, "dataset">,
  definition: DatasetDefinition,
): RecordData | undefined {
  const meta = { validFrom, validUntil, budget };
  const attribute = definition.attributes.find((item) => attributeOf(item) === topic);
  const [value] = values;
  if (attribute !== undefined && value !== undefined) return { kind: "attribute", attribute, value, ...meta };
  const scorecard = definition.scorecards.find((item) => schemaOf(item) === topic);
  return scorecard === undefined ? undefined : { kind: "scorecard", scorecard, values, ...meta };
}

/**
 * What is kept of a record.
 *
 * @param dataset Dataset of the record.
 * @param record Record.
 */
export function seenOf(dataset: Hex, record: RecordData): SeenRecord {
  const { validFrom, validUntil, budget } = record;
  return { dataset, topic: topicOf(record), values: valuesOf(record), validFrom, validUntil, budget };
}

/**
 * The record as it was first seen.
 *
 * @param state What the subject's client keeps.
 * @param dataset Dataset of the record.
 * @param record The record now.
 */
export function seenBefore(state: SubjectState, dataset: Hex, record: RecordData): SeenRecord | undefined {
  const topic = topicOf(record);
  return state.seen.find(
    (seen) => seen.dataset === dataset && seen.topic === topic && seen.validFrom === record.validFrom,
  );
}

/**
 * Whether a record is what it was.
 *
 * @param seen As it was first seen.
 * @param record The record now.
 */
export function isSame(seen: SeenRecord, record: RecordData): boolean {
  const values = valuesOf(record);
  return (
    seen.validUntil === record.validUntil &&
    seen.budget === record.budget &&
    seen.values.length === values.length &&
    seen.values.every((value, n) => value === values[n])
  );
}

/**
 * The record that a statement is about: of its attribute or scorecard, valid on its day.
 *
 * @param records Of the subject.
 * @param statement Statement.
 * @throws FatalError `RECORD_NOT_FOUND`
 */
export function recordFor(records: readonly FetchedRecord[], statement: Statement): FetchedRecord {
  const { nullifierTopic } = encodeStatement(statement);
  const { asOf } = statement;
  const about = records.filter(({ record }) => topicOf(record) === nullifierTopic);
  const valid = about.filter(({ record }) => record.validFrom <= asOf && asOf <= record.validUntil);
  // Without one that is valid, another one says in the refusal why there is no answer.
  const found = valid.find(({ shown }) => shown.path !== undefined) ?? valid[0] ?? about[0];
  if (found !== undefined) return found;
  const name = statement.kind === "attribute" ? statement.attribute.name : statement.scorecard.name;
  throw new FatalError(
    "RECORD_NOT_FOUND",
    `The provider holds no record "${name}" of you. Nothing can be consented to.`,
  );
}

/**
 * The path of a record that is published.
 *
 * @param shown Record of a reply.
 * @throws FatalError `RECORD_NOT_FOUND` when it is in no published tree.
 */
export function requirePath({ path, name }: SubjectRecord): NonNullable<SubjectRecord["path"]> {
  if (path !== undefined) return path;
  throw new FatalError(
    "RECORD_NOT_FOUND",
    `Your record "${name}" is not in the data that the provider has published. Ask it when it will be.`,
  );
}

/**
 * An earlier consent as the review takes it.
 *
 * @param given What was kept.
 */
export function earlierOf(given: GivenConsent): AnsweredQuestion {
  const { statement, validFrom, asker } = given;
  return { statement: parseStatement(statement), validFrom, asker };
}
