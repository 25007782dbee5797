import type { QueryStage } from "@quorate/sdk/queries";
import type { Step, Tone } from "../../ui/index.ts";

/** A stage for people. */
export type StageWords = {
  readonly title: string;
  readonly tone: Tone | "neutral";
  /** What happens next, and by whom. */
  readonly next: string;
};

const stages: Readonly<Record<QueryStage, StageWords>> = {
  prepared: {
    title: "Waiting for consent",
    tone: "info",
    next: "Hand the link to the person that the question is about. Nothing was sent and nothing is paid.",
  },
  sent: {
    title: "Sent, no reply",
    tone: "warn",
    next: "It is unknown whether the provider has the question. Send it again: the same bytes, so it is asked once.",
  },
  refused: {
    title: "Cannot be answered",
    tone: "bad",
    next: "The provider cannot answer. It never says why; the person can ask it. Nothing was paid.",
  },
  quoted: {
    title: "Quoted",
    tone: "info",
    next: "The provider has promised an answer for a price. Nothing is paid before you pay it.",
  },
  asking: {
    title: "Being paid",
    tone: "info",
    next: "A transaction may be under way. Go on: it is looked for before anything is sent, and paid once.",
  },
  lapsed: {
    title: "Lapsed",
    tone: "neutral",
    next: "The time for consent and payment is over. Nothing was paid; prepare the question again.",
  },
  pending: {
    title: "Being proved",
    tone: "info",
    next: "The price is in escrow. The provider proves its answer; that takes half a minute or so.",
  },
  overdue: {
    title: "Overdue",
    tone: "warn",
    next: "The provider did not answer in time. Take your price back, with its bond on top.",
  },
  answered: { title: "Answered", tone: "good", next: "The answer is here, with its proof." },
  expired: {
    title: "Refunded",
    tone: "neutral",
    next: "The provider did not answer. Price and bond are in your account of the query market.",
  },
};

/**
 * A stage in words.
 *
 * @param stage - Of a question.
 */
export function stageWords(stage: QueryStage): StageWords {
  return stages[stage];
}

/** Stages in which nothing more will happen. */
export function isOver(stage: QueryStage): boolean {
  return stage === "answered" || stage === "expired" || stage === "refused" || stage === "lapsed";
}

const order = ["Question", "Consent", "Price", "Payment", "Answer"] as const;

/** Number of the step that a stage stands at. */
const reached: Readonly<Record<QueryStage, number>> = {
  prepared: 1,
  sent: 2,
  refused: 2,
  lapsed: 1,
  quoted: 3,
  asking: 3,
  pending: 4,
  overdue: 4,
  answered: 5,
  expired: 4,
};

/**
 * The way of a question as steps.
 *
 * @param stage - Undefined while the question is being written.
 * @param hasQuote - Whether the provider has quoted; a question that lapsed may have come that far.
 */
export function questionSteps(stage: QueryStage | undefined, hasQuote = false): readonly Step[] {
  const at = stage === undefined ? 0 : stage === "lapsed" && hasQuote ? 3 : reached[stage];
  const hasFailed = stage === "refused" || stage === "lapsed" || stage === "expired";
  return order.map((title, index) => ({
    title,
    state: index < at ? "done" : index > at ? "ahead" : hasFailed ? "failed" : "current",
  }));
}

/**
 * An answer as a sentence.
 *
 * @param answer - Whether the statement holds.
 * @param statement - In words, as `annual income is at least 104,250 USD on 2026-11-22`.
 */
export function answerSentence(answer: boolean, statement: string): string {
  return answer ? `Yes: ${statement}.` : `No: it is not true that ${statement}.`;
}

/** Why a subject's client refuses to consent, in two parts: what is wrong, and what to do. */
export type RefusalWords = { readonly title: string; readonly advice: string };

const refusals: Readonly<Record<string, RefusalWords>> = {
  CONSENT_REFUSED_MARKET: {
    title: "The request is for another market or chain",
    advice: "Choose that network in the settings, if you use it. Otherwise do not consent.",
  },
  CONSENT_REFUSED_DATASET: {
    title: "The request describes the data differently than the provider registered it",
    advice: "What the words of the question mean is unclear. Do not consent; tell the asker.",
  },
  CONSENT_REFUSED_KEY: {
    title: "The request's one-time key is not good, or its time is over",
    advice: "The asker has to prepare the question again and send you a new link.",
  },
  CONSENT_REFUSED_SUBJECT: {
    title: "The question is about somebody else's key",
    advice: "Connect the wallet that you enrolled with. If you have no other one, the question is not about you.",
  },
  CONSENT_REFUSED_VERIFIER: {
    title: "An unknown contract would judge the proof",
    advice: "Such a contract could call any answer proved. Do not consent.",
  },
  CONSENT_REFUSED_ROOT: {
    title: "The question is about data that the provider does not stand behind",
    advice: "It was never published, was revoked, or is too old. The asker has to prepare the question again.",
  },
  CONSENT_REFUSED_STATEMENT: {
    title: "The question itself is not one to answer",
    advice: "It says nothing, is about a day that is not answered for, or about something that the data does not have.",
  },
  CONSENT_REFUSED_PERSON: {
    title: "The asker saw other papers than those of your record",
    advice: "Perhaps a typing mistake: ask it to compare name, birth date and document number with your papers.",
  },
  CONSENT_REFUSED_RECORD: {
    title: "Your record cannot answer the question",
    advice: "It may not be valid on that day. Look at your records, and ask the provider.",
  },
  CONSENT_REFUSED_RECORD_CHANGED: {
    title: "Your record was changed since you first saw it",
    advice: "A provider must not change a record quietly. Do not consent; ask the provider what happened.",
  },
  CONSENT_REFUSED_NULLIFIER_KEY: {
    title: "The provider holds another key of yours than you have",
    advice: "Do not consent; ask the provider to correct its registration.",
  },
  CONSENT_REFUSED_PATH: {
    title: "Your record is not in the published data",
    advice: "Nothing could be proved from it. Ask the provider when it will publish.",
  },
  RECORD_NOT_FOUND: {
    title: "The provider has no published record of you for this question",
    advice: "If you enrolled just now, wait for the next publication. Otherwise ask the provider.",
  },
  SUBJECT_NOT_ENROLLED: {
    title: "This browser knows of no enrolment of yours at this provider",
    advice: "Enrol on the page My records, with the code that the provider gave you.",
  },
};

/**
 * Why nothing can be consented to.
 *
 * @param code - Of the error.
 * @returns Undefined for errors that are no refusals.
 */
export function refusalWords(code: string): RefusalWords | undefined {
  return refusals[code];
}
