import { FatalError, questionKeyDigest, RetryableError, unixSeconds } from "@quorate/core";
import {
  attributeOf,
  type ConsentRequest,
  checkStatement,
  type DatasetDefinition,
  encodeStatement,
  generateAnswerKey,
  generateNonce,
  generateSubjectNonce,
  keyHashOf,
  NOBODY,
  type Papers,
  parseDatasetDefinition,
  parseStatement,
  personOf,
  type Question,
  queryOfQuestion,
  type Statement,
  schemaOf,
} from "@quorate/proofs";
import type { DomainOffer, JsonObject, SignedQuestionKey, SubjectKey } from "@quorate/wire";
import { type Address, type Hex, isAddressEqual, keccak256, numberToHex } from "viem";
import { readDataset } from "../actions/readDataset.ts";
import { readRoot } from "../actions/readRoot.ts";
import { getBlockHead } from "../internal/head.ts";
import { read } from "../internal/read.ts";
import { accountOf } from "../internal/sendCall.ts";
import type { AskerContext } from "./context.ts";
import { type FetchedDataset, fetchDataset } from "./fetchDataset.ts";
import type { QueryRecord } from "./record.ts";
import { isSignedByProvider } from "./signedByProvider.ts";

/** Parameters of {@link prepareQuery}. */
export type PrepareQueryParameters = {
  /** Base URL of the domain provider's agent. */
  readonly providerUrl: string;
  /** Default: the provider's only dataset. */
  readonly dataset?: Hex | undefined;
  readonly statement: Statement;
  /** Papers of the subject, as the asker saw them; else `person`; neither for records of nobody's papers. */
  readonly papers?: Papers | undefined;
  /** From `personOf`. */
  readonly person?: bigint | undefined;
  /** Of the subject for this provider, from its card. */
  readonly subjectKey: SubjectKey;
  /** Highest price, base units. */
  readonly maxPrice?: bigint | undefined;
  /** What the asker calls itself; shown to the subject, checked by nobody. */
  readonly askerName?: string | undefined;
  /** For people; never leaves the store. */
  readonly label?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** What {@link prepareQuery} returns. */
export type PreparedQuery = {
  readonly queryId: Hex;
  /** For the subject: everything that the query is made of, but for the answer key. */
  readonly consentRequest: ConsentRequest;
  /** What the provider advertises; its quote may not be worse. */
  readonly offer: DomainOffer;
  /** When the root that the answer will be proved from was published, unix s. */
  readonly rootPublishedAt: number;
};

/** A one-time key that ends sooner leaves the subject no time, seconds. */
const LEAST_KEY_LIFE_S = 60;

/**
 * Makes a query: reads the provider's datasets and holds them against the chain, gets a one-time key, draws the secrets, and
 * stores all of it. Nothing that names the subject or the statement leaves but in the consent request, which the caller
 * hands to the subject.
 *
 * @param context The asker's context.
 * @param parameters Provider, statement, subject.
 * @returns Id and consent request.
 * @throws FatalError `DOMAIN_OTHER_MARKET`, `DATASET_UNKNOWN`, `DATASET_AMBIGUOUS`, `DATASET_MISMATCH`,
 * `STATEMENT_NOT_OFFERED`, `STATEMENT_VACUOUS`, `STATEMENT_STALE`, `STATEMENT_INVALID`, `PRICE_TOO_HIGH`,
 * `VERIFIER_UNKNOWN`, `QUESTION_KEY_INVALID`; RetryableError `DATASET_NOT_PUBLISHED`; what `createDomainClient` throws
 */
export async function prepareQuery(context: AskerContext, parameters: PrepareQueryParameters): Promise<PreparedQuery> {
  const { client, domain, clock } = context;
  const asker = accountOf(client).address;
  const agent = context.connect(parameters.providerUrl, parameters.signal);
  const listed = await fetchDataset(agent, { domain, dataset: parameters.dataset });
  const { provider, dataset, definition } = listed;
  const statement = parseStatement(parameters.statement);
  requireOffered(statement, definition);
  checkStatement(statement, { now: unixSeconds(clock), history: definition.history });
  const encoded = encodeStatement(statement);
  const offer = chooseOffer(listed, encoded.circuit, parameters.maxPrice);
  await requireVerifier(context, offer, context.verifiers[encoded.circuit]);
  parameters.signal?.throwIfAborted();

  // The root first: whoever learns of a question cannot choose the tree that it is about.
  const head = await getBlockHead(client);
  const onChain = await readDataset(client, { dataset });
  if (onChain.root === 0n || !isAddressEqual(onChain.provider, provider)) {
    throw new RetryableError(
      "DATASET_NOT_PUBLISHED",
      `Dataset ${dataset} has no root on chain yet. Ask its provider when it will publish one.`,
    );
  }
  const { publishedAt } = await readRoot(client, { dataset, root: onChain.root });
  const key = await agent.questionKey({ dataset, asker });
  await requireKey(context, key, { listed, asker, now: head.timestamp });

  const person = parameters.papers === undefined ? (parameters.person ?? NOBODY) : personOf(parameters.papers);
  const question: Question = {
    ...domain,
    provider,
    asker,
    verifier: offer.verifier,
    nonce: generateNonce(),
    subjectKey: parameters.subjectKey,
    subjectNonce: generateSubjectNonce(),
    person,
    statement,
    k: generateAnswerKey(),
  };
  const record: QueryRecord = {
    version: 1,
    queryId: numberToHex(queryOfQuestion(question), { size: 32 }),
    ...domain,
    asker,
    provider,
    providerUrl: parameters.providerUrl,
    dataset,
    definition: definition as unknown as JsonObject,
    statement: statement as unknown as JsonObject,
    offer,
    root: onChain.root,
    nonce: question.nonce,
    subjectKey: question.subjectKey,
    subjectNonce: question.subjectNonce,
    person,
    k: question.k,
    key,
    ...(parameters.askerName === undefined ? {} : { askerName: parameters.askerName }),
    ...(parameters.label === undefined ? {} : { label: parameters.label }),
    createdAt: clock.now(),
    createdAtBlock: head.number,
    transactions: [],
  };
  await context.store.put(record);
  return { queryId: record.queryId, consentRequest: consentRequestOf(record), offer, rootPublishedAt: publishedAt };
}

/**
 * What the subject needs to recompute a query and to decide.
 *
 * @param record Record of the query.
 */
export function consentRequestOf(record: QueryRecord): ConsentRequest {
  const { chainId, market, dataset, provider, asker, root, nonce, subjectKey, subjectNonce, person } = record;
  return {
    version: 1,
    chainId,
    market,
    dataset,
    definition: parseDatasetDefinition(record.definition),
    provider,
    asker,
    verifier: record.offer.verifier,
    root,
    nonce,
    subjectKey,
    subjectNonce,
    person,
    statement: parseStatement(record.statement),
    keyHash: keyHashOf(record.k),
    questionKey: record.key,
    ...(record.askerName === undefined ? {} : { askerName: record.askerName }),
    providerUrl: record.providerUrl,
  };
}

function requireOffered(statement: Statement, definition: DatasetDefinition): void {
  const isOffered =
    statement.kind === "attribute"
      ? definition.attributes.some((item) => attributeOf(item) === attributeOf(statement.attribute))
      : definition.scorecards.some((item) => schemaOf(item) === schemaOf(statement.scorecard));
  if (isOffered) return;
  const name = statement.kind === "attribute" ? statement.attribute.name : statement.scorecard.name;
  const known = [...definition.attributes, ...definition.scorecards].map((item) => item.name);
  throw new FatalError(
    "STATEMENT_NOT_OFFERED",
    `The dataset "${definition.name}" does not define "${name}" as the statement does. It knows: ${known.join(", ")}.`,
  );
}

function chooseOffer({ offers, dataset }: FetchedDataset, circuit: string, maxPrice: bigint | undefined): DomainOffer {
  const [cheapest] = offers
    .filter((offer) => offer.circuit === circuit)
    .sort((a, b) => (a.price < b.price ? -1 : a.price > b.price ? 1 : 0));
  if (cheapest === undefined) {
    throw new FatalError(
      "STATEMENT_NOT_OFFERED",
      `The provider answers no statement of the circuit ${circuit} about dataset ${dataset}.`,
    );
  }
  if (maxPrice !== undefined && cheapest.price > maxPrice) {
    throw new FatalError(
      "PRICE_TOO_HIGH",
      `An answer costs ${cheapest.price} base units of ${cheapest.token}, more than the ${maxPrice} that were allowed.`,
      { details: { price: cheapest.price.toString(), allowed: maxPrice.toString() } },
    );
  }
  return cheapest;
}

/** A verifier that says yes to everything would make any answer true. */
async function requireVerifier({ client }: AskerContext, offer: DomainOffer, known: readonly Hex[]): Promise<void> {
  const code = await read(client.public.getCode({ address: offer.verifier }));
  const found = code === undefined || code === "0x" ? undefined : keccak256(code);
  if (found === offer.verifierCodeHash && known.some((hash) => hash.toLowerCase() === found)) return;
  throw new FatalError(
    "VERIFIER_UNKNOWN",
    `The verifier ${offer.verifier} of circuit ${offer.circuit} has the code hash ${found ?? "of no contract"}, which is none of the known ones. What its proofs say is unknown: add the hash only if you compared it with the published one.`,
    { details: { verifier: offer.verifier, circuit: offer.circuit, ...(found === undefined ? {} : { found }) } },
  );
}

async function requireKey(
  { client, domain }: AskerContext,
  { key, signature }: SignedQuestionKey,
  expected: { listed: FetchedDataset; asker: Address; now: number },
): Promise<void> {
  const { listed, asker, now } = expected;
  const isOurs =
    isAddressEqual(key.provider, listed.provider) && key.dataset === listed.dataset && isAddressEqual(key.asker, asker);
  if (!isOurs) throw keyInvalid("it is for another provider, dataset or asker");
  if (key.expiry < now + LEAST_KEY_LIFE_S) throw keyInvalid("it ends too soon");
  const isSigned = await isSignedByProvider(client, {
    provider: key.provider,
    digest: questionKeyDigest(key, domain),
    signature,
    tokens: listed.offers.map(({ token }) => token),
    now,
  });
  if (!isSigned) throw keyInvalid("neither the provider nor an agent of it in force signed it");
}

function keyInvalid(why: string): FatalError {
  return new FatalError(
    "QUESTION_KEY_INVALID",
    `The one-time key of the domain provider cannot be used: ${why}. Nothing was sent to it; check the URL.`,
  );
}
