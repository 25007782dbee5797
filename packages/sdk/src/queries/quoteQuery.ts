import {
  FatalError,
  isQuorateError,
  quoteDigest,
  RetryableError,
  sealedQuestionTypes,
  typedDomain,
} from "@quorate/core";
import { type QuestionMessage, type SignedQuote, sealQuestion } from "@quorate/wire";
import { BaseError, type Hex, isAddressEqual, keccak256 } from "viem";
import { readDataset } from "../actions/readDataset.ts";
import { readRoot } from "../actions/readRoot.ts";
import type { SigningWallet } from "../client.ts";
import { getBlockHead } from "../internal/head.ts";
import { accountOf } from "../internal/sendCall.ts";
import { type AskerContext, addToQuery, requireQuery } from "./context.ts";
import type { QueryRecord } from "./record.ts";
import { isSignedByProvider } from "./signedByProvider.ts";

/**
 * Sends the question, sealed, to the provider and gets its quote. The sealed bytes are stored before they leave, so that a lost
 * answer is asked for again with the same bytes; a quote that is stored is not asked for again.
 *
 * @param context The asker's context.
 * @param queryId Query.
 * @param consent Sealed consent of the subject, base64; the stored one when absent.
 * @param signal Stops the call; what was sent stays sent.
 * @throws FatalError `CONSENT_MISSING`, `CANNOT_ANSWER` (nothing was paid; whether the provider will not or
 * the consent does not fit, nobody says), `QUOTE_MISMATCH`, `QUESTION_KEY_EXPIRED`; RetryableError of the connection: whether
 * the question arrived is unknown, and the same call again is safe
 */
export async function quoteQuery(
  context: AskerContext,
  queryId: Hex,
  consent: string | undefined,
  signal?: AbortSignal,
): Promise<SignedQuote> {
  let record = await requireQuery(context, queryId);
  if (record.quote !== undefined) return record.quote;
  if (record.refusedAt !== undefined) throw cannotAnswer();
  const head = await getBlockHead(context.client);
  if (record.message === undefined) {
    if (consent === undefined) {
      throw new FatalError(
        "CONSENT_MISSING",
        `The subject's consent to query ${queryId} is missing. Hand it the consent request, then go on with its consent.`,
      );
    }
    if (record.key.key.expiry <= head.timestamp) throw keyExpired();
    const root = await chooseRoot(context, record, head.timestamp);
    const message = await sealMessage(context, { ...record, root }, consent);
    signal?.throwIfAborted();
    record = await addToQuery(context, queryId, { root, message });
  }
  const quoted = await request(context, record, record.message as QuestionMessage, head.timestamp, signal);
  await requireGoodQuote(context, record, quoted, head.timestamp);
  await addToQuery(context, queryId, { quote: quoted });
  return quoted;
}

async function request(
  context: AskerContext,
  record: QueryRecord,
  message: QuestionMessage,
  now: number,
  signal: AbortSignal | undefined,
): Promise<SignedQuote> {
  try {
    return await context.connect(record.providerUrl, signal).question(message);
  } catch (error) {
    if (!isQuorateError(error, "CANNOT_ANSWER")) throw error;
    if (record.key.key.expiry <= now) throw keyExpired(error);
    await addToQuery(context, record.queryId, { refusedAt: context.clock.now() });
    throw cannotAnswer(error);
  }
}

/** A root whose grace ends sooner than this may lapse before the question is paid, seconds. */
const LEAST_GRACE_S = 900;

/**
 * The root to ask about: that of the preparation while it can be asked, else the current one. A query does not commit to a root,
 * a consent to a record only, and a subject may take its time.
 */
async function chooseRoot({ client }: AskerContext, record: QueryRecord, now: number): Promise<bigint> {
  const { dataset, root } = record;
  const facts = await readRoot(client, { dataset, root });
  const onChain = await readDataset(client, { dataset });
  const lasts = facts.supersededAt === 0 || facts.supersededAt + onChain.grace > now + LEAST_GRACE_S;
  if (facts.askable && lasts) return root;
  if (onChain.root !== 0n) return onChain.root;
  throw new RetryableError(
    "DATASET_NOT_PUBLISHED",
    `Dataset ${dataset} has no current root: its provider revoked it. Nothing was sent; ask again once it has published.`,
  );
}

async function sealMessage(context: AskerContext, record: QueryRecord, consent: string): Promise<QuestionMessage> {
  const { client, domain } = context;
  const { dataset, provider, asker, root, statement, nonce, subjectKey, subjectNonce, person, k } = record;
  const { encryptionKey } = record.key.key;
  const account = accountOf(client);
  if (!isAddressEqual(account.address, asker)) {
    throw new FatalError(
      "QUERY_OF_OTHER_ASKER",
      `Query ${record.queryId} is ${asker}'s; this client signs as ${account.address}. Use the asker's wallet.`,
    );
  }
  const { verifier } = record.offer;
  const sealed = await sealQuestion(
    { root, verifier, statement, nonce, subjectKey, subjectNonce, person, k, consent },
    encryptionKey,
    { ...domain, provider, dataset, asker },
  );
  const sealedHash = keccak256(Uint8Array.from(atob(sealed), (char) => char.charCodeAt(0)));
  const wallet = client.wallet as SigningWallet;
  try {
    const signature = await wallet.signTypedData({
      account,
      domain: typedDomain(domain),
      types: sealedQuestionTypes,
      primaryType: "SealedQuestion",
      message: { asker, dataset, encryptionKey, sealedHash },
    });
    return { encryptionKey, dataset, asker, sealed, signature };
  } catch (cause) {
    if (!(cause instanceof BaseError)) throw cause;
    throw new FatalError(
      "WALLET_REFUSED",
      `The wallet did not sign the sealed question: ${cause.shortMessage}. Nothing was sent; the same call asks it again.`,
      { cause },
    );
  }
}

/** The quote binds the asker's money: everything in it is compared with what was asked and advertised. */
async function requireGoodQuote(
  { client, domain }: AskerContext,
  record: QueryRecord,
  { quote, signature }: SignedQuote,
  now: number,
): Promise<void> {
  const { offer } = record;
  const wrong = [
    isAddressEqual(quote.asker, record.asker) ? [] : ["asker"],
    isAddressEqual(quote.provider, record.provider) ? [] : ["provider"],
    quote.query === BigInt(record.queryId) ? [] : ["query"],
    quote.dataset === record.dataset ? [] : ["dataset"],
    quote.root === record.root ? [] : ["root"],
    isAddressEqual(quote.verifier, offer.verifier) ? [] : ["verifier"],
    quote.verifierCodeHash === offer.verifierCodeHash ? [] : ["code hash of the verifier"],
    isAddressEqual(quote.token, offer.token) ? [] : ["token"],
    quote.price <= offer.price ? [] : ["price"],
    quote.bond >= offer.bond ? [] : ["bond"],
    quote.window <= offer.window ? [] : ["window"],
  ].flat();
  if (wrong.length > 0) {
    throw new FatalError(
      "QUOTE_MISMATCH",
      `The provider's quote is not for what was asked and advertised: ${wrong.join(", ")}. Nothing was paid; do not ask this provider.`,
      { details: { fields: wrong.join(",") } },
    );
  }
  if (quote.expiry <= now) throw quoteExpired();
  const isSigned = await isSignedByProvider(client, {
    provider: quote.provider,
    digest: quoteDigest(quote, domain),
    signature,
    tokens: [quote.token],
    now,
    limits: { bond: quote.bond, window: quote.window },
  });
  if (!isSigned) {
    throw new FatalError(
      "QUOTE_MISMATCH",
      "Neither the provider nor an agent of it within its limits signed the quote. Nothing was paid.",
      { details: { fields: "signature" } },
    );
  }
}

/**
 * A quote whose time is over.
 *
 * @returns RetryableError `QUOTE_EXPIRED`
 */
export function quoteExpired(): RetryableError {
  return new RetryableError(
    "QUOTE_EXPIRED",
    "The quote's time is over before the question was asked. Nothing was paid; prepare the query again, with a new consent.",
  );
}

function keyExpired(cause?: unknown): RetryableError {
  return new RetryableError(
    "QUESTION_KEY_EXPIRED",
    "The provider's one-time key has ended before the question arrived. Nothing was paid; prepare the query again, with a new consent.",
    { cause },
  );
}

function cannotAnswer(cause?: unknown): FatalError {
  return new FatalError(
    "CANNOT_ANSWER",
    "The provider cannot answer this question. It never says why: the consent, the record, its policy. Nothing was paid; the subject can ask the provider for the reason.",
    { cause },
  );
}
