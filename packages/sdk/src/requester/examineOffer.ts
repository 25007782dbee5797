import {
  type Address,
  checkEncryptionKey,
  type OfferFault,
  type Request,
  Role,
  type SignedOffer,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "@quorate/core";
import { type Envelope, openOffer } from "@quorate/wire";
import { checkOffers } from "../actions/checkOffers.ts";
import { getAccount } from "../actions/getAccount.ts";
import { getStanding } from "../actions/getStanding.ts";
import type { MarketClient } from "../client.ts";
import { historyOf } from "../trust/history.ts";
import { judgeOffer, type OfferJudgement } from "../trust/judgeOffer.ts";
import { explain, type RequesterContext } from "./context.ts";
import type { JobRecord } from "./record.ts";

/** What an offer's provider has on chain at this moment. */
export type ProviderFacts = {
  /** Free balance in the job's token, base units. */
  readonly free: bigint;
  readonly onProbation: boolean;
};

/** A message that came as an offer. */
export type ReceivedOffer =
  | {
      readonly kind: "offer";
      /** Account that sent the message: the provider or its agent. */
      readonly sender: Address;
      /** Without key wrap. */
      readonly offer: SignedOffer;
      /** Key that signed for the provider, as the message says. */
      readonly agent: Address;
      /** What the market would refuse about it now. */
      readonly faults: readonly (keyof typeof OfferFault)[];
      readonly facts: ProviderFacts;
      readonly judgement: OfferJudgement;
    }
  | {
      readonly kind: "unusable";
      readonly sender: Address;
      /** Stable code. */
      readonly code: string;
      /** Plain words. */
      readonly reason: string;
    };

/** An offer whose seal is open. Nothing about it is verified. */
export type OpenedOffer = {
  readonly kind: "opened";
  readonly sender: Address;
  /** Without key wrap. */
  readonly offer: SignedOffer;
  readonly agent: Address;
};

/**
 * Opens one offer. Errors that the sender caused become `unusable`. Costs no call of the chain.
 *
 * @param context The requester's context.
 * @param record Stored record of the job.
 * @param envelope Verified message of kind `offer`.
 */
export async function readOffer(
  context: RequesterContext,
  record: JobRecord,
  envelope: Envelope<"offer">,
): Promise<OpenedOffer | Extract<ReceivedOffer, { kind: "unusable" }>> {
  const { sender } = envelope;
  try {
    const { offer, signature, agent } = await openOffer(envelope, record.encryptionPrivateKey, context.domain);
    checkEncryptionKey(offer.encryptionKey);
    const { jobId: _jobId, ...fields } = offer;
    return { kind: "opened", sender, offer: { ...fields, signature, keyWrap: "0x" }, agent };
  } catch (error) {
    const { code, message } = explain(error);
    return { kind: "unusable", sender, code, reason: message };
  }
}

/**
 * Asks the chain about an opened offer and judges it by the trust policy.
 *
 * @param context The requester's context.
 * @param record Stored record of the job.
 * @param opened Sender, offer, agent.
 * @throws RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function judgeReceived(
  context: RequesterContext,
  record: JobRecord,
  opened: Omit<OpenedOffer, "kind">,
): Promise<ReceivedOffer> {
  const { client, policy, history } = context;
  const { offer } = opened;
  const { request } = record;
  const [faults, account, standing, block] = await Promise.all([
    faultsOf(client, request, offer),
    getAccount(client, { token: request.token, account: offer.provider }),
    getStanding(client, { provider: offer.provider }),
    client.public.getBlock(),
  ]);
  const facts = { free: account.free, onProbation: standing.onProbation };
  const judgement = judgeOffer(policy, offer, {
    request,
    faults,
    onProbation: facts.onProbation,
    history: historyOf(history, offer.provider),
    now: Number(block.timestamp),
  });
  return { ...opened, kind: "offer", faults, facts, judgement };
}

/**
 * What the market would refuse about one offer, asked through `checkOffers`: the offer at a place that it accepts, the other
 * places filled with blanks whose faults are ignored.
 *
 * @param client Market client.
 * @param request Request of the job.
 * @param offer One offer.
 */
export async function faultsOf(
  client: MarketClient,
  request: Request,
  offer: SignedOffer,
): Promise<readonly (keyof typeof OfferFault)[]> {
  const places: { place: number; spares: number }[] = [];
  if ((offer.roles & Role.Seat) !== 0) places.push({ place: 0, spares: 0 });
  else if ((offer.roles & Role.Spare) !== 0 && request.spares > 0) places.push({ place: request.seats, spares: 1 });
  if ((offer.roles & Role.Shadow) !== 0 && request.shadows > 0) places.push({ place: request.seats, spares: 0 });
  if (places.length === 0) return ["RoleNotAccepted"];
  const found = new Set<keyof typeof OfferFault>();
  const perPlace = await Promise.all(
    places.map(async ({ place, spares }) => {
      const size = Math.max(request.seats, place + 1);
      const offers = Array.from({ length: size }, (_, index) => (index === place ? offer : blank));
      const bad = await checkOffers(client, { request, spares, offers });
      return bad.filter((item) => item.place === place).map(({ fault }) => fault);
    }),
  );
  for (const fault of perPlace.flat()) found.add(fault);
  return [...found];
}

const blank: SignedOffer = {
  provider: ZERO_ADDRESS,
  price: 0n,
  encryptionKey: ZERO_HASH,
  roles: 0,
  expiry: 0,
  signature: "0x",
  keyWrap: "0x",
};
