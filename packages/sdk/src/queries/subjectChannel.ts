import {
  type Clock,
  FatalError,
  generateEncryptionKeyPair,
  type MarketDomain,
  questionKeyDigest,
  unixSeconds,
} from "@quorate/core";
import type { Papers, Subject } from "@quorate/proofs";
import {
  createDomainClient,
  openSubjectReply,
  type SignedQuestionKey,
  type SubjectAction,
  type SubjectReply,
  sealSubjectRequest,
  subjectRequestHash,
} from "@quorate/wire";
import { isAddressEqual, zeroAddress } from "viem";
import type { MarketClient } from "../client.ts";
import { getBlockHead } from "../internal/head.ts";
import { type FetchedDataset, fetchDataset } from "./fetchDataset.ts";
import { isSignedByProvider } from "./signedByProvider.ts";

/** What {@link createSubjectChannel} works with. */
export type SubjectChannelOptions = {
  readonly client: MarketClient;
  readonly domain: MarketDomain;
  readonly subject: Subject;
  readonly providerUrl: string;
  readonly dataset?: string | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly fetch?: typeof fetch;
};

/** A subject's way to its provider: each message is sealed to a one-time key that the provider signed, each reply to one here. */
export type SubjectChannel = {
  /** The dataset that is spoken about. */
  dataset(): Promise<FetchedDataset>;
  /** Whether the provider, or an agent of it in force, stands behind a one-time key. */
  isKeySigned(key: SignedQuestionKey): Promise<boolean>;
  /**
   * Sends a message and opens its reply, which is never a refusal.
   *
   * @throws FatalError `QUESTION_KEY_INVALID`, `SUBJECT_REFUSED`
   */
  send(
    action: SubjectAction,
    more?: { readonly code?: string; readonly nk?: bigint; readonly papers?: Papers },
  ): Promise<Exclude<SubjectReply, { readonly kind: "refused" }>>;
};

/**
 * Opens a subject's way to its provider. Nothing is sent before it is used.
 *
 * @param options Ports, keys, provider.
 */
export function createSubjectChannel(options: SubjectChannelOptions): SubjectChannel {
  const { client, domain, subject, clock } = options;
  const { provider, publicKey } = subject;
  const agent = createDomainClient({ url: options.providerUrl, fetch: options.fetch, signal: options.signal });
  let fetched: Promise<FetchedDataset> | undefined;

  const channel: SubjectChannel = {
    dataset() {
      const found = fetched ?? fetchDataset(agent, { domain, provider, dataset: options.dataset });
      fetched = found;
      // A lost answer is asked for again.
      found.catch(() => {
        fetched = undefined;
      });
      return found;
    },
    async isKeySigned({ key, signature }) {
      const { offers } = await channel.dataset();
      const { timestamp } = await getBlockHead(client);
      return isSignedByProvider(client, {
        provider,
        digest: questionKeyDigest(key, domain),
        signature,
        tokens: offers.map(({ token }) => token),
        now: timestamp,
      });
    },
    async send(action, more = {}) {
      const { dataset } = await channel.dataset();
      const signed = await agent.questionKey({ dataset, asker: zeroAddress });
      // Whoever could put a key of its own here would read code and papers.
      if (!isAddressEqual(signed.key.provider, provider) || !(await channel.isKeySigned(signed))) {
        throw new FatalError(
          "QUESTION_KEY_INVALID",
          "The one-time key of the domain provider cannot be used: neither the provider nor an agent of it in force signed it. Nothing was sent; check the URL.",
        );
      }
      const { encryptionKey } = signed.key;
      const context = { ...domain, provider, dataset, asker: zeroAddress };
      const reply = generateEncryptionKeyPair();
      const draft = { action, subjectKey: publicKey, replyKey: reply.publicKey, at: unixSeconds(clock), ...more };
      const signature = subject.sign(subjectRequestHash(draft, encryptionKey, context));
      const sealed = await sealSubjectRequest({ ...draft, signature }, encryptionKey, context);
      const answer = await agent.subject(action, { encryptionKey, dataset, sealed });
      const opened = await openSubjectReply(answer.sealed, reply.privateKey, context);
      if (opened.kind !== "refused") return opened;
      throw new FatalError("SUBJECT_REFUSED", `The provider refuses: ${opened.message} (${opened.code}).`, {
        details: { reason: opened.code },
      });
    },
  };
  return channel;
}
