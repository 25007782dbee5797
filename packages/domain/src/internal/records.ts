import { FatalError } from "@quorate/core";
import {
  attributeOf,
  type DatasetDefinition,
  leafOf,
  type RecordData,
  type RecordMeta,
  schemaOf,
  topicOf,
  valuesOf,
} from "@quorate/proofs";
import type { Dataset, State } from "./context.ts";
import type { StoredSubject, SubjectKeys } from "./subjects.ts";

/** A record as it is stored: its definition is that of the dataset with this number. */
export type RecordBody = RecordMeta & {
  /** Number of the attribute or schema. */
  readonly topic: bigint;
  readonly values: readonly bigint[];
};

/** A record of the state. */
export type StoredRecord = {
  readonly id: number;
  readonly datasetId: number;
  readonly subjectId: number;
  readonly body: RecordBody;
  /** Leaf that the tree shall have; 0 for a record that a correction took out, undefined until the subject enrols. */
  readonly leaf: bigint | undefined;
  readonly slot: number | undefined;
  /** Leaf in the tree that was made last. */
  readonly placed: bigint | undefined;
};

/** How a record changes the tree. */
export type LeafChange = { readonly slot: number; readonly before: bigint; readonly after: bigint };

/** Records of a provider. */
export type Records = {
  /** Records of a subject in a dataset, by their number. */
  of(subjectId: number, datasetId: number): readonly StoredRecord[];
  /** Adds a record; its leaf follows from the subject's keys. */
  add(dataset: Dataset, subject: StoredSubject, body: RecordBody, leaf?: bigint): void;
  /** Ends a record before another begins, or takes it out when nothing of it is left. */
  end(dataset: Dataset, subject: StoredSubject, record: StoredRecord, validUntil: number): void;
  /** Computes the leaves of all records of a subject anew, because its keys changed. */
  rekey(datasets: readonly Dataset[], subject: StoredSubject): void;
  /** Number of records whose leaf is not that of the tree. */
  pending(datasetId: number): number;
  /** Gives new records a place and moves all changes into the tree; call in a transaction. */
  place(datasetId: number): readonly LeafChange[];
  /** Leaves of all places, in order. */
  leaves(datasetId: number): Iterable<{ readonly slot: number; readonly leaf: bigint }>;
  count(datasetId: number): number;
};

/**
 * Whole record of what is stored.
 *
 * @param definition Of the dataset.
 * @param body Stored part.
 * @throws FatalError `STATE_CORRUPT` when the dataset has no such attribute or scorecard.
 */
export function recordDataOf(definition: DatasetDefinition, body: RecordBody): RecordData {
  const { topic, values, validFrom, validUntil, budget } = body;
  const meta = { validFrom, validUntil, budget };
  const [value] = values;
  const attribute = definition.attributes.find((candidate) => attributeOf(candidate) === topic);
  if (attribute !== undefined && value !== undefined) return { kind: "attribute", attribute, value, ...meta };
  const scorecard = definition.scorecards.find((candidate) => schemaOf(candidate) === topic);
  if (scorecard !== undefined) return { kind: "scorecard", scorecard, values, ...meta };
  throw new FatalError("STATE_CORRUPT", "A record is about nothing that its dataset defines. Restore a backup.");
}

/**
 * The part of a record that is stored.
 *
 * @param record Whole record.
 */
export function recordBodyOf(record: RecordData): RecordBody {
  const { validFrom, validUntil, budget } = record;
  return { topic: topicOf(record), values: valuesOf(record), validFrom, validUntil, budget };
}

/**
 * Leaf of a record of a subject with keys.
 *
 * @param definition Of the dataset.
 * @param body Record.
 * @param keys Of its subject; without them there is no leaf.
 */
export function leafOfBody(
  definition: DatasetDefinition,
  body: RecordBody,
  keys: SubjectKeys | undefined,
): bigint | undefined {
  return keys === undefined ? undefined : leafOf(recordDataOf(definition, body), keys);
}

/** Leaf of an empty place. */
const EMPTY = 0n;

/**
 * Records in a state.
 *
 * @param state Database and vault.
 */
export function createRecords({ db, vault }: State): Records {
  const select = db.prepare("SELECT * FROM record WHERE subject_id = ? AND dataset_id = ? ORDER BY id");
  const nextId = db.prepare("SELECT coalesce(max(id), 0) + 1 AS id FROM record");
  const insert = db.prepare("INSERT INTO record (id, dataset_id, subject_id, body, leaf) VALUES (?, ?, ?, ?, ?)");
  const setBody = db.prepare("UPDATE record SET body = ?, leaf = ? WHERE id = ?");
  const setLeaf = db.prepare("UPDATE record SET leaf = ? WHERE id = ?");
  const countPending = db.prepare(
    "SELECT count(*) AS n FROM record WHERE dataset_id = ? AND leaf IS NOT placed AND (slot IS NOT NULL OR leaf <> '0')",
  );
  const selectPending = db.prepare(
    "SELECT id, leaf, slot, placed FROM record WHERE dataset_id = ? AND leaf IS NOT placed ORDER BY id",
  );
  const setPlace = db.prepare("UPDATE record SET slot = ?, placed = leaf WHERE id = ?");
  const selectSize = db.prepare("SELECT size FROM dataset WHERE id = ?");
  const setSize = db.prepare("UPDATE dataset SET size = ? WHERE id = ?");
  const selectLeaves = db.prepare(
    "SELECT slot, placed FROM record WHERE dataset_id = ? AND slot IS NOT NULL ORDER BY slot",
  );
  const count = db.prepare("SELECT count(*) AS n FROM record WHERE dataset_id = ?");

  const context = (id: number): string => `record/${id}`;
  const number = (value: unknown): bigint | undefined => (value === null ? undefined : BigInt(value as string));
  const text = (value: bigint | undefined): string | null => value?.toString() ?? null;
  const read = (row: Record<string, unknown>): StoredRecord => ({
    id: row.id as number,
    datasetId: row.dataset_id as number,
    subjectId: row.subject_id as number,
    body: vault.open<RecordBody>(context(row.id as number), row.body as Uint8Array),
    leaf: number(row.leaf),
    slot: (row.slot as number | null) ?? undefined,
    placed: number(row.placed),
  });
  const of = (subjectId: number, datasetId: number): readonly StoredRecord[] =>
    select.all(subjectId, datasetId).map(read);

  return {
    of,
    add(dataset, subject, body, leaf = leafOfBody(dataset.definition, body, subject.keys)) {
      const id = nextId.get()?.id as number;
      insert.run(id, dataset.id, subject.id, vault.seal(context(id), body), text(leaf));
    },
    end(dataset, subject, record, validUntil) {
      const { id, body } = record;
      if (validUntil < body.validFrom) {
        setLeaf.run(EMPTY.toString(), id);
        return;
      }
      const ended = { ...body, validUntil };
      setBody.run(vault.seal(context(id), ended), text(leafOfBody(dataset.definition, ended, subject.keys)), id);
    },
    rekey(datasets, subject) {
      for (const dataset of datasets) {
        for (const { id, body, leaf } of of(subject.id, dataset.id)) {
          if (leaf !== EMPTY) setLeaf.run(text(leafOfBody(dataset.definition, body, subject.keys)), id);
        }
      }
    },
    pending: (datasetId) => countPending.get(datasetId)?.n as number,
    place(datasetId) {
      const changes: LeafChange[] = [];
      let size = selectSize.get(datasetId)?.size as number;
      for (const row of selectPending.all(datasetId)) {
        const after = number(row.leaf) ?? EMPTY;
        // Taken out before it ever came in.
        if (row.slot === null && after === EMPTY) continue;
        const slot = (row.slot as number | null) ?? size++;
        changes.push({ slot, before: number(row.placed) ?? EMPTY, after });
        setPlace.run(slot, row.id as number);
      }
      setSize.run(size, datasetId);
      return changes;
    },
    *leaves(datasetId) {
      for (const row of selectLeaves.iterate(datasetId))
        yield { slot: row.slot as number, leaf: number(row.placed) ?? EMPTY };
    },
    count: (datasetId) => count.get(datasetId)?.n as number,
  };
}
