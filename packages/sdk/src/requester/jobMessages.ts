import { commitmentOf, type JobFacts, type MarketDomain, signedCommitmentDigest } from "@quorate/core";
import type { CommitmentBody, DeliveryBody, Envelope, OpeningBody } from "@quorate/wire";
import { type Address, isAddressEqual, recoverAddress } from "viem";
import type { MessageView } from "./jobView.ts";

/** Most messages of one kind that are kept for a place: anybody can post, and only a few can be real. */
const MAX_PER_PLACE = 8;

/** Messages of one job as they came from relays. Nothing in them is believed before it is checked against the chain. */
export type JobMessages = {
  readonly offers: number;
  readonly commitments: ReadonlyMap<number, readonly CommitmentBody[]>;
  readonly openings: ReadonlyMap<number, readonly OpeningBody[]>;
  readonly deliveries: ReadonlyMap<number, readonly DeliveryBody[]>;
};

/** No messages. */
export const noMessages: JobMessages = {
  offers: 0,
  commitments: new Map(),
  openings: new Map(),
  deliveries: new Map(),
};

/**
 * Adds a message.
 *
 * @param messages Messages so far.
 * @param envelope Verified message of the job's topic.
 * @returns New messages; the same object when nothing was added.
 */
export function addMessage(messages: JobMessages, envelope: Envelope): JobMessages {
  switch (envelope.kind) {
    case "offer":
      return { ...messages, offers: messages.offers + 1 };
    case "commitment": {
      const commitments = addTo(messages.commitments, envelope.body.place, envelope.body);
      return commitments === messages.commitments ? messages : { ...messages, commitments };
    }
    case "opening": {
      const openings = addTo(messages.openings, envelope.body.opening.place, envelope.body);
      return openings === messages.openings ? messages : { ...messages, openings };
    }
    case "delivery": {
      const deliveries = addTo(messages.deliveries, envelope.body.place, envelope.body);
      return deliveries === messages.deliveries ? messages : { ...messages, deliveries };
    }
    case "request":
    case "requirements":
    case "set-commitment":
    case "set-signature":
    case "redelivery":
      return messages;
    default:
      return envelope satisfies never;
  }
}

function addTo<Body>(
  places: ReadonlyMap<number, readonly Body[]>,
  place: number,
  body: Body,
): ReadonlyMap<number, readonly Body[]> {
  const before = places.get(place) ?? [];
  if (before.length >= MAX_PER_PLACE || before.some((item) => JSON.stringify(item) === JSON.stringify(body)))
    return places;
  return new Map(places).set(place, [...before, body]);
}

/**
 * What of the messages is true as far as the chain tells: openings that open a commitment, messages that name the provider of
 * their place.
 *
 * @param messages Messages so far.
 * @param facts Facts of the job, once open.
 * @param domain Market.
 */
export function messageViewOf(messages: JobMessages, facts: JobFacts | undefined, domain: MarketDomain): MessageView {
  const named = <Body extends { readonly provider: Address }>(
    places: ReadonlyMap<number, readonly Body[]>,
  ): readonly number[] =>
    [...places]
      .filter(([place, bodies]) => bodies.some(({ provider }) => isProviderOf(facts, place, provider)))
      .map(([place]) => place)
      .sort((a, b) => a - b);
  return {
    offers: messages.offers,
    commitments: named(messages.commitments),
    openings: facts === undefined ? [] : trueOpenings(messages, facts, domain).map(({ opening }) => opening.place),
    deliveries: named(messages.deliveries),
  };
}

function isProviderOf(facts: JobFacts | undefined, place: number, provider: Address): boolean {
  const expected = facts?.terms.places[place]?.provider;
  return expected !== undefined && isAddressEqual(expected, provider);
}

/**
 * Openings that open a commitment on chain, one a place, lowest place first.
 *
 * @param messages Messages so far.
 * @param facts Facts of the job.
 * @param domain Market.
 */
export function trueOpenings(messages: JobMessages, facts: JobFacts, domain: MarketDomain): readonly OpeningBody[] {
  return facts.commitments
    .flatMap(({ place, commitment }) => {
      const provider = facts.terms.places[place]?.provider;
      if (provider === undefined) return [];
      const found = (messages.openings.get(place) ?? []).find(
        ({ opening: { outcome, resultHash, salt } }) =>
          commitmentOf({ jobId: facts.jobId, provider, outcome, resultHash, salt }, domain) === commitment,
      );
      return found === undefined ? [] : [found];
    })
    .sort((a, b) => a.opening.place - b.opening.place);
}

/**
 * Commitments on relays that could still be carried: signed by the provider of the place or by somebody who `mayAct` for it.
 *
 * @param messages Messages so far.
 * @param facts Facts of the job.
 * @param domain Market.
 * @param mayAct Whether a key is an agent in force of a provider.
 * @returns One a place, lowest place first.
 */
export async function carriableCommitments(
  messages: JobMessages,
  facts: JobFacts,
  domain: MarketDomain,
  mayAct: (provider: Address, agent: Address) => Promise<boolean>,
): Promise<readonly CommitmentBody[]> {
  const found: CommitmentBody[] = [];
  for (const [place, bodies] of [...messages.commitments].sort(([a], [b]) => a - b)) {
    if (facts.committed.includes(place) || facts.declined.includes(place)) continue;
    for (const body of bodies) {
      if (!isProviderOf(facts, place, body.provider)) continue;
      const { provider, commitment, signature } = body;
      const hash = signedCommitmentDigest({ jobId: facts.jobId, provider, commitment }, domain);
      const signer = await recoverAddress({ hash, signature }).catch(() => undefined);
      if (signer === undefined) continue;
      if (isAddressEqual(signer, provider) || (await mayAct(provider, signer))) {
        found.push(body);
        break;
      }
    }
  }
  return found;
}
