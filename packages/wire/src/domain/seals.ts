import {
  type Address,
  canonicalJson,
  FatalError,
  fromUtf8,
  type Hex,
  type MarketDomain,
  openSealed,
  queryAad,
  type SealPurpose,
  sealTo,
  utf8,
} from "@quorate/core";
import { encodeAbiParameters, keccak256 } from "viem";
import { z } from "zod";
import { describeIssues } from "../internal/primitives.ts";
import {
  type ConsentContent,
  consentContentSchema,
  type QuestionContent,
  questionContentSchema,
  type SubjectReply,
  type SubjectRequest,
  type SubjectRequestDraft,
  subjectReplySchema,
  subjectRequestDraftSchema,
  subjectRequestSchema,
} from "./messages.ts";

/** What a sealed message of a query is bound to. */
export type QueryContext = MarketDomain & {
  readonly provider: Address;
  readonly dataset: Hex;
  /** Zero when a subject speaks with the provider. */
  readonly asker: Address;
};

/**
 * Seals a question to a provider's one-time key.
 *
 * @param content Question with answer key and sealed consent.
 * @param encryptionKey The one-time key, X25519.
 * @param context Market, provider, dataset, asker.
 * @returns Base64.
 * @throws FatalError `ZERO_SHARED_SECRET` for a key of low order.
 */
export async function sealQuestion(
  content: QuestionContent,
  encryptionKey: Hex,
  context: QueryContext,
): Promise<string> {
  return seal("question", questionContentSchema, content, encryptionKey, context);
}

/**
 * Opens a sealed question.
 *
 * @param sealed Base64 from anybody.
 * @param privateKey Private half of the one-time key.
 * @param context Market, provider, dataset, asker.
 * @throws FatalError `SEAL_DOES_NOT_OPEN`; `SEALED_CONTENT_MALFORMED` when what is inside is no question.
 */
export async function openQuestion(sealed: string, privateKey: Hex, context: QueryContext): Promise<QuestionContent> {
  return open("question", questionContentSchema, sealed, privateKey, context);
}

/**
 * Seals a consent to the provider's one-time key, so that the asker carries it unread.
 *
 * @param content Signed consent.
 * @param encryptionKey The one-time key of the asker's question.
 * @param context Market, provider, dataset, asker of the question.
 * @returns Base64.
 * @throws FatalError `ZERO_SHARED_SECRET` for a key of low order.
 */
export async function sealConsent(content: ConsentContent, encryptionKey: Hex, context: QueryContext): Promise<string> {
  return seal("consent", consentContentSchema, content, encryptionKey, context);
}

/**
 * Opens a sealed consent.
 *
 * @param sealed Base64 from anybody.
 * @param privateKey Private half of the one-time key.
 * @param context Market, provider, dataset, asker.
 * @throws FatalError `SEAL_DOES_NOT_OPEN`; `SEALED_CONTENT_MALFORMED`.
 */
export async function openConsent(sealed: string, privateKey: Hex, context: QueryContext): Promise<ConsentContent> {
  return open("consent", consentContentSchema, sealed, privateKey, context);
}

/**
 * Hash of a consent for the audit log: keccak256 of its canonical JSON.
 *
 * @param content Consent.
 */
export function consentHashOf(content: ConsentContent): Hex {
  return keccak256(utf8(canonicalJson(z.encode(consentContentSchema, content))));
}

/**
 * Number that a subject signs (EdDSA-Poseidon) for a message to its provider:
 * `keccak256(abi.encode("quorate/subject/v1", canonical JSON, chain, market, provider, one-time key)) >> 8`.
 *
 * @param draft Message without its signature.
 * @param encryptionKey The one-time key that the message is sealed to; it makes the signature good for once.
 * @param context Market and provider.
 */
export function subjectRequestHash(
  draft: SubjectRequestDraft,
  encryptionKey: Hex,
  context: Pick<QueryContext, "chainId" | "market" | "provider">,
): bigint {
  const json = canonicalJson(z.encode(subjectRequestDraftSchema, draft));
  const encoded = encodeAbiParameters(
    [
      { type: "string" },
      { type: "string" },
      { type: "uint256" },
      { type: "address" },
      { type: "address" },
      { type: "bytes32" },
    ],
    ["quorate/subject/v1", json, BigInt(context.chainId), context.market, context.provider, encryptionKey],
  );
  return BigInt(keccak256(encoded)) >> 8n;
}

/**
 * Seals a subject's message to its provider.
 *
 * @param request Signed message.
 * @param encryptionKey The one-time key, X25519.
 * @param context Market, provider, dataset; `asker` is zero.
 * @returns Base64.
 * @throws FatalError `ZERO_SHARED_SECRET` for a key of low order.
 */
export async function sealSubjectRequest(
  request: SubjectRequest,
  encryptionKey: Hex,
  context: QueryContext,
): Promise<string> {
  return seal("subject", subjectRequestSchema, request, encryptionKey, context);
}

/**
 * Opens a subject's message.
 *
 * @param sealed Base64 from anybody.
 * @param privateKey Private half of the one-time key.
 * @param context Market, provider, dataset; `asker` is zero.
 * @throws FatalError `SEAL_DOES_NOT_OPEN`; `SEALED_CONTENT_MALFORMED`.
 */
export async function openSubjectRequest(
  sealed: string,
  privateKey: Hex,
  context: QueryContext,
): Promise<SubjectRequest> {
  return open("subject", subjectRequestSchema, sealed, privateKey, context);
}

/**
 * Seals a reply to a subject.
 *
 * @param reply Reply.
 * @param replyKey Key of the subject's message, X25519.
 * @param context Market, provider, dataset; `asker` is zero.
 * @returns Base64.
 * @throws FatalError `ZERO_SHARED_SECRET` for a key of low order.
 */
export async function sealSubjectReply(reply: SubjectReply, replyKey: Hex, context: QueryContext): Promise<string> {
  return seal("subject", subjectReplySchema, reply, replyKey, context);
}

/**
 * Opens a provider's reply to a subject.
 *
 * @param sealed Base64 from anybody.
 * @param privateKey Private half of the reply key.
 * @param context Market, provider, dataset; `asker` is zero.
 * @throws FatalError `SEAL_DOES_NOT_OPEN`; `SEALED_CONTENT_MALFORMED`.
 */
export async function openSubjectReply(sealed: string, privateKey: Hex, context: QueryContext): Promise<SubjectReply> {
  return open("subject", subjectReplySchema, sealed, privateKey, context);
}

async function seal<T>(
  purpose: SealPurpose,
  schema: z.ZodType<T, unknown>,
  content: T,
  recipient: Hex,
  context: QueryContext,
): Promise<string> {
  const plaintext = utf8(canonicalJson(z.encode(schema, content)));
  return toBase64(await sealTo({ recipient, purpose, aad: queryAad(context), plaintext }));
}

async function open<T>(
  purpose: SealPurpose,
  schema: z.ZodType<T, unknown>,
  sealed: string,
  privateKey: Hex,
  context: QueryContext,
): Promise<T> {
  const plaintext = await openSealed({ privateKey, purpose, aad: queryAad(context), sealed: fromBase64(sealed) });
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(plaintext));
  } catch {
    // no cause: a parser's message repeats what it could not parse, and that is somebody's secret
    throw malformed(purpose, "it is not JSON");
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw malformed(purpose, describeIssues(parsed.error));
  return parsed.data;
}

function malformed(purpose: SealPurpose, why: string): FatalError {
  return new FatalError("SEALED_CONTENT_MALFORMED", `The content of the sealed ${purpose} cannot be used: ${why}.`, {
    details: { purpose },
  });
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let offset = 0; offset < bytes.length; offset += 8_192) {
    text += String.fromCharCode(...bytes.subarray(offset, offset + 8_192));
  }
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
