import { setImmediate } from "node:timers/promises";
import { inTransaction } from "@quorate/chain/sqlite";
import { FatalError, isQuorateError } from "@quorate/core";
import type { Dataset, State } from "../context.ts";
import { leafOfBody, type RecordBody, type Records, type StoredRecord } from "../records.ts";
import type { StoredSubject, Subjects } from "../subjects.ts";
import { createRowMapper, type ImportMapping, type MappedRow, type RowProblem } from "./mapping.ts";
import { type ImportSource, readRows } from "./rows.ts";

/** What an import did. */
export type ImportReport = {
  readonly rows: number;
  /** Subjects that were not known before. */
  readonly subjects: number;
  readonly added: number;
  /** Records that an added one ended. */
  readonly corrected: number;
  /** Records that were there already, as they are. */
  readonly unchanged: number;
};

/** An import that changed nothing, with the rows for which it was refused. */
export class ImportError extends FatalError {
  /** The first ones, in the order of the source. */
  readonly problems: readonly RowProblem[];

  constructor(problems: readonly RowProblem[], total: number) {
    const shown = problems.slice(0, 10).map(({ line, rule, message }) => `  line ${line}: ${rule}: ${message}`);
    const rest = total - shown.length;
    super(
      "IMPORT_REFUSED",
      `Nothing was imported, ${total} rows break a rule:\n${shown.join("\n")}${rest > 0 ? `\n  and ${rest} more` : ""}`,
      { docsPath: "guides/domain.md#import", details: { problems: total } },
    );
    this.problems = problems;
  }
}

/** What is done when a record overlaps one that is there: `add` refuses, `correct` ends the earlier one. */
export type ImportMode = "add" | "correct";

type Staged = MappedRow & {
  /** Leaves of the records, where the subject had enrolled. */
  readonly leaves: readonly (bigint | undefined)[];
  /** Key for which they were computed. */
  readonly nk: bigint | undefined;
};

/** Problems that are kept; the rest is counted. */
const MOST_PROBLEMS = 1_000;
/** Rows that are staged in one transaction. */
const STAGE_ROWS = 500;

/**
 * Imports records, all or nothing: rows are read and checked one after the other into a staging table, encrypted, and taken
 * over by one transaction when every one of them is good.
 *
 * @param input State, dataset, source, mapping, mode.
 * @param signal Ends it; nothing is imported then.
 * @throws ImportError `IMPORT_REFUSED`; FatalError `MAPPING_INVALID`, `SOURCE_UNREADABLE`.
 */
export async function runImport(
  input: {
    readonly state: State;
    readonly dataset: Dataset;
    readonly subjects: Subjects;
    readonly records: Records;
    readonly source: ImportSource;
    readonly mapping: ImportMapping;
    readonly mode: ImportMode;
  },
  signal: AbortSignal,
): Promise<ImportReport> {
  const { state, dataset, subjects, source, mapping } = input;
  const { db, vault } = state;
  const insert = db.prepare("INSERT INTO staged (line, body) VALUES (?, ?)");
  const mapRow = createRowMapper(mapping, dataset.definition);
  const problems: RowProblem[] = [];
  let total = 0;
  let rows = 0;
  db.exec("DELETE FROM staged");
  try {
    let chunk: Staged[] = [];
    const flush = async (): Promise<void> => {
      inTransaction(db, () => {
        for (const row of chunk) {
          rows += 1;
          insert.run(rows, vault.seal(`staged/${rows}`, row));
        }
      });
      chunk = [];
      // Lets a running agent breathe.
      await setImmediate();
      signal.throwIfAborted();
    };
    for await (const row of readRows(source)) {
      const mapped = mapRow(row);
      if ("problems" in mapped) {
        total += mapped.problems.length;
        problems.push(...mapped.problems.slice(0, MOST_PROBLEMS - problems.length));
        continue;
      }
      const keys = subjects.byReference(mapped.reference)?.keys;
      chunk.push({
        ...mapped,
        leaves: mapped.records.map((body) => leafOfBody(dataset.definition, body, keys)),
        nk: keys?.nk,
      });
      if (chunk.length >= STAGE_ROWS) await flush();
    }
    await flush();
    if (total > 0) throw new ImportError(problems, total);
    return inTransaction(db, () => takeOver(input, rows));
  } finally {
    db.exec("DELETE FROM staged");
  }
}

/** Moves what was staged to the records; throws, and so changes nothing, when a row breaks a rule. */
function takeOver(
  {
    state: { db, vault },
    dataset,
    subjects,
    records,
    mode,
  }: {
    readonly state: State;
    readonly dataset: Dataset;
    readonly subjects: Subjects;
    readonly records: Records;
    readonly mode: ImportMode;
  },
  rows: number,
): ImportReport {
  const select = db.prepare("SELECT line, body FROM staged WHERE line > ? ORDER BY line LIMIT 256");
  const problems: RowProblem[] = [];
  const report = { rows, subjects: 0, added: 0, corrected: 0, unchanged: 0 };
  let at = 0;
  for (;;) {
    const page = select.all(at);
    if (page.length === 0) break;
    for (const { line, body } of page) {
      at = line as number;
      const staged = vault.open<Staged>(`staged/${at}`, body as Uint8Array);
      try {
        takeRow(staged);
      } catch (error) {
        if (!isQuorateError(error)) throw error;
        problems.push({ line: staged.line, rule: error.code, message: error.message });
      }
    }
  }
  if (problems.length > 0) throw new ImportError(problems.slice(0, MOST_PROBLEMS), problems.length);
  return report;

  function takeRow({ reference, papers, records: bodies, leaves, nk }: Staged): void {
    const { subject, isNew } = subjects.upsert(reference, papers);
    if (isNew) report.subjects += 1;
    const isSameKey = subject.keys?.nk === nk;
    bodies.forEach((body, n) => {
      takeRecord(subject, body, isSameKey ? leaves[n] : undefined);
    });
  }

  function takeRecord(subject: StoredSubject, body: RecordBody, leaf: bigint | undefined): void {
    const overlapping = records.of(subject.id, dataset.id).filter((record) => overlaps(record, body));
    if (mode === "correct" && overlapping.some((record) => isSame(record.body, body))) {
      report.unchanged += 1;
      return;
    }
    if (mode === "add" && overlapping.length > 0)
      throw new FatalError(
        "VALIDITY_OVERLAPS",
        "A record of the same subject and attribute is valid at the same time. Correct it with the mode for corrections, or change the dates.",
        { docsPath: "guides/domain.md#import" },
      );
    // The old ones end in the tree in which the new one begins: no root holds both, none holds neither.
    for (const record of overlapping) {
      records.end(dataset, subject, record, Math.min(record.body.validUntil, body.validFrom - 1));
      report.corrected += 1;
    }
    records.add(dataset, subject, body, leaf);
    report.added += 1;
  }
}

function overlaps({ body, leaf }: StoredRecord, other: RecordBody): boolean {
  const isGone = leaf === 0n;
  return (
    !isGone && body.topic === other.topic && body.validFrom <= other.validUntil && other.validFrom <= body.validUntil
  );
}

function isSame(a: RecordBody, b: RecordBody): boolean {
  return (
    a.validFrom === b.validFrom &&
    a.validUntil === b.validUntil &&
    a.budget === b.budget &&
    a.values.length === b.values.length &&
    a.values.every((value, n) => value === b.values[n])
  );
}
