import {
  type Address,
  checkRequest,
  FatalError,
  Flag,
  type Hex,
  leastQuorum,
  MAX_CALLOUT_BPS,
  MAX_PLACES,
  MAX_STANDBY_BPS,
  Outcome,
  type Request,
  type SettlementFacts,
  settlementOf,
  shareOf,
  type Terms,
  type WindowLimits,
  ZERO_ADDRESS,
} from "@quorate/core";
import { escrowBoundOf, type JobWishes } from "@quorate/sdk";
import type { ProfileRecord } from "@quorate/wire";
import { formatDuration, formatNumber, parseAmount } from "../../lib/format.ts";
import type { DraftTerms } from "./draft.ts";

/** What the form's fields follow where nobody typed. */
export type TermsContext = {
  readonly token: Address;
  readonly decimals: number;
  readonly symbol: string;
  readonly windows: WindowLimits;
  readonly isLocal: boolean;
  /** Seats and spares that the trust policy asks for. */
  readonly plan: { readonly seats: number; readonly spares: number };
  /** What providers ask that could run the program, lowest first; base units. */
  readonly asking: readonly bigint[];
  /** Wall time of the program, milliseconds. */
  readonly wallTimeMs: number;
};

/** Fields of the form, as they are shown: typed, or what is taken without typing. */
export type TermsFields = { readonly [Field in Exclude<keyof DraftTerms, "acceptProbation" | "setVotes">]-?: string };

/** What is wrong, by field, in words. */
export type TermsProblems = { readonly [Field in keyof TermsFields]?: string };

/** The form's terms. */
export type ReadTerms = {
  readonly fields: TermsFields;
  readonly problems: TermsProblems;
  /** What may keep providers from answering, though the market would take it. */
  readonly warnings: readonly string[];
  /** Undefined while something is wrong. */
  readonly wishes: JobWishes | undefined;
};

const MOST_SEATS = 7;
/** Seconds; long enough for a person to choose on a local chain. */
const LOCAL_WINDOW_S = 60;
const LOCAL_OFFER_WINDOW_S = 600;
const WINDOW_S = 3_600;
const LEAST_OFFER_WINDOW_S = 30;

/**
 * Price at which enough providers would answer: what the dearest of the cheapest ones asks, and a quarter more, since an asking
 * price is where a provider begins.
 *
 * @param asking - Asking prices, lowest first; base units.
 * @param places - Seats and spares.
 */
export function suggestCeiling(asking: readonly bigint[], places: number): bigint | undefined {
  const dearest = asking[Math.min(places, asking.length) - 1];
  if (dearest === undefined) return undefined;
  const wanted = (dearest * 5n) / 4n;
  const digits = wanted.toString().length;
  // Two digits that count are enough for a suggestion.
  const step = 10n ** BigInt(Math.max(0, digits - 2));
  return ((wanted + step - 1n) / step) * step;
}

/**
 * What providers ask for a place, of those that are online and run an engine.
 *
 * @param profiles - From relays.
 * @param engine - Exact version.
 * @param token - Token of the job.
 * @param now - Unix s.
 * @returns Base units, lowest first.
 */
export function askingPrices(
  profiles: Iterable<ProfileRecord>,
  engine: { readonly name: string; readonly version: string },
  token: Address,
  now: number,
): readonly bigint[] {
  return [...profiles]
    .filter(
      ({ profile, presence }) =>
        presence !== undefined &&
        presence.expiry > now &&
        profile.body.engines.some(({ name, version }) => name === engine.name && version === engine.version),
    )
    .flatMap(({ profile }) => {
      const price = profile.body.prices?.find((entry) => entry.token.toLowerCase() === token.toLowerCase());
      return price === undefined ? [] : [price.from];
    })
    .sort((a, b) => (a < b ? -1 : Number(a > b)));
}

/**
 * Reads the terms of the form.
 *
 * @param terms - As typed.
 * @param context - What the rest follows.
 */
export function readTerms(terms: DraftTerms, context: TermsContext): ReadTerms {
  const { decimals, symbol, windows, isLocal, plan } = context;
  const problems: Record<string, string> = {};
  const whole = (field: keyof TermsFields, text: string, least: number, most: number): number => {
    const value = /^[0-9]{1,9}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
    if (!(value >= least && value <= most)) problems[field] = `Take a whole number from ${least} to ${most}.`;
    return value;
  };
  const amount = (field: keyof TermsFields, text: string): bigint => {
    const value = parseAmount(text, decimals);
    if (value === undefined) {
      problems[field] =
        text.trim() === ""
          ? `Say how much, in ${symbol}.`
          : `Take an amount in ${symbol} with at most ${decimals} digits after the point.`;
    }
    return value ?? 0n;
  };

  const seatsText = terms.seats ?? String(Math.min(Math.max(plan.seats, 3), MOST_SEATS));
  const seats = whole("seats", seatsText, 2, MOST_SEATS);
  const least = Number.isNaN(seats) ? 2 : Math.max(2, leastQuorum(seats));
  const quorumText = terms.quorum ?? String(least);
  const quorum = whole("quorum", quorumText, least, Number.isNaN(seats) ? MOST_SEATS : seats);
  if (problems.quorum !== undefined && problems.seats === undefined) {
    problems.quorum = `Of ${seats} seats, ${least === seats ? `${least} have` : `${least} to ${seats} have`} to agree: more than half, so that two answers cannot both win.`;
  }
  const sparesText = terms.spares ?? String(Math.min(Math.max(plan.spares, 1), 3));
  const spares = whole("spares", sparesText, 0, MAX_PLACES);
  const shadowsText = terms.shadows ?? "0";
  const shadows = whole("shadows", shadowsText, 0, MAX_PLACES);
  if (seats + spares + shadows > MAX_PLACES) {
    problems.spares = `Seats, spares and shadows together are at most ${MAX_PLACES}.`;
  }

  const suggested = suggestCeiling(context.asking, Number.isNaN(seats + spares) ? 4 : seats + spares);
  const plain = (value: bigint): string => formatNumber(value, decimals).replaceAll(",", "");
  const ceilingText = terms.priceCeiling ?? (suggested === undefined ? "" : plain(suggested));
  const priceCeiling = amount("priceCeiling", ceilingText);
  if (problems.priceCeiling === undefined && priceCeiling === 0n) {
    problems.priceCeiling = `A price of 0 ${symbol} pays nobody.`;
  }
  const bondText = terms.bond ?? (problems.priceCeiling === undefined ? plain(priceCeiling) : "");
  const bond = problems.priceCeiling !== undefined && bondText === "" ? 0n : amount("bond", bondText);
  const carrierText = terms.carrierFee ?? (problems.priceCeiling === undefined ? plain(priceCeiling / 20n) : "");
  const carrierFee = problems.priceCeiling !== undefined && carrierText === "" ? 0n : amount("carrierFee", carrierText);

  const percent = (field: keyof TermsFields, text: string, most: number): number => {
    const value = parseAmount(text, 2);
    if (value !== undefined && value <= BigInt(most)) return Number(value);
    problems[field] = `Take a percentage from 0 to ${most / 100}, with at most two digits after the point.`;
    return Number.NaN;
  };
  const calloutText = terms.calloutPercent ?? "10";
  const calloutBps = percent("calloutPercent", calloutText, MAX_CALLOUT_BPS);
  const standbyText = terms.standbyPercent ?? "5";
  const standbyBps = percent("standbyPercent", standbyText, MAX_STANDBY_BPS);

  const preset = bounded(isLocal ? LOCAL_WINDOW_S : WINDOW_S, windows);
  const commitText = terms.commitWindow ?? String(preset);
  const revealText = terms.revealWindow ?? String(preset);
  const offerText = terms.offerWindow ?? String(isLocal ? LOCAL_OFFER_WINDOW_S : WINDOW_S);
  const window = (field: keyof TermsFields, text: string, shortest: number, longest: number): number => {
    const value = whole(field, text, shortest, longest);
    if (problems[field] !== undefined) {
      problems[field] =
        `Take whole seconds, from ${formatDuration(shortest)} (${shortest}) to ${formatDuration(longest)} (${longest}).`;
    }
    return value;
  };
  const commitWindow = window("commitWindow", commitText, windows.minWindow, windows.maxWindow);
  const revealWindow = window("revealWindow", revealText, windows.minWindow, windows.maxWindow);
  const offerWindow = window("offerWindow", offerText, LEAST_OFFER_WINDOW_S, windows.maxWindow);

  const wishes: JobWishes = {
    token: context.token,
    priceCeiling,
    bond,
    carrierFee,
    seats,
    quorum,
    spares,
    shadows,
    calloutBps,
    standbyBps,
    commitWindow,
    revealWindow,
    offerWindow,
    acceptProbation: terms.acceptProbation === true,
    setVotes: terms.setVotes === true,
  };
  // The rule itself has the last word: what it refuses must not be signed.
  if (Object.keys(problems).length === 0) {
    try {
      checkRequest(sampleRequest(wishes), windows);
    } catch (error) {
      if (!(error instanceof FatalError)) throw error;
      problems[fieldOfCode(error.code)] = error.message;
    }
  }
  const warnings: string[] = [];
  if (problems.commitWindow === undefined && context.wallTimeMs * 2 > commitWindow * 1000) {
    warnings.push(
      `The program may run for ${formatDuration(context.wallTimeMs / 1000)}, more than half of the ${formatDuration(commitWindow)} for commitments. Providers keep the other half for everything else and would not offer: give them more time, or the program a shorter limit.`,
    );
  }
  const affordable = context.asking.filter((price) => price <= priceCeiling).length;
  if (problems.priceCeiling === undefined && context.asking.length > 0 && affordable < seats) {
    warnings.push(
      affordable === 0
        ? `No provider that is online asks so little: prices begin at ${plain(context.asking[0] ?? 0n)} ${symbol}.`
        : `${affordable} of ${context.asking.length} providers that are online ask no more than this, and ${seats} seats have to be filled.`,
    );
  }
  return {
    fields: {
      token: context.token,
      priceCeiling: ceilingText,
      bond: bondText,
      carrierFee: carrierText,
      seats: seatsText,
      quorum: quorumText,
      spares: sparesText,
      shadows: shadowsText,
      calloutPercent: calloutText,
      standbyPercent: standbyText,
      commitWindow: commitText,
      revealWindow: revealText,
      offerWindow: offerText,
    },
    problems,
    warnings,
    wishes: Object.keys(problems).length === 0 ? wishes : undefined,
  };
}

function bounded(seconds: number, { minWindow, maxWindow }: WindowLimits): number {
  return Math.min(Math.max(seconds, minWindow), maxWindow);
}

/** Field of the form that a rule of the market speaks of. */
function fieldOfCode(code: string): keyof TermsFields {
  switch (code) {
    case "INVALID_REQUEST_QUORUM":
      return "quorum";
    case "INVALID_REQUEST_PANEL":
    case "INVALID_REQUEST_PLACES":
      return "spares";
    case "INVALID_REQUEST_CALLOUT":
      return "calloutPercent";
    case "INVALID_REQUEST_STANDBY":
      return "standbyPercent";
    case "INVALID_REQUEST_WINDOW":
      return "commitWindow";
    case "INVALID_REQUEST_TOKEN":
      return "token";
    default:
      return "priceCeiling";
  }
}

const ANY_HASH: Hex = `0x${"11".repeat(32)}`;
const ANY_ACCOUNT: Address = `0x${"11".repeat(20)}`;

/** A request with these terms; whose, and for what, does not matter for its rules and its money. */
function sampleRequest(wishes: JobWishes): Request {
  return {
    requester: ANY_ACCOUNT,
    token: wishes.token,
    packageHash: ANY_HASH,
    contentHash: ANY_HASH,
    requirementsHash: ANY_HASH,
    encryptionKey: ANY_HASH,
    priceCeiling: wishes.priceCeiling,
    bond: wishes.bond ?? 0n,
    carrierFee: wishes.carrierFee ?? 0n,
    seats: wishes.seats ?? 3,
    quorum: wishes.quorum ?? 2,
    spares: wishes.spares ?? 0,
    shadows: wishes.shadows ?? 0,
    calloutBps: wishes.calloutBps ?? 0,
    standbyBps: wishes.standbyBps ?? 0,
    commitWindow: wishes.commitWindow ?? 0,
    revealWindow: wishes.revealWindow ?? 0,
    flags:
      (wishes.acceptProbation === true ? Flag.AcceptProbation : 0) + (wishes.setVotes === true ? Flag.SetVotes : 0),
    callback: ZERO_ADDRESS,
    callbackGas: 0,
    expiry: 0,
    nonce: 0n,
  };
}

/**
 * The most that a job can take.
 *
 * @param wishes - Terms.
 * @returns Base units.
 */
export function escrowBound(wishes: JobWishes): bigint {
  return escrowBoundOf(sampleRequest(wishes));
}

/** What one way for a job to end costs, every place at the price ceiling. */
export type Ending = {
  readonly title: string;
  readonly note: string;
  /** Paid to providers, base units. */
  readonly paid: bigint;
  /** For whoever settles, base units. */
  readonly carrierFee: bigint;
  /** Back to the requester, base units. */
  readonly refunded: bigint;
  /** What happens to bonds, in words. */
  readonly bonds: string;
};

/**
 * How a job with these terms can end, by the rules of the market.
 *
 * @param wishes - Terms.
 */
export function endingsOf(wishes: JobWishes): readonly Ending[] {
  const terms = sampleTerms(wishes);
  const { seats, spares, quorum } = terms;
  const all = terms.places.map((_, place) => place).filter((place) => place < seats || place >= seats + spares);
  const opened = (places: readonly number[], hash: (place: number) => Hex = () => ANY_HASH) =>
    places.map((place) => ({ place, outcome: Outcome.Ok, resultHash: hash(place) }));
  const base: SettlementFacts = {
    terms,
    openedAt: 0,
    committed: all,
    declined: [],
    promotions: [],
    openings: opened(all),
  };
  const withoutFirst = all.filter((place) => place !== 0);
  const replaced = spares > 0 ? [{ spare: seats, seat: 0, promotedAt: 0 }] : [];
  const present = spares > 0 ? [...withoutFirst, seats] : withoutFirst;
  const enough = spares > 0 || seats - 1 >= quorum;
  const instead =
    spares > 0
      ? "A spare takes its seat and does the work."
      : enough
        ? "The others still reach the quorum."
        : "Without it, and without spares, no answer reaches the quorum.";
  const cases: readonly (readonly [string, string, SettlementFacts])[] = [
    ["All agree", "The accepted answer, and everybody who gave it is paid.", base],
    [
      "One seat never answers",
      `${instead} The late one loses its bond, which is burnt.`,
      { ...base, committed: present, openings: opened(present), promotions: replaced },
    ],
    [
      "One seat declines",
      `${instead} Declining early costs the provider nothing.`,
      { ...base, committed: present, openings: opened(present), promotions: replaced, declined: [0] },
    ],
    ...(quorum < seats
      ? ([
          [
            "One seat gives another answer",
            "It is not paid. If more than half of the seats agree against it, its bond goes to quarantine.",
            { ...base, openings: opened(all, (place) => (place === 0 ? `0x${"22".repeat(32)}` : ANY_HASH)) },
          ],
        ] as const)
      : []),
    [
      "No answer reaches the quorum",
      "Every seat answers differently: each is paid its call-out fee, and there is no result.",
      { ...base, openings: opened(all, (place) => `0x${(place + 16).toString(16).padStart(2, "0").repeat(32)}`) },
    ],
  ];
  return cases.map(([title, note, facts]): Ending => {
    const settled = settlementOf(facts);
    const lost = [
      ...(settled.forfeited.length === 0 ? [] : [`${settled.forfeited.length} burnt`]),
      ...(settled.quarantined.length === 0 ? [] : [`${settled.quarantined.length} in quarantine`]),
    ];
    return {
      title,
      note,
      paid: settled.results.reduce((sum, { paid }) => sum + paid, 0n),
      carrierFee: settled.carrierFee,
      refunded: settled.refunded,
      bonds: lost.length === 0 ? "all returned" : `${lost.join(", ")}; the others returned`,
    };
  });
}

function sampleTerms(wishes: JobWishes): Terms {
  const { expiry: _expiry, nonce: _nonce, ...request } = sampleRequest(wishes);
  const count = request.seats + request.spares + request.shadows;
  return {
    requester: request.requester,
    token: request.token,
    bond: request.bond,
    carrierFee: request.carrierFee,
    seats: request.seats,
    quorum: request.quorum,
    spares: request.spares,
    calloutBps: request.calloutBps,
    standbyBps: request.standbyBps,
    commitWindow: request.commitWindow,
    revealWindow: request.revealWindow,
    flags: request.flags,
    callback: ZERO_ADDRESS,
    callbackGas: 0,
    places: Array.from({ length: count }, () => ({ provider: ANY_ACCOUNT, price: request.priceCeiling })),
  };
}

/** What spares that are not needed cost, base units. */
export function standbyCost({ priceCeiling, spares = 0, standbyBps = 0 }: JobWishes): bigint {
  return BigInt(spares) * shareOf(priceCeiling, standbyBps);
}
