// From a few random numbers to a call that makes sense, mostly: who calls what, when, with which arguments, given what the model knows.
import {
  commitmentOf,
  commitmentSetDigest,
  datasetIdOf,
  jobIdOf,
  type Opening,
  offerDigest,
  type PlacedCommitment,
  type Quote,
  quoteDigest,
  type Request,
  signedCommitmentDigest,
  type Terms,
} from "@quorate/core";
import { keccak256, numberToHex, stringToHex } from "viem";
import {
  deadlineOf,
  Flag,
  hasCommitted,
  type Job,
  occupants,
  revealAt,
  roleOf,
  Status,
  sparesLeft,
  statusAt,
  vacantSeats,
  windowStart,
} from "../model/job.ts";
import { domainOf, type ModelCommitment, type ModelOffer } from "../model/jobMarket.ts";
import { accountOf } from "../model/ledger.ts";
import { type ModelAnswer, Mood, QuestionStatus, queryDomainOf, questionOf } from "../model/queryMarket.ts";
import { actsFor, Manner } from "../model/signers.ts";
import { onProbation, PROBATION_SECONDS, standingOf } from "../model/standing.ts";
import { balanceOf, permitDigest } from "../model/tokens.ts";
import { type Address, FIELD, type Hex, MAX_AMOUNT, type Signature, ZERO_ADDRESS, ZERO_HASH } from "../model/types.ts";
import {
  apply,
  CALLBACK_GAS,
  type Call,
  CallbackManner,
  type MarketCall,
  type Step,
  type World,
} from "../model/world.ts";
import { type Cast, KEYS, MAX_WINDOW, MIN_WINDOW, QUERIES, RESULT } from "./chain.ts";
import { type Actor, FORMS, sign, signPacked } from "./keys.ts";

/** Numbers below 65536 that decide everything; a list that ends goes on with zeros, which choose what is usual. */
export class Dice {
  readonly #numbers: readonly number[];
  #at = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  next(): number {
    return this.#numbers[this.#at++] ?? 0;
  }

  /** True with this probability; false is what shrinking leads to. */
  chance(probability: number): boolean {
    return this.next() >= 65_536 * (1 - probability);
  }

  /** One of a list, the first if nothing was drawn. */
  pick<Item>(list: readonly Item[]): Item {
    if (list.length === 0) throw new Error("nothing to pick from");
    return list[Math.floor((this.next() * list.length) / 65_536)] as Item;
  }

  /** A number of 0 to `most`. */
  upTo(most: number): number {
    return Math.floor((this.next() * (most + 1)) / 65_536);
  }
}

/** A vote that somebody plans, and its commitment. */
type Planned = Opening & { readonly jobId: Hex; readonly commitment: Hex };
/** A request with a panel, opened or not. */
type Draft = {
  readonly jobId: Hex;
  readonly request: Request;
  readonly spares: number;
  readonly offers: readonly ModelOffer[];
};
/** A quote and what answers it. */
type Asked = { readonly id: Hex; readonly quote: Quote; readonly signature: Signature };

/** What people know beside what is on the chain. */
export type Memory = {
  nonce: number;
  readonly drafts: Draft[];
  /** By `job/place`. */
  readonly plans: Map<string, Planned>;
  readonly openings: Map<Hex, Planned>;
  readonly quotes: Asked[];
};

/** Everything that a step is chosen from. */
export type Scene = {
  readonly cast: Cast;
  readonly world: World;
  readonly memory: Memory;
  readonly dice: Dice;
  /** Time of the last block. */
  readonly before: number;
  /** Fixes the time of the step, near a time at which something is possible, if one is given. */
  readonly at: (natural?: number) => number;
};

/** Nobody knows anything yet. */
export function createMemory(): Memory {
  return { nonce: 0, drafts: [], plans: new Map(), openings: new Map(), quotes: [] };
}

const DEFINITIONS: readonly Hex[] = ["payroll", "taxes", "diplomas"].map((name) => keccak256(stringToHex(name)));
const ROOTS: readonly bigint[] = [11n, 12n, 13n, 14n];
const RESULTS: readonly Hex[] = [RESULT.hash, keccak256(stringToHex("false"))];
const ENCRYPTION_KEY: Hex = `0x${"09".repeat(32)}`;
const DAY = 86_400;

/** Chooses the time of a step. */
export function timeOf(dice: Dice, world: World, memory: Memory, before: number, natural: number | undefined): number {
  if (dice.chance(0.15)) {
    const edges = edgesOf(world, memory).filter((time) => time > before);
    const near = edges.sort((a, b) => a - b).slice(0, 5);
    if (near.length > 0) return Math.max(before, dice.pick(near) + dice.pick([0, -1, 1]));
  }
  if (natural !== undefined && natural > before) {
    if (dice.chance(0.25)) return Math.max(before, natural + dice.pick([-1, 1]));
    return natural;
  }
  return before + dice.upTo(9);
}

/** Times at which something begins or ends. */
function edgesOf(world: World, memory: Memory): number[] {
  const edges: number[] = [];
  for (const job of world.jobs.jobs.values()) {
    if (job.settled !== undefined) continue;
    const start = revealAt(job);
    edges.push(start, start + job.terms.revealWindow, job.openedAt + job.terms.commitWindow);
    for (const place of [0, ...job.promotions.map(({ spare }) => spare)]) {
      edges.push(deadlineOf(job, place), windowStart(job, place) + Math.floor(job.terms.commitWindow / 4));
    }
  }
  for (const { status, deadline } of world.queries.questions.values()) {
    if (status === QuestionStatus.Pending) edges.push(deadline, deadline + 1);
  }
  for (const [key, { supersededAt }] of world.queries.roots) {
    const grace = world.queries.datasets.get(key.split("/")[0] as Hex)?.grace ?? 0;
    if (supersededAt !== 0) edges.push(supersededAt + grace, supersededAt + grace + 1);
  }
  for (const { probationSince, lastFaultAt } of world.jobs.standings.records.values()) {
    if (probationSince !== 0) edges.push(lastFaultAt + PROBATION_SECONDS);
  }
  for (const market of [world.jobs, world.queries]) {
    for (const { validUntil } of market.authorizations.values()) edges.push(validUntil);
  }
  for (const { request, offers } of memory.drafts.slice(-2)) {
    edges.push(request.expiry, ...offers.map(({ expiry }) => expiry));
  }
  const quote = memory.quotes.at(-1)?.quote;
  if (quote !== undefined) edges.push(quote.expiry);
  return edges;
}

// People

const addressOf = ({ address }: Actor): Address => address;

/** Providers by address: the last one is a contract, and signs with the key of its owner. */
function providersOf(cast: Cast): readonly { readonly address: Address; readonly signer: Actor }[] {
  return cast.providers.map((actor, index) => ({
    address: index === cast.providers.length - 1 ? cast.account : actor.address,
    signer: actor,
  }));
}

function everybody(cast: Cast): readonly Address[] {
  return [
    cast.carrier.address,
    ...cast.requesters.map(addressOf),
    ...providersOf(cast).map(({ address }) => address),
    ...cast.agents.map(addressOf),
  ];
}

/** Who signs for a provider: itself, mostly, or an agent in force. */
function signerFor(
  { cast, dice, world }: Scene,
  provider: Address,
  token: Address,
  on: "jobs" | "queries",
  now: number,
): Actor {
  const itself = providersOf(cast).find(({ address }) => address === provider)?.signer ?? cast.carrier;
  const agents = cast.agents.filter(({ address }) => actsFor(world[on].authorizations, address, provider, token, now));
  if (agents.length > 0 && dice.chance(0.4)) return dice.pick(agents);
  return dice.chance(0.02) ? dice.pick(cast.agents) : itself;
}

/** Who acts for a provider. */
function actorFor(scene: Scene, provider: Address, token: Address, now: number): Address {
  const { cast, dice, world } = scene;
  const agents = cast.agents
    .map(addressOf)
    .filter((address) => actsFor(world.jobs.authorizations, address, provider, token, now));
  if (agents.length > 0 && dice.chance(0.4)) return dice.pick(agents);
  return dice.chance(0.06) ? dice.pick(everybody(cast)) : provider;
}

function signed(scene: Scene, signer: Actor, digest: Hex): Signature {
  const { dice } = scene;
  if (dice.chance(0.03)) return sign(signer, digest, dice.pick(FORMS.slice(1)));
  if (dice.chance(0.01)) return sign(signer, keccak256(digest));
  return sign(signer, digest);
}

// Jobs

const JOB_TOKENS = [0, 0, 0, 1] as const;

function draftRequest(scene: Scene): Request {
  const { cast, dice, memory, world } = scene;
  memory.nonce += 1;
  const seats = dice.pick([3, 2, 3, 4, 5]);
  const least = Math.floor(seats / 2) + 1;
  const callback = dice.pick<Address>([
    ZERO_ADDRESS,
    ZERO_ADDRESS,
    ...cast.callbacks,
    dice.pick([cast.callbacks[0], cast.tokens[0], cast.carrier.address]),
  ]);
  const gas = [CALLBACK_GAS.enough, CALLBACK_GAS.most, CALLBACK_GAS.most, 0, CALLBACK_GAS.tooLittle];
  return {
    requester: dice.pick(cast.requesters).address,
    token: cast.tokens[dice.pick(JOB_TOKENS)] as Address,
    packageHash: keccak256(numberToHex(memory.nonce)),
    contentHash: ZERO_HASH,
    requirementsHash: ZERO_HASH,
    encryptionKey: ENCRYPTION_KEY,
    priceCeiling: dice.pick([1_000n, 1_000n, 0n, 33n]),
    bond: dice.pick([1_000n, 5_000n, 0n, 1n, 30_000n]),
    carrierFee: dice.pick([10n, 0n, 77n]),
    seats,
    quorum: dice.chance(0.25) ? seats : Math.max(2, least),
    spares: dice.pick([1, 0, 2]),
    shadows: dice.pick([0, 1, 1, 2]),
    calloutBps: dice.pick([1_000, 0, 3_333, 5_000]),
    standbyBps: dice.pick([500, 0, 1, 10_000]),
    commitWindow: dice.pick([100, 60, 301]),
    revealWindow: dice.pick([100, 60, 61]),
    flags: dice.pick([Flag.SetVotes | Flag.AcceptProbation, Flag.AcceptProbation, 0, Flag.SetVotes]),
    callback,
    callbackGas: callback === ZERO_ADDRESS ? 0 : dice.pick(gas),
    expiry: scene.before + dice.pick([100_000, 100_000, 500, 20]),
    nonce: BigInt(memory.nonce),
    ...(dice.chance(0.08) ? requestFlaw(dice, cast, world, scene.before) : {}),
  };
}

function requestFlaw(dice: Dice, cast: Cast, world: World, now: number): Partial<Request> {
  return dice.pick<Partial<Request>>([
    { quorum: 1 },
    { seats: 3, quorum: 4 },
    { seats: 4, quorum: 2 },
    { seats: 12, quorum: 7, spares: 3, shadows: 2 },
    { calloutBps: 5_001 },
    { standbyBps: 10_001 },
    { commitWindow: MIN_WINDOW - 1 },
    { revealWindow: MIN_WINDOW - 1 },
    { commitWindow: MAX_WINDOW + 1 },
    { flags: 4 },
    { callback: ZERO_ADDRESS, callbackGas: 1 },
    { callback: cast.callbacks[0], callbackGas: 1_000_001 },
    { encryptionKey: ZERO_HASH },
    { expiry: now },
    { priceCeiling: MAX_AMOUNT, bond: MAX_AMOUNT },
    { carrierFee: beside(accountOf(world.jobs.ledger, cast.tokens[0], (cast.requesters[0] as Actor).address).free) },
  ]);
}

function draftOffers(scene: Scene, request: Request, spares: number, count: number, now: number): ModelOffer[] {
  const { cast, dice, world } = scene;
  const domain = domainOf(world.jobs);
  const jobId = jobIdOf(request, domain);
  const all = providersOf(cast);
  const first = dice.upTo(all.length - 1);
  const turned = [...all.slice(first), ...all.slice(0, first)];
  // Those on probation last: there the shadows are.
  const suspected = turned.filter(({ address }) => onProbation(world.jobs.standings, address, now));
  const isSorted = (request.flags & Flag.AcceptProbation) === 0 && dice.chance(0.8);
  const others = turned.filter((each) => !suspected.includes(each));
  const trusted = others.filter(
    ({ address }) => accountOf(world.jobs.ledger, request.token, address).free >= request.bond,
  );
  const poor = others.filter((each) => !trusted.includes(each));
  const seated = request.seats + spares;
  const sorted = isSorted
    ? [...trusted.slice(0, seated), ...suspected, ...trusted.slice(seated), ...poor]
    : [...turned.filter((each) => !poor.includes(each)), ...poor];
  return Array.from({ length: count }, (_, place): ModelOffer => {
    const isStrange = dice.chance(0.02);
    const provider = isStrange
      ? dice.pick([(sorted[0] as { address: Address }).address, request.requester, cast.carrier.address])
      : (sorted[place % sorted.length] as { address: Address }).address;
    const offer = {
      provider,
      price: dice.pick([request.priceCeiling, request.priceCeiling / 2n, 0n, (request.priceCeiling * 9n) / 10n]),
      encryptionKey: ENCRYPTION_KEY,
      roles: 7,
      expiry: now + 1_000,
      ...(dice.chance(0.03)
        ? dice.pick<Partial<ModelOffer>>([
            { price: beside(request.priceCeiling) },
            { encryptionKey: ZERO_HASH },
            { roles: dice.pick([0, 1, 2, 4]) },
            { expiry: now + dice.pick([0, 5]) },
          ])
        : {}),
    };
    const signer = signerFor(scene, provider, request.token, "jobs", now);
    const signature = signed(scene, signer, offerDigest({ jobId, ...offer }, domain));
    const keyWrap = `0x${"ab".repeat(dice.pick([80, 0, 33]))}` as Hex;
    return { ...offer, signature, keyWrap };
  });
}

function draftJob(scene: Scene, now: number): Draft {
  const { dice, memory, world } = scene;
  const request = draftRequest(scene);
  const spares = dice.chance(0.15) ? dice.upTo(request.spares + 1) : request.spares;
  const shadows = dice.chance(0.15) ? dice.upTo(request.shadows + 1) : request.shadows;
  const count = Math.max(0, request.seats + spares + shadows - (dice.chance(0.02) ? 1 + shadows : 0));
  const offers = draftOffers(scene, request, spares, Math.min(count, 17), now);
  const draft = { jobId: jobIdOf(request, domainOf(world.jobs)), request, spares, offers };
  memory.drafts.push(draft);
  return draft;
}

function announceJob(scene: Scene): Step {
  const now = scene.at();
  const { request } = draftJob(scene, now);
  const sender = scene.dice.chance(0.2) ? scene.cast.carrier.address : request.requester;
  return { sender, call: { on: "jobs", name: "announce", args: [request] }, now };
}

function openJob(scene: Scene): Step {
  const { cast, dice, memory, world } = scene;
  const now = scene.at();
  const unopened = memory.drafts.filter(({ jobId }) => !world.jobs.jobs.has(jobId));
  const old = dice.chance(0.05)
    ? memory.drafts.at(-1)
    : unopened.length > 0 && dice.chance(0.3)
      ? dice.pick(unopened)
      : undefined;
  const { request, spares, offers } = old ?? draftJob(scene, now);
  const sender = dice.chance(0.03) ? cast.carrier.address : request.requester;
  return { sender, call: { on: "jobs", name: "open", args: [request, spares, offers] }, now };
}

/** What the latest open job waits for, or a settled one whose callback failed. */
function advanceJob(scene: Scene): Step | undefined {
  const { before, dice, world } = scene;
  const all = [...world.jobs.jobs.values()].reverse();
  if (all.some(({ settled }) => settled?.callbackPending === true) && dice.chance(0.4)) return retryOfCallback(scene);
  const job = all.find(({ settled }) => settled === undefined);
  if (job === undefined) return openJob(scene);
  const on = { ...scene, world: { ...world, jobs: { ...world.jobs, jobs: new Map([[job.jobId, job]]) } } };
  const hasSets = (job.terms.flags & Flag.SetVotes) !== 0 && job.set === undefined;
  if (statusAt(job, before) === Status.Committing) {
    if (hasSets && before < job.openedAt + job.terms.commitWindow && dice.chance(0.5)) return revealSetOfJob(on);
    if (committable(job, before + 5).length > 0) return carryCommitments(on);
    if (vacantSeats(job, before).length > 0 && sparesLeft(job).length > 0) return promoteSpares(on);
  }
  return job.commitments.length > job.openings.size ? revealJob(on) : settleJob(on);
}

/** A job to do something with: one for which it makes sense, mostly the latest. */
function chooseJob(scene: Scene, makesSense: (job: Job) => boolean): Job | undefined {
  const { dice, world } = scene;
  const all = [...world.jobs.jobs.values()].reverse();
  const open = all.filter(({ settled }) => settled === undefined);
  const sensible = open.filter(makesSense);
  if (sensible.length > 0 && !dice.chance(0.12)) return dice.pick(sensible.slice(0, 3));
  if (open.length > 0 && !dice.chance(0.2)) return dice.pick(open.slice(0, 3));
  return all.length > 0 && dice.chance(0.4) ? dice.pick(all) : undefined;
}

/** Terms as a call brings them: those of the job, but for a few. */
function bringTerms({ dice }: Scene, { terms }: Job): Terms {
  if (!dice.chance(0.03)) return terms;
  const [first, ...others] = terms.places;
  return dice.pick<Terms>([
    { ...terms, spares: terms.spares + 1 },
    { ...terms, bond: beside(terms.bond) },
    { ...terms, requester: terms.places[0]?.provider ?? ZERO_ADDRESS },
    { ...terms, places: first === undefined ? [] : [{ ...first, price: beside(first.price) }, ...others] },
    { ...terms, places: others },
    { ...terms, places: Array.from({ length: 17 }, () => first ?? { provider: ZERO_ADDRESS, price: 0n }) },
    { ...terms, callbackGas: terms.callbackGas + 1 },
  ]);
}

/** What a place votes; the same each time, mostly. */
function planVote(scene: Scene, { jobId, terms }: Job, place: number, isNew = false): Planned {
  const { dice, memory, world } = scene;
  const key = `${jobId}/${place}`;
  const known = memory.plans.get(key);
  if (known !== undefined && !isNew) return known;
  memory.nonce += 1;
  const [yes = ZERO_HASH, no = ZERO_HASH] = RESULTS;
  const [outcome, resultHash] = dice.pick<readonly [number, Hex]>([
    ...Array.from({ length: 10 }, () => [1, yes] as const),
    ...Array.from({ length: 5 }, () => [1, no] as const),
    [2, yes],
    [3, ZERO_HASH],
    [3, ZERO_HASH],
    [3, yes],
    [1, ZERO_HASH],
    [200, no],
  ]);
  const salt = keccak256(numberToHex(memory.nonce));
  const provider = terms.places[place]?.provider ?? ZERO_ADDRESS;
  const commitment = commitmentOf({ jobId, provider, outcome, resultHash, salt }, domainOf(world.jobs));
  const planned = { jobId, place, outcome, resultHash, salt, commitment };
  if (known === undefined) memory.plans.set(key, planned);
  memory.openings.set(commitment, planned);
  return planned;
}

/** Places that may commit now. */
function committable(job: Job, now: number): number[] {
  const holding = occupants(job);
  return job.terms.places.flatMap((_, place) => {
    if (hasCommitted(job, place) || job.declined.has(place)) return [];
    if (roleOf(job.terms, place) === "shadow") return statusAt(job, now) === Status.Committing ? [place] : [];
    return holding.includes(place) && now < deadlineOf(job, place) ? [place] : [];
  });
}

const isCommitting = (before: number) => (job: Job) => committable(job, before + 5).length > 0;

function commitJob(scene: Scene): Step | undefined {
  const { cast, dice, before } = scene;
  const job = chooseJob(scene, isCommitting(before));
  if (job === undefined) return openJob(scene);
  const now = scene.at();
  const able = committable(job, now);
  const places = job.terms.places.length;
  const place = able.length > 0 && !dice.chance(0.15) ? dice.pick(able) : dice.upTo(places);
  const provider = job.terms.places[place]?.provider ?? cast.carrier.address;
  const commitment = dice.chance(0.02)
    ? ZERO_HASH
    : dice.chance(0.02)
      ? (job.commitments[0]?.commitment ?? ZERO_HASH)
      : planVote(scene, job, place, dice.chance(0.08)).commitment;
  const sender = actorFor(scene, provider, job.terms.token, now);
  return {
    sender,
    call: { on: "jobs", name: "commit", args: [job.jobId, bringTerms(scene, job), place, commitment] },
    now,
  };
}

function carryCommitments(scene: Scene): Step | undefined {
  const { cast, dice, world, before } = scene;
  const job = chooseJob(scene, isCommitting(before));
  if (job === undefined) return openJob(scene);
  const now = scene.at();
  const able = committable(job, now);
  const count = job.terms.places.length;
  const places = dice.chance(0.3)
    ? Array.from({ length: dice.upTo(3) }, () => dice.upTo(count))
    : able.filter(() => !dice.chance(0.12));
  const items = places.map((place): ModelCommitment => {
    const provider = job.terms.places[place]?.provider ?? ZERO_ADDRESS;
    const commitment = dice.chance(0.02) ? ZERO_HASH : planVote(scene, job, place, dice.chance(0.05)).commitment;
    const isElsewhere = dice.chance(0.02);
    const jobId = isElsewhere ? keccak256(job.jobId) : job.jobId;
    const signer = signerFor(scene, provider, job.terms.token, "jobs", now);
    const signature = signed(
      scene,
      signer,
      signedCommitmentDigest({ jobId, provider, commitment }, domainOf(world.jobs)),
    );
    return { place, commitment, signature };
  });
  const sender = dice.pick([cast.carrier.address, ...cast.agents.map(addressOf)]);
  return { sender, call: { on: "jobs", name: "commitBySig", args: [job.jobId, bringTerms(scene, job), items] }, now };
}

function declineSeat(scene: Scene): Step | undefined {
  const { dice, before } = scene;
  const able = (job: Job): number[] =>
    job.terms.places.flatMap((_, place) =>
      !hasCommitted(job, place) &&
      !job.declined.has(place) &&
      before < windowStart(job, place) + Math.floor(job.terms.commitWindow / 4)
        ? [place]
        : [],
    );
  const job = chooseJob(scene, (each) => able(each).length > 0);
  if (job === undefined) return openJob(scene);
  const now = scene.at();
  const places = able(job);
  const place = places.length > 0 && !dice.chance(0.1) ? dice.pick(places) : dice.upTo(job.terms.places.length);
  const provider = job.terms.places[place]?.provider ?? ZERO_ADDRESS;
  const sender = actorFor(
    scene,
    provider === ZERO_ADDRESS ? scene.cast.carrier.address : provider,
    job.terms.token,
    now,
  );
  return { sender, call: { on: "jobs", name: "decline", args: [job.jobId, bringTerms(scene, job), place] }, now };
}

/** From when on a seat is vacant. */
function vacantFrom(job: Job, now: number): number {
  if (vacantSeats(job, now).length > 0) return now;
  const waiting = occupants(job).filter((place) => !hasCommitted(job, place));
  return Math.min(Number.MAX_SAFE_INTEGER, ...waiting.map((place) => deadlineOf(job, place)));
}

function promoteSpares(scene: Scene): Step | undefined {
  const { before, dice, cast } = scene;
  const job = chooseJob(scene, (each) => sparesLeft(each).length > 0 && statusAt(each, before) === Status.Committing);
  if (job === undefined) return openJob(scene);
  const from = vacantFrom(job, before);
  const now = scene.at(from < before + DAY ? from : undefined);
  const sender = dice.pick([cast.carrier.address, ...everybody(cast)]);
  return { sender, call: { on: "jobs", name: "promote", args: [job.jobId, bringTerms(scene, job)] }, now };
}

/** The commitments of a job as a call brings them. */
function bringCommitments({ dice }: Scene, { commitments }: Job): readonly PlacedCommitment[] {
  if (!dice.chance(0.03)) return commitments;
  const [first, second, ...others] = commitments;
  return dice.pick<readonly PlacedCommitment[]>([
    commitments.slice(1),
    first === undefined ? [{ place: 0, commitment: ZERO_HASH }] : [...commitments, first],
    first === undefined || second === undefined ? [] : [second, first, ...others],
    first === undefined ? [] : [{ ...first, place: 99 }, ...commitments.slice(1)],
  ]);
}

function plain({ place, outcome, resultHash, salt }: Opening): Opening {
  return { place, outcome, resultHash, salt };
}

function bringOpenings(scene: Scene, job: Job): Opening[] {
  const { dice, memory } = scene;
  const isWhole = !dice.chance(0.3);
  const openings = job.commitments.flatMap(({ place, commitment }) => {
    if (!isWhole && dice.chance(0.5)) return [];
    return [plain(memory.openings.get(commitment) ?? planVote(scene, job, place))];
  });
  if (dice.chance(0.1)) {
    const place = dice.upTo(job.terms.places.length);
    openings.push(plain({ ...planVote(scene, job, place), place: dice.pick([place, place, 99]) }));
  }
  if (dice.chance(0.05) && openings[0] !== undefined) openings.unshift({ ...openings[0], salt: ZERO_HASH });
  return openings;
}

function revealJob(scene: Scene): Step | undefined {
  const { before, dice, cast } = scene;
  const job = chooseJob(scene, (each) => each.commitments.length > 0 && statusAt(each, before) <= Status.Revealing);
  if (job === undefined) return openJob(scene);
  const now = scene.at(job.settled === undefined ? revealAt(job) : undefined);
  const openings = bringOpenings(scene, job);
  const sender = dice.pick([cast.carrier.address, ...everybody(cast)]);
  const args = [job.jobId, bringTerms(scene, job), bringCommitments(scene, job), openings] as const;
  return { sender, call: { on: "jobs", name: "reveal", args }, now };
}

function revealSetOfJob(scene: Scene): Step | undefined {
  const { before, cast, dice, memory, world } = scene;
  const job = chooseJob(
    scene,
    ({ terms, set, openedAt }) =>
      (terms.flags & Flag.SetVotes) !== 0 && set === undefined && before < openedAt + terms.commitWindow,
  );
  if (job === undefined) return openJob(scene);
  const now = scene.at();
  const { jobId, terms } = job;
  const domain = domainOf(world.jobs);
  const votes = terms.places.map((_, place): Planned | undefined => {
    const role = roleOf(terms, place);
    if (role === "spare" || (role === "shadow" && dice.chance(0.4))) return undefined;
    const landed = job.commitments.find((each) => each.place === place);
    const known = landed === undefined ? undefined : memory.openings.get(landed.commitment);
    return known !== undefined && !dice.chance(0.1) ? known : planVote(scene, job, place, dice.chance(0.06));
  });
  if (dice.chance(0.04)) {
    const place = dice.upTo(terms.places.length - 1);
    votes[place] = votes[place] === undefined ? planVote(scene, job, place) : undefined;
  }
  const set = votes.map((vote) => vote?.commitment ?? ZERO_HASH);
  const isWhole = !dice.chance(0.35);
  const openings: Opening[] = [];
  let closed: Hex[] = [];
  for (const [place, vote] of votes.entries()) {
    if (vote === undefined || isWhole || !dice.chance(0.4)) {
      if (vote !== undefined) openings.push(plain(vote));
      continue;
    }
    while (closed.length < place) closed.push(ZERO_HASH);
    closed[place] = vote.commitment;
  }
  if (dice.chance(0.02)) closed = dice.pick([[...set, ZERO_HASH], set]);
  if (dice.chance(0.02) && openings[0] !== undefined) openings.push(openings[0]);
  if (dice.chance(0.01)) openings.push(plain({ ...planVote(scene, job, 0), place: 99 }));
  if (dice.chance(0.1)) openings.reverse();
  const digest = commitmentSetDigest({ jobId, commitments: set }, domain);
  const signatures = terms.places.flatMap(({ provider }, place) => {
    if (votes[place] === undefined || dice.chance(0.01)) return [];
    const signer = signerFor(scene, provider, terms.token, "jobs", now);
    if (dice.chance(0.02)) return [signPacked(signer, dice.pick([keccak256(digest), ZERO_HASH]), dice.chance(0.5))];
    return [signPacked(signer, digest, dice.chance(0.01))];
  });
  if (dice.chance(0.05)) signatures.push(signPacked(cast.carrier, digest));
  const sender = dice.pick([cast.carrier.address, ...everybody(cast)]);
  const args = [jobId, bringTerms(scene, job), bringCommitments(scene, job), closed, openings, signatures] as const;
  return { sender, call: { on: "jobs", name: "revealSet", args }, now };
}

function settleJob(scene: Scene): Step | undefined {
  const { dice, cast } = scene;
  const job = chooseJob(scene, () => true);
  if (job === undefined) return openJob(scene);
  const end = job.settled === undefined ? revealAt(job) + job.terms.revealWindow : undefined;
  const now = scene.at(end);
  const sender = dice.pick([cast.carrier.address, ...everybody(cast)]);
  // A carrier may bring too little gas for a callback that was promised all that a request may promise.
  const gas = job.terms.callbackGas === CALLBACK_GAS.most && dice.chance(0.3) ? CALLBACK_GAS.most : undefined;
  return { sender, call: { on: "jobs", name: "settle", args: [job.jobId, bringTerms(scene, job)] }, now, gas };
}

function retryOfCallback(scene: Scene): Step | undefined {
  const { dice, cast, world } = scene;
  const all = [...world.jobs.jobs.values()].reverse();
  const waiting = all.filter(({ settled }) => settled?.callbackPending === true);
  // With enough gas it may succeed now, once the callback behaves.
  const hopeful = waiting.filter(
    ({ terms }) => terms.callbackGas >= CALLBACK_GAS.enough && world.callbacks.has(terms.callback),
  );
  const pending = hopeful.length > 0 ? hopeful : waiting;
  const job = pending.length > 0 && !dice.chance(0.1) ? dice.pick(pending) : all[0];
  if (job === undefined) return undefined;
  const now = scene.at();
  const { callback } = job.terms;
  if (hopeful.includes(job) && world.callbacks.get(callback)?.manner !== CallbackManner.Accepts && !dice.chance(0.4)) {
    const call = { on: "callback", at: callback, manner: CallbackManner.Accepts } as const;
    return { sender: cast.carrier.address, call, now };
  }
  const request = dice.chance(0.05) ? { ...job.request, callbackGas: job.request.callbackGas + 1 } : job.request;
  return { sender: cast.carrier.address, call: { on: "jobs", name: "retryCallback", args: [request] }, now };
}

function claim(scene: Scene): Step | undefined {
  const { dice, cast, world, before } = scene;
  const entries = [...world.jobs.standings.quarantine.keys()].map(
    (key) => key.split("/") as [Address, Address, string],
  );
  if (entries.length === 0 && !dice.chance(0.2)) return undefined;
  const [provider, token, number] =
    entries.length > 0 ? dice.pick(entries) : [addressOf(cast.providers[0] as Actor), cast.tokens[0], "1"];
  const probation = Number(number) + (dice.chance(0.05) ? 1 : 0);
  const { lastFaultAt, probationSince, probation: present } = standingOf(world.jobs.standings, provider);
  const isHeld = present === probation && probationSince !== 0 && before < lastFaultAt + PROBATION_SECONDS;
  const now = scene.at(isHeld && dice.chance(0.6) ? lastFaultAt + PROBATION_SECONDS : undefined);
  const args = [provider, token, probation] as const;
  return { sender: cast.carrier.address, call: { on: "jobs", name: "claimQuarantine", args }, now };
}

// Money and agents, of both markets

type On = "jobs" | "queries";

/** Another amount, one more where there is one. */
function beside(amount: bigint): bigint {
  return amount === MAX_AMOUNT ? amount - 1n : amount + 1n;
}

function amountNear({ dice }: Scene, limit: bigint): bigint {
  const amount = dice.pick([limit / 10n, limit, 1n, 0n, limit + 1n, MAX_AMOUNT]);
  if (amount > MAX_AMOUNT) return MAX_AMOUNT;
  return amount;
}

function depositMoney(scene: Scene, on: On): Step {
  const { cast, dice, world } = scene;
  const now = scene.at();
  const sender = dice.pick([...cast.requesters.map(addressOf), ...providersOf(cast).map(({ address }) => address)]);
  const token = dice.chance(0.03) ? cast.carrier.address : dice.pick(cast.tokens);
  const known = world.tokens.get(token);
  const amount = amountNear(scene, known === undefined ? 0n : balanceOf(known, sender));
  const account = dice.chance(0.1) ? dice.pick([ZERO_ADDRESS, cast[on], ...everybody(cast)]) : sender;
  if (!dice.chance(0.4)) return { sender, call: { on, name: "deposit", args: [token, account, amount] }, now };
  const deadline = BigInt(now + dice.pick([100, 0, -1]));
  const owner = [...cast.requesters, ...cast.providers].find(({ address }) => address === sender) ?? cast.carrier;
  const permit = {
    owner: sender,
    spender: cast[on],
    value: amount,
    nonce: (known?.nonces?.get(sender) ?? 0n) + (dice.chance(0.1) ? 1n : 0n),
    deadline,
  };
  const digest = permitDigest(known ?? { address: token, name: "" }, permit);
  const signature = sign(dice.chance(0.1) ? cast.carrier : owner, digest);
  return { sender, call: { on, name: "depositWithPermit", args: [token, account, amount, deadline, signature] }, now };
}

function withdrawMoney(scene: Scene, on: On): Step {
  const { cast, dice, world } = scene;
  const now = scene.at();
  const sender = dice.pick(everybody(cast));
  const token = dice.chance(0.02) ? cast.carrier.address : dice.pick(cast.tokens);
  const amount = amountNear(scene, accountOf(world[on].ledger, token, sender).free);
  const to = dice.chance(0.1) ? dice.pick([ZERO_ADDRESS, cast[on], cast.tokens[0]]) : sender;
  return { sender, call: { on, name: "withdraw", args: [token, to, amount] }, now };
}

function authorizeAgent(scene: Scene, on: On): Step {
  const { cast, dice } = scene;
  const now = scene.at();
  const sender = dice.pick(providersOf(cast)).address;
  const agent = dice.pick(cast.agents).address;
  const token = dice.pick(cast.tokens);
  const limits = [
    dice.pick([100_000n, 1_000n, 0n]),
    dice.pick([0, 100, 61]),
    now + dice.pick([1_000_000, 60, 0, -now]),
  ] as const;
  return { sender, call: { on, name: "authorize", args: [agent, token, ...limits] }, now };
}

// Questions

function someDataset({ dice, world }: Scene): Hex {
  const known = [...world.queries.datasets.keys()];
  return known.length > 0 && !dice.chance(0.05) ? dice.pick(known) : ZERO_HASH;
}

function registerSomeDataset(scene: Scene): Step {
  const { cast, dice } = scene;
  const now = scene.at();
  const sender = dice.pick(providersOf(cast)).address;
  const args = [
    dice.pick(DEFINITIONS),
    dice.pick([100, 0, 4_294_967_295]),
    dice.pick([ZERO_ADDRESS, cast.carrier.address]),
  ] as const;
  return { sender, call: { on: "queries", name: "registerDataset", args }, now };
}

function changeRoots(scene: Scene, name: "publishRoot" | "revokeRoot" | "setPublisher"): Step {
  const { cast, dice, world } = scene;
  const now = scene.at();
  const dataset = someDataset(scene);
  const { provider, publisher } = world.queries.datasets.get(dataset) ?? {
    provider: cast.carrier.address,
    publisher: ZERO_ADDRESS,
  };
  const sender = dice.chance(0.1)
    ? dice.pick(everybody(cast))
    : publisher !== ZERO_ADDRESS && dice.chance(0.4)
      ? publisher
      : provider;
  if (name === "setPublisher") {
    const args = [dataset, dice.pick([cast.carrier.address, ZERO_ADDRESS])] as const;
    return { sender, call: { on: "queries", name, args }, now };
  }
  const root = dice.chance(0.05) ? dice.pick([0n, FIELD, FIELD - 1n]) : dice.pick(ROOTS);
  return { sender, call: { on: "queries", name, args: [dataset, root] }, now };
}

function askQuestion(scene: Scene): Step {
  const { cast, dice, memory } = scene;
  const old = memory.quotes.length > 0 && dice.chance(0.1) ? dice.pick(memory.quotes) : undefined;
  const now = scene.at();
  const { quote, signature } = old ?? draftQuote(scene, now);
  const sender = dice.chance(0.03) ? cast.carrier.address : quote.asker;
  return { sender, call: { on: "queries", name: "ask", args: [quote, signature] }, now };
}

function draftQuote(scene: Scene, now: number): Asked {
  const { cast, dice, memory, world } = scene;
  const dataset = someDataset(scene);
  const { provider, root } = world.queries.datasets.get(dataset) ?? { provider: cast.account, root: 11n };
  const used = new Set([...world.queries.questions.keys()]);
  const fresh = QUERIES.filter((query) => !used.has(`${provider}/${query}`));
  const published = ROOTS.filter((each) => world.queries.roots.has(`${dataset}/${each}`));
  const verifier = dice.chance(0.02) ? cast.carrier.address : dice.pick(cast.verifiers);
  const quote: Quote = {
    asker: dice.pick(cast.requesters).address,
    provider: dice.chance(0.02) ? dice.pick(everybody(cast)) : provider,
    query: fresh.length > 0 && !dice.chance(0.04) ? (fresh[0] as bigint) : dice.pick([1n, 0n, FIELD, 2n]),
    dataset,
    root: root !== 0n && !dice.chance(0.2) ? root : dice.pick([...published, ...ROOTS]),
    verifier,
    verifierCodeHash: dice.chance(0.02) ? ZERO_HASH : (world.verifiers.get(verifier)?.codeHash ?? ZERO_HASH),
    token: dice.pick([cast.tokens[0], cast.tokens[0], cast.tokens[1]]),
    price: dice.pick([500n, 0n, 7n]),
    bond: dice.pick([1_000n, 0n, 20_000n]),
    window: dice.chance(0.02) ? dice.pick([MIN_WINDOW - 1, MAX_WINDOW + 1]) : dice.pick([100, 60, 200]),
    expiry: now + dice.pick([100, 100, 100, 100, 1, 0]),
  };
  const id = quoteDigest(quote, queryDomainOf(world.queries));
  const signer = signerFor(scene, quote.provider, quote.token, "queries", now);
  const asked = { id, quote, signature: signed(scene, signer, id) };
  memory.quotes.push(asked);
  return asked;
}

/** A quote to do something with: of a pending question, mostly. */
function chooseQuote(scene: Scene): Quote | undefined {
  const { dice, memory, world } = scene;
  const pending = memory.quotes.filter(
    ({ id, quote }) =>
      world.queries.questions.get(`${quote.provider}/${quote.query}`)?.id === id &&
      questionOf(world.queries, quote.provider, quote.query).status === QuestionStatus.Pending,
  );
  if (pending.length > 0 && !dice.chance(0.12)) return dice.pick(pending.reverse()).quote;
  const quote = memory.quotes.length > 0 ? dice.pick(memory.quotes).quote : undefined;
  return quote !== undefined && dice.chance(0.3) ? { ...quote, price: beside(quote.price) } : quote;
}

function answerTo(scene: Scene, quote: Quote): ModelAnswer {
  const { cast, dice, memory } = scene;
  memory.nonce += 1;
  const pad = cast.pads.get(`${dice.pick(KEYS)}/${quote.query}`) ?? 5n;
  const cipher = dice.chance(0.03) ? dice.pick([FIELD, FIELD - 1n]) : (pad + dice.pick([1n, 0n, 0n, 2n])) % FIELD;
  const nullifier = dice.chance(0.1) ? dice.pick([1n, 2n, FIELD]) : BigInt(memory.nonce) + 1_000n;
  const proof = Array.from({ length: 8 }, (_, index) => BigInt(index + memory.nonce));
  return { quote, cipher, nullifier, proof };
}

function answerQuestion(scene: Scene): Step | undefined {
  const { cast, dice } = scene;
  const chosen = chooseQuote(scene);
  if (chosen === undefined) return undefined;
  const now = scene.at();
  const { quote, cipher, nullifier, proof } = answerTo(scene, chosen);
  const sender = dice.pick([cast.carrier.address, ...everybody(cast)]);
  return { sender, call: { on: "queries", name: "answer", args: [quote, cipher, nullifier, proof] }, now };
}

function answerQuestions(scene: Scene): Step {
  const { cast, dice } = scene;
  const now = scene.at();
  const answers = Array.from({ length: dice.upTo(4) }, () => chooseQuote(scene)).flatMap((quote) =>
    quote === undefined ? [] : [answerTo(scene, quote)],
  );
  return { sender: cast.carrier.address, call: { on: "queries", name: "answerBatch", args: [answers] }, now };
}

function expireQuestion(scene: Scene): Step | undefined {
  const { cast, dice, world } = scene;
  const quote = chooseQuote(scene);
  if (quote === undefined) return undefined;
  const deadline = world.queries.questions.get(`${quote.provider}/${quote.query}`)?.deadline;
  const isEarly = dice.chance(0.3);
  const now = scene.at(isEarly || deadline === undefined ? undefined : deadline + 1);
  const sender = isEarly
    ? actorFor(
        { ...scene, world: { ...world, jobs: { ...world.jobs, authorizations: world.queries.authorizations } } },
        quote.provider,
        quote.token,
        now,
      )
    : cast.carrier.address;
  return { sender, call: { on: "queries", name: "expire", args: [quote] }, now };
}

// Surroundings

function changeSurroundings(scene: Scene): Step {
  const { cast, dice, world } = scene;
  const now = scene.at();
  const sender = cast.carrier.address;
  const [dollar, fickle] = cast.tokens;
  const callback = dice.pick(cast.callbacks);
  const verifier = dice.pick(cast.verifiers);
  const codes = Object.values(cast.codes).map(({ hash }) => hash);
  const holder = dice.pick([cast.jobs, cast.queries, ...cast.requesters.map(addressOf)]);
  const token = dice.pick(cast.tokens);
  const spender = dice.pick([cast.jobs, cast.queries]);
  const owner = dice.pick([...cast.requesters, ...cast.providers.slice(0, -1)]);
  const call = dice.pick<Call>([
    { on: "callback", at: callback, manner: dice.pick([0, 0, ...Object.values(CallbackManner)]) },
    { on: "callback", at: callback, manner: dice.pick([0, CallbackManner.Reenters, CallbackManner.Reverts]) },
    { on: "verifier", at: verifier, manner: dice.pick([0, 0, 0, 0, ...Object.values(Mood)]) },
    { on: "account", at: cast.account, manner: dice.pick([0, 0, 0, ...Object.values(Manner)]) },
    { on: "code", at: verifier, codeHash: dice.pick(codes) },
    { on: "token", token: fickle, name: "setFee", args: [dice.pick([0n, 0n, 0n, 1n, 50n])] },
    {
      on: "token",
      token: fickle,
      name: "shrink",
      args: [holder, dice.pick([1n, 1_000n, balanceOf(world.tokens.get(fickle) as never, holder)])],
    },
    {
      on: "token",
      token,
      name: "mint",
      args: [dice.pick([cast.jobs, ...everybody(cast)]), dice.pick([1n, 1_000_000n, MAX_AMOUNT])],
    },
    { on: "token", token: dollar, name: "approve", args: [spender, dice.pick([MAX_AMOUNT, 0n, 2n ** 256n - 1n])] },
  ]);
  return { sender: call.on === "token" && call.name === "approve" ? owner.address : sender, call, now };
}

// Several at once

const TOGETHER = [
  "commitBySig",
  "promote",
  "reveal",
  "settle",
  "decline",
  "commit",
  "revealSet",
  "claimQuarantine",
] as const;
const MONEY = ["deposit", "withdraw", "authorize"] as const;

function callTogether(scene: Scene): Step | undefined {
  const { dice } = scene;
  const on: On = dice.pick(["jobs", "jobs", "queries"]);
  const kinds =
    on === "jobs" ? [...TOGETHER, ...MONEY] : ["ask", "answer", "expire", "answerBatch", "publishRoot", ...MONEY];
  const calls: MarketCall[] = [];
  let { world } = scene;
  let sender: Address | undefined;
  let time: number | undefined;
  for (let count = dice.upTo(2) + 1; count > 0; count--) {
    const kind = dice.pick(kinds);
    const at = (natural?: number): number => {
      time ??= scene.at(natural);
      return time;
    };
    const step = PLANS[on === "queries" && MONEY.includes(kind as never) ? `${kind} (queries)` : kind]?.({
      ...scene,
      world,
      at,
    });
    if (step === undefined || (step.call.on !== "jobs" && step.call.on !== "queries") || step.call.name === "multicall")
      continue;
    sender ??= step.sender;
    calls.push(step.call);
    world = apply(world, { ...step, sender }).world;
  }
  if (sender === undefined || time === undefined) return undefined;
  return { sender, call: { on, name: "multicall", args: [calls] }, now: time };
}

/** How a step of each kind is planned; undefined if there is nothing to plan with. */
export const PLANS: Readonly<Record<string, (scene: Scene) => Step | undefined>> = {
  advance: advanceJob,
  open: openJob,
  announce: announceJob,
  commit: commitJob,
  commitBySig: carryCommitments,
  decline: declineSeat,
  promote: promoteSpares,
  reveal: revealJob,
  revealSet: revealSetOfJob,
  settle: settleJob,
  retryCallback: retryOfCallback,
  claimQuarantine: claim,
  deposit: (scene) => depositMoney(scene, "jobs"),
  withdraw: (scene) => withdrawMoney(scene, "jobs"),
  authorize: (scene) => authorizeAgent(scene, "jobs"),
  "deposit (queries)": (scene) => depositMoney(scene, "queries"),
  "withdraw (queries)": (scene) => withdrawMoney(scene, "queries"),
  "authorize (queries)": (scene) => authorizeAgent(scene, "queries"),
  registerDataset: registerSomeDataset,
  setPublisher: (scene) => changeRoots(scene, "setPublisher"),
  publishRoot: (scene) => changeRoots(scene, "publishRoot"),
  revokeRoot: (scene) => changeRoots(scene, "revokeRoot"),
  ask: askQuestion,
  answer: answerQuestion,
  answerBatch: answerQuestions,
  expire: expireQuestion,
  surroundings: changeSurroundings,
  multicall: callTogether,
};

/** How often each kind is drawn; the first is what shrinking leads to. */
export const WEIGHTS: Readonly<Record<string, number>> = {
  advance: 40,
  open: 12,
  commitBySig: 4,
  reveal: 4,
  revealSet: 4,
  commit: 6,
  settle: 2,
  promote: 3,
  decline: 3,
  announce: 1,
  retryCallback: 4,
  claimQuarantine: 3,
  surroundings: 5,
  multicall: 4,
  deposit: 2,
  withdraw: 2,
  authorize: 2,
  "deposit (queries)": 1,
  "withdraw (queries)": 1,
  "authorize (queries)": 1,
  registerDataset: 0.5,
  setPublisher: 0.5,
  publishRoot: 2,
  revokeRoot: 0.7,
  ask: 8,
  answer: 5,
  answerBatch: 2,
  expire: 3,
};

/** Steps by which every history begins: money, agents, datasets. */
export function setUp(cast: Cast, start: number): readonly Step[] {
  const steps: Step[] = [];
  let now = start;
  const add = (sender: Address, call: Call): void => {
    now += 1;
    steps.push({ sender, call, now });
  };
  const funded = [
    ...cast.requesters.map(({ address }) => ({ address, amount: 1_000_000n })),
    ...providersOf(cast).map(({ address }) => ({ address, amount: 40_000n })),
  ];
  for (const token of cast.tokens) {
    for (const { address, amount } of funded) {
      add(address, { on: "token", token, name: "mint", args: [address, 3n * amount] });
      for (const on of ["jobs", "queries"] as const) {
        add(address, { on: "token", token, name: "approve", args: [cast[on], 2n * amount] });
        add(address, { on, name: "deposit", args: [token, address, amount] });
      }
    }
  }
  for (const callback of cast.callbacks) {
    const [requester] = cast.requesters;
    add((requester as Actor).address, { on: "jobs", name: "deposit", args: [cast.tokens[0], callback, 2n] });
  }
  add(cast.carrier.address, { on: "callback", at: cast.callbacks[1], manner: CallbackManner.Reverts });
  for (const [index, { address }] of providersOf(cast).entries()) {
    const agent = cast.agents[index % cast.agents.length] as Actor;
    for (const on of ["jobs", "queries"] as const) {
      add(address, { on, name: "authorize", args: [agent.address, cast.tokens[0], 10_000n, 61, start + 400 * DAY] });
    }
  }
  for (const [index, { address }] of [0, 1, 6]
    .map((each) => providersOf(cast)[each] as { address: Address })
    .entries()) {
    const definition = DEFINITIONS[0] as Hex;
    const publisher = index === 0 ? cast.carrier.address : ZERO_ADDRESS;
    add(address, { on: "queries", name: "registerDataset", args: [definition, index * 50, publisher] });
    const dataset = datasetIdOf(address, definition);
    add(address, { on: "queries", name: "publishRoot", args: [dataset, ROOTS[0] as bigint] });
  }
  return steps;
}
