import assert from "node:assert/strict";
import { test } from "node:test";
import { Flag, type JobFacts, JobStatus, OfferFault, Role, type SignedOffer, Verdict } from "@quorate/core";
import { assertCode, buildRequest, buildSignedOffer, buildTerms, testAddress, testHash } from "@quorate/testkit";
import fc from "fast-check";
import { buildHistory, historyOf, type ProviderHistory, type TrustedHistory } from "./history.ts";
import { judgeOffer, type OfferFacts } from "./judgeOffer.ts";
import { planReplication } from "./planReplication.ts";
import { parseTrustPolicy, type TrustPolicy } from "./policy.ts";
import { type JudgedOffer, selectOffers } from "./selectOffers.ts";

const ALL = Role.Seat | Role.Spare | Role.Shadow;
const provider = (index: number): `0x${string}` => testAddress(0x1000 + index);
const noHistory = (account: `0x${string}`): ProviderHistory => historyOf(new Map(), account);

function policyOf(changes: Record<string, unknown> = {}): TrustPolicy {
  return parseTrustPolicy({ version: 1, ...changes });
}

function factsOf(changes: Partial<OfferFacts> = {}): OfferFacts {
  return {
    request: buildRequest({ spares: 1, shadows: 1 }),
    faults: [],
    onProbation: false,
    history: noHistory(provider(0)),
    now: 1_900_000_000,
    ...changes,
  };
}

test("the default policy trusts nobody who is not named", () => {
  const judgement = judgeOffer(policyOf(), buildSignedOffer({ provider: provider(0) }), factsOf());
  assert.equal(judgement.accepted, false);
  assert.deepEqual(judgement.reasons, ["the provider is not on the allow list"]);
  assert.equal(judgement.roles, 0);
});

test("a named provider is accepted in every role that the job has, whatever the spelling of its address", () => {
  const address = "0xABCDEF0000000000000000000000000000001000";
  const policy = policyOf({ allow: [{ provider: address, organization: "Acme" }] });
  const offer = buildSignedOffer({ provider: address.toLowerCase() as `0x${string}`, roles: ALL });
  const judgement = judgeOffer(policy, offer, factsOf({ request: buildRequest({ spares: 1, shadows: 0 }) }));
  assert.equal(judgement.accepted, true);
  assert.equal(judgement.roles, Role.Seat | Role.Spare);
  assert.equal(judgement.organization, "Acme");
});

test("the deny list beats the allow list, and its reason is told", () => {
  const policy = policyOf({
    allow: [{ provider: provider(0) }],
    deny: [{ provider: provider(0), reason: "sold our data" }],
  });
  const judgement = judgeOffer(policy, buildSignedOffer({ provider: provider(0) }), factsOf());
  assert.equal(judgement.accepted, false);
  assert.deepEqual(judgement.reasons, ["the provider is on the deny list: sold our data"]);
});

test("every fault that the chain names refuses the offer in words, but probation", () => {
  const policy = policyOf({ accept: "anyone" });
  for (const fault of Object.keys(OfferFault) as (keyof typeof OfferFault)[]) {
    const judgement = judgeOffer(policy, buildSignedOffer({ roles: ALL }), factsOf({ faults: [fault] }));
    assert.equal(judgement.accepted, fault === "OnProbation", fault);
    assert.ok(judgement.reasons.length > 0 && judgement.reasons.every((reason) => reason.length > 5), fault);
  }
});

test("on probation a provider is a shadow only, unless the request accepts it", () => {
  const policy = policyOf({ accept: "anyone" });
  const facts = factsOf({ onProbation: true, faults: ["OnProbation"] });
  assert.equal(judgeOffer(policy, buildSignedOffer({ roles: ALL }), facts).roles, Role.Shadow);
  const seatOnly = judgeOffer(policy, buildSignedOffer({ roles: Role.Seat }), facts);
  assert.equal(seatOnly.accepted, false);
  assert.match(seatOnly.reasons.join(), /on probation/);
  const request = buildRequest({ flags: Flag.AcceptProbation });
  const welcome = judgeOffer(policy, buildSignedOffer({ roles: ALL }), factsOf({ onProbation: true, request }));
  assert.equal(welcome.roles, Role.Seat);
});

test("price, bond and expiry have limits", () => {
  const policy = policyOf({ accept: "anyone", highestPrice: "899999", leastBond: "500001" });
  const judgement = judgeOffer(policy, buildSignedOffer({ price: 900_000n, expiry: 5 }), factsOf());
  assert.equal(judgement.accepted, false);
  assert.equal(judgement.reasons.length, 3);
  assert.match(judgement.reasons.join("; "), /expired.*900000 is above.*500000 is below/);
});

test("a stranger passes by history only with enough alignments, no fault, and few misses", () => {
  const policy = policyOf({ accept: "history", history: { leastAligned: 3, mostFaults: 0, mostMissedShare: 0.25 } });
  const judge = (history: Partial<ProviderHistory>): boolean =>
    judgeOffer(policy, buildSignedOffer(), factsOf({ history: { ...noHistory(provider(0)), ...history } })).accepted;
  assert.equal(judge({ jobs: 4, aligned: 3, missed: 1 }), true);
  assert.equal(judge({ jobs: 4, aligned: 2, missed: 1 }), false);
  assert.equal(judge({ jobs: 4, aligned: 3, faults: 1 }), false);
  assert.equal(judge({ jobs: 7, aligned: 5, missed: 2 }), false);
  assert.equal(judge({}), false);
});

test("a policy file that is wrong is refused with every field named", async () => {
  const error = await assertCode(
    () => parseTrustPolicy({ version: 2, allow: [{ provider: "0x12" }], replication: { leastSeats: 1 }, typo: true }),
    "TRUST_POLICY_INVALID",
  );
  for (const field of ["version", "allow.0.provider", "replication.leastSeats", "typo"]) {
    assert.match(error.message, new RegExp(field.replaceAll(".", "\\.")), field);
  }
});

function judged(
  index: number,
  changes: { offer?: Partial<SignedOffer>; organization?: string; roles?: number; onAllowList?: boolean } = {},
): JudgedOffer {
  return {
    offer: buildSignedOffer({
      provider: provider(index),
      price: 900_000n,
      signature: testHash(index),
      ...changes.offer,
    }),
    judgement: {
      accepted: true,
      reasons: ["the provider is on the allow list"],
      roles: changes.roles ?? ALL,
      organization: changes.organization ?? provider(index),
      onAllowList: changes.onAllowList ?? true,
    },
  };
}

const select = (
  offers: readonly JudgedOffer[],
  changes: Parameters<typeof buildRequest>[0] = {},
  perOrganization = true,
) =>
  selectOffers({
    jobId: testHash(0x70b),
    request: buildRequest(changes),
    policy: { onePlacePerOrganization: perOrganization },
    offers,
  });

test("seats go to the cheapest trusted offers, spares and shadows to the next, all with reasons", () => {
  const offers = [5, 1, 4, 2, 3].map((index) => judged(index, { offer: { price: BigInt(index) } }));
  const selection = select(offers, { spares: 1, shadows: 1 });
  assert.deepEqual(
    selection.chosen.map(({ offer, role }) => [offer.price, role]),
    [
      [1n, "seat"],
      [2n, "seat"],
      [3n, "seat"],
      [4n, "spare"],
      [5n, "shadow"],
    ],
  );
  assert.equal(selection.spares, 1);
  assert.equal(selection.complete, true);
  assert.deepEqual(selection.missing, []);
  assert.ok(selection.chosen.every(({ reasons }) => reasons.length === 2));
});

test("one organization gets one place, and its other offers are told why", () => {
  const offers = [1, 2, 3, 4].map((index) =>
    judged(index, { organization: index <= 2 ? "Acme" : `org ${index}`, offer: { price: BigInt(index) } }),
  );
  const selection = select(offers);
  assert.deepEqual(
    selection.chosen.map(({ offer }) => offer.price),
    [1n, 3n, 4n],
  );
  assert.deepEqual(
    selection.refused.map(({ reasons }) => reasons),
    [["another offer of the organization Acme was preferred; one place each"]],
  );
  assert.deepEqual(
    select(offers, {}, false).chosen.map(({ offer }) => offer.price),
    [1n, 2n, 3n],
  );
});

test("an organization's shadow on probation does not push its seat out", () => {
  const offers = [
    judged(1, { organization: "Acme", roles: Role.Shadow, offer: { price: 1n } }),
    judged(2, { organization: "Acme", offer: { price: 9n } }),
    judged(3),
    judged(4),
  ];
  const selection = select(offers, { shadows: 1 });
  assert.deepEqual(selection.chosen.filter(({ role }) => role === "seat").length, 3);
  assert.ok(selection.chosen.some(({ offer }) => offer.price === 9n));
});

test("a shadow's place goes to the provider that may not be seated before a cheaper one that may", () => {
  const offers = [
    ...[1, 2, 3, 4].map((index) => judged(index, { offer: { price: BigInt(index) } })),
    judged(5, { roles: Role.Shadow, offer: { price: 5n } }),
    judged(6, { roles: Role.Shadow, offer: { price: 6n } }),
  ];
  const selection = select(offers, { shadows: 1 });
  assert.deepEqual(
    selection.chosen.map(({ offer, role }) => [offer.price, role]),
    [
      [1n, "seat"],
      [2n, "seat"],
      [3n, "seat"],
      [5n, "shadow"],
    ],
  );
});

test("an offer that takes seats only frees a seated one to be the spare", () => {
  const offers = [
    judged(1, { offer: { price: 1n }, roles: Role.Seat }),
    judged(2, { offer: { price: 2n }, roles: Role.Seat | Role.Spare }),
    judged(3, { offer: { price: 3n }, roles: Role.Seat }),
    judged(4, { offer: { price: 4n }, roles: Role.Seat }),
  ];
  const selection = select(offers, { spares: 1 });
  assert.deepEqual(
    selection.chosen.map(({ offer, role }) => [offer.price, role]),
    [
      [1n, "seat"],
      [3n, "seat"],
      [4n, "seat"],
      [2n, "spare"],
    ],
  );
});

test("too few offers are no panel, and what is missing is told", () => {
  const selection = select([judged(1), judged(2)], { spares: 1 });
  assert.equal(selection.complete, false);
  assert.match(selection.missing.join("; "), /2 of 3 seats.*0 of 1 spares/);
});

test("the panel does not depend on the order of offers, never seats a provider twice, and keeps to accepted roles", () => {
  const arbitraryOffer = fc.record({
    index: fc.nat(9),
    price: fc.bigInt(1n, 5n),
    roles: fc.integer({ min: 1, max: 7 }),
    organization: fc.constantFrom("a", "b", "c", "d", "e", "f"),
    signature: fc.nat(1_000_000),
  });
  fc.assert(
    fc.property(
      fc.array(arbitraryOffer, { maxLength: 12 }),
      fc.nat(2),
      fc.nat(2),
      fc.infiniteStream(fc.nat()),
      (items, spares, shadows, random) => {
        const offers = items.map(({ index, price, roles, organization, signature }) =>
          judged(index, { offer: { price, signature: testHash(signature) }, roles, organization }),
        );
        const selection = select(offers, { spares, shadows });
        const shuffled = offers
          .map((offer) => ({ offer, key: random.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ offer }) => offer);
        assert.deepEqual(
          select(shuffled, { spares, shadows }).chosen.map(({ offer, role }) => [offer.signature, offer.price, role]),
          selection.chosen.map(({ offer, role }) => [offer.signature, offer.price, role]),
        );
        const providers = selection.chosen.map(({ offer }) => offer.provider);
        assert.equal(new Set(providers).size, providers.length);
        for (const { offer, role } of selection.chosen) {
          const bit = { seat: Role.Seat, spare: Role.Spare, shadow: Role.Shadow }[role];
          const roles = offers.find((item) => item.offer === offer)?.judgement.roles ?? 0;
          assert.notEqual(roles & bit, 0);
        }
        assert.equal(selection.chosen.length + selection.refused.length, offers.length);
      },
    ),
    { numRuns: 200 },
  );
});

function settledJob(id: number, requester: number, verdicts: readonly Verdict[]): JobFacts {
  const terms = buildTerms({ seats: verdicts.length, quorum: verdicts.length, requester: testAddress(requester) });
  return {
    jobId: testHash(id),
    request: buildRequest({ requester: testAddress(requester) }),
    terms,
    keyWraps: [],
    openedAt: 1,
    commitments: [],
    committed: [],
    declined: [],
    promotions: [],
    lastCommitAt: 0,
    lastDeclineAt: 0,
    openings: [],
    bySet: false,
    settled: {
      status: JobStatus.Accepted,
      outcome: 1,
      resultHash: testHash(1),
      carrier: testAddress(1),
      refunded: 0n,
      burnt: 0n,
      results: verdicts.map((verdict) => ({ verdict, paid: 0n })),
      settledAt: 2,
    },
  };
}

test("jobs of unknown requesters with unknown co-panelists count for nothing: nobody can mint alignments", () => {
  const aligned = [Verdict.Aligned, Verdict.Aligned, Verdict.Aligned];
  const puppets = Array.from({ length: 50 }, (_, id) => settledJob(id, 0xbad, aligned));
  const history = buildHistory(puppets, policyOf(), testAddress(0xa11ce));
  assert.equal(historyOf(history, provider(0)).jobs, 0);
});

test("own jobs count, and strangers' jobs with two known organizations that aligned", () => {
  const policy = policyOf({
    allow: [
      { provider: provider(1), organization: "one" },
      { provider: provider(2), organization: "two" },
    ],
  });
  const jobs = [
    settledJob(1, 0xa11ce, [Verdict.Aligned, Verdict.Fault, Verdict.Late]),
    settledJob(2, 0xbad, [Verdict.Aligned, Verdict.Aligned, Verdict.Aligned]),
    settledJob(3, 0xbad, [Verdict.Fault, Verdict.Aligned, Verdict.Late]),
    settledJob(4, 0xa11ce, [Verdict.Standby, Verdict.None, Verdict.Declined]),
  ];
  const history = buildHistory(jobs, policy, testAddress(0xa11ce));
  assert.deepEqual(historyOf(history, provider(0)), {
    provider: provider(0),
    jobs: 2,
    aligned: 2,
    faults: 0,
    missed: 0,
    counted: [testHash(1), testHash(2)],
  });
  assert.equal(historyOf(history, provider(1)).faults, 1);
  assert.equal(historyOf(history, provider(2)).missed, 2);
});

test("two accounts of one organization vouch once", () => {
  const policy = policyOf({
    allow: [
      { provider: provider(1), organization: "one" },
      { provider: provider(2), organization: "one" },
    ],
  });
  const job = settledJob(1, 0xbad, [Verdict.Aligned, Verdict.Aligned, Verdict.Aligned]);
  assert.equal(historyOf(buildHistory([job], policy, testAddress(0xa11ce)), provider(0)).jobs, 0);
});

const proven = (count: number, jobs: number, missed = 0): TrustedHistory =>
  new Map(
    Array.from({ length: count }, (_, index) => [
      provider(index),
      { provider: provider(index), jobs, aligned: jobs - missed, faults: 0, missed, counted: [] },
    ]),
  );

test("a proven panel needs two seats, never fewer", () => {
  const plan = planReplication(proven(6, 10_000), policyOf({ replication: { target: 0.9 } }));
  assert.deepEqual([plan.seats, plan.quorum, plan.spares, plan.belowTarget], [2, 2, 0, false]);
  const policy = { replication: { target: 0.5, leastSeats: 1, mostSeats: 7, mostSpares: 0 } };
  assert.equal(planReplication(proven(6, 10_000), policy).seats, 2);
});

test("strangers need more seats than proven providers, and say when even that is not enough", () => {
  const policy = policyOf({ replication: { target: 0.95, mostSeats: 5 } });
  const few = planReplication(proven(8, 30), policy);
  const none = planReplication(new Map(), policy);
  assert.equal(few.belowTarget, false);
  assert.equal(none.belowTarget, true);
  assert.ok(none.chance < few.chance);
});

test("providers that often miss need spares", () => {
  const policy = policyOf({ replication: { target: 0.9, leastSeats: 3, mostSeats: 3, mostSpares: 3 } });
  assert.equal(planReplication(proven(6, 1_000), policy).spares, 0);
  assert.ok(planReplication(proven(6, 1_000, 400), policy).spares > 0);
});

test("a plan is always a panel that the market opens, and better history never plans more seats", () => {
  fc.assert(
    fc.property(fc.nat(10), fc.nat(200), fc.double({ min: 0.5, max: 0.999, noNaN: true }), (count, jobs, target) => {
      const policy = policyOf({ replication: { target } });
      const plan = planReplication(proven(count, jobs), policy);
      assert.ok(plan.seats >= 2 && plan.seats <= 7);
      assert.ok(plan.quorum >= 2 && plan.quorum <= plan.seats && 2 * plan.quorum > plan.seats);
      assert.ok(plan.seats + plan.spares <= 16);
      assert.ok(plan.chance >= 0 && plan.chance <= 1 + 1e-9);
      const better = planReplication(proven(count, jobs + 100), policy);
      if (!plan.belowTarget) assert.ok(better.seats <= plan.seats);
    }),
    { numRuns: 60 },
  );
});
