// The questions whose proofs test/vectors/proofs.json keeps, with everything that they are made of. The contracts have fixed
// addresses, because a query commits to market and verifier.
import { AbiCoder, getCreateAddress, id, keccak256, Wallet } from "ethers";
import { type Example, hash, publicKey, scorecard, sealedAnswer } from "../../../circuits/support/reference.ts";

/** Circuits by the name of circuits/circuits.json. */
export type CircuitName = "sealed-answer" | "scorecard";

/** Contracts in the order in which the deployer creates them. */
export const deploymentOrder = [
  "TestToken",
  "Poseidon2",
  "QueryMarket",
  "SealedAnswerVerifier",
  "ScorecardVerifier",
  "Poseidon1",
  "Poseidon6",
] as const;
/** A contract of the scenario. */
export type ContractName = (typeof deploymentOrder)[number];

/** Private key of an actor, the same in every run. */
export const actorKey = (name: string): string => id(`quorate test actor ${name}`);
const addressOf = (name: string): string => new Wallet(actorKey(name)).address;

/** Chain of the scenario. */
export const CHAIN_ID = 31_337;
/** Time of the first block, unix s. */
export const START = 1_795_305_600;
/** Who deploys, and nothing else. */
export const DEPLOYER_KEY: string = actorKey("deployer of queries");
/** The domain provider. */
export const PROVIDER: string = addressOf("payroll");
/** The asker. */
export const ASKER: string = addressOf("lender");

/**
 * Address of a contract of the scenario.
 *
 * @param name of the contract
 */
export function contractAddress(name: ContractName): string {
  return getCreateAddress({ from: new Wallet(DEPLOYER_KEY).address, nonce: deploymentOrder.indexOf(name) });
}

/** Number below 2^bits that a text names. */
const numberOf = (text: string, bits: bigint): bigint => BigInt(id(text)) >> (256n - bits);

/** The parts of a query that a contract needs to make it again. */
export type Opening = {
  readonly nonce: bigint;
  readonly subjectRef: bigint;
  readonly person: bigint;
  readonly asOf: bigint;
  readonly k: bigint;
};

/** A question of the scenario. */
export type ScenarioQuestion = {
  readonly name: string;
  readonly circuit: CircuitName;
  readonly opening: Opening;
  readonly example: Example;
};

/**
 * What a query is tied to.
 *
 * @param verifier that will be asked
 * @param nonce 128 bits
 * @param over other parties than those of the scenario
 */
export function contextOf(
  verifier: string,
  nonce: bigint,
  over: { readonly asker?: string; readonly provider?: string; readonly market?: string } = {},
): bigint {
  const { asker = ASKER, provider = PROVIDER, market = contractAddress("QueryMarket") } = over;
  const types = ["uint256", "address", "address", "address", "address", "uint256"];
  const words = [CHAIN_ID, market, provider, asker, verifier, nonce];
  return BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(types, words))) >> 8n;
}

/** Number of the attribute. */
export const INCOME: bigint = numberOf("income", 248n);
/** What the lender asks for. */
export const MINIMUM = 100_000n;
/** Date of every statement, unix s. */
export const AS_OF: bigint = BigInt(START) - 3_600n;

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
