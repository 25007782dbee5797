import {
  type Address,
  commitmentOf,
  type Hex,
  type JobFacts,
  type MarketDomain,
  signedCommitmentDigest,
} from "@quorate/core";
import type { Envelope } from "@quorate/wire";
import { recoverAddress } from "viem";
import type { ChainReader } from "./chain-reader.ts";
import type { Message } from "./reduce.ts";

/**
 * Turns a message from a relay into a message of the reducer, if it proves itself: a commitment by a signature that the
 * market would accept, an opening by the commitment on chain. Everything else is dropped; relays and senders are strangers.
 *
 * @param envelope Envelope of the job's topic, its own signature checked by the relay client.
 * @param facts Facts of the job at the newest block.
 * @param now Timestamp of the newest block, unix s.
 * @returns Undefined when it proves nothing, or nothing yet.
 */
export async function checkPeerMessage(
  envelope: Envelope,
  facts: JobFacts,
  now: number,
  ports: { readonly reader: ChainReader; readonly domain: MarketDomain },
): Promise<Message | undefined> {
  const { jobId } = facts;
  switch (envelope.kind) {
    case "commitment": {
      const { place, commitment, signature } = envelope.body;
      const provider = facts.terms.places[place]?.provider;
      if (provider === undefined || facts.committed.includes(place)) return undefined;
      const allowed = await isSignedFor({ jobId, provider, commitment, signature }, facts, now, ports);
      return allowed ? { type: "peer-commitment", jobId, commitment: { place, commitment, signature } } : undefined;
    }
    case "opening": {
      const { opening } = envelope.body;
      const placed = facts.commitments.find(({ place }) => place === opening.place);
      const provider = facts.terms.places[opening.place]?.provider;
      if (placed === undefined || provider === undefined) return undefined;
      const { outcome, resultHash, salt } = opening;
      const opens = commitmentOf({ jobId, provider, outcome, resultHash, salt }, ports.domain) === placed.commitment;
      return opens ? { type: "peer-opening", jobId, opening } : undefined;
    }
    case "redelivery":
      return envelope.sender.toLowerCase() === facts.terms.requester.toLowerCase()
        ? { type: "redelivery-asked", jobId, askedAt: envelope.createdAt }
        : undefined;
    case "request":
    case "offer":
    case "delivery":
      return undefined;
    default:
      return envelope satisfies never;
  }
}

async function isSignedFor(
  message: { readonly jobId: Hex; readonly provider: Address; readonly commitment: Hex; readonly signature: Hex },
  facts: JobFacts,
  now: number,
  { reader, domain }: { readonly reader: ChainReader; readonly domain: MarketDomain },
): Promise<boolean> {
  const { jobId, provider, commitment, signature } = message;
  let signer: Address;
  try {
    signer = await recoverAddress({ hash: signedCommitmentDigest({ jobId, provider, commitment }, domain), signature });
  } catch {
    return false;
  }
  if (signer.toLowerCase() === provider.toLowerCase()) return true;
  const { validUntil } = await reader.authorization(provider, signer, facts.terms.token);
  return validUntil > now;
}
