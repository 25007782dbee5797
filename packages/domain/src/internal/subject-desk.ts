import { inTransaction } from "@quorate/chain/sqlite";
import { isQuorateError, type Logger } from "@quorate/core";
import { isPublicKey, NOBODY, type Papers, personOf, verifySignature } from "@quorate/proofs";
import {
  domainError,
  MAX_REPLY_AUDIT,
  MAX_REPLY_RECORDS,
  MAX_SUBJECT_SKEW_S,
  openSubjectRequest,
  type QueryContext,
  type SealedReply,
  type SubjectAction,
  type SubjectMessage,
  type SubjectReply,
  type SubjectRequest,
  sealSubjectReply,
  subjectRequestHash,
} from "@quorate/wire";
import { zeroAddress } from "viem";
import type { Dataset, Identity, State } from "./context.ts";
import type { Publications } from "./publications.ts";
import type { Questions } from "./questions.ts";
import { type Records, recordDataOf, type StoredRecord } from "./records.ts";
import { refusal } from "./refusal.ts";
import type { StoredSubject, Subjects } from "./subjects.ts";

/** Ports of {@link createSubjectDesk}. */
export type SubjectDeskPorts = {
  readonly identity: Identity;
  readonly state: State;
  readonly datasets: readonly Dataset[];
  readonly subjects: Subjects;
  readonly records: Records;
  readonly publications: Publications;
  readonly questions: Questions;
  /** Unix s. */
  readonly now: () => number;
  readonly logger: Logger;
};

/** Speaks with subjects. */
export type SubjectDesk = {
  /** @throws `UNKNOWN_DATASET`; `CANNOT_ANSWER` for everybody who does not prove to be a subject */
  handle(action: SubjectAction, message: SubjectMessage): Promise<SealedReply>;
};

const NK_BITS = 250n;

/**
 * Makes the desk at which subjects enrol and see what is stored about them.
 *
 * @param ports State.
 */
export function createSubjectDesk(ports: SubjectDeskPorts): SubjectDesk {
  const { identity, state, datasets, subjects, records, publications, questions, logger } = ports;

  const enrol = (request: SubjectRequest, now: number): SubjectReply => {
    const { subjectKey, code, nk, papers } = request;
    if (nk === undefined || nk === 0n || nk >> NK_BITS !== 0n || !isPublicKey(subjectKey))
      throw refusal("KEYS_INVALID", "The subject's keys cannot be used.");
    const known = subjects.byKey(subjectKey);
    // The reply was lost on its way.
    if (known?.keys?.nk === nk) return enrolled(known);
    const subject = code === undefined ? undefined : subjects.byCode(code, now);
    if (code === undefined || subject === undefined) throw refusal("CODE_UNKNOWN", "The code is unknown, or expired.");
    if (!arePapersOf(subject, papers)) {
      subjects.failCode(code);
      return refused(
        "PAPERS_DIFFER",
        "The papers are not those that the provider saw. Correct them, or ask the provider.",
      );
    }
    if (known !== undefined && known.id !== subject.id)
      return refused("KEY_TAKEN", "Another subject enrolled with this key. Make a new one.");
    const done = inTransaction(state.db, () => {
      const changed = subjects.enrol(subject.id, subjectKey, nk);
      records.rekey(datasets, changed);
      return changed;
    });
    logger.info("subject_enrolled", { subject: subject.id, again: subject.keys !== undefined });
    return enrolled(done);
  };

  const show = (dataset: Dataset, subject: StoredSubject): SubjectReply => {
    const root = publications.current(dataset.id)?.root;
    const tree = root === undefined ? undefined : publications.askable(dataset.id, root, ports.now(), 0)?.tree;
    const pathOf = ({ slot, leaf }: StoredRecord): ReturnType<NonNullable<typeof tree>["path"]> | undefined =>
      tree !== undefined && slot !== undefined && slot < tree.size && tree.get(slot) === leaf
        ? tree.path(slot)
        : undefined;
    const shown = records
      .of(subject.id, dataset.id)
      .filter(({ leaf }) => leaf !== undefined && leaf !== 0n)
      .slice(-MAX_REPLY_RECORDS);
    return {
      kind: "records",
      ...(root === undefined ? {} : { root }),
      records: shown.map((record) => {
        const data = recordDataOf(dataset.definition, record.body);
        const { topic, values, validFrom, validUntil, budget } = record.body;
        const path = pathOf(record);
        return {
          kind: data.kind,
          name: data.kind === "attribute" ? data.attribute.name : data.scorecard.name,
          topic,
          values,
          validFrom,
          validUntil,
          budget,
          used: Math.min(questions.used(questions.laneOf(subject.id, topic, validFrom)), 65_535),
          leaf: record.leaf as bigint,
          ...(path === undefined ? {} : { path }),
        };
      }),
    };
  };

  const answer = (request: SubjectRequest, dataset: Dataset, now: number): SubjectReply => {
    if (request.action === "enrol") return enrol(request, now);
    const subject = subjects.byKey(request.subjectKey);
    if (subject === undefined) throw refusal("SUBJECT_UNKNOWN", "Nobody enrolled with this key.");
    if (request.action === "records") return show(dataset, subject);
    const entries = questions.audit({ subjectId: subject.id, limit: MAX_REPLY_AUDIT });
    return { kind: "audit", entries: entries.map(({ subjectId: _, ...entry }) => entry) };
  };

  const handle = async (action: SubjectAction, message: SubjectMessage, dataset: Dataset): Promise<SealedReply> => {
    const now = ports.now();
    const { encryptionKey } = message;
    const context: QueryContext = { ...identity, dataset: dataset.dataset, asker: zeroAddress };
    const privateKey = questions.keyOf(encryptionKey, dataset.id, zeroAddress, now);
    if (privateKey === undefined) throw refusal("KEY_UNKNOWN", "The one-time key is unknown, or expired.");
    const request = await openSubjectRequest(message.sealed, privateKey, context);
    const { signature, ...draft } = request;
    if (request.action !== action || Math.abs(request.at - now) > MAX_SUBJECT_SKEW_S)
      throw refusal("MESSAGE_STALE", "The message is for something else, or from another time. Set the clock.");
    if (!verifySignature(request.subjectKey, subjectRequestHash(draft, encryptionKey, context), signature))
      throw refusal("SIGNATURE_INVALID", "The subject's key did not sign the message.");
    // Whoever waited for the key to open meanwhile finds it used: one key, one message.
    if (questions.keyOf(encryptionKey, dataset.id, zeroAddress, now) === undefined)
      throw refusal("KEY_USED", "The one-time key was used before.");
    const reply = inTransaction(state.db, () => {
      const made = answer(request, dataset, now);
      questions.dropKey(encryptionKey);
      return made;
    });
    return { sealed: await sealSubjectReply(reply, request.replyKey, context) };
  };

  return {
    async handle(action, message) {
      const dataset = datasets.find((candidate) => candidate.dataset === message.dataset);
      if (dataset === undefined) throw domainError("UNKNOWN_DATASET", "The provider has no such dataset.");
      try {
        return await handle(action, message, dataset);
      } catch (error) {
        if (!isQuorateError(error)) logger.error("subject_failed", { action, error });
        else logger.info("subject_refused", { action, code: error.code, reason: error.message });
        throw domainError("CANNOT_ANSWER", "cannot answer", error);
      }
    },
  };
}

function enrolled({ person, keys }: StoredSubject): SubjectReply {
  if (keys === undefined) throw new TypeError("the subject has no keys");
  return { kind: "enrolled", person, subjectId: keys.subjectId };
}

function refused(code: string, message: string): SubjectReply {
  return { kind: "refused", code, message };
}

function arePapersOf({ person }: StoredSubject, papers: Papers | undefined): boolean {
  if (papers === undefined) return person === NOBODY;
  try {
    return personOf(papers) === person;
  } catch {
    return false;
  }
}
