import type { Address, Hex, MarketDomain, QuestionKey, Quote } from "@quorate/core";
import { z } from "zod";
import {
  address,
  anySignature,
  base64,
  bytes32,
  line,
  uint,
  uint96,
  uint256,
  unixTime,
} from "../internal/primitives.ts";
import { type Profile, profileSchema } from "../profile.ts";
import { MAX_REPLY_AUDIT, MAX_REPLY_RECORDS, MAX_SEALED_QUESTION_BYTES, MAX_SEALED_REPLY_BYTES } from "./limits.ts";

/**
 * JSON object whose inner shape belongs to the package of proofs: a statement, or the definition of a dataset. It is
 * parsed there, once, by whoever acts on it.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

const jsonObject: z.ZodType<JsonObject, unknown> = z.record(z.string().max(64), z.unknown());

/** What a provider sells with one verifier of a dataset. */
export type DomainOffer = {
  /** Name of the circuit: `sealed-answer` or `scorecard`. */
  readonly circuit: string;
  readonly verifier: Address;
  readonly verifierCodeHash: Hex;
  readonly token: Address;
  /** Base units. */
  readonly price: bigint;
  /** Base units. */
  readonly bond: bigint;
  /** Seconds from asking to the deadline. */
  readonly window: number;
};

/** A dataset as its provider describes it. */
export type DomainDataset = {
  readonly dataset: Hex;
  /** Definition; hashes to the dataset together with the provider. */
  readonly definition: JsonObject;
  /** Root that is current by the provider's word; the chain decides. Absent before the first publication. */
  readonly root?: bigint | undefined;
  readonly offers: readonly DomainOffer[];
};

/** What a domain provider says about itself. */
export type DomainInfo = MarketDomain & {
  readonly name: string;
  readonly version: string;
  readonly provider: Address;
  /** Hot key that signs for the provider. */
  readonly agent: Address;
  /** Signed by the provider for this query market: its name by its own word; see `verifyProfile`. */
  readonly profile?: Profile | undefined;
  readonly datasets: readonly DomainDataset[];
};

/** Schema of {@link DomainInfo}; keys of newer providers are ignored, as in every answer. */
export const domainInfoSchema: z.ZodType<DomainInfo, unknown> = z.object({
  name: line(80),
  version: line(32),
  chainId: uint(53),
  market: address,
  provider: address,
  agent: address,
  profile: profileSchema.optional(),
  datasets: z
    .array(
      z.object({
        dataset: bytes32,
        definition: jsonObject,
        root: uint256.optional(),
        offers: z
          .array(
            z.object({
              circuit: line(64),
              verifier: address,
              verifierCodeHash: bytes32,
              token: address,
              price: uint96,
              bond: uint96,
              window: uint(32),
            }),
          )
          .max(64),
      }),
    )
    .max(64),
});

/** Asks for a one-time key; `asker` is zero when a subject asks. */
export type KeyRequest = { readonly dataset: Hex; readonly asker: Address };

/** Schema of {@link KeyRequest}. */
export const keyRequestSchema: z.ZodType<KeyRequest, unknown> = z.strictObject({ dataset: bytes32, asker: address });

/** A one-time key with the signature of the provider or its agent over the EIP-712 `QuestionKey`. */
export type SignedQuestionKey = { readonly key: QuestionKey; readonly signature: Hex };

/** Schema of {@link SignedQuestionKey}. */
export const signedQuestionKeySchema: z.ZodType<SignedQuestionKey, unknown> = z.object({
  key: z.object({
    provider: address,
    asker: address,
    dataset: bytes32,
    encryptionKey: bytes32,
    expiry: unixTime,
  }),
  signature: anySignature,
});

/** A sealed question with its asker's signature over the EIP-712 `SealedQuestion`. */
export type QuestionMessage = {
  /** The one-time key that it is sealed to. */
  readonly encryptionKey: Hex;
  readonly dataset: Hex;
  readonly asker: Address;
  /** Base64; see `sealQuestion`. */
  readonly sealed: string;
  /** By an EOA or an ERC-1271 account. */
  readonly signature: Hex;
};

/** Schema of {@link QuestionMessage}. */
export const questionMessageSchema: z.ZodType<QuestionMessage, unknown> = z.strictObject({
  encryptionKey: bytes32,
  dataset: bytes32,
  asker: address,
  sealed: base64(MAX_SEALED_QUESTION_BYTES),
  signature: anySignature,
});

/** A quote with the signature of the provider or its agent. */
export type SignedQuote = { readonly quote: Quote; readonly signature: Hex };

/** Schema of {@link SignedQuote}. */
export const signedQuoteSchema: z.ZodType<SignedQuote, unknown> = z.object({
  quote: z.object({
    asker: address,
    provider: address,
    query: uint256,
    dataset: bytes32,
    root: uint256,
    verifier: address,
    verifierCodeHash: bytes32,
    token: address,
    price: uint96,
    bond: uint96,
    window: uint(32),
    expiry: unixTime,
  }),
  signature: anySignature,
});

/** A subject's sealed message. */
export type SubjectMessage = {
  /** The one-time key that it is sealed to. */
  readonly encryptionKey: Hex;
  readonly dataset: Hex;
  /** Base64; see `sealSubjectRequest`. */
  readonly sealed: string;
};

/** Schema of {@link SubjectMessage}. */
export const subjectMessageSchema: z.ZodType<SubjectMessage, unknown> = z.strictObject({
  encryptionKey: bytes32,
  dataset: bytes32,
  sealed: base64(MAX_SEALED_QUESTION_BYTES),
});

/** Answer to a subject, sealed to its reply key. */
export type SealedReply = {
  /** Base64; see `openSubjectReply`. */
  readonly sealed: string;
};

/** Schema of {@link SealedReply}. */
export const sealedReplySchema: z.ZodType<SealedReply, unknown> = z.object({ sealed: base64(MAX_SEALED_REPLY_BYTES) });

/** Point of Baby Jubjub, two field elements. */
export type SubjectKey = readonly [bigint, bigint];

const subjectKey: z.ZodType<SubjectKey, unknown> = z.tuple([uint256, uint256]) as unknown as z.ZodType<
  SubjectKey,
  unknown
>;

/** EdDSA-Poseidon signature on Baby Jubjub. */
export type SubjectSignature = { readonly R8x: bigint; readonly R8y: bigint; readonly S: bigint };

const subjectSignature: z.ZodType<SubjectSignature, unknown> = z.strictObject({
  R8x: uint256,
  R8y: uint256,
  S: uint256,
});

/** What lies inside a sealed question. */
export type QuestionContent = {
  readonly root: bigint;
  readonly verifier: Address;
  /** JSON of a statement. */
  readonly statement: JsonObject;
  /** 128 random bits. */
  readonly nonce: bigint;
  readonly subjectKey: SubjectKey;
  /** 248 random bits. */
  readonly subjectNonce: bigint;
  /** 0 for records of nobody's papers. */
  readonly person: bigint;
  /** Answer key, 31 random bytes: whoever has it reads the answer. */
  readonly k: bigint;
  /** Base64 of the subject's consent, sealed to the same one-time key. */
  readonly consent: string;
};

/** Schema of {@link QuestionContent}. */
export const questionContentSchema: z.ZodType<QuestionContent, unknown> = z.strictObject({
  root: uint256,
  verifier: address,
  statement: jsonObject,
  nonce: uint256,
  subjectKey,
  subjectNonce: uint256,
  person: uint256,
  k: uint256,
  consent: base64(4_096),
});

/** A subject's consent to one query about one record. */
export type ConsentContent = {
  readonly query: bigint;
  readonly leaf: bigint;
  /** The provider must not quote after this time, unix s. */
  readonly notAfter: number;
  readonly signature: SubjectSignature;
};

/** Schema of {@link ConsentContent}. */
export const consentContentSchema: z.ZodType<ConsentContent, unknown> = z.strictObject({
  query: uint256,
  leaf: uint256,
  notAfter: unixTime,
  signature: subjectSignature,
});

/** What a subject asks of its provider. */
export type SubjectAction = "enrol" | "records" | "audit";

/** Papers of a person, as shown to the provider. */
export type SubjectPapers = {
  readonly name: string;
  /** `YYYY-MM-DD`. */
  readonly birthDate: string;
  readonly documentNumber: string;
};

/** What lies inside a subject's message, but for the signature. */
export type SubjectRequestDraft = {
  readonly action: SubjectAction;
  readonly subjectKey: SubjectKey;
  /** X25519 key that the answer is sealed to. */
  readonly replyKey: Hex;
  /** Unix s. */
  readonly at: number;
  /** `enrol`: code that the provider gave at the desk. */
  readonly code?: string | undefined;
  /** `enrol`: the subject's nullifier key for this provider, 250 bits. */
  readonly nk?: bigint | undefined;
  /** `enrol`: papers; the provider compares them with those it saw. */
  readonly papers?: SubjectPapers | undefined;
};

/** What lies inside a subject's message. */
export type SubjectRequest = SubjectRequestDraft & {
  /** By `subjectKey` over `subjectRequestHash`. */
  readonly signature: SubjectSignature;
};

const draftShape = {
  action: z.enum(["enrol", "records", "audit"]),
  subjectKey,
  replyKey: bytes32,
  at: unixTime,
  code: z
    .string()
    .min(8)
    .max(64)
    .regex(/^[0-9A-Z-]+$/)
    .optional(),
  nk: uint256.optional(),
  papers: z.strictObject({ name: line(256), birthDate: line(10), documentNumber: line(64) }).optional(),
};

/** Schema of {@link SubjectRequestDraft}; its JSON is what is hashed and signed. */
export const subjectRequestDraftSchema: z.ZodType<SubjectRequestDraft, unknown> = z.strictObject(draftShape);

/** Schema of {@link SubjectRequest}. */
export const subjectRequestSchema: z.ZodType<SubjectRequest, unknown> = z.strictObject({
  ...draftShape,
  signature: subjectSignature,
});

/** Place of a leaf in the tree: its child number and its siblings at each level, leaf first. */
export type WirePath = {
  readonly index: readonly number[];
  readonly siblings: readonly (readonly bigint[])[];
};

const path: z.ZodType<WirePath, unknown> = z.object({
  index: z.array(uint(3)).length(7),
  siblings: z.array(z.array(uint256).length(7)).length(7),
});

/** A subject's record as its provider holds it. */
export type SubjectRecord = {
  readonly kind: "attribute" | "scorecard";
  /** Name of the attribute or scorecard in the dataset's definition. */
  readonly name: string;
  /** Number of the attribute or of the scorecard's schema: tells definitions of one name apart. */
  readonly topic: bigint;
  /** Numbers as in the tree: one for an attribute, eight for a scorecard. */
  readonly values: readonly bigint[];
  /** Unix s, first second. */
  readonly validFrom: number;
  /** Unix s, last second. */
  readonly validUntil: number;
  readonly budget: number;
  /** Answers given or promised of the budget. */
  readonly used: number;
  readonly leaf: bigint;
  /** Path to the root of the reply; absent for a record that is not in that tree. */
  readonly path?: WirePath | undefined;
};

/** An entry of the audit log about a subject's record. */
export type SubjectAuditEntry = {
  readonly query: bigint;
  readonly leaf: bigint;
  readonly asker: Address;
  /** keccak256 of the consent's canonical JSON. */
  readonly consentHash: Hex;
  /** `quoted` until it is asked, `asked` until it ends; `refused` when the consent was good and something else was not. */
  readonly outcome: "quoted" | "lapsed" | "asked" | "answered" | "expired" | "refused";
  /** Code of the rule for which it was refused, or expired early. */
  readonly reason?: string | undefined;
  /** Unix s. */
  readonly quotedAt: number;
  /** Unix s. */
  readonly askedAt?: number | undefined;
  /** Unix s. */
  readonly endedAt?: number | undefined;
};

/** What lies inside a sealed reply. A union with the tag `kind`. */
export type SubjectReply =
  | { readonly kind: "enrolled"; readonly person: bigint; readonly subjectId: bigint }
  | { readonly kind: "records"; readonly root?: bigint | undefined; readonly records: readonly SubjectRecord[] }
  | { readonly kind: "audit"; readonly entries: readonly SubjectAuditEntry[] }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

/** Schema of {@link SubjectReply}. */
export const subjectReplySchema: z.ZodType<SubjectReply, unknown> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("enrolled"), person: uint256, subjectId: uint256 }),
  z.object({
    kind: z.literal("records"),
    root: uint256.optional(),
    records: z
      .array(
        z.object({
          kind: z.enum(["attribute", "scorecard"]),
          name: line(128),
          topic: uint256,
          values: z.array(uint256).min(1).max(8),
          validFrom: unixTime,
          validUntil: unixTime,
          budget: uint(16),
          used: uint(16),
          leaf: uint256,
          path: path.optional(),
        }),
      )
      .max(MAX_REPLY_RECORDS),
  }),
  z.object({
    kind: z.literal("audit"),
    entries: z
      .array(
        z.object({
          query: uint256,
          leaf: uint256,
          asker: address,
          consentHash: bytes32,
          outcome: z.enum(["quoted", "lapsed", "asked", "answered", "expired", "refused"]),
          reason: z.string().max(64).optional(),
          quotedAt: unixTime,
          askedAt: unixTime.optional(),
          endedAt: unixTime.optional(),
        }),
      )
      .max(MAX_REPLY_AUDIT),
  }),
  z.object({ kind: z.literal("refused"), code: z.string().max(64), message: line(500) }),
]);
