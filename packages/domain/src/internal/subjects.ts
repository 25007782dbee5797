import { randomBytes } from "node:crypto";
import { FatalError } from "@quorate/core";
import { NOBODY, type Papers, type PublicKey, personOf, subjectIdOf } from "@quorate/proofs";
import type { State } from "./context.ts";

/** A person whose records the provider has. */
export type StoredSubject = {
  readonly id: number;
  /** By which the provider knows the subject: a number of a customer or employee. */
  readonly reference: string;
  /** 0 where no papers were checked. */
  readonly person: bigint;
  /** Present since the subject enrolled. */
  readonly keys?: SubjectKeys | undefined;
};

/** What a subject brings when it enrols. */
export type SubjectKeys = {
  readonly publicKey: PublicKey;
  readonly nk: bigint;
  readonly subjectId: bigint;
};

/** A code with which somebody shows that it is the subject. */
export type EnrolmentCode = {
  readonly code: string;
  /** Unix s. */
  readonly expiry: number;
};

/** Why an enrolment is refused; told to the subject, who has a good code. */
export type EnrolmentRefusal = "PAPERS_DIFFER" | "KEY_TAKEN";

/** Subjects of a provider. */
export type Subjects = {
  byReference(reference: string): StoredSubject | undefined;
  byKey(publicKey: PublicKey): StoredSubject | undefined;
  byId(id: number): StoredSubject;
  /**
   * Adds a subject, or finds it; papers of an earlier call must be the same.
   *
   * @throws FatalError `PAPERS_DIFFER`, `PAPERS_INVALID`.
   */
  upsert(reference: string, papers?: Papers): { readonly subject: StoredSubject; readonly isNew: boolean };
  /** Makes a code, good once; earlier codes of the subject are void. */
  makeCode(subjectId: number, now: number, lifeS: number): EnrolmentCode;
  /** Subject of a code that is in force. */
  byCode(code: string, now: number): StoredSubject | undefined;
  /** Counts a failure with a code; it is void after some. */
  failCode(code: string): void;
  /**
   * Gives a subject its keys and uses up its codes.
   *
   * @returns The subject with its keys.
   * @throws FatalError `KEY_TAKEN` when another subject has this key.
   */
  enrol(subjectId: number, publicKey: PublicKey, nk: bigint): StoredSubject;
  counts(): { readonly subjects: number; readonly enrolled: number };
};

type Body = Omit<StoredSubject, "id">;

/** Letters and digits that nobody confuses (Crockford's base 32). */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 80 bits: nobody guesses one in its life. */
const CODE_LETTERS = 16;
/** Failures after which a code is void. */
const MOST_FAILURES = 5;

/**
 * Subjects in a state.
 *
 * @param state Database and vault.
 */
export function createSubjects({ db, vault }: State): Subjects {
  const byReference = db.prepare("SELECT id, body FROM subject WHERE reference_tag = ?");
  const byKey = db.prepare("SELECT id, body FROM subject WHERE key_tag = ?");
  const byId = db.prepare("SELECT id, body FROM subject WHERE id = ?");
  const nextId = db.prepare("SELECT coalesce(max(id), 0) + 1 AS id FROM subject");
  const insert = db.prepare("INSERT INTO subject (id, reference_tag, body) VALUES (?, ?, ?)");
  const update = db.prepare("UPDATE subject SET body = ? WHERE id = ?");
  const setKey = db.prepare("UPDATE subject SET body = ?, key_tag = ? WHERE id = ?");
  const dropCodes = db.prepare("DELETE FROM enrolment_code WHERE subject_id = ?");
  const insertCode = db.prepare("INSERT INTO enrolment_code (tag, subject_id, expiry) VALUES (?, ?, ?)");
  const selectCode = db.prepare("SELECT subject_id, expiry FROM enrolment_code WHERE tag = ?");
  const failCode = db.prepare("UPDATE enrolment_code SET failures = failures + 1 WHERE tag = ?");
  const voidCode = db.prepare("DELETE FROM enrolment_code WHERE tag = ? AND failures >= ?");
  const count = db.prepare("SELECT count(*) AS subjects, count(key_tag) AS enrolled FROM subject");

  const context = (id: number): string => `subject/${id}`;
  const read = (row: Record<string, unknown> | undefined): StoredSubject | undefined =>
    row === undefined
      ? undefined
      : { id: row.id as number, ...vault.open<Body>(context(row.id as number), row.body as Uint8Array) };
  const keyTag = ([x, y]: PublicKey): Uint8Array => vault.tag("subject-key", `${x}/${y}`);
  const codeTag = (code: string): Uint8Array => vault.tag("code", code.toUpperCase().replaceAll("-", ""));
  const demand = (id: number): StoredSubject => {
    const subject = read(byId.get(id));
    if (subject === undefined) throw new FatalError("STATE_CORRUPT", `There is no subject ${id}. Restore a backup.`);
    return subject;
  };

  return {
    byReference: (reference) => read(byReference.get(vault.tag("reference", reference))),
    byKey: (publicKey) => read(byKey.get(keyTag(publicKey))),
    byId: demand,
    upsert(reference, papers) {
      const person = papers === undefined ? NOBODY : personOf(papers);
      const tag = vault.tag("reference", reference);
      const existing = read(byReference.get(tag));
      if (existing === undefined) {
        const id = nextId.get()?.id as number;
        const body: Body = { reference, person };
        insert.run(id, tag, vault.seal(context(id), body));
        return { subject: { id, ...body }, isNew: true };
      }
      if (papers === undefined || person === existing.person) return { subject: existing, isNew: false };
      if (existing.person !== NOBODY || existing.keys !== undefined)
        throw new FatalError(
          "PAPERS_DIFFER",
          "The papers are not those with which the subject was registered. A person whose papers changed is registered under a new reference.",
          { docsPath: "guides/domain.md" },
        );
      const { id, ...body } = { ...existing, person };
      update.run(vault.seal(context(id), body), id);
      return { subject: { id, ...body }, isNew: false };
    },
    makeCode(subjectId, now, lifeS) {
      const letters = Array.from(randomBytes(CODE_LETTERS), (byte) => ALPHABET[byte & 31]).join("");
      dropCodes.run(subjectId);
      insertCode.run(codeTag(letters), subjectId, now + lifeS);
      return { code: letters.replace(/(.{4})(?=.)/g, "$1-"), expiry: now + lifeS };
    },
    byCode(code, now) {
      const row = selectCode.get(codeTag(code));
      return row === undefined || (row.expiry as number) <= now ? undefined : demand(row.subject_id as number);
    },
    failCode(code) {
      failCode.run(codeTag(code));
      voidCode.run(codeTag(code), MOST_FAILURES);
    },
    enrol(subjectId, publicKey, nk) {
      const other = read(byKey.get(keyTag(publicKey)));
      if (other !== undefined && other.id !== subjectId)
        throw new FatalError("KEY_TAKEN", "Another subject enrolled with this key. Make a new one.");
      const { id, ...body } = demand(subjectId);
      const keys = { publicKey, nk, subjectId: subjectIdOf(publicKey, body.person) };
      setKey.run(vault.seal(context(id), { ...body, keys }), keyTag(publicKey), id);
      dropCodes.run(id);
      return { id, ...body, keys };
    },
    counts: () => count.get() as { subjects: number; enrolled: number },
  };
}
