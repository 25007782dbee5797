import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { nullifierOf, openCipher, pathRoot, subjectFromSecret } from "@quorate/proofs";
import { keyAccountFrom } from "@quorate/service";
import { assertCode, recordingLogger, testAddress, testHash } from "@quorate/testkit";
import { asker, day, incomeTopic, papers, payroll, startS, World } from "../testing/world.ts";
import { openState } from "./context.ts";
import { auditLog, initDomain } from "./offline.ts";

const from = day(startS - 86_400 * 30);
const until = day(startS + 86_400 * 30);
const signal = new AbortController().signal;

/** Every byte that the agent keeps on the disk. */
function disk({ dataDir }: World): Buffer {
  return Buffer.concat(globSync("domain.db*", { cwd: dataDir }).map((file) => readFileSync(join(dataDir, file))));
}

/** Bytes cut into pieces that are too long to be found by chance. */
function piecesOf(bytes: Uint8Array): readonly Buffer[] {
  const length = 12;
  return Array.from({ length: Math.floor(bytes.length / length) }, (_, n) =>
    Buffer.from(bytes.subarray(n * length, (n + 1) * length)),
  );
}

describe("a question", () => {
  for (const [value, expected] of [
    ["50000", true],
    ["52000.00", true],
    ["52000.01", false],
  ] as const) {
    it(`about ${value} is answered ${expected}, and only the asker can tell`, async () => {
      using world = await World.start();
      const { quote, k, query } = await world.quote({ statement: world.atLeast(value) });
      assert.equal(quote.query, query);
      world.ask(quote);
      await world.work();
      const asked = world.market.statusOf(quote);
      assert.equal(asked?.status, "answered");
      assert.equal(openCipher(asked?.cipher as bigint, k, query), expected);
      assert.throws(() => openCipher(asked?.cipher as bigint, k + 1n, query));
      assert.deepEqual(world.domain.status().questions, {
        quoted: 0,
        asked: 0,
        proven: 0,
        expiring: 0,
        answered: 1,
        expired: 0,
        lapsed: 0,
      });
    });
  }

  it("is gone from the disk when it is over, and never lay there readable", async () => {
    using world = await World.start();
    const { quote, k } = await world.quote();
    const row = world.state.db.prepare("SELECT key, body FROM question").get();
    const pieces = [row?.key, row?.body].flatMap((value) => piecesOf(value as Uint8Array));
    const before = disk(world);
    const found = pieces.filter((piece) => before.includes(piece)).length;
    // Pages of the database cut some of them in two.
    assert.ok(found > 0.9 * pieces.length, `${found} of ${pieces.length} pieces are stored`);
    for (const secret of [String(k), papers.name, "LOVELACE", "5200000", "52000", world.subject.nk.toString()])
      assert.ok(!disk(world).includes(secret), `"${secret}" can be read on the disk`);
    world.ask(quote);
    await world.work();
    const after = disk(world);
    assert.equal(pieces.filter((piece) => after.includes(piece)).length, 0);
    assert.deepEqual(
      { ...world.state.db.prepare("SELECT key, body, proof FROM question").get() },
      {
        key: null,
        body: null,
        proof: null,
      },
    );
    assert.equal(world.state.db.prepare("SELECT count(*) AS n FROM one_time_key").get()?.n, 0);
  });

  it("leaves an entry in the audit log, for operator and subject, without a secret", async () => {
    using world = await World.start();
    const { quote, leaf, k } = await world.quote();
    world.ask(quote);
    await world.work();
    const reply = await world.speak("audit");
    assert.ok(reply.kind === "audit");
    assert.equal(reply.entries.length, 1);
    const [entry] = reply.entries;
    assert.deepEqual(
      { query: entry?.query, leaf: entry?.leaf, asker: entry?.asker, outcome: entry?.outcome },
      { query: quote.query, leaf, asker: asker.address, outcome: "answered" },
    );
    assert.ok((entry?.askedAt ?? 0) > 0 && (entry?.endedAt ?? 0) >= (entry?.askedAt ?? 0));
    world.close();
    const log = await auditLog({ dataDir: world.dataDir, account: world.account, reference: "E1" });
    assert.equal(log[0]?.reference, "E1");
    assert.ok(!JSON.stringify(log, (_, value) => String(value)).includes(String(k)));
    assert.deepEqual(await auditLog({ dataDir: world.dataDir, account: world.account, reference: "E2" }), []);
  });

  it("that is sent again because its quote was lost gets the same quote; another one under its key gets none", async () => {
    using world = await World.start();
    const { message, quote, signature } = await world.quote();
    assert.deepEqual(await world.domain.question(message), { quote, signature });
    const other = await world.prepare();
    const forged = await world.sign({ encryptionKey: message.encryptionKey, sealed: other.message.sealed });
    await assertCode(world.domain.question(forged), "CANNOT_ANSWER");
    assert.equal(world.domain.status().questions.quoted, 1);
  });

  it("two at once take two indexes of the budget", async () => {
    using world = await World.start({ slowSigner: true });
    const [first, second] = await Promise.all([world.prepare(), world.prepare()]);
    await Promise.all([world.domain.question(first.message), world.domain.question(second.message)]);
    const rows = world.state.db.prepare("SELECT i FROM use ORDER BY i").all();
    assert.deepEqual(
      rows.map(({ i }) => i),
      [0, 1],
    );
  });
});

describe("a subject", () => {
  it("sees its record, and the path leads to the root on chain", async () => {
    using world = await World.start();
    const { root, records } = await world.records();
    assert.equal(records.length, 1);
    const [record] = records;
    assert.ok(record?.path !== undefined);
    assert.equal(pathRoot(record.leaf, record.path), root);
    assert.deepEqual([record.topic, record.values, record.budget, record.used], [incomeTopic, [5_200_000n], 3, 0]);
  });

  it("whom nobody knows, whose clock is wrong, or who did not sign gets the one refusal", async () => {
    using world = await World.start();
    const stranger = subjectFromSecret(new Uint8Array(32).fill(9), world.identity.provider);
    await assertCode(world.speak("records", {}, stranger), "CANNOT_ANSWER");
    await assertCode(world.speak("records", { at: world.now() - 301 }), "CANNOT_ANSWER");
    await assertCode(world.speak("records", {}, { ...world.subject, sign: stranger.sign }), "CANNOT_ANSWER");
    await assertCode(world.speak("enrol", { code: "0000-0000-0000-0000", nk: 1n }, stranger), "CANNOT_ANSWER");
    await assertCode(world.speak("enrol", { nk: 1n << 250n }, stranger), "CANNOT_ANSWER");
  });

  it("enrols again with a new key, and its budget goes on", async () => {
    using world = await World.start();
    const { quote } = await world.quote();
    world.ask(quote);
    await world.work();
    world.close();
    const { code } = await world.register("E1");
    await world.open();
    const renewed = subjectFromSecret(new Uint8Array(32).fill(8), world.identity.provider);
    const parts = { code, nk: renewed.nk, papers };
    const reply = await world.speak("enrol", parts, renewed);
    assert.equal(reply.kind, "enrolled");
    assert.deepEqual(await world.speak("enrol", parts, renewed), reply, "a lost reply can be had again");
    await assertCode(world.speak("records"), "CANNOT_ANSWER");
    world.publish();
    const { records, root } = await world.records(renewed);
    assert.equal(records[0]?.used, 1);
    assert.equal(pathRoot(records[0]?.leaf ?? 0n, records[0]?.path as never), root);
  });

  it("with a good code and other papers is told, and a guesser gets five tries", async () => {
    using world = await World.start();
    world.close();
    const { code } = await world.register("E2", { ...papers, documentNumber: "Y9" });
    await world.open();
    const other = subjectFromSecret(new Uint8Array(32).fill(10), world.identity.provider);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const reply = await world.speak("enrol", { code, nk: other.nk, papers }, other);
      assert.ok(reply.kind === "refused");
      assert.equal(reply.code, "PAPERS_DIFFER");
    }
    const right = { code, nk: other.nk, papers: { ...papers, documentNumber: "y-9" } };
    await assertCode(world.speak("enrol", right, other), "CANNOT_ANSWER");
  });

  it("cannot take the key of another", async () => {
    using world = await World.start();
    world.close();
    const { code } = await world.register("E2");
    await world.open();
    const reply = await world.speak("enrol", { code, nk: world.subject.nk + 1n }, world.subject);
    assert.ok(reply.kind === "refused");
    assert.equal(reply.code, "KEY_TAKEN");
  });
});

describe("a refusal", () => {
  const stale = (world: World): void => world.clock.advance(40 * 86_400 * 1000);
  const cases: readonly (readonly [string, string, (world: World) => Promise<unknown>])[] = [
    ["a consent for another question", "CONSENT_INVALID", (world) => world.quote({ consentFor: 5n })],
    ["a consent that ended", "CONSENT_EXPIRED", (world) => world.quote({ notAfter: world.now() - 1 })],
    ["a consent that ends now", "TOO_LATE", (world) => world.quote({ notAfter: world.now() + 5 })],
    ["another person's papers", "PERSON_MISMATCH", (world) => world.quote({ person: 5n })],
    [
      "a leaf that is none of the subject's",
      "RECORD_UNKNOWN",
      (world) => world.quote({ leaf: 5n, root: rootOf(world) }),
    ],
    ["a root that nobody published", "ROOT_NOT_ASKABLE", (world) => world.quote({ root: 5n })],
    ["a verifier that is not offered", "VERIFIER_NOT_OFFERED", (world) => world.quote({ verifier: testAddress(9) })],
    [
      "a statement about an old day",
      "STATEMENT_STALE",
      (world) => world.quote({ statement: { ...world.atLeast("1"), asOf: startS - 90_000 } }),
    ],
    ["a statement that says nothing", "STATEMENT_VACUOUS", (world) => world.quote({ statement: world.atLeast("0") })],
    [
      "an attribute that the dataset does not define",
      "STATEMENT_NOT_OFFERED",
      (world) => {
        const statement = world.atLeast("1");
        if (statement.kind !== "attribute") throw new Error("no attribute");
        return world.quote({ statement: { ...statement, attribute: { ...statement.attribute, scale: 3 } } });
      },
    ],
    [
      "a record that has ended",
      "RECORD_ENDED",
      (world) => {
        stale(world);
        return world.quote();
      },
    ],
    [
      "a subject who never enrolled",
      "SUBJECT_UNKNOWN",
      (world) =>
        world.quote({
          subject: subjectFromSecret(new Uint8Array(32).fill(11), world.identity.provider),
          leaf: 5n,
          root: rootOf(world),
        }),
    ],
    [
      "a bond that the provider cannot cover",
      "BOND_SHORT",
      (world) => {
        world.market.free = 4_999n;
        return world.quote();
      },
    ],
    [
      "a budget that is used up",
      "BUDGET_SPENT",
      async (world) => {
        for (let use = 0; use < 3; use += 1) await world.quote();
        return world.quote();
      },
    ],
    [
      "a signature of somebody else",
      "SIGNATURE_INVALID",
      async (world) => {
        const { message } = await world.prepare();
        return world.domain.question({ ...message, signature: `0x${"11".repeat(65)}` });
      },
    ],
    [
      "a one-time key that nobody gave",
      "KEY_UNKNOWN",
      async (world) => {
        const { message } = await world.prepare();
        return world.domain.question(await world.sign({ ...message, encryptionKey: `0x${"22".repeat(32)}` }));
      },
    ],
    [
      "a seal that does not open",
      "SEAL_DOES_NOT_OPEN",
      async (world) => {
        const { message } = await world.prepare();
        const sealed = Buffer.from(message.sealed, "base64");
        sealed[50] = (sealed[50] ?? 0) ^ 1;
        return world.domain.question(await world.sign({ ...message, sealed: sealed.toString("base64") }));
      },
    ],
  ];
  for (const [what, code, act] of cases) {
    it(`of ${what} is the one refusal; the operator's log says ${code}`, async () => {
      const logger = recordingLogger();
      using world = await World.start({ logger });
      const before = world.domain.status().questions.quoted;
      const error = await assertCode(act(world), "CANNOT_ANSWER");
      assert.equal(error.message, "cannot answer");
      const refused = logger.entries.filter(({ event }) => event === "question_refused");
      assert.equal(refused.at(-1)?.fields.code, code);
      assert.equal(world.domain.status().questions.quoted, before + (code === "BUDGET_SPENT" ? 3 : 0));
    });
  }

  it("with the subject's good consent is told to the subject", async () => {
    using world = await World.start();
    await assertCode(world.quote({ person: 5n }), "CANNOT_ANSWER");
    const reply = await world.speak("audit");
    assert.ok(reply.kind === "audit");
    assert.deepEqual(
      reply.entries.map(({ outcome, reason }) => [outcome, reason]),
      [["refused", "PERSON_MISMATCH"]],
    );
  });

  it("by the policy: askers who are not listed, denied, or ask too often", async () => {
    for (const config of [
      { askers: { mode: "listed" } },
      { askers: { mode: "any", deny: [asker.address] } },
      { limits: { openQuotesPerAsker: 1 } },
      { limits: { quotesPerAskerPerDay: 1 } },
    ]) {
      using world = await World.start({ config });
      if ("limits" in config) await world.quote();
      await assertCode(world.quote(), "CANNOT_ANSWER");
    }
    using world = await World.start({ config: { askers: { mode: "listed", allow: [asker.address] } } });
    await world.quote();
  });

  function rootOf(world: World): bigint {
    return world.domain.status().datasets[0]?.root ?? 0n;
  }
});

describe("indexes of a budget", () => {
  it("go back when the quote lapsed by the final chain, and not before", async () => {
    using world = await World.start({ confirmations: 3 });
    const { quote } = await world.quote();
    const used = (): number => world.state.db.prepare("SELECT count(*) AS n FROM use").get()?.n as number;
    world.market.mine([], quote.expiry - world.market.time + 1);
    world.follow();
    assert.equal(used(), 1, "the head is past the expiry, the final block is not");
    for (let block = 0; block < 3; block += 1) world.market.mine();
    world.follow();
    assert.equal(used(), 0);
    assert.equal(world.domain.status().questions.lapsed, 1);
  });

  it("that are used on chain are left alone, and another one is proved", async () => {
    using world = await World.start();
    const { quote, k, query } = await world.quote();
    world.market.useNullifier(nullifierAt(world, 0));
    world.ask(quote);
    await world.work();
    const asked = world.market.statusOf(quote);
    assert.equal(openCipher(asked?.cipher as bigint, k, query), true);
    assert.deepEqual(
      world.state.db
        .prepare("SELECT i, question_id IS NOT NULL AS own FROM use ORDER BY i")
        .all()
        .map(({ i, own }) => [i, own]),
      [
        [0, 0],
        [1, 1],
      ],
    );
  });

  it("that were used while the answer was on its way are replaced by a new proof", async () => {
    using world = await World.start();
    const { quote } = await world.quote();
    world.ask(quote);
    await world.domain.step(signal);
    world.market.useNullifier(nullifierAt(world, 0));
    await world.work();
    assert.equal(world.market.statusOf(quote)?.status, "answered");
    assert.deepEqual(
      world.outbox
        .intents()
        .map(({ key, status }) => [key, status])
        .slice(1),
      [
        ["answer/1/0", "abandoned"],
        ["answer/1/1", "mined"],
      ],
    );
  });

  function nullifierAt(world: World, i: number): bigint {
    const validFrom = Date.parse(`${from}T00:00:00Z`) / 1000;
    return nullifierOf({ nk: world.subject.nk, nullifierTopic: incomeTopic, validFrom, i });
  }
});

describe("answering", () => {
  it("waits until the question is final: one that a reorganisation takes back is never answered", async () => {
    using world = await World.start({ confirmations: 2 });
    const { quote } = await world.quote();
    const before = world.cursor;
    world.market.ask(quote);
    world.follow();
    await world.domain.step(signal);
    assert.equal(world.domain.status().questions.quoted, 1);
    world.market.reorganize(1);
    for (let block = 0; block < 5; block += 1) world.market.mine();
    world.follow(before);
    await world.domain.step(signal);
    assert.equal(world.domain.status().questions.quoted, 1);
    assert.equal(world.outbox.intents().length, 1, "nothing but the root was ever sent");
  });

  it("gives up early when there can be no proof, and the asker has price and bond", async () => {
    const prover = { prove: async () => ({ proof: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n], signals: [1n, 2n, 3n, 4n] }) };
    using world = await World.start({ prover });
    const { quote } = await world.quote();
    world.ask(quote);
    await world.domain.step(signal);
    assert.equal(world.domain.status().questions.asked, 1, "a failure far from the deadline is tried again");
    world.market.mine([], quote.window - 20);
    world.follow();
    world.clock.advance(quote.window * 1000);
    await world.work();
    assert.equal(world.market.statusOf(quote)?.status, "expired");
    assert.equal(world.domain.status().questions.expired, 1);
    const reply = await world.speak("audit");
    assert.ok(reply.kind === "audit");
    assert.equal(reply.entries[0]?.outcome, "expired");
    assert.equal(reply.entries[0]?.reason, "PROOF_OTHER_SIGNALS");
    assert.equal(world.state.db.prepare("SELECT count(*) AS n FROM use").get()?.n, 0, "nobody saw the nullifier");
  });

  it("expires what it could not answer in time, and keeps an index whose nullifier was shown", async () => {
    using world = await World.start();
    const { quote } = await world.quote();
    world.ask(quote);
    await world.domain.step(signal);
    assert.equal(world.domain.status().questions.proven, 1);
    world.market.mine([], quote.window + 1);
    world.follow();
    await world.work();
    assert.equal(world.market.statusOf(quote)?.status, "expired");
    assert.equal(world.state.db.prepare("SELECT count(*) AS n FROM use").get()?.n, 1);
  });

  it("takes several in one transaction when told to, and sends alone what was skipped", async () => {
    using world = await World.start({ config: { answer: { batch: true } } });
    const quotes = [];
    for (let n = 0; n < 3; n += 1) quotes.push((await world.quote()).quote);
    for (const quote of quotes) world.ask(quote);
    await world.domain.step(signal);
    const [, batch, ...more] = world.outbox.intents();
    assert.match(batch?.key ?? "", /^answers\/1,2,3$/);
    assert.deepEqual(more, []);
    world.market.useNullifier(
      nullifierOf({
        nk: world.subject.nk,
        nullifierTopic: incomeTopic,
        validFrom: Date.parse(`${from}T00:00:00Z`) / 1000,
        i: 1,
      }),
    );
    await world.work();
    // The one whose nullifier was taken meanwhile has no index left: its record gives three answers.
    assert.deepEqual(
      quotes.map((quote) => world.market.statusOf(quote)?.status),
      ["answered", "expired", "answered"],
    );
  });

  it("goes by the chain's clock: a machine that is an hour ahead gives up nothing", async () => {
    using world = await World.start();
    const { quote } = await world.quote();
    world.ask(quote);
    world.clock.advance(3_600_000);
    await world.work();
    assert.equal(world.market.statusOf(quote)?.status, "answered");
  });

  it("learns that somebody else sent its answer", async () => {
    using world = await World.start();
    const { quote } = await world.quote();
    world.ask(quote);
    await world.domain.step(signal);
    const [, item] = world.outbox.intents();
    world.market.execute(item?.data ?? "0x");
    await world.work();
    assert.equal(world.domain.status().questions.answered, 1);
    assert.equal(world.outbox.status(item?.key ?? "")?.reason?.errorName, "QuestionNotPending");
  });

  it("goes on after a restart where it was", async () => {
    using world = await World.start();
    const { quote, k, query } = await world.quote();
    await world.restart();
    world.ask(quote);
    await world.restart();
    await world.domain.step(signal);
    await world.restart();
    await world.work();
    assert.equal(openCipher(world.market.statusOf(quote)?.cipher as bigint, k, query), true);
  });
});

describe("roots", () => {
  /** Another subject with a record. */
  async function addSecond(world: World): Promise<void> {
    world.close();
    await world.importCsv(`employee,income,from,until,budget\nE2,1,${from},${until},3\n`);
    const { code } = await world.register("E2");
    await world.open();
    const second = subjectFromSecret(new Uint8Array(32).fill(12), world.identity.provider);
    await world.speak("enrol", { code, nk: second.nk }, second);
  }

  it("that were superseded can be asked about in their grace, with the paths of their own tree", async () => {
    using world = await World.start();
    const earlier = await world.records();
    await addSecond(world);
    const root = world.publish();
    assert.notEqual(root, earlier.root);
    await world.restart();
    const leaf = earlier.records[0]?.leaf as bigint;
    const { quote, k, query } = await world.quote({ root: earlier.root as bigint, leaf });
    assert.equal(quote.root, earlier.root);
    world.ask(quote);
    await world.work();
    assert.equal(openCipher(world.market.statusOf(quote)?.cipher as bigint, k, query), true);
    world.market.mine([], world.market.graceS + 10);
    world.follow();
    await assertCode(world.quote({ root: earlier.root as bigint, leaf }), "CANNOT_ANSWER");
    world.domain.collect();
    await world.restart();
    assert.equal((await world.quote()).quote.root, root, "the current one is not forgotten");
  });

  it("are never asked about beyond their grace: a quote ends with it", async () => {
    using world = await World.start({ config: { quoteLifeS: 3_000 } });
    world.market.graceS = 100;
    await world.domain.refresh();
    const earlier = await world.records();
    await addSecond(world);
    world.publish();
    const published = world.market.time - 2;
    const { quote } = await world.quote({ root: earlier.root as bigint, leaf: earlier.records[0]?.leaf as bigint });
    assert.equal(quote.expiry, published + 100);
  });

  it("that hold a record which was corrected since are not asked about it", async () => {
    const logger = recordingLogger();
    using world = await World.start({ logger });
    const earlier = await world.records();
    world.close();
    await world.importCsv(`employee,income,from,until,budget\nE1,60000,${from},${until},3\n`, "correct");
    await world.open();
    world.publish();
    const asked = world.quote({ root: earlier.root as bigint, leaf: earlier.records[0]?.leaf as bigint });
    await assertCode(asked, "CANNOT_ANSWER");
    assert.equal(logger.entries.findLast(({ event }) => event === "question_refused")?.fields.code, "RECORD_CHANGED");
  });

  it("end a corrected record and begin the new one at once", async () => {
    using world = await World.start();
    world.close();
    await world.importCsv(`employee,income,from,until,budget\nE1,60000,${day(startS)},${until},3\n`, "correct");
    await world.open();
    assert.equal(world.domain.status().datasets[0]?.pending, 2);
    const root = world.publish();
    const { records } = await world.records();
    assert.deepEqual(
      records.map(({ values, validFrom, validUntil }) => [values[0], day(validFrom), day(validUntil)]),
      [
        [5_200_000n, from, day(startS - 86_400)],
        [6_000_000n, day(startS), until],
      ],
    );
    for (const { leaf, path } of records) assert.equal(pathRoot(leaf, path as never), root);
  });

  it("do not change when nothing did", async () => {
    using world = await World.start();
    assert.equal(world.domain.publish(world.domain.datasets[0] as never), undefined);
  });

  it("that the chain did not take yet are waited for", async () => {
    using world = await World.start();
    world.close();
    await world.importCsv(`employee,income,from,until,budget\nE1,60000,${from},${until},3\n`, "correct");
    await world.open();
    assert.ok(world.domain.publish(world.domain.datasets[0] as never) !== undefined);
    assert.equal(world.domain.publish(world.domain.datasets[0] as never), undefined);
    const { records } = await world.records();
    assert.equal(records[0]?.path, undefined, "a record that no root holds has no path");
    world.settle();
    assert.ok((await world.records()).records[0]?.path !== undefined);
  });
});

describe("a state", () => {
  it("opens with its key only, and for its provider and market only", async () => {
    using world = await World.start();
    world.close();
    const stranger = keyAccountFrom(testHash(1));
    await assertCode(() => openState(world.dataDir, stranger), "STATE_KEY_WRONG");
    await assertCode(
      initDomain({
        dataDir: world.dataDir,
        account: world.account,
        ...world.identity,
        chainId: 5,
        definition: payroll,
      }),
      "DOMAIN_MISMATCH",
    );
    const first = openState(world.dataDir, world.account);
    await assertCode(() => openState(world.dataDir, world.account), "ALREADY_RUNNING");
    first.close();
  });

  it("whose leaves were changed is refused at the start", async () => {
    using world = await World.start();
    world.state.db.exec("UPDATE record SET leaf = '5', placed = '5'");
    await assertCode(world.restart(), "STATE_CORRUPT");
  });
});
