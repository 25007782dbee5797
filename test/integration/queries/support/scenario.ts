// The questions whose proofs test/vectors/proofs.json keeps, with everything that they are made of.
import { type Example, hash, publicKey, scorecard, sealedAnswer } from "../../../circuits/support/reference.ts";
import {
  AS_OF,
  type CircuitName,
  contextOf,
  contractAddress,
  INCOME,
  MINIMUM,
  numberOf,
  type Opening,
} from "./parties.ts";

/** A question of the scenario. */
export type ScenarioQuestion = {
  readonly name: string;
  readonly circuit: CircuitName;
  readonly opening: Opening;
  readonly example: Example;
};

/** A person with its records. */
export type Person = {
  readonly name: string;
  /** Of the reference's keys. */
  readonly key: number;
  readonly person: bigint;
  readonly nk: bigint;
  readonly value: bigint;
  /** Place among the first eight leaves. */
  readonly index: bigint;
};
/** Earns enough. */
export const ALICE: Person = {
  name: "alice",
  key: 11,
  person: numberOf("papers of alice", 248n),
  nk: numberOf("nk of alice", 250n),
  value: 120_000n,
  index: 0n,
};
/** Does not. */
export const BOB: Person = {
  name: "bob",
  key: 12,
  person: numberOf("papers of bob", 248n),
  nk: numberOf("nk of bob", 250n),
  value: 80_000n,
  index: 1n,
};
/** Alice's card is a leaf of its own. */
const CARD: Person = { ...ALICE, name: "card of alice", index: 2n };

const recordOf = ({ key, person, nk, value }: Person) => ({ key, person, nk, value, attribute: INCOME, budget: 3n });
const cardOf = ({ key, person, nk }: Person) => ({ key, person, nk, budget: 3n });
const leaves: readonly bigint[] = [
  sealedAnswer(recordOf(ALICE)).leaf,
  sealedAnswer(recordOf(BOB)).leaf,
  scorecard(cardOf(CARD)).leaf,
  ...[3, 4, 5, 6, 7].map((n) => hash(BigInt(n))),
];

/** Where a leaf is in the tree that all records share. */
function pathOf(index: bigint): { index: readonly bigint[]; siblings: readonly (readonly bigint[])[] } {
  const { inputs } = sealedAnswer();
  const [, ...upper] = inputs.siblings as readonly (readonly bigint[])[];
  const [, ...digits] = inputs.index as readonly bigint[];
  return { index: [index, ...digits], siblings: [leaves.filter((_, n) => BigInt(n) !== index), ...upper] };
}

/** What distinguishes one question about an income from another. */
export type IncomeQuestion = {
  readonly name: string;
  readonly subject: Person;
  readonly minimum?: bigint;
  /** Use of the record. */
  readonly use?: bigint;
  readonly asker?: string;
  readonly provider?: string;
};

function secretsOf(name: string) {
  return {
    nonce: numberOf(`nonce of ${name}`, 128n),
    subjectNonce: numberOf(`subject nonce of ${name}`, 248n),
    k: numberOf(`k of ${name}`, 248n),
  };
}

/** A question whether an income is high enough, with the witness of its answer. */
export function askIncome({
  name,
  subject,
  minimum = MINIMUM,
  use = 0n,
  ...parties
}: IncomeQuestion): ScenarioQuestion {
  const { nonce, subjectNonce, k } = secretsOf(name);
  const example = sealedAnswer({
    ...recordOf(subject),
    ...pathOf(subject.index),
    lo: minimum,
    asOf: AS_OF,
    context: contextOf(contractAddress("SealedAnswerVerifier"), nonce, parties),
    subjectNonce,
    k,
    i: use,
  });
  return { name, circuit: "sealed-answer", example, opening: openingOf(subject, { nonce, subjectNonce, k }) };
}

/** The question to a card. */
function askCard(name: string): ScenarioQuestion {
  const { nonce, subjectNonce, k } = secretsOf(name);
  const context = contextOf(contractAddress("ScorecardVerifier"), nonce);
  const example = scorecard({
    ...cardOf(CARD),
    ...pathOf(CARD.index),
    asOf: AS_OF,
    context,
    subjectNonce,
    k,
    i: 0n,
  });
  return { name, circuit: "scorecard", example, opening: openingOf(CARD, { nonce, subjectNonce, k }) };
}

function openingOf(
  { key, person }: Person,
  { nonce, subjectNonce, k }: { readonly nonce: bigint; readonly subjectNonce: bigint; readonly k: bigint },
): Opening {
  const subjectRef = hash(hash(...publicKey(key), person), subjectNonce);
  return { nonce, subjectRef, person, asOf: AS_OF, k };
}

/** All questions that have a proof in test/vectors/proofs.json. */
export function scenarioQuestions(): readonly ScenarioQuestion[] {
  return [
    askIncome({ name: "true", subject: ALICE }),
    askIncome({ name: "false", subject: BOB }),
    askIncome({ name: "true, use spent by another question", subject: ALICE, minimum: 110_000n }),
    askIncome({ name: "false, second use", subject: ALICE, minimum: 130_000n, use: 1n }),
    askCard("scorecard"),
  ];
}
