import type { Hex } from "@quorate/core";
import { systemClock, unixSeconds } from "@quorate/core";
import type { Papers } from "@quorate/proofs";
import { findDataset, readDatasets, type State } from "./context.ts";
import type { ImportMapping } from "./import/mapping.ts";
import type { ImportSource } from "./import/rows.ts";
import { type ImportMode, type ImportReport, runImport } from "./import/run.ts";
import { currentRootOf } from "./publications.ts";
import { type AuditEntry, createQuestions, type QuestionPhase } from "./questions.ts";
import { createRecords } from "./records.ts";
import { createSubjects } from "./subjects.ts";

/** What is imported, and how. */
export type ImportOrder = {
  /** Id or name; may be left out when there is one only. */
  readonly dataset?: string | undefined;
  readonly source: ImportSource;
  readonly mapping: ImportMapping;
  readonly mode: ImportMode;
};

/**
 * Imports records into an open state.
 *
 * @param state State.
 * @param order What and how.
 * @param signal Ends it; nothing is imported then.
 */
export function importInto(state: State, order: ImportOrder, signal: AbortSignal): Promise<ImportReport> {
  const { dataset, ...rest } = order;
  return runImport(
    {
      state,
      dataset: findDataset(readDatasets(state.db), dataset),
      subjects: createSubjects(state),
      records: createRecords(state),
      ...rest,
    },
    signal,
  );
}

/** Who is registered. */
export type RegisterOrder = {
  readonly reference: string;
  readonly papers?: Papers | undefined;
  readonly codeLifeS: number;
};

/** What registering a subject returns. */
export type RegisteredSubject = {
  /** To be handed to the subject; whoever has it and the papers is the subject. */
  readonly code: string;
  /** Unix s. */
  readonly expiry: number;
  /** Number of the person; 0 without papers. */
  readonly person: bigint;
  /** False when records or an earlier call had named the subject. */
  readonly isNew: boolean;
};

/**
 * Registers a subject in an open state.
 *
 * @param state State.
 * @param order Who.
 */
export function registerIn(state: State, { reference, papers, codeLifeS }: RegisterOrder): RegisteredSubject {
  const subjects = createSubjects(state);
  const { subject, isNew } = subjects.upsert(reference.trim().normalize("NFC"), papers);
  const code = subjects.makeCode(subject.id, unixSeconds(systemClock), codeLifeS);
  return { ...code, person: subject.person, isNew };
}

/** Which entries of the audit log are wanted. */
export type AuditOrder = {
  readonly reference?: string | undefined;
  /** Unix s. */
  readonly since: number;
  readonly limit: number;
};

/** An entry of the audit log with the subject's reference. */
export type AuditLogEntry = Omit<AuditEntry, "subjectId"> & { readonly reference: string };

/**
 * Reads the audit log of an open state.
 *
 * @param state State.
 * @param order Which entries.
 */
export function auditOf(state: State, { reference, since, limit }: AuditOrder): readonly AuditLogEntry[] {
  const subjects = createSubjects(state);
  const subject = reference === undefined ? undefined : subjects.byReference(reference);
  if (reference !== undefined && subject === undefined) return [];
  return createQuestions(state)
    .audit({ since, limit, ...(subject === undefined ? {} : { subjectId: subject.id }) })
    .map(({ subjectId, ...entry }) => ({ reference: subjects.byId(subjectId).reference, ...entry }));
}

/** What a state holds. */
export type StateSummary = {
  readonly datasets: readonly {
    readonly dataset: Hex;
    readonly name: string;
    readonly root?: bigint | undefined;
    readonly records: number;
    /** Records whose leaf is in no tree yet. */
    readonly pending: number;
  }[];
  readonly subjects: number;
  readonly enrolled: number;
  readonly questions: Readonly<Record<QuestionPhase, number>>;
};

/**
 * Tells what an open state holds.
 *
 * @param state State.
 */
export function summaryOf(state: State): StateSummary {
  const records = createRecords(state);
  return {
    datasets: readDatasets(state.db).map(({ id, dataset, definition }) => ({
      dataset,
      name: definition.name,
      root: currentRootOf(state.db, id),
      records: records.count(id),
      pending: records.pending(id),
    })),
    ...createSubjects(state).counts(),
    questions: createQuestions(state).counts(),
  };
}
