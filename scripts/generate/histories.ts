// Courses that a job can take, for test/vectors/histories.json: named boundary cases, and legal random ones from a fixed seed.
import {
  type Address,
  declineDeadline,
  type JobFacts,
  JobStatus,
  leastQuorum,
  MAX_AMOUNT,
  Outcome,
  type Place,
  panelOf,
  promotionDeadline,
  type RevealedOpening,
  statusAt,
  type Terms,
  ZERO_ADDRESS,
  ZERO_HASH,
} from "@quorate/core";
import { type Random, seededRandom, testAddress, testHash } from "@quorate/testkit";

/** What decides status and money of a job. */
export type History = Pick<
  JobFacts,
  | "terms"
  | "openedAt"
  | "committed"
  | "declined"
  | "promotions"
  | "lastCommitAt"
  | "lastDeclineAt"
  | "openings"
  | "bySet"
> & { readonly name: string };

const OPENED_AT = 1_800_000_000;
const REQUESTER: Address = testAddress(0xa11ce);
const TOKEN: Address = testAddress(0x70ce);

/** What a place does in a named case: when it acts (seconds after opening) and what it opens, if anything. */
type Course = {
  readonly commitsAt?: number;
  readonly declinesAt?: number;
  readonly opens?: readonly [outcome: number, resultHash: `0x${string}`];
};

const A = testHash(0xa);
const B = testHash(0xb);
const at = (commitsAt: number, opens?: Course["opens"]): Course =>
  opens === undefined ? { commitsAt } : { commitsAt, opens };
const ok = (commitsAt = 10): Course => at(commitsAt, [Outcome.Ok, A]);
const other = (commitsAt = 10): Course => at(commitsAt, [Outcome.Ok, B]);
const failed = (commitsAt = 10): Course => at(commitsAt, [Outcome.Failed, A]);
const report = (commitsAt = 10): Course => at(commitsAt, [Outcome.Report, ZERO_HASH]);
const malformed = (outcome: number, hash: `0x${string}`): Course => at(10, [outcome, hash]);
const hidden = (commitsAt = 10): Course => ({ commitsAt });
const silent: Course = {};
const declines = (declinesAt: number): Course => ({ declinesAt });

type Named = {
  readonly name: string;
  readonly places: readonly Course[];
  readonly terms?: Partial<Terms>;
  readonly promotions?: readonly { readonly spare: number; readonly seat: number; readonly at: number }[];
};

const named: readonly Named[] = [
  { name: "R1 M1: a unanimous panel", places: [ok(5), ok(6), ok(7)] },
  { name: "R1 M5: one computed answer against two", places: [ok(), other(), ok()] },
  { name: "M1: failed is accepted", places: [failed(), failed(), ok()] },
  { name: "M2 M3: reports are accepted against one computed answer", places: [report(), ok(), report()] },
  { name: "M4: a report against an accepted answer", places: [ok(), ok(), report()] },
  { name: "M5: a fault in an inconclusive job", places: [ok(), ok(), ok(), other()], terms: { quorum: 4 } },
  { name: "M5: exactly half is no majority", places: [ok(), ok(), other(), other()], terms: { quorum: 3 } },
  { name: "M6: dissent without a bond", places: [ok(), ok(), other()], terms: { bond: 0n } },
  { name: "M7: three answers", places: [ok(), other(), failed()] },
  { name: "M7 M8: a computed answer, a report and silence", places: [ok(), report(), hidden()] },
  { name: "M8: outcome 0", places: [ok(), ok(), malformed(0, ZERO_HASH)] },
  { name: "M8: ok without a hash", places: [malformed(1, ZERO_HASH), malformed(1, ZERO_HASH), ok()] },
  { name: "M8: a report with a hash", places: [report(), report(), malformed(3, A)] },
  { name: "M8: outcome 255", places: [malformed(255, A), malformed(255, A), malformed(255, A)] },
  { name: "R2 M9: everybody declines", places: [declines(0), declines(1), declines(2)] },
  { name: "R2 M9 M10: declined, late and aligned", places: [declines(3), silent, ok(), ok(), ok()] },
  { name: "R2: a decline before a late commitment", places: [declines(5), ok(599), ok(400)] },
  { name: "R2: a decline after the last commitment", places: [ok(1), ok(2), declines(149)] },
  { name: "M10: nobody commits", places: [silent, silent, silent] },
  { name: "M10: everybody commits, nobody opens", places: [hidden(1), hidden(2), hidden(3)] },
  { name: "M10: one opens, the others are late", places: [report(), hidden(), silent] },
  { name: "M10: only a malformed opening", places: [malformed(9, A), silent, silent] },
  { name: "R1 M11: an unused spare", places: [ok(), ok(), ok(), silent], terms: { spares: 1 } },
  {
    name: "R1: a spare declines after the last commitment",
    places: [ok(1), ok(2), ok(3), declines(60)],
    terms: { spares: 1 },
  },
  { name: "R2: the last spare declines", places: [ok(1), silent, ok(3), declines(60)], terms: { spares: 1 } },
  { name: "R3 M11: a vacant seat that nobody promotes to", places: [ok(), ok(), silent, silent], terms: { spares: 1 } },
  {
    name: "M10: a spare takes a late seat",
    places: [ok(), ok(), silent, ok(650)],
    terms: { spares: 1 },
    promotions: [{ spare: 3, seat: 2, at: 600 }],
  },
  {
    name: "M9: a spare takes a declined seat and is wrong",
    places: [ok(), ok(), declines(20), other(100)],
    terms: { spares: 1 },
    promotions: [{ spare: 3, seat: 2, at: 21 }],
  },
  {
    name: "R2: a promoted spare is late",
    places: [ok(), ok(), declines(20), silent],
    terms: { spares: 1 },
    promotions: [{ spare: 3, seat: 2, at: 21 }],
  },
  {
    name: "R3: two spares, one after the other, on one seat",
    places: [ok(), ok(), declines(20), declines(50), ok(90), silent],
    terms: { spares: 3 },
    promotions: [
      { spare: 3, seat: 2, at: 30 },
      { spare: 4, seat: 2, at: 60 },
    ],
  },
  {
    name: "R1: two spares on two seats",
    places: [declines(1), declines(2), ok(3), ok(50), ok(51)],
    terms: { spares: 2 },
    promotions: [
      { spare: 3, seat: 0, at: 4 },
      { spare: 4, seat: 1, at: 4 },
    ],
  },
  { name: "M12: a silent shadow", places: [ok(), ok(), ok(), silent], terms: { seats: 3 } },
  { name: "M1: an aligned shadow", places: [ok(), ok(), ok(), ok()], terms: { seats: 3 } },
  { name: "M5: a wrong shadow", places: [ok(), ok(), ok(), other()], terms: { seats: 3 } },
  {
    name: "M9: a shadow declines late in its quarter",
    places: [ok(1), declines(2), ok(3), declines(149)],
    terms: { seats: 3 },
  },
  { name: "M10: a shadow that does not open", places: [ok(), ok(), ok(), hidden(5)], terms: { seats: 3 } },
  { name: "M7: a shadow does not complete a quorum", places: [ok(), other(), silent, ok()], terms: { seats: 3 } },
  { name: "two seats", places: [ok(), ok()], terms: { quorum: 2 } },
  { name: "two seats that differ", places: [ok(), other()], terms: { quorum: 2 } },
  {
    name: "sixteen places",
    places: Array.from({ length: 16 }, (_, place) => (place < 9 ? ok(place) : other(place))),
    terms: { quorum: 9 },
  },
  { name: "fees of nothing", places: [ok(), ok(), report()], terms: { calloutBps: 0, standbyBps: 0, carrierFee: 0n } },
  {
    name: "odd windows",
    places: [ok(1), ok(2), silent, silent],
    terms: { spares: 1, commitWindow: 601, revealWindow: 301 },
  },
];

function placesOf(count: number, price: (place: number) => bigint): Place[] {
  return Array.from({ length: count }, (_, place) => ({ provider: testAddress(0x1000 + place), price: price(place) }));
}

function baseTerms(places: readonly Place[], changes: Partial<Terms>): Terms {
  const seats = changes.seats ?? places.length - (changes.spares ?? 0);
  return {
    requester: REQUESTER,
    token: TOKEN,
    bond: 500_000n,
    carrierFee: 10_001n,
    seats,
    quorum: leastQuorum(seats),
    spares: 0,
    calloutBps: 1_234,
    standbyBps: 567,
    commitWindow: 600,
    revealWindow: 300,
    flags: 0,
    callback: ZERO_ADDRESS,
    callbackGas: 0,
    places,
    ...changes,
  };
}

function namedHistory({ name, places, terms = {}, promotions = [] }: Named): History {
  const all = baseTerms(
    placesOf(places.length, (place) => 900_001n + BigInt(place * 1_003)),
    terms,
  );
  const weighted = (place: number): boolean => place < all.seats + all.spares;
  const when = (key: "commitsAt" | "declinesAt") =>
    places
      .flatMap((course, place) => (course[key] === undefined ? [] : [{ place, at: OPENED_AT + course[key] }]))
      .sort((a, b) => a.at - b.at || a.place - b.place);
  const last = (events: readonly { place: number; at: number }[]): number =>
    Math.max(0, ...events.filter(({ place }) => weighted(place)).map((event) => event.at));
  return {
    name,
    terms: all,
    openedAt: OPENED_AT,
    committed: when("commitsAt").map(({ place }) => place),
    declined: when("declinesAt").map(({ place }) => place),
    promotions: promotions.map(({ spare, seat, at: after }) => ({ spare, seat, promotedAt: OPENED_AT + after })),
    lastCommitAt: last(when("commitsAt")),
    lastDeclineAt: last(when("declinesAt")),
    openings: places.flatMap(({ opens }, place) =>
      opens === undefined ? [] : [{ place, outcome: opens[0], resultHash: opens[1] }],
    ),
    bySet: false,
  };
}

/** A course by the rules: whoever acts is allowed to, when it acts. */
function randomHistory(random: Random, index: number): History {
  const seats = random.integer(2, 7);
  const spares = random.integer(0, 3);
  const shadows = random.integer(0, 2);
  const price = random.pick([1_000n, 999_999n, MAX_AMOUNT / 32n]);
  const terms = baseTerms(
    placesOf(seats + spares + shadows, () => price + BigInt(random.integer(0, 999))),
    {
      seats,
      spares,
      quorum: random.integer(leastQuorum(seats), seats),
      bond: random.pick([0n, 1n, 500_000n, MAX_AMOUNT / 32n]),
      carrierFee: BigInt(random.integer(0, 5_000)),
      calloutBps: random.integer(0, 5_000),
      standbyBps: random.integer(0, 10_000),
      commitWindow: random.integer(300, 2_000),
      revealWindow: random.integer(300, 2_000),
    },
  );
  let facts: Omit<History, "name" | "openings"> = {
    terms,
    openedAt: OPENED_AT,
    committed: [],
    declined: [],
    promotions: [],
    lastCommitAt: 0,
    lastDeclineAt: 0,
    bySet: false,
  };
  let now = OPENED_AT;
  // Diligent panels finish in time, others drag on.
  const stride = random.pick([10, 60, 400]);
  for (let step = 0; step < 60; step++) {
    now += random.integer(0, stride);
    if (statusAt(facts, now).status !== JobStatus.Committing) break;
    facts = randomStep(random, facts, now);
  }
  return { name: `random ${index}`, ...facts, openings: randomOpenings(random, facts.committed) };
}

function randomStep(
  random: Random,
  facts: Omit<History, "name" | "openings">,
  now: number,
): Omit<History, "name" | "openings"> {
  const { terms, committed, declined, promotions } = facts;
  const place = random.integer(0, terms.places.length - 1);
  const action = random.pick(["commit", "commit", "commit", "decline", "promote"]);
  const promotion = promotions.find(({ spare }) => spare === place);
  const isSpare = place >= terms.seats && place < terms.seats + terms.spares;
  const isShadow = place >= terms.seats + terms.spares;
  const isFree = !committed.includes(place) && !declined.includes(place);
  if (action === "commit") {
    const deadline = (promotion?.promotedAt ?? facts.openedAt) + terms.commitWindow;
    const isSeated = !isSpare || promotion !== undefined;
    if (!isFree || !isSeated || (!isShadow && now >= deadline)) return facts;
    return { ...facts, committed: [...committed, place], lastCommitAt: isShadow ? facts.lastCommitAt : now };
  }
  if (action === "decline") {
    if (!isFree || now >= declineDeadline(facts, place)) return facts;
    return { ...facts, declined: [...declined, place], lastDeclineAt: isShadow ? facts.lastDeclineAt : now };
  }
  const { vacant, sparesLeft } = statusAt(facts, now);
  const promoted = vacant
    .slice(0, sparesLeft.length)
    .map((seat, index) => ({ spare: sparesLeft[index] as number, seat, promotedAt: now }));
  return { ...facts, promotions: [...promotions, ...promoted] };
}

function randomOpenings(random: Random, committed: readonly number[]): RevealedOpening[] {
  const answers: readonly (RevealedOpening | undefined)[] = [
    { place: 0, outcome: Outcome.Ok, resultHash: A },
    { place: 0, outcome: Outcome.Ok, resultHash: B },
    { place: 0, outcome: Outcome.Failed, resultHash: A },
    { place: 0, outcome: Outcome.Report, resultHash: ZERO_HASH },
    { place: 0, outcome: 4, resultHash: A },
    undefined,
  ];
  const favourite = random.pick(answers);
  return committed.flatMap((place) => {
    const answer = random.next() < 0.7 ? favourite : random.pick(answers);
    return answer === undefined ? [] : [{ ...answer, place }];
  });
}

/**
 * All histories, the same ones every time.
 *
 * @param seed of the random ones
 * @param count of the random ones
 */
export function listHistories(seed: number, count: number): readonly History[] {
  const random = seededRandom(seed);
  return [...named.map(namedHistory), ...Array.from({ length: count }, (_, index) => randomHistory(random, index))];
}

/**
 * Moments at which the status of a history says something: both sides of every deadline once all facts are there.
 *
 * @param history a job
 * @returns unix s, ascending
 */
export function momentsOf(history: History): readonly number[] {
  const { revealAt, revealDeadline } = statusAt(history, history.openedAt);
  const facts = [
    history.lastCommitAt,
    history.lastDeclineAt,
    ...history.promotions.map(({ promotedAt }) => promotedAt),
  ];
  const latest = Math.max(history.openedAt, ...facts);
  const edges = [...panelOf(history).deadlines, promotionDeadline(history), revealAt, revealDeadline];
  const moments = [latest, ...edges.flatMap((edge) => [edge - 1, edge]), revealDeadline + 1];
  return [...new Set(moments)].filter((moment) => moment >= latest).sort((a, b) => a - b);
}
