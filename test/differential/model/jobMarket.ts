// The job market: actions A1 to A8, A11 and A12 of lifecycle.md. Every function changes the draft of a state, or throws a refusal.
import {
  chainCommitments,
  commitmentOf,
  commitmentSetDigest,
  type Hex,
  hashTerms,
  jobIdOf,
  type MarketDomain,
  type Opening,
  offerDigest,
  type PlacedCommitment,
  type Request,
  type SignedOffer,
  signedCommitmentDigest,
  type Terms,
} from "@quorate/core";
import {
  classOf,
  committedPlaces,
  deadlineOf,
  escrowOf,
  Flag,
  hasCommitted,
  type Job,
  phaseOf,
  revealAt,
  roleOf,
  Status,
  settlementOf,
  sparesLeft,
  statusAt,
  vacantSeats,
  windowStart,
} from "./job.ts";
import {
  accountOf,
  burn,
  copyLedger,
  createLedger,
  credit,
  escrow,
  type Ledger,
  lock,
  seize,
  unlock,
} from "./ledger.ts";
import { type Authorizations, actsFor, type ContractAccounts, signerFault } from "./signers.ts";
import { copyStandings, createStandings, onProbation, record, type Standings } from "./standing.ts";
import { type Address, CHAIN_ID, type Context, refuse, type Signature, ZERO_ADDRESS, ZERO_HASH } from "./types.ts";

/** Why an offer cannot be opened; the order of the contract's enum. */
export const OfferFault = {
  BadSignature: 0,
  Expired: 1,
  PriceAboveCeiling: 2,
  RoleNotAccepted: 3,
  DuplicateProvider: 4,
  ProviderIsRequester: 5,
  BondExceedsFree: 6,
  OnProbation: 7,
  BondBeyondAgent: 8,
  WindowBeyondAgent: 9,
  AgentExpired: 10,
  ZeroKey: 11,
} as const;
/** Why a commitment is refused; the order of the contract's enum. */
export const CommitmentFault = {
  NoSuchPlace: 0,
  NotSeated: 1,
  Declined: 2,
  AlreadyCommitted: 3,
  Late: 4,
  ZeroCommitment: 5,
  BadSignature: 6,
} as const;
/** Why an opening is skipped; the order of the contract's enum. */
export const OpeningFault = { NoSuchPlace: 0, NotCommitted: 1, AlreadyOpened: 2, WrongOpening: 3 } as const;

/** Roles by bit, as offers accept them. */
const ROLE_BITS = { seat: 1, spare: 2, shadow: 4 } as const;
const MAX_PLACES = 16;
const MAX_CALLOUT_BPS = 5_000;
const MAX_STANDBY_BPS = 10_000;
const MAX_CALLBACK_GAS = 1_000_000;
const KNOWN_FLAGS: number = Flag.AcceptProbation | Flag.SetVotes;

/** Everything that the job market knows. */
export type JobMarket = {
  readonly ledger: Ledger;
  readonly authorizations: Authorizations;
  readonly standings: Standings;
  readonly jobs: Map<Hex, Job>;
  readonly minWindow: number;
  readonly maxWindow: number;
};

/** What lies outside of the market and answers it. */
export type Outside = {
  readonly accounts: ContractAccounts;
  /** Whether there is a contract. */
  readonly hasCode: (address: Address) => boolean;
  /** Calls a callback; returns whether it succeeded. */
  readonly callBack: (context: Context, job: Job, callback: Address, gas: number) => boolean;
};

/** An offer with what is known of its signature. */
export type ModelOffer = Omit<SignedOffer, "signature"> & { readonly signature: Signature };
/** A commitment that somebody carries. */
export type ModelCommitment = PlacedCommitment & { readonly signature: Signature };

/** A market without jobs. */
export function createJobMarket(market: Address, minWindow: number, maxWindow: number): JobMarket {
  return {
    ledger: createLedger(market),
    authorizations: new Map(),
    standings: createStandings(),
    jobs: new Map(),
    minWindow,
    maxWindow,
  };
}

/** A copy that may be changed. */
export function copyJobMarket(state: JobMarket): JobMarket {
  return {
    ...state,
    ledger: copyLedger(state.ledger),
    authorizations: new Map(state.authorizations),
    standings: copyStandings(state.standings),
    jobs: new Map(state.jobs),
  };
}

/** EIP-712 domain of the market. */
export function domainOf({ ledger }: Pick<JobMarket, "ledger">): MarketDomain {
  return { chainId: CHAIN_ID, market: ledger.market };
}

/** A1. */
export function announce(context: Context, state: JobMarket, request: Request): void {
  requireRequester(context, request);
  requireSound(state, request);
  context.emit(state.ledger.market, "JobAnnounced", {
    jobId: jobIdOf(request, domainOf(state)),
    requester: context.sender,
    request,
  });
}

/** A2. */
export function open(
  context: Context,
  state: JobMarket,
  outside: Outside,
  request: Request,
  spares: number,
  offers: readonly ModelOffer[],
): Hex {
  requireRequester(context, request);
  const bad = checkOffers(context, state, outside, request, spares, offers);
  if (bad.length > 0) refuse("BadOffers", bad);
  const jobId = jobIdOf(request, domainOf(state));
  const { ledger } = state;
  const places = offers.map(({ provider, price }) => ({ provider, price }));
  const terms = termsOf(request, spares, places);
  escrow(ledger, terms.token, context.sender, escrowOf(terms));
  for (const { provider } of places) lock(ledger, terms.token, provider, terms.bond);
  state.jobs.set(jobId, {
    jobId,
    request,
    terms,
    termsHash: hashTerms(terms),
    openedAt: context.now,
    commitments: [],
    lastCommitAt: 0,
    lastDeclineAt: 0,
    declined: new Set(),
    promotions: [],
    history: [],
    openings: new Map(),
    set: undefined,
    settled: undefined,
  });
  const keyWraps = offers.map(({ keyWrap }) => keyWrap);
  const { requester } = request;
  context.emit(ledger.market, "JobOpened", { jobId, requester, request, spares, places, keyWraps });
  return jobId;
}

/** What `open` would say about offers: the view. */
export function checkOffers(
  context: Pick<Context, "now">,
  state: JobMarket,
  outside: Outside,
  request: Request,
  spares: number,
  offers: readonly ModelOffer[],
): readonly { readonly place: number; readonly fault: number }[] {
  requireSound(state, request);
  const jobId = jobIdOf(request, domainOf(state));
  if (context.now >= request.expiry) refuse("RequestExpired", jobId, request.expiry);
  const known = state.jobs.get(jobId);
  if (known !== undefined) refuse("JobAlreadyOpened", jobId);
  if (request.callback !== ZERO_ADDRESS && !outside.hasCode(request.callback)) {
    refuse("CallbackWithoutCode", request.callback);
  }
  if (spares > request.spares) refuse("TooManySpares", spares, request.spares);
  const minimum = request.seats + spares;
  const maximum = minimum + request.shadows;
  if (offers.length < minimum || offers.length > maximum) {
    refuse("BadPanelSize", BigInt(offers.length), BigInt(minimum), BigInt(maximum));
  }
  return offers.flatMap((offer, place) => {
    const role = roleOf({ seats: request.seats, spares }, place);
    const isDouble = offers.slice(0, place).some(({ provider }) => provider === offer.provider);
    const fault = offerFault(context.now, state, outside, request, jobId, offer, role, isDouble);
    return fault === undefined ? [] : [{ place, fault }];
  });
}

function offerFault(
  now: number,
  state: JobMarket,
  outside: Outside,
  request: Request,
  jobId: Hex,
  offer: ModelOffer,
  role: keyof typeof ROLE_BITS,
  isDouble: boolean,
): number | undefined {
  const { provider, price, encryptionKey, roles, expiry, signature } = offer;
  const { token, bond, flags, commitWindow } = request;
  if (provider === request.requester) return OfferFault.ProviderIsRequester;
  if (isDouble) return OfferFault.DuplicateProvider;
  if ((roles & ROLE_BITS[role]) === 0) return OfferFault.RoleNotAccepted;
  if (now >= expiry) return OfferFault.Expired;
  if (price > request.priceCeiling) return OfferFault.PriceAboveCeiling;
  if (encryptionKey === ZERO_HASH) return OfferFault.ZeroKey;
  if (accountOf(state.ledger, token, provider).free < bond) return OfferFault.BondExceedsFree;
  const acceptsProbation = role === "shadow" || (flags & Flag.AcceptProbation) !== 0;
  if (!acceptsProbation && onProbation(state.standings, provider, now)) return OfferFault.OnProbation;
  const digest = offerDigest({ jobId, provider, price, encryptionKey, roles, expiry }, domainOf(state));
  const binding = { provider, token, bond, window: commitWindow, digest, signature };
  const fault = signerFault(state.authorizations, outside.accounts, binding, now);
  if (fault === undefined) return undefined;
  const faults = [
    OfferFault.BadSignature,
    OfferFault.BondBeyondAgent,
    OfferFault.WindowBeyondAgent,
    OfferFault.AgentExpired,
  ];
  return faults[fault];
}

/** A3. */
export function commit(
  context: Context,
  state: JobMarket,
  jobId: Hex,
  terms: Terms,
  place: number,
  commitment: Hex,
): void {
  const job = requireOpen(state, jobId, terms);
  requireActsFor(context, state, job, place);
  const fault = commitmentFault(context, job, place, commitment);
  if (fault !== undefined) refuse("CommitmentRefused", jobId, place, fault);
  placeCommitment(context, state, job, place, commitment);
}

/** A4. */
export function commitBySig(
  context: Context,
  state: JobMarket,
  jobId: Hex,
  terms: Terms,
  items: readonly ModelCommitment[],
): void {
  let job = requireOpen(state, jobId, terms);
  for (const { place, commitment, signature } of items) {
    let cause = commitmentFault(context, job, place, commitment);
    if (cause === undefined) {
      const provider = providerOf(job, place);
      const digest = signedCommitmentDigest({ jobId, provider, commitment }, domainOf(state));
      if (!isSignedFor(context.now, state, job, place, digest, signature)) cause = CommitmentFault.BadSignature;
    }
    if (cause === undefined) job = placeCommitment(context, state, job, place, commitment);
    else context.emit(state.ledger.market, "CommitmentSkipped", { jobId, place, cause });
  }
}

/** A5. */
export function decline(context: Context, state: JobMarket, jobId: Hex, terms: Terms, place: number): void {
  const job = requireOpen(state, jobId, terms);
  const provider = requireActsFor(context, state, job, place);
  if (hasCommitted(job, place)) refuse("AlreadyCommitted", jobId, place);
  if (job.declined.has(place)) refuse("AlreadyDeclined", jobId, place);
  const deadline = windowStart(job, place) + Math.floor(job.terms.commitWindow / 4);
  if (context.now >= deadline) refuse("TooLateToDecline", jobId, place, deadline);
  state.jobs.set(jobId, {
    ...job,
    declined: new Set([...job.declined, place]),
    lastDeclineAt: roleOf(job.terms, place) === "shadow" ? job.lastDeclineAt : context.now,
  });
  // Where sets may come, the bond waits for the settlement.
  if ((job.terms.flags & Flag.SetVotes) === 0) unlock(state.ledger, job.terms.token, provider, job.terms.bond);
  context.emit(state.ledger.market, "SeatDeclined", { jobId, provider, place });
}

/** A6. */
export function promote(context: Context, state: JobMarket, jobId: Hex, terms: Terms): void {
  const job = requireOpen(state, jobId, terms);
  requireStatus(context, job, Status.Committing);
  const vacant = vacantSeats(job, context.now);
  const left = sparesLeft(job);
  if (vacant.length === 0 || left.length === 0) refuse("NothingToPromote", jobId, bitmap(vacant), bitmap(left));
  const promoted = left.slice(0, vacant.length).map((spare, index) => {
    const seat = vacant[index] as number;
    const deadline = context.now + job.terms.commitWindow;
    const provider = providerOf(job, spare);
    context.emit(state.ledger.market, "SparePromoted", { jobId, provider, spare, seat, deadline });
    return { spare, seat, promotedAt: context.now };
  });
  state.jobs.set(jobId, {
    ...job,
    promotions: [...job.promotions, ...promoted],
    history: [...job.history, ...promoted],
  });
}

/** A7. */
export function reveal(
  context: Context,
  state: JobMarket,
  outside: Outside,
  jobId: Hex,
  terms: Terms,
  commitments: readonly PlacedCommitment[],
  openings: readonly Opening[],
): void {
  const job = requireOpen(state, jobId, terms);
  requireStatus(context, job, Status.Revealing);
  requireChain(job, commitments);
  openAll(context, state, outside, job, openings);
}

/** A11. `closed` is by place and may be shorter than the panel. */
export function revealSet(
  context: Context,
  state: JobMarket,
  outside: Outside,
  jobId: Hex,
  terms: Terms,
  landed: readonly PlacedCommitment[],
  closed: readonly Hex[],
  openings: readonly Opening[],
  signatures: readonly Signature[],
): void {
  const job = requireOpen(state, jobId, terms);
  const start = requireSetAllowed(context, job);
  const set = requireSet(state, job, closed, openings, signatures);
  requireChain(job, landed);

  const onChain = new Map(job.commitments.map(({ place, commitment }) => [place, commitment]));
  const voided = new Set<number>();
  for (const [place, commitment] of set.entries()) {
    if (commitment === ZERO_HASH) continue;
    if (job.declined.has(place) || (onChain.get(place) ?? commitment) !== commitment) voided.add(place);
  }
  const stands = set.map((commitment, place) => (voided.has(place) ? ZERO_HASH : commitment));
  const commitments = stands.flatMap((commitment, place) => (commitment === ZERO_HASH ? [] : [{ place, commitment }]));
  const placed: Job = {
    ...job,
    commitments,
    lastCommitAt: start,
    declined: new Set([...job.declined].filter((place) => !voided.has(place))),
    promotions: [],
    openings: new Map([...job.openings].filter(([place]) => stands[place] !== ZERO_HASH)),
    set: { revealAt: start, voided },
  };
  context.emit(state.ledger.market, "CommitmentSetPlaced", {
    jobId,
    commitments: stands,
    voided: bitmap(voided),
  });
  openAll(context, state, outside, placed, openings);
}

/** A8. */
export function settle(context: Context, state: JobMarket, outside: Outside, jobId: Hex, terms: Terms): void {
  const job = requireOpen(state, jobId, terms);
  requireStatus(context, job, Status.Settleable);
  settleJob(context, state, outside, job);
}

/** A12. */
export function retryCallback(context: Context, state: JobMarket, outside: Outside, request: Request): void {
  const jobId = jobIdOf(request, domainOf(state));
  const job = state.jobs.get(jobId);
  const settled = job?.settled;
  if (job === undefined || settled?.callbackPending !== true) refuse("NoCallbackPending", jobId);
  state.jobs.set(jobId, { ...job, settled: { ...settled, callbackPending: false } });
  context.emit(state.ledger.market, "CallbackCalled", { jobId, callback: request.callback, success: true });
  if (!outside.callBack(context, job, request.callback, request.callbackGas)) {
    refuse("CallbackFailed", jobId, request.callback);
  }
}

/** Terms of a request and its panel. */
export function termsOf(request: Request, spares: number, places: Terms["places"]): Terms {
  const { requester, token, bond, carrierFee, seats, quorum, calloutBps, standbyBps } = request;
  const { commitWindow, revealWindow, flags, callback, callbackGas } = request;
  return {
    requester,
    token,
    bond,
    carrierFee,
    seats,
    quorum,
    spares,
    calloutBps,
    standbyBps,
    commitWindow,
    revealWindow,
    flags,
    callback,
    callbackGas,
    places,
  };
}

/** Bit `i` for place `i`. */
export function bitmap(places: Iterable<number>): number {
  let bits = 0;
  for (const place of places) bits |= 1 << place;
  return bits;
}

function requireRequester(context: Context, request: Request): void {
  if (context.sender !== request.requester) refuse("NotRequester", context.sender, request.requester);
}

function requireSound({ minWindow, maxWindow }: JobMarket, request: Request): void {
  const { seats, quorum, calloutBps, standbyBps, flags, callback, callbackGas } = request;
  if (quorum < 2 || quorum > seats || 2 * quorum <= seats) refuse("BadQuorum", seats, quorum);
  const places = seats + request.spares + request.shadows;
  if (places > MAX_PLACES) refuse("TooManyPlaces", BigInt(places), BigInt(MAX_PLACES));
  if (calloutBps > MAX_CALLOUT_BPS) refuse("ShareAboveMaximum", calloutBps, MAX_CALLOUT_BPS);
  if (standbyBps > MAX_STANDBY_BPS) refuse("ShareAboveMaximum", standbyBps, MAX_STANDBY_BPS);
  for (const window of [request.commitWindow, request.revealWindow]) {
    if (window < minWindow || window > maxWindow) refuse("WindowOutOfRange", window, minWindow, maxWindow);
  }
  if ((flags & ~KNOWN_FLAGS) !== 0) refuse("UnknownFlags", flags, KNOWN_FLAGS);
  if (callbackGas > (callback === ZERO_ADDRESS ? 0 : MAX_CALLBACK_GAS)) {
    refuse("BadCallbackGas", callback, callbackGas, MAX_CALLBACK_GAS);
  }
  if (request.encryptionKey === ZERO_HASH) refuse("ZeroEncryptionKey");
}

/** The open job with these terms. */
function requireOpen(state: JobMarket, jobId: Hex, terms: Terms): Job {
  const job = state.jobs.get(jobId);
  if (job === undefined || job.settled !== undefined) refuse("JobNotOpen", jobId, phaseOf(job));
  const found = terms.places.length > MAX_PLACES ? ZERO_HASH : hashTerms(terms);
  if (found !== job.termsHash) refuse("TermsMismatch", jobId, found);
  return job;
}

function requireStatus({ now }: Context, job: Job, required: Status): void {
  const found = statusAt(job, now);
  if (found !== required) refuse("WrongStatus", job.jobId, found, required);
}

/** The provider of a place for which the caller acts. */
function requireActsFor(context: Context, state: JobMarket, job: Job, place: number): Address {
  const { length } = job.terms.places;
  if (place >= length) refuse("NoSuchPlace", job.jobId, place, BigInt(length));
  const provider = providerOf(job, place);
  if (!actsFor(state.authorizations, context.sender, provider, job.terms.token, context.now)) {
    refuse("NotProvider", job.jobId, place, context.sender, provider);
  }
  return provider;
}

function requireChain(job: Job, commitments: readonly PlacedCommitment[]): void {
  const found = chainCommitments(job.jobId, commitments);
  const required = chainCommitments(job.jobId, job.commitments);
  if (found !== required) refuse("CommitmentsMismatch", job.jobId, found, required);
}

function providerOf(job: Job, place: number): Address {
  return (job.terms.places[place] as { provider: Address }).provider;
}

/** Whether a digest is signed by the provider of a place, or by an agent that was in force at a time. */
function isSignedFor(
  time: number,
  state: JobMarket,
  job: Job,
  place: number,
  digest: Hex,
  { by, over }: Signature,
): boolean {
  if (by === undefined || over !== digest) return false;
  return actsFor(state.authorizations, by, providerOf(job, place), job.terms.token, time);
}

/** Why a place cannot commit. */
function commitmentFault({ now }: Context, job: Job, place: number, commitment: Hex): number | undefined {
  if (place >= job.terms.places.length) return CommitmentFault.NoSuchPlace;
  if (hasCommitted(job, place)) return CommitmentFault.AlreadyCommitted;
  if (job.declined.has(place)) return CommitmentFault.Declined;
  const role = roleOf(job.terms, place);
  if (role === "shadow") {
    if (statusAt(job, now) !== Status.Committing) return CommitmentFault.Late;
  } else {
    if (role === "spare" && !job.promotions.some(({ spare }) => spare === place)) return CommitmentFault.NotSeated;
    if (now >= deadlineOf(job, place)) return CommitmentFault.Late;
  }
  return commitment === ZERO_HASH ? CommitmentFault.ZeroCommitment : undefined;
}

function placeCommitment(context: Context, state: JobMarket, job: Job, place: number, commitment: Hex): Job {
  const next: Job = {
    ...job,
    commitments: [...job.commitments, { place, commitment }],
    lastCommitAt: roleOf(job.terms, place) === "shadow" ? job.lastCommitAt : context.now,
  };
  state.jobs.set(job.jobId, next);
  context.emit(state.ledger.market, "CommitmentPlaced", { jobId: job.jobId, place, commitment });
  return next;
}

/** Opens what can be opened; settles if no commitment that stands is left closed. */
function openAll(context: Context, state: JobMarket, outside: Outside, job: Job, openings: readonly Opening[]): void {
  const { jobId, terms, commitments } = job;
  const opened = new Map(job.openings);
  for (const { place, outcome, resultHash, salt } of openings) {
    const landed = commitments.find((each) => each.place === place);
    let cause: number | undefined;
    if (place >= terms.places.length) cause = OpeningFault.NoSuchPlace;
    else if (landed === undefined) cause = OpeningFault.NotCommitted;
    else if (opened.has(place)) cause = OpeningFault.AlreadyOpened;
    else {
      const vote = { jobId, provider: providerOf(job, place), outcome, resultHash, salt };
      if (landed.commitment !== commitmentOf(vote, domainOf(state))) cause = OpeningFault.WrongOpening;
    }
    if (cause === undefined) {
      // Only computed answers have a result: reports are one vote, and what is malformed is none.
      opened.set(place, { class: classOf(outcome, resultHash), resultHash });
      context.emit(state.ledger.market, "CommitmentOpened", { jobId, place, outcome, resultHash, salt });
    } else context.emit(state.ledger.market, "OpeningSkipped", { jobId, place, cause });
  }
  const next = { ...job, openings: opened };
  state.jobs.set(jobId, next);
  if (opened.size > 0 && committedPlaces(job).every((place) => opened.has(place))) {
    settleJob(context, state, outside, next);
  }
}

function settleJob(context: Context, state: JobMarket, outside: Outside, job: Job): void {
  const { ledger } = state;
  const { jobId, terms, openedAt } = job;
  const { token, bond } = terms;
  const { places, ...end } = settlementOf(job);
  let refunded = escrowOf(terms) - terms.carrierFee;
  let burnt = 0n;
  for (const { provider, verdict, paid, bond: fate } of places) {
    if (fate === "returned") unlock(ledger, token, provider, bond);
    else if (fate === "quarantined" || fate === "burnt") seize(ledger, token, provider, bond);
    if (fate === "burnt") burnt += bond;
    credit(ledger, token, provider, paid);
    refunded -= paid;
    // A decline is counted here as well, when all is known.
    record(context, ledger.market, state.standings, { jobId, openedAt, provider, verdict, token, bond });
  }
  burn(ledger, token, burnt);
  credit(ledger, token, context.sender, terms.carrierFee);
  credit(ledger, token, terms.requester, refunded);
  const settled: Job = { ...job, settled: { ...end, callbackPending: false } };
  state.jobs.set(jobId, settled);
  context.emit(ledger.market, "JobSettled", {
    jobId,
    status: end.status,
    outcome: end.outcome,
    resultHash: end.resultHash,
    carrier: context.sender,
    refunded,
    burnt,
    results: places.map(({ verdict, paid }) => ({ verdict, paid })),
  });
  if (terms.callback === ZERO_ADDRESS) return;
  const success = outside.callBack(context, settled, terms.callback, terms.callbackGas);
  if (!success) state.jobs.set(jobId, { ...settled, settled: { ...end, callbackPending: true } });
  context.emit(ledger.market, "CallbackCalled", { jobId, callback: terms.callback, success });
}

/** Whether a set may come now; returns R0. */
function requireSetAllowed({ now }: Context, job: Job): number {
  const { jobId, terms, openedAt } = job;
  if ((terms.flags & Flag.SetVotes) === 0) refuse("SetNotAllowed", jobId);
  if (job.set !== undefined) refuse("SetAlreadyPlaced", jobId);
  const status = statusAt(job, now);
  if (status === Status.Settleable) refuse("WrongStatus", jobId, status, Status.Revealing);
  const deadline = openedAt + terms.commitWindow;
  if (now >= deadline) refuse("SetTooLate", jobId, deadline);
  return Math.min(now, revealAt(job));
}

/** The commitments of a set by place. */
function requireSet(
  state: JobMarket,
  job: Job,
  closed: readonly Hex[],
  openings: readonly Opening[],
  signatures: readonly Signature[],
): Hex[] {
  const { jobId, terms } = job;
  const { length } = terms.places;
  if (closed.length > length) refuse("BadSet", jobId, length);
  const set = terms.places.map((_, place) => closed[place] ?? ZERO_HASH);
  for (const { place, outcome, resultHash, salt } of openings) {
    if (place >= length || set[place] !== ZERO_HASH) refuse("BadSet", jobId, place);
    set[place] = commitmentOf({ jobId, provider: providerOf(job, place), outcome, resultHash, salt }, domainOf(state));
  }
  const digest = commitmentSetDigest({ jobId, commitments: set }, domainOf(state));
  const left = [...signatures];
  for (const [place, commitment] of set.entries()) {
    const isMember = commitment !== ZERO_HASH;
    const role = roleOf(terms, place);
    if ((role === "seat" && !isMember) || (role === "spare" && isMember)) refuse("BadSet", jobId, place);
    if (!isMember) continue;
    const signature = left.shift();
    if (signature === undefined || !isSignedFor(job.openedAt, state, job, place, digest, signature)) {
      refuse("SetNotSigned", jobId, place, digest);
    }
  }
  return set;
}
