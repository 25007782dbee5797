import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { escrowOf, Flag, type Request, type Requirements, Role, requirementsOf } from "@quorate/core";
import { buildManifest, buildPlaces, buildRequest, buildTerms, testAddress } from "@quorate/testkit";
import { buildPolicy } from "../testing/ports.ts";
import { examplePolicy } from "./example-policy.ts";
import { judgePanel } from "./judge-panel.ts";
import { escrowBound, judgeRequest, longestLock, priceOf, type RequestFacts } from "./judge-request.ts";
import { policySchema } from "./policy.ts";
import { dutyOrder, turnOf } from "./rotation.ts";

const requirements: Requirements = requirementsOf(buildManifest());
const facts: RequestFacts = {
  now: 1_000_000,
  provider: testAddress(0xb0b),
  free: 10n ** 12n,
  promised: 0n,
  liveOffers: 0,
  requesterFunds: 10n ** 12n,
  onProbation: false,
  gasBalance: 10n ** 18n,
  gasPrice: 10n ** 9n,
  openJobs: 0,
  callbackGas: 0,
  engineSupported: true,
};

const request = (changes: Partial<Request> = {}): Request =>
  buildRequest({ commitWindow: 600, revealWindow: 600, expiry: 2_000_000, ...changes });

const codes = (changes: {
  request?: Partial<Request>;
  facts?: Partial<RequestFacts>;
  policy?: Record<string, unknown>;
  requirements?: Requirements;
}): string[] =>
  judgeRequest(buildPolicy(changes.policy), request(changes.request), changes.requirements ?? requirements, {
    ...facts,
    ...changes.facts,
  }).reasons.map(({ code }) => code);

describe("a request", () => {
  it("that fits the policy is taken at its price, for the roles asked, with a short expiry", () => {
    const judgement = judgeRequest(buildPolicy(), request({ spares: 1, shadows: 0 }), requirements, facts);
    assert(judgement.takes);
    assert.equal(judgement.price, 1000n);
    assert.equal(judgement.roles, Role.Seat | Role.Spare);
    assert.equal(judgement.expiry, facts.now + 600);
  });

  it("never gets an offer that outlives it", () => {
    const judgement = judgeRequest(buildPolicy(), request({ expiry: facts.now + 5 }), requirements, facts);
    assert(judgement.takes);
    assert.equal(judgement.expiry, facts.now + 5);
  });

  it("is refused with every reason at once", () => {
    assert.deepEqual(codes({ request: { bond: 10n ** 15n, commitWindow: 200 }, facts: { requesterFunds: 0n } }), [
      "COMMIT_WINDOW_TOO_SHORT",
      "BOND_TOO_HIGH",
      "BOND_NOT_COVERED",
      "REQUESTER_UNFUNDED",
    ]);
  });

  const refused: readonly [string, Parameters<typeof codes>[0]][] = [
    ["OWN_REQUEST", { request: { requester: facts.provider } }],
    ["REQUESTER_DENIED", { policy: { requesters: { mode: "any", deny: [request().requester] } } }],
    ["REQUESTER_NOT_ALLOWED", { policy: { requesters: { mode: "allow", allow: [testAddress(9)] } } }],
    ["CALLOUT_TOO_LOW", { request: { calloutBps: 99 }, policy: { leastCalloutBps: 100 } }],
    ["COMMIT_WINDOW_TOO_SHORT", { request: { commitWindow: 299 } }],
    ["COMMIT_WINDOW_TOO_LONG", { request: { commitWindow: 86_401 } }],
    ["REVEAL_WINDOW_TOO_SHORT", { request: { revealWindow: 299 } }],
    ["REVEAL_WINDOW_TOO_LONG", { request: { revealWindow: 86_401 } }],
    ["LOCK_TOO_LONG", { policy: { windows: { longestLockSeconds: 600 } } }],
    [
      "RUN_TOO_LONG",
      {
        requirements: { ...requirements, limits: { ...requirements.limits, wallTimeMs: 300_001 } },
        policy: { limits: { wallTimeMs: 10 ** 9 } },
      },
    ],
    ["ENGINE_NOT_OFFERED", { facts: { engineSupported: false } }],
    ["ENGINE_NOT_OFFERED", { policy: { engines: [{ name: "quickjs", version: "9.9" }] } }],
    ["LIMIT_TOO_HIGH", { policy: { limits: { fuel: 1 } } }],
    ["PACKAGE_TOO_LARGE", { facts: { packageBytes: 11 }, policy: { limits: { packageBytes: 10 } } }],
    ["TOKEN_NOT_ACCEPTED", { request: { token: testAddress(0xbad) } }],
    ["PRICE_ABOVE_CEILING", { request: { priceCeiling: 999n } }],
    [
      "BOND_TOO_LOW",
      {
        request: { bond: 0n },
        policy: { tokens: { [request().token]: { prices: { base: "1" }, bond: { least: "1", most: "10" } } } },
      },
    ],
    ["BOND_NOT_COVERED", { facts: { free: 10n ** 7n, promised: 10n ** 7n } }],
    ["TOO_MANY_OFFERS", { facts: { liveOffers: 16 } }],
    ["REQUESTER_UNFUNDED", { facts: { requesterFunds: escrowBound(request()) - 1n } }],
    ["GAS_RESERVE", { facts: { gasBalance: 600_000n * 10n ** 9n - 1n } }],
    ["GAS_RESERVE", { facts: { gasBalance: 600_000n * 10n ** 9n, callbackGas: 1 } }],
    ["GAS_RESERVE", { facts: { gasBalance: 603_999n * 10n ** 9n }, request: { callbackGas: 4_000 } }],
    ["GAS_RESERVE", { facts: { gasBalance: 2n * 600_000n * 10n ** 9n - 1n, openJobs: 1 } }],
    ["REQUEST_EXPIRED", { request: { expiry: facts.now } }],
    ["AGENT_NOT_AUTHORIZED", { facts: { authorization: { maxBond: 10n ** 12n, minCommitWindow: 0, validUntil: 0 } } }],
    [
      "AGENT_EXPIRES",
      { facts: { authorization: { maxBond: 10n ** 12n, minCommitWindow: 0, validUntil: facts.now + 601 } } },
    ],
    ["BOND_BEYOND_AGENT", { facts: { authorization: { maxBond: 0n, minCommitWindow: 0, validUntil: 2 ** 38 } } }],
    [
      "WINDOW_BEYOND_AGENT",
      { facts: { authorization: { maxBond: 10n ** 12n, minCommitWindow: 601, validUntil: 2 ** 38 } } },
    ],
    ["NO_ROLE", { facts: { onProbation: true }, request: { shadows: 0 } }],
  ];
  for (const [index, [code, changes]] of refused.entries()) {
    it(`is refused with ${code} (${index})`, () => assert.deepEqual(codes(changes), [code]));
  }

  it("is taken as a shadow on probation, and as a seat when it accepts probation", () => {
    const judge = (changes: Partial<Request>) =>
      judgeRequest(buildPolicy(), request(changes), requirements, { ...facts, onProbation: true });
    const shadow = judge({ shadows: 1 });
    assert(shadow.takes && shadow.roles === Role.Shadow);
    const seat = judge({ shadows: 0, flags: Flag.AcceptProbation });
    assert(seat.takes && (seat.roles & Role.Seat) !== 0);
  });

  it("is priced by everything its requirements allow, each part rounded up", () => {
    const prices = {
      base: 5n,
      perMegafuel: 1n,
      perMebibyteMemory: 10n,
      perMebibyteOutput: 100n,
      perSecond: 1000n,
      perMebibytePackage: 10_000n,
    };
    const limits = { fuel: 1_000_001, memoryBytes: 1_048_577, outputBytes: 1, wallTimeMs: 1500 };
    // 5 + 2 + 11 + 1 + 1500 + 5000: a part of a unit costs its part, a part of a base unit a whole one
    assert.equal(priceOf(prices, { ...requirements, limits }, 524_288), 6519n);
  });

  it("is bounded as the contract escrows it, and its lock as the slowest panel takes", () => {
    const terms = buildTerms({ priceCeiling: 900_000n, seats: 3, spares: 2, standbyBps: 1000 }, 1);
    const places = terms.places.map(({ provider }) => ({ provider, price: 900_000n }));
    const { seats, spares, standbyBps, carrierFee } = terms;
    assert.equal(
      escrowBound(request({ priceCeiling: 900_000n, seats, spares, standbyBps, carrierFee, shadows: 1 })),
      escrowOf({ ...terms, places }),
    );
    assert.equal(longestLock(request({ spares: 2 })), 1.5 * 600 * 3 + 600);
  });
});

describe("a panel", () => {
  const terms = buildTerms({ seats: 5, quorum: 3, spares: 1 }, 1);
  const known = (...places: number[]) => ({
    panel: { known: [{ organization: "known", providers: places.map((place) => buildPlaces(16)[place]?.provider) }] },
  });
  const judge = (policy: Record<string, unknown>, own = 0) =>
    judgePanel(buildPolicy(policy), terms, own).reasons.map(({ code }) => code);

  it("on which unknown seats and spares can prevent every agreement is declined", () => {
    // n - q + 1 = 3 unknown of places 1..5 are a veto; place 6 is a shadow and decides nothing
    assert.deepEqual(judge(known(1, 2)), ["PANEL_VETO"]);
    assert.deepEqual(judge(known(1, 2, 3)), []);
    assert.deepEqual(judge({ panel: {} }), ["PANEL_VETO"]);
  });

  it("is not looked at when the policy accepts unknown providers", () => {
    assert.deepEqual(judge({ panel: { unknown: "accept" } }), []);
  });

  it("with a denied provider, or without a required one, is declined", () => {
    const [one, , , , , , shadow] = buildPlaces(7);
    assert.deepEqual(judge({ panel: { unknown: "accept", deny: [shadow?.provider] } }), ["PANEL_DENIED"]);
    assert.deepEqual(judge({ panel: { unknown: "accept", require: [testAddress(0xdead)] } }), ["PANEL_MISSES"]);
    assert.deepEqual(judge({ panel: { unknown: "accept", require: [one?.provider] } }), []);
  });
});

const minimal = {
  version: 1,
  tokens: { [testAddress(1)]: { prices: { base: "1" }, bond: { most: "1" } } },
  requesters: { mode: "any" },
};

describe("a policy", () => {
  it("needs only version, tokens and requesters, and is strict about the rest", () => {
    assert.equal(policySchema.parse(minimal).finality.endpoints, 2);
    assert.equal(policySchema.parse(minimal).panel.unknown, "no-veto");
    const broken = [
      { ...minimal, verion: 1 },
      { ...minimal, tokens: {} },
      { ...minimal, requesters: { mode: "allow" } },
      { ...minimal, tokens: { [testAddress(1)]: { prices: { base: 1 }, bond: { most: "1" } } } },
      { ...minimal, tokens: { [testAddress(1)]: { prices: { base: "-1" }, bond: { most: "1" } } } },
      { ...minimal, windows: { leastCommitSeconds: 10, longestCommitSeconds: 5 } },
      { ...minimal, confirmations: 20, finality: { depth: 3 } },
      { ...minimal, panel: { require: [testAddress(2)], deny: [testAddress(2)] } },
      { ...minimal, finality: { endpoints: 0 } },
    ];
    for (const policy of broken) assert.equal(policySchema.safeParse(policy).success, false, JSON.stringify(policy));
  });
});

describe("carrying", () => {
  it("goes round: everybody computes the same order, and over many jobs every place comes first", () => {
    const first = new Set<number>();
    for (let job = 1; job <= 40; job++) {
      const jobId = `0x${job.toString(16).padStart(64, "0")}` as const;
      const order = dutyOrder(jobId, "commitments", [0, 1, 2]);
      assert.deepEqual(order, dutyOrder(jobId, "commitments", [2, 0, 1]));
      first.add(order[0] as number);
    }
    assert.equal(first.size, 3);
  });

  it("gives each place before it some patience, and places that may not carry no turn", () => {
    const base = {
      jobId: `0x${"11".repeat(32)}`,
      duty: "openings",
      places: [0, 1, 2],
      since: 100,
      patienceSeconds: 7,
    } as const;
    const turns = [0, 1, 2].map((own) => turnOf({ ...base, own })).sort();
    assert.deepEqual(turns, [100, 107, 114]);
    assert.equal(turnOf({ ...base, own: 5 }), undefined);
  });
});

describe("the example that a command writes", () => {
  it("is a policy with every section and its defaults", () => {
    const text = examplePolicy({ token: testAddress(1), decimals: 6, requesters: [testAddress(2)] });
    const policy = policySchema.parse(JSON.parse(text));
    assert.equal(policy.tokens[testAddress(1)]?.prices.base, 100_000n);
    assert.deepEqual(policy.requesters.allow, [testAddress(2)]);
    assert.deepEqual(policy.windows, policySchema.parse(minimal).windows);
    assert.equal(
      policySchema.parse(JSON.parse(examplePolicy({ token: testAddress(1), decimals: 0 }))).requesters.mode,
      "any",
    );
  });
});

describe("the annotated example of the guide", () => {
  const guide = readFileSync(new URL("../../../../docs/guides/agent-policy.md", import.meta.url), "utf8");

  it("is a policy", () => {
    const example = JSON.parse(/```json\n(.*?)```/s.exec(guide)?.[1] ?? "");
    assert.equal(policySchema.parse(example).panel.known.length, 2);
    // Every member that the schema knows is shown.
    assert.deepEqual(
      Object.keys(policySchema.parse(minimal)).sort(),
      Object.keys(example)
        .filter((name) => name !== "engines")
        .sort(),
    );
  });

  it("shows the defaults", () => {
    const example = policySchema.parse(JSON.parse(/```json\n(.*?)```/s.exec(guide)?.[1] ?? ""));
    const defaults = policySchema.parse(minimal);
    for (const name of [
      "leastCalloutBps",
      "windows",
      "limits",
      "maxConcurrentJobs",
      "maxLiveOffers",
      "offer",
      "carrying",
      "retentionSeconds",
      "confirmations",
      "finality",
      "treasury",
    ] as const)
      assert.deepEqual(example[name], defaults[name], name);
  });
});
