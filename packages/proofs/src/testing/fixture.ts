// A provider's world in small, for tests: one subject, one record, one question that fits.
import { datasetIdOf } from "@quorate/core";
import type { Address } from "viem";
import type { Consent } from "../consent.ts";
import type { AttributeDefinition, DatasetDefinition, ScorecardDefinition } from "../dataset.ts";
import { definitionHash } from "../dataset.ts";
import type { BuildInputsParameters } from "../inputs.ts";
import { consentMessage, keyHashOf, type Question, queryOfQuestion } from "../query.ts";
import { leafOf, type RecordData } from "../record.ts";
import type { ConsentRequest, ReviewParameters } from "../review.ts";
import type { Statement } from "../statement.ts";
import { type Subject, subjectFromSecret, subjectIdOf } from "../subject.ts";
import { createTree } from "../tree.ts";
import { encodeValue } from "../value.ts";

export const NOW = 1_795_305_600;
export const PROVIDER: Address = "0x00000000000000000000000000000000000000A1";
export const ASKER: Address = "0x00000000000000000000000000000000000000C3";
export const MARKET: Address = "0x00000000000000000000000000000000000000b2";
export const VERIFIER: Address = "0x00000000000000000000000000000000000000D4";
export const CODE_HASH: `0x${string}` = `0x${"ab".repeat(32)}`;
export const PERSON = 4_711n;

export const INCOME: AttributeDefinition = {
  name: "yearly income",
  unit: "EUR",
  scale: 2,
  signed: false,
  description: "Gross income of the last calendar year",
};
const count = (name: string): AttributeDefinition => ({ name, unit: "", scale: 0, signed: false, description: name });
export const CARD: ScorecardDefinition = {
  name: "credit",
  description: "What a lender asks",
  fields: [INCOME, { ...INCOME, name: "debt", description: "Debt" }, count("score")],
};
export const DATASET: DatasetDefinition = {
  version: 1,
  name: "payroll",
  history: false,
  attributes: [INCOME],
  scorecards: [CARD],
};

export const subject: Subject = subjectFromSecret(new Uint8Array(32).fill(7), PROVIDER);
export const TERMS: { readonly validFrom: number; readonly validUntil: number; readonly budget: number } = {
  validFrom: NOW - 86_400 * 30,
  validUntil: NOW + 86_400 * 30,
  budget: 3,
};

/** A record of an income. */
export const incomeOf = (value: string, over: object = {}): RecordData => {
  return { kind: "attribute", attribute: INCOME, value: encodeValue(value, INCOME), ...TERMS, ...over };
};
/** A statement about the income. */
export const income = (rest: object): Statement => {
  return { kind: "attribute", attribute: INCOME, asOf: NOW, ...rest } as Statement;
};
export const AT_LEAST: Statement = income({ relation: "at-least", value: "100000" });

/** Everything that a proof is made from; all of it fits together. */
export function parametersOf(
  record: RecordData = incomeOf("120000"),
  statement: Statement = AT_LEAST,
): BuildInputsParameters {
  const question: Question = {
    chainId: 31_337,
    market: MARKET,
    provider: PROVIDER,
    asker: ASKER,
    verifier: VERIFIER,
    nonce: 99n,
    subjectKey: subject.publicKey,
    subjectNonce: 1_234n,
    person: PERSON,
    statement,
    k: (1n << 247n) + 5n,
  };
  const leaf = leafOf(record, { subjectId: subjectIdOf(subject.publicKey, PERSON), nk: subject.nk });
  const tree = createTree();
  const path = tree.path(tree.insert(leaf));
  return {
    question,
    record,
    subjectKey: subject.publicKey,
    person: PERSON,
    nk: subject.nk,
    consent: consentTo(question, leaf),
    path,
    root: tree.root,
    i: 0,
    now: NOW,
  };
}

/** The subject's consent. */
export function consentTo(question: Question, leaf: bigint, notAfter: number = NOW + 60): Consent {
  const query = queryOfQuestion(question);
  return { query, leaf, notAfter, signature: subject.sign(consentMessage(query, leaf)) };
}

/** A consent request with all that its review needs; all of it fits together. */
export function reviewOf(
  record?: RecordData,
  statement?: Statement,
): ReviewParameters & { readonly request: ConsentRequest } {
  const { question, record: made, path, root } = parametersOf(record, statement);
  const { k, ...rest } = question;
  const dataset = datasetIdOf(PROVIDER, definitionHash(DATASET));
  return {
    request: {
      ...rest,
      version: 1,
      keyHash: keyHashOf(k),
      dataset,
      definition: DATASET,
      root,
      questionKey: {
        key: { provider: PROVIDER, asker: ASKER, dataset, encryptionKey: CODE_HASH, expiry: NOW + 600 },
        signature: "0x1234",
      },
      providerUrl: "https://payroll.example",
    },
    subject,
    record: { record: made, person: PERSON, path, nk: subject.nk, stored: [made] },
    earlier: [],
    chainFacts: {
      root: { publishedAt: NOW - 60, supersededAt: 0, revoked: false, askable: true },
      verifierCodeHash: CODE_HASH,
      keySignerOk: true,
    },
    knownVerifiers: { "sealed-answer": [CODE_HASH], scorecard: [CODE_HASH] },
    domain: { chainId: 31_337, market: MARKET },
    now: NOW,
  };
}
