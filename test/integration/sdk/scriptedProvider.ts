import {
  type Address,
  blocksOf,
  commitmentOf,
  deriveResultKey,
  generateEncryptionKeyPair,
  type Hex,
  type Offer,
  Outcome,
  offerTypes,
  openingOf,
  openSealed,
  type PlacedCommitment,
  type Request,
  Role,
  resultHashOf,
  type SignedOffer,
  sealAad,
  sealTo,
  signedCommitmentTypes,
  type Terms,
  typedDomain,
  utf8,
  type Vote,
  ZERO_HASH,
} from "@quorate/core";
import { approveToken, authorizeAgent, commitJob, deposit, type JobRecord, type MarketClient } from "@quorate/sdk";
import { type RelayClient, sealOffer, signEnvelope } from "@quorate/wire";
import { bytesToHex, hexToBytes } from "viem";
import { generatePrivateKey, type LocalAccount, privateKeyToAccount } from "viem/accounts";
import type { Chain } from "./fixture.ts";

/** A provider whose every step the test decides, also the dishonest ones. */
export type ScriptedProvider = {
  readonly address: Address;
  readonly agent: LocalAccount;
  /** Signs and publishes an offer; `changes` are made before signing, `forged` after. */
  offer(
    job: { jobId: Hex; request: Request },
    changes?: Partial<Offer>,
    forged?: { signer?: LocalAccount; sealTo?: Hex; fields?: Partial<Offer> },
  ): Promise<void>;
  /** Opens the key wrap of its place. */
  unwrap(jobId: Hex, wrap: Hex): Promise<Uint8Array>;
  /** Its vote for result bytes, a failure or a report. */
  vote(jobId: Hex, packageKey: Uint8Array, result: Uint8Array | "report", outcome?: Outcome): Vote;
  /** Commits on chain by its own transaction. */
  commit(terms: Terms, place: number, vote: Vote): Promise<void>;
  /** Publishes its commitment for others to carry. */
  publishCommitment(place: number, vote: Vote): Promise<void>;
  /** Publishes its opening. */
  publishOpening(place: number, vote: Vote): Promise<void>;
  /** Seals and publishes a result. */
  deliver(
    job: { jobId: Hex; request: Request },
    place: number,
    result: Uint8Array,
    forged?: { recipient?: Hex; provider?: Address },
  ): Promise<void>;
};

const MESSAGE_LIFETIME_S = 86_400;

/** A provider on an account of the chain, with tokens deposited and an agent of its own. */
export async function scriptedProvider(
  chain: Chain,
  relays: RelayClient,
  index: number,
  options: { account?: Address; deposit?: bigint } = {},
): Promise<ScriptedProvider> {
  const client: MarketClient = chain.client(index);
  const owner = chain.account(index);
  const address = options.account ?? owner.address;
  const agent = privateKeyToAccount(generatePrivateKey());
  const amount = options.deposit ?? 50_000_000n;
  await chain.test.setBalance({ address: agent.address, value: 10n ** 18n });
  if (amount > 0n) {
    await chain.mint(owner.address, amount);
    await approveToken(client, { token: chain.token, amount });
    await deposit(client, { token: chain.token, account: address, amount });
  }
  if (options.account === undefined) {
    await authorizeAgent(client, {
      agent: agent.address,
      token: chain.token,
      maxBondPerSeat: 10_000_000n,
      minCommitWindow: 60,
      validUntil: 4_000_000_000,
    });
  }
  const keys = generateEncryptionKeyPair();
  const { domain } = chain;
  const aadOf = (jobId: Hex): Uint8Array => sealAad({ jobId, provider: address, ...domain });

  const publish = async (draft: {
    kind: "offer" | "commitment" | "opening" | "delivery";
    topic: Hex;
    body: object;
  }): Promise<void> => {
    const now = Math.floor(Date.now() / 1000);
    const envelope = await signEnvelope(
      { ...draft, createdAt: now, expiry: now + MESSAGE_LIFETIME_S } as Parameters<typeof signEnvelope>[0],
      agent,
      domain,
    );
    await relays.publish(envelope);
  };

  return {
    address,
    agent,
    async offer({ jobId, request }, changes = {}, forged = {}) {
      const offer: Offer = {
        jobId,
        provider: address,
        price: 900_000n,
        encryptionKey: keys.publicKey,
        roles: Role.Seat | Role.Spare | Role.Shadow,
        expiry: request.expiry + 3_600,
        ...changes,
      };
      const signature = await (forged.signer ?? agent).signTypedData({
        domain: typedDomain(domain),
        types: offerTypes,
        primaryType: "Offer",
        message: offer,
      });
      const document = { offer: { ...offer, ...forged.fields }, signature, agent: agent.address };
      const body = await sealOffer(document, forged.sealTo ?? request.encryptionKey, agent.address, domain);
      await publish({ kind: "offer", topic: jobId, body });
    },
    unwrap: (jobId, wrap) =>
      openSealed({ privateKey: keys.privateKey, purpose: "key-wrap", aad: aadOf(jobId), sealed: hexToBytes(wrap) }),
    vote(jobId, packageKey, result, outcome = Outcome.Ok) {
      const resultHash = result === "report" ? ZERO_HASH : resultHashOf(deriveResultKey(packageKey, jobId), result);
      return {
        jobId,
        provider: address,
        outcome: result === "report" ? Outcome.Report : outcome,
        resultHash,
        salt: bytesToHex(crypto.getRandomValues(new Uint8Array(32))),
      };
    },
    async commit(terms, place, vote) {
      await commitJob(client, { jobId: vote.jobId, terms, place, commitment: commitmentOf(vote, domain) });
    },
    async publishCommitment(place, vote) {
      const commitment = commitmentOf(vote, domain);
      const signature = await agent.signTypedData({
        domain: typedDomain(domain),
        types: signedCommitmentTypes,
        primaryType: "SignedCommitment",
        message: { jobId: vote.jobId, provider: address, commitment },
      });
      await publish({
        kind: "commitment",
        topic: vote.jobId,
        body: { provider: address, place, commitment, signature },
      });
    },
    async publishOpening(place, vote) {
      await publish({
        kind: "opening",
        topic: vote.jobId,
        body: { provider: address, opening: openingOf(place, vote) },
      });
    },
    async deliver({ jobId, request }, place, result, forged = {}) {
      const sealed = await sealTo({
        recipient: forged.recipient ?? request.encryptionKey,
        purpose: "result",
        aad: aadOf(jobId),
        plaintext: result,
      });
      const blocks = blocksOf(sealed);
      for (const { cid, bytes } of blocks) await relays.putBlock(cid, bytes);
      await publish({
        kind: "delivery",
        topic: jobId,
        body: { provider: forged.provider ?? address, place, cids: blocks.map(({ cid }) => cid), size: sealed.length },
      });
    },
  };
}

/** Places of providers by the stored panel. */
export function placeOf(record: Pick<JobRecord, "selection">, provider: Address): number {
  const place = record.selection?.offers.findIndex((offer: SignedOffer) => offer.provider === provider) ?? -1;
  if (place === -1) throw new Error(`${provider} has no place`);
  return place;
}

/** Commitments in the order they were made, as `revealJob` takes them. */
export function placed(votes: readonly (readonly [number, Vote])[], chain: Chain): PlacedCommitment[] {
  return votes.map(([place, vote]) => ({ place, commitment: commitmentOf(vote, chain.domain) }));
}

export const RESULT: Uint8Array = utf8("forty-two\n");

/** Providers on accounts of the chain, one after the other: one key mints for all of them. */
export async function scriptedProviders(
  chain: Chain,
  relays: RelayClient,
  indexes: readonly number[],
): Promise<ScriptedProvider[]> {
  const providers: ScriptedProvider[] = [];
  for (const index of indexes) providers.push(await scriptedProvider(chain, relays, index));
  return providers;
}
