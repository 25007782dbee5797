import { FatalError } from "@quorate/core";
import { type Consent, verifyConsent } from "./consent.ts";
import { assertField } from "./field.ts";
import { cipherOf, contextOf, nullifierOf, type Question, queryOfQuestion } from "./query.ts";
import { leafOf, type RecordData, topicOf, valuesOf } from "./record.ts";
import {
  type Circuit,
  type CircuitInput,
  dateOf,
  encodeStatement,
  evaluateStatement,
  type Statement,
  statementInputs,
} from "./statement.ts";
import { type PublicKey, subjectIdOf } from "./subject.ts";
import { checkPath, pathRoot, TREE_DEPTH, type TreePath } from "./tree.ts";

/** Public signals of a proof, in the order of the contracts. */
export type Signals = readonly [cipher: bigint, nullifier: bigint, root: bigint, query: bigint];

/** Inputs of a circuit by the names of its signals. */
export type CircuitInputs = Readonly<Record<string, CircuitInput>>;

/** What a proof is made from. */
export type BuildInputsParameters = {
  readonly question: Question;
  readonly record: RecordData;
  /** The subject's key, as the provider has it on record. */
  readonly subjectKey: PublicKey;
  /** The record's person, as the provider has it on record. */
  readonly person: bigint;
  /** The subject's nullifier key, as the provider has it on record. */
  readonly nk: bigint;
  readonly consent: Consent;
  /** Of the record's leaf. */
  readonly path: TreePath;
  /** The root that the question was asked for; the path must lead to it. */
  readonly root: bigint;
  /** Number of the use of the record, from 0. */
  readonly i: number;
  /** Unix s, against which the consent's end is checked. */
  readonly now: number;
};

/** A statement that can be proved. */
export type BuiltInputs = {
  readonly circuit: Circuit;
  readonly inputs: CircuitInputs;
  readonly signals: Signals;
  readonly answer: boolean;
};

/**
 * Builds the inputs of a proof, and refuses by the name of its rule whatever the circuit would refuse without one.
 *
 * @param parameters Question, record, consent, place in the tree.
 * @throws FatalError `CONSENT_INVALID`, `CONSENT_EXPIRED`, `CONSENT_OTHER_RECORD`, `SUBJECT_MISMATCH`, `PERSON_MISMATCH`,
 *   `RECORD_MISMATCH`, `RECORD_ENDED`, `RECORD_NOT_YET_VALID`, `RECORD_INVALID`, `VALUE_OUT_OF_RANGE`, `BUDGET_SPENT`,
 *   `PATH_INVALID`, `ROOT_MISMATCH`, `FIELD_OVERFLOW`, and what `queryOfQuestion` throws.
 */
export function buildInputs(parameters: BuildInputsParameters): BuiltInputs {
  const { question, record, subjectKey, person, nk, consent, path, root, i, now } = parameters;
  const { statement, subjectNonce, k } = question;
  const encoded = encodeStatement(statement);
  const query = queryOfQuestion(question);
  verifyConsent({ consent, question, now });
  if (subjectKey[0] !== question.subjectKey[0] || subjectKey[1] !== question.subjectKey[1]) {
    throw refusal("SUBJECT_MISMATCH", "The question is about another subject than the record.");
  }
  if (person !== question.person) {
    throw refusal("PERSON_MISMATCH", "The record is of another person than the one that the asker saw papers of.");
  }
  checkProvable(record, statement);
  if (!Number.isInteger(i) || i < 0 || i >= record.budget) {
    throw refusal("BUDGET_SPENT", `The record may give ${record.budget} answers, there is none of number ${i + 1}.`);
  }
  const leaf = leafOf(record, { subjectId: subjectIdOf(subjectKey, person), nk: assertField(nk, "nk") });
  if (leaf !== consent.leaf) {
    throw refusal("CONSENT_OTHER_RECORD", "The consent is about another state of the record. Ask the subject again.");
  }
  checkPath(path);
  if (path.index.length !== TREE_DEPTH) {
    throw refusal("PATH_INVALID", `The path has ${path.index.length} levels, the circuits take ${TREE_DEPTH}.`);
  }
  if (pathRoot(leaf, path) !== root) {
    throw refusal("ROOT_MISMATCH", "The record's path does not lead to the root of the question.");
  }
  const answer = evaluateStatement(statement, valuesOf(record));
  const nullifier = nullifierOf({ nk, nullifierTopic: encoded.nullifierTopic, validFrom: record.validFrom, i });
  const own: CircuitInputs =
    record.kind === "attribute"
      ? { attribute: topicOf(record), value: record.value }
      : { schema: topicOf(record), value: record.values };
  const inputs: CircuitInputs = {
    Ax: subjectKey[0],
    Ay: subjectKey[1],
    person,
    ...own,
    validFrom: BigInt(record.validFrom),
    validUntil: BigInt(record.validUntil),
    budget: BigInt(record.budget),
    nk,
    siblings: path.siblings,
    index: path.index.map(BigInt),
    ...statementInputs(encoded),
    context: contextOf(question),
    subjectNonce,
    k,
    ...consent.signature,
    i: BigInt(i),
  };
  assertFieldElements(inputs);
  return { circuit: encoded.circuit, inputs, signals: [cipherOf(answer, k, query), nullifier, root, query], answer };
}

/**
 * Refuses a statement that a record has no proof for, whatever its values are.
 *
 * @param record Record.
 * @param statement Statement.
 * @throws FatalError `RECORD_MISMATCH`, `RECORD_ENDED`, `RECORD_NOT_YET_VALID`, `RECORD_INVALID`, `VALUE_OUT_OF_RANGE`.
 */
export function checkProvable(record: RecordData, statement: Statement): void {
  const { nullifierTopic } = encodeStatement(statement);
  if (record.kind !== statement.kind || topicOf(record) !== nullifierTopic) {
    throw refusal("RECORD_MISMATCH", `The record is about ${about(record)}, the statement about ${about(statement)}.`);
  }
  if (statement.asOf < record.validFrom) {
    throw refusal("RECORD_NOT_YET_VALID", `The record begins on ${dateOf(record.validFrom)}, ${askedFor(statement)}`);
  }
  if (statement.asOf > record.validUntil) {
    throw refusal("RECORD_ENDED", `The record ended on ${dateOf(record.validUntil)}, ${askedFor(statement)}`);
  }
}

/**
 * Refuses inputs that a witness calculator would reduce.
 *
 * @param inputs By name.
 * @throws FatalError `FIELD_OVERFLOW`.
 */
export function assertFieldElements(inputs: CircuitInputs): void {
  const visit = (value: CircuitInput, name: string): void => {
    if (typeof value === "bigint") assertField(value, `Input ${name}`);
    else for (const item of value) visit(item, name);
  };
  for (const [name, value] of Object.entries(inputs)) visit(value, name);
}

function askedFor({ asOf }: Statement): string {
  return `and the statement is about ${dateOf(asOf)}.`;
}

/** Names a topic so that two which look alike can be told apart. */
function about(topic: RecordData | Statement): string {
  if (topic.kind === "scorecard") return `"${topic.scorecard.name}" (schema ${topicNumber(topic)})`;
  const { name, unit, scale, signed } = topic.attribute;
  const kept = `${scale} decimal places${signed ? ", signed" : ""}`;
  return `"${name}" in ${unit === "" ? "no unit" : unit} with ${kept} (attribute ${topicNumber(topic)})`;
}

function topicNumber(topic: RecordData | Statement): string {
  const number = "asOf" in topic ? encodeStatement(topic).nullifierTopic : topicOf(topic);
  return number.toString(16).slice(0, 8);
}

function refusal(code: string, message: string): FatalError {
  return new FatalError(code, message, { docsPath: "protocol/queries.md" });
}
