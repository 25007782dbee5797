import { hashRequirements, jobIdOf, type MarketDomain, requirementsOf } from "@quorate/core";
import { buildManifest, buildRequest, testAddress, testDomain, testHash } from "@quorate/testkit";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { EnvelopeBodies, EnvelopeKind } from "../bodies.ts";
import { type EnvelopeDraft, REQUESTS_TOPIC } from "../envelope.ts";

/** Used by tests only: one draft of every kind, and keys to sign them. */
export const requester: PrivateKeyAccount = privateKeyToAccount(testHash(0xa11ce));
/** Another key. */
export const agent: PrivateKeyAccount = privateKeyToAccount(testHash(0xb0b));
/** Unix s of the drafts. */
export const nowS = 1_800_000_000;

const requirements = requirementsOf(buildManifest());
const request = buildRequest({ requester: requester.address, requirementsHash: hashRequirements(requirements) });

/** Job id of the draft request. */
export const jobId: `0x${string}` = jobIdOf(request, testDomain);

/** Bodies of every kind. */
export const bodies: EnvelopeBodies = {
  request: { request, requirements, chainId: testDomain.chainId, market: testDomain.market },
  offer: { sealed: "AAECAw==" },
  commitment: { provider: testAddress(7), place: 3, commitment: testHash(8), signature: `0x${"1b".repeat(65)}` },
  opening: {
    provider: testAddress(7),
    opening: { place: 3, outcome: 1, resultHash: testHash(9), salt: testHash(10) },
    reportCode: 4,
  },
  delivery: {
    provider: testAddress(7),
    place: 3,
    cids: ["bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"],
    size: 4096,
  },
  redelivery: { reason: "the block is gone from every relay" },
};

/** Every kind. */
export const kinds: readonly EnvelopeKind[] = Object.keys(bodies) as EnvelopeKind[];

/**
 * Draft of a kind.
 *
 * @param kind Kind.
 * @param changes Fields that differ.
 */
export function draftOf<K extends EnvelopeKind>(kind: K, changes: Partial<EnvelopeDraft<K>> = {}): EnvelopeDraft<K> {
  return {
    kind,
    topic: kind === "request" ? REQUESTS_TOPIC : jobId,
    body: bodies[kind],
    createdAt: nowS,
    expiry: nowS + 3_600,
    ...changes,
  } as unknown as EnvelopeDraft<K>;
}

/** A market that the drafts are not for. */
export const otherDomain: MarketDomain = { ...testDomain, chainId: 1 };
