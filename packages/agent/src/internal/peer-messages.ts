import {
  type Address,
  commitmentOf,
  commitmentSetDigest,
  type Hex,
  type JobFacts,
  type MarketDomain,
  signedCommitmentDigest,
} from "@quorate/core";
import type { Envelope } from "@quorate/wire";
import { recoverAddress } from "viem";
import type { ChainReader } from "./chain-reader.ts";
import type { Message } from "./reduce.ts";
import { isShaped, votesBySet } from "./set-voting.ts";

/** What a message is checked against beside the facts of its job. */
export type PeerPorts = {
  readonly reader: ChainReader;
  readonly domain: MarketDomain;
  /** Newest block with the policy's confirmations. */
  readonly confirmedBlock?: number | undefined;
  /** The set that this agent signed, by place. */
  readonly set?: readonly Hex[] | undefined;
};

/**
 * Turns a message from a relay into a message of the reducer, if it proves itself: a commitment or a set by a signature that
 * the market would accept, a commitment for a set by its sender, an opening by the commitment on chain or in the set that this agent signed. Everything else is
 * dropped; relays and senders are strangers.
 *
 * @param envelope Envelope of the job's topic, its own signature checked by the relay client.
 * @param facts Facts of the job at the newest block.
 * @param now Timestamp of the newest block, unix s.
 * @param ports Chain, market, and what this agent knows.
 * @returns Undefined when it proves nothing, `later` when it may with later blocks or messages.
 */
export async function checkPeerMessage(
  envelope: Envelope,
  facts: JobFacts,
  now: number,
  ports: PeerPorts,
): Promise<Message | "later" | undefined> {
  const { jobId } = facts;
  switch (envelope.kind) {
    case "commitment": {
      const { place, commitment, signature } = envelope.body;
      const provider = facts.terms.places[place]?.provider;
      if (provider === undefined || facts.committed.includes(place)) return undefined;
      const signer = await signerOf(signedCommitmentDigest({ jobId, provider, commitment }, ports.domain), signature);
      const isSigned = signer !== undefined && (await mayAct(signer, provider, facts, now, ports));
      return isSigned ? { type: "peer-commitment", jobId, commitment: { place, commitment, signature } } : undefined;
    }
    case "set-commitment": {
      const { place, commitment } = envelope.body;
      const provider = facts.terms.places[place]?.provider;
      if (provider === undefined || !votesBySet(facts)) return undefined;
      const isSent = await mayAct(envelope.sender, provider, facts, now, ports);
      return isSent ? { type: "peer-set-commitment", jobId, commitment: { place, commitment } } : undefined;
    }
    case "set-signature": {
      const { place, commitments, signature } = envelope.body;
      const provider = facts.terms.places[place]?.provider;
      if (provider === undefined || !votesBySet(facts) || !isShaped(facts.terms, commitments)) return undefined;
      const signer = await signerOf(commitmentSetDigest({ jobId, commitments }, ports.domain), signature);
      if (signer === undefined) return undefined;
      // The market takes an agent that was in force after the opening, whatever came of it since. No reorganisation may change that.
      if (!(await mayAct(signer, provider, facts, facts.openedAt, ports))) return undefined;
      const block = ports.confirmedBlock;
      if (block === undefined || !(await mayAct(signer, provider, facts, facts.openedAt, ports, block))) return "later";
      return { type: "peer-set", jobId, signed: { place, commitments, signature } };
    }
    case "opening": {
      const { opening } = envelope.body;
      const { place, outcome, resultHash, salt } = opening;
      const provider = facts.terms.places[place]?.provider;
      if (provider === undefined) return undefined;
      const commitment = commitmentOf({ jobId, provider, outcome, resultHash, salt }, ports.domain);
      const placed = facts.commitments.find((found) => found.place === place)?.commitment;
      const opens = commitment === placed || commitment === ports.set?.[place];
      return opens ? { type: "peer-opening", jobId, opening } : "later";
    }
    case "redelivery":
      return envelope.sender.toLowerCase() === facts.terms.requester.toLowerCase()
        ? { type: "redelivery-asked", jobId, askedAt: envelope.createdAt }
        : undefined;
    case "request":
    case "requirements":
    case "offer":
    case "delivery":
      return undefined;
    default:
      return envelope satisfies never;
  }
}

async function signerOf(hash: Hex, signature: Hex): Promise<Address | undefined> {
  try {
    return await recoverAddress({ hash, signature });
  } catch {
    return undefined;
  }
}

async function mayAct(
  signer: Address,
  provider: Address,
  { terms }: JobFacts,
  at: number,
  { reader }: PeerPorts,
  block?: number,
): Promise<boolean> {
  if (signer.toLowerCase() === provider.toLowerCase()) return true;
  const { validUntil } = await reader.authorization(provider, signer, terms.token, block);
  return validUntil > at;
}
