import { randomBytes } from "node:crypto";
import { inTransaction } from "@quorate/chain/sqlite";
import type { Address, Hex, Quote } from "@quorate/core";
import type { RecordData, Statement, TreePath } from "@quorate/proofs";
import { decodeState, encodeState } from "@quorate/service";
import type { ConsentContent } from "@quorate/wire";
import type { State } from "./context.ts";

/**
 * Where a question stands at the agent. `quoted`: it may be asked; `asked`: it was, finally; `proven`: proof and transaction
 * are stored; `expiring`: it cannot be answered, the transaction that gives it up is stored; the others are over.
 */
export type QuestionPhase = "quoted" | "asked" | "proven" | "expiring" | "answered" | "expired" | "lapsed";

/** Everything that an answer follows from. Encrypted under the question's own key, gone when the question is over. */
export type QuestionBody = {
  readonly statement: Statement;
  readonly nonce: bigint;
  readonly subjectKey: readonly [bigint, bigint];
  readonly subjectNonce: bigint;
  readonly person: bigint;
  /** Whoever has it reads the answer. */
  readonly k: bigint;
  readonly consent: ConsentContent;
  readonly record: RecordData;
  readonly path: TreePath;
  readonly nk: bigint;
  readonly subjectId: number;
  readonly lane: Uint8Array;
};

/** A proof with what it shows. */
export type StoredProof = {
  readonly cipher: bigint;
  readonly nullifier: bigint;
  /** Eight words as the contract takes them. */
  readonly proof: readonly bigint[];
};

/** A question of the state. */
export type StoredQuestion = {
  readonly id: number;
  /** Digest of the quote; id of the question on chain. */
  readonly quoteId: Hex;
  readonly datasetId: number;
  readonly quote: Quote;
  /** Of the quote. */
  readonly signature: Hex;
  readonly sealedHash: Hex;
  readonly phase: QuestionPhase;
  /** Last time for an answer, unix s; known once it is asked. */
  readonly deadline: number | undefined;
  readonly proof: StoredProof | undefined;
  /** Transaction that answers or gives up. */
  readonly outboxKey: string | undefined;
  readonly failures: number;
  /** Not before this time, ms since the epoch. */
  readonly retryAt: number;
};

/** What is stored with a quote. */
export type NewQuestion = {
  readonly quoteId: Hex;
  readonly quote: Quote;
  readonly signature: Hex;
  /** The one-time key of the question; deleted by the same transaction. */
  readonly encryptionKey: Hex;
  readonly sealedHash: Hex;
  readonly datasetId: number;
  readonly body: QuestionBody;
  /** Index of the budget that is reserved. */
  readonly i: number;
  readonly consentHash: Hex;
  /** Unix s. */
  readonly now: number;
};

/** An entry of the audit log: nothing in it is a secret of subject or asker. */
export type AuditEntry = {
  /** Number of the subject in the state. */
  readonly subjectId: number;
  readonly leaf: bigint;
  readonly query: bigint;
  readonly asker: Address;
  /** keccak256 of the consent. */
  readonly consentHash: Hex;
  readonly outcome: "quoted" | "lapsed" | "asked" | "answered" | "expired" | "refused";
  /** Code of the rule for which it was refused or given up. */
  readonly reason?: string | undefined;
  /** Unix s. */
  readonly quotedAt: number;
  readonly askedAt?: number | undefined;
  readonly endedAt?: number | undefined;
};

/** A one-time key that is given out. */
export type NewKey = {
  readonly publicKey: Hex;
  readonly privateKey: Hex;
  readonly datasetId: number;
  readonly asker: Address;
  /** Unix s. */
  readonly expiry: number;
  /** Pseudonym of the network that asked for it. */
  readonly source: string;
};

/** One-time keys, questions, uses of budgets, audit log. */
export type Questions = {
  /** Stores the private half of a one-time key until its expiry. */
  addKey(key: NewKey): void;
  /** Private half of a key that is in force for a dataset and asker. */
  keyOf(publicKey: Hex, datasetId: number, asker: Address, now: number): Hex | undefined;
  dropKey(publicKey: Hex): void;
  /** Keys in force, of everybody and of one source. */
  openKeys(source: string, now: number): { readonly all: number; readonly ofSource: number };
  dropExpiredKeys(now: number): void;
  /** Smallest index of a lane that is free, or undefined when the budget is used up. */
  freeIndex(lane: Uint8Array, budget: number): number | undefined;
  /** Number of indexes of a lane that are used or reserved. */
  used(lane: Uint8Array): number;
  /** Name of a budget: subject, topic and period, whatever the record says otherwise. */
  laneOf(subjectId: number, topic: bigint, validFrom: number): Uint8Array;
  /** Stores a question with its quote, index, audit entry; its one-time key goes. All of it durable together. */
  add(question: NewQuestion): StoredQuestion;
  byEncryptionKey(encryptionKey: Hex): StoredQuestion | undefined;
  byQuoteId(quoteId: Hex): StoredQuestion | undefined;
  /** Whether the query was quoted before. */
  knowsQuery(query: bigint): boolean;
  inPhase(phase: QuestionPhase): readonly StoredQuestion[];
  /** Quotes of an asker that may still be asked, and all since a time (unix s). */
  quotesOf(asker: Address, since: number): { readonly open: number; readonly since: number };
  /** Sum of the bonds that open quotes promise in a token. */
  promisedBonds(token: Address): bigint;
  /** What an answer follows from, with the index that is reserved; undefined once erased. */
  open(question: StoredQuestion): { readonly body: QuestionBody; readonly i: number } | undefined;
  /** Takes another index, because the reserved one is used on chain. */
  moveIndex(question: StoredQuestion, lane: Uint8Array, from: number, to: number): void;
  asked(question: StoredQuestion, deadline: number, at: number): void;
  proven(question: StoredQuestion, proof: StoredProof): void;
  /** Forgets a proof that the chain does not take. */
  unproven(question: StoredQuestion): void;
  /** Names the transaction that carries the answer. */
  carriedBy(question: StoredQuestion, outboxKey: string | undefined): void;
  /** Names the transaction that gives it up; an earlier reason stays when none is given. */
  expiring(question: StoredQuestion, outboxKey: string, reason: string | undefined): void;
  failed(question: StoredQuestion, retryAt: number): void;
  /** Ends a question: erases key, question and proof; gives the index back if it was never shown to anybody. */
  end(question: StoredQuestion, phase: "answered" | "expired" | "lapsed", at: number, giveBack: boolean): void;
  /** A question that was refused though its consent is good. */
  refused(entry: Omit<AuditEntry, "outcome">): void;
  audit(filter: {
    readonly subjectId?: number;
    readonly since?: number;
    readonly limit?: number;
  }): readonly AuditEntry[];
  counts(): Readonly<Record<QuestionPhase, number>>;
};

const KEY_BYTES = 32;

/**
 * Questions in a state.
 *
 * @param state Database and vault.
 */
export function createQuestions({ db, vault }: State): Questions {
  const insertKey = db.prepare("INSERT INTO one_time_key VALUES (?, ?, ?, ?, ?, ?)");
  const selectKey = db.prepare(
    "SELECT private FROM one_time_key WHERE public = ? AND dataset_id = ? AND asker = ? AND expiry > ?",
  );
  const overwriteKey = db.prepare("UPDATE one_time_key SET private = zeroblob(length(private)) WHERE public = ?");
  const deleteKey = db.prepare("DELETE FROM one_time_key WHERE public = ?");
  const countKeys = db.prepare(
    "SELECT count(*) AS n, coalesce(sum(source = ?), 0) AS own FROM one_time_key WHERE expiry > ?",
  );
  const expiredKeys = db.prepare("SELECT public FROM one_time_key WHERE expiry <= ?");
  const indexes = db.prepare("SELECT i FROM use WHERE lane = ? ORDER BY i");
  const countUses = db.prepare("SELECT count(*) AS n FROM use WHERE lane = ?");
  const insertUse = db.prepare("INSERT INTO use (lane, i, question_id) VALUES (?, ?, ?)");
  const useOf = db.prepare("SELECT i FROM use WHERE question_id = ?");
  const detachUse = db.prepare("UPDATE use SET question_id = NULL WHERE lane = ? AND i = ?");
  const deleteUse = db.prepare("DELETE FROM use WHERE question_id = ?");
  const insert = db.prepare(
    `INSERT INTO question (id, quote_id, query, encryption_key, sealed_hash, dataset_id, asker, verifier, quote, signature,
     status, key, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'quoted', ?, ?)`,
  );
  const nextId = db.prepare("SELECT coalesce(max(id), 0) + 1 AS id FROM question");
  const columns = `id, quote_id, dataset_id, quote, signature, sealed_hash, status, deadline, proof, outbox_key, failures,
    retry_at`;
  const selectByKey = db.prepare(`SELECT ${columns} FROM question WHERE encryption_key = ?`);
  const selectByQuote = db.prepare(`SELECT ${columns} FROM question WHERE quote_id = ?`);
  const selectByPhase = db.prepare(`SELECT ${columns} FROM question WHERE status = ? ORDER BY deadline, id`);
  const selectByQuery = db.prepare("SELECT 1 FROM question WHERE query = ?");
  const selectSecret = db.prepare("SELECT key, body FROM question WHERE id = ?");
  const openOf = db.prepare("SELECT count(*) AS n FROM question WHERE asker = ? AND status = 'quoted'");
  const sinceOf = db.prepare(
    "SELECT count(*) AS n FROM audit WHERE asker = ? AND quoted_at >= ? AND question_id IS NOT NULL",
  );
  const quotes = db.prepare("SELECT quote FROM question WHERE status = 'quoted'");
  const setAsked = db.prepare("UPDATE question SET status = 'asked', deadline = ? WHERE id = ?");
  const setProof = db.prepare("UPDATE question SET status = 'proven', proof = ?, outbox_key = NULL WHERE id = ?");
  const dropProof = db.prepare("UPDATE question SET status = 'asked', proof = NULL, outbox_key = NULL WHERE id = ?");
  const setOutbox = db.prepare("UPDATE question SET outbox_key = ? WHERE id = ?");
  const setExpiring = db.prepare("UPDATE question SET status = 'expiring', outbox_key = ? WHERE id = ?");
  const setFailed = db.prepare("UPDATE question SET failures = failures + 1, retry_at = ? WHERE id = ?");
  const overwrite = db.prepare(
    "UPDATE question SET key = zeroblob(length(key)), body = zeroblob(length(body)) WHERE id = ? AND key IS NOT NULL",
  );
  const erase = db.prepare("UPDATE question SET status = ?, key = NULL, body = NULL, proof = NULL WHERE id = ?");
  const insertAudit = db.prepare(
    `INSERT INTO audit (question_id, subject_id, leaf, query, asker, consent_hash, outcome, reason, quoted_at, ended_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const auditAsked = db.prepare("UPDATE audit SET outcome = 'asked', asked_at = ? WHERE question_id = ?");
  const auditReason = db.prepare("UPDATE audit SET reason = ? WHERE question_id = ?");
  const auditEnded = db.prepare("UPDATE audit SET outcome = ?, ended_at = ? WHERE question_id = ?");
  const selectAudit = db.prepare(
    "SELECT * FROM audit WHERE (?1 IS NULL OR subject_id = ?1) AND quoted_at >= ?2 ORDER BY id DESC LIMIT ?3",
  );
  const countPhases = db.prepare("SELECT status, count(*) AS n FROM question GROUP BY status");

  const keyContext = (publicKey: Hex): string => `one-time-key/${publicKey}`;
  const read = (row: Record<string, unknown> | undefined): StoredQuestion | undefined =>
    row === undefined
      ? undefined
      : {
          id: row.id as number,
          quoteId: row.quote_id as Hex,
          datasetId: row.dataset_id as number,
          quote: decodeState(row.quote as string) as Quote,
          signature: row.signature as Hex,
          sealedHash: row.sealed_hash as Hex,
          phase: row.status as QuestionPhase,
          deadline: (row.deadline as number | null) ?? undefined,
          proof: row.proof === null ? undefined : (decodeState(row.proof as string) as StoredProof),
          outboxKey: (row.outbox_key as string | null) ?? undefined,
          failures: row.failures as number,
          retryAt: row.retry_at as number,
        };
  const dropKey = (publicKey: Hex): void => {
    // First the content, in place: a freed page may live on where no statement reaches it.
    overwriteKey.run(publicKey);
    deleteKey.run(publicKey);
  };

  return {
    addKey({ publicKey, privateKey, datasetId, asker, expiry, source }) {
      insertKey.run(publicKey, datasetId, asker, vault.seal(keyContext(publicKey), privateKey), expiry, source);
    },
    keyOf(publicKey, datasetId, asker, now) {
      const row = selectKey.get(publicKey, datasetId, asker, now);
      return row === undefined ? undefined : vault.open<Hex>(keyContext(publicKey), row.private as Uint8Array);
    },
    dropKey,
    openKeys(source, now) {
      const row = countKeys.get(source, now);
      return { all: row?.n as number, ofSource: row?.own as number };
    },
    dropExpiredKeys(now) {
      inTransaction(db, () => {
        for (const row of expiredKeys.all(now)) dropKey(row.public as Hex);
      });
    },
    freeIndex(lane, budget) {
      let free = 0;
      for (const { i } of indexes.iterate(lane)) {
        if (i !== free) break;
        free += 1;
      }
      return free < budget ? free : undefined;
    },
    used: (lane) => countUses.get(lane)?.n as number,
    laneOf: (subjectId, topic, validFrom) => vault.tag("lane", `${subjectId}/${topic}/${validFrom}`),
    add({ quoteId, quote, signature, encryptionKey, sealedHash, datasetId, body, i, consentHash, now }) {
      return inTransaction(db, () => {
        const id = nextId.get()?.id as number;
        const key = randomBytes(KEY_BYTES);
        insert.run(
          id,
          quoteId,
          quote.query.toString(),
          encryptionKey,
          sealedHash,
          datasetId,
          quote.asker,
          quote.verifier,
          encodeState(quote),
          signature,
          vault.seal(`question-key/${id}`, key),
          vault.seal(`question/${id}`, body, key),
        );
        insertUse.run(body.lane, i, id);
        const { leaf } = body.consent;
        insertAudit.run(
          id,
          body.subjectId,
          leaf.toString(),
          quote.query.toString(),
          quote.asker,
          consentHash,
          "quoted",
          null,
          now,
          null,
        );
        dropKey(encryptionKey);
        return read(selectByQuote.get(quoteId)) as StoredQuestion;
      });
    },
    byEncryptionKey: (encryptionKey) => read(selectByKey.get(encryptionKey)),
    byQuoteId: (quoteId) => read(selectByQuote.get(quoteId)),
    knowsQuery: (query) => selectByQuery.get(query.toString()) !== undefined,
    inPhase: (phase) => selectByPhase.all(phase).map((row) => read(row) as StoredQuestion),
    quotesOf: (asker, since) => ({
      open: openOf.get(asker)?.n as number,
      since: sinceOf.get(asker, since)?.n as number,
    }),
    promisedBonds: (token) =>
      quotes
        .all()
        .map((row) => decodeState(row.quote as string) as Quote)
        .filter((quote) => quote.token === token)
        .reduce((sum, { bond }) => sum + bond, 0n),
    open({ id }) {
      const row = selectSecret.get(id);
      const use = useOf.get(id);
      if (row?.key === null || row?.key === undefined || use === undefined) return undefined;
      const key = vault.open<Uint8Array>(`question-key/${id}`, row.key as Uint8Array);
      return { body: vault.open<QuestionBody>(`question/${id}`, row.body as Uint8Array, key), i: use.i as number };
    },
    moveIndex({ id }, lane, from, to) {
      inTransaction(db, () => {
        // Used on chain: it stays taken, by nobody's question.
        detachUse.run(lane, from);
        insertUse.run(lane, to, id);
      });
    },
    asked({ id }, deadline, at) {
      setAsked.run(deadline, id);
      auditAsked.run(at, id);
    },
    proven: ({ id }, proof) => void setProof.run(encodeState(proof), id),
    unproven: ({ id }) => void dropProof.run(id),
    carriedBy: ({ id }, outboxKey) => void setOutbox.run(outboxKey ?? null, id),
    expiring({ id }, outboxKey, reason) {
      setExpiring.run(outboxKey, id);
      if (reason !== undefined) auditReason.run(reason, id);
    },
    failed: ({ id }, retryAt) => void setFailed.run(retryAt, id),
    end({ id }, phase, at, giveBack) {
      overwrite.run(id);
      erase.run(phase, id);
      if (giveBack) deleteUse.run(id);
      auditEnded.run(phase, at, id);
    },
    refused({ subjectId, leaf, query, asker, consentHash, reason, quotedAt }) {
      insertAudit.run(
        null,
        subjectId,
        leaf.toString(),
        query.toString(),
        asker,
        consentHash,
        "refused",
        reason ?? null,
        quotedAt,
        quotedAt,
      );
    },
    audit: ({ subjectId, since = 0, limit = 1_000 }) =>
      selectAudit.all(subjectId ?? null, since, limit).map((row) => ({
        subjectId: row.subject_id as number,
        leaf: BigInt(row.leaf as string),
        query: BigInt(row.query as string),
        asker: row.asker as Address,
        consentHash: row.consent_hash as Hex,
        outcome: row.outcome as AuditEntry["outcome"],
        reason: (row.reason as string | null) ?? undefined,
        quotedAt: row.quoted_at as number,
        askedAt: (row.asked_at as number | null) ?? undefined,
        endedAt: (row.ended_at as number | null) ?? undefined,
      })),
    counts() {
      const counts = { quoted: 0, asked: 0, proven: 0, expiring: 0, answered: 0, expired: 0, lapsed: 0 };
      for (const { status, n } of countPhases.all()) counts[status as QuestionPhase] = n as number;
      return counts;
    },
  };
}
