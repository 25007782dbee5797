// Files that were lost, restored or planted: no second vote, no vote that cannot be opened, no record of a stranger.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createVoteGuard, emptyState, type VoteRecord } from "@quorate/agent";
import {
  commitmentOf,
  deriveSalt,
  generateEncryptionKeyPair,
  type Hex,
  jobIdOf,
  Outcome,
  requirementsOf,
  silentLogger,
  systemClock,
} from "@quorate/core";
import type { JobRecord } from "@quorate/sdk";
import { fileKeyStore } from "@quorate/sdk/node";
import { assertCode, buildManifest, buildRequest, testAddress, testDomain, testHash } from "@quorate/testkit";
import { hexToBytes } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import type { Effect } from "../../../packages/agent/src/internal/effects.ts";
import { createPerformer, type PerformPorts } from "../../../packages/agent/src/internal/perform.ts";
import { createSemaphore } from "../../../packages/agent/src/internal/semaphore.ts";
import { emptyJob } from "../../../packages/agent/src/internal/state.ts";
import { createAgentStore } from "../../../packages/agent/src/internal/store.ts";
import { buildPolicy, FakeRelays, fakeReader, memoryDb } from "../../../packages/agent/src/testing/ports.ts";

const JOB = testHash(0x10b);
const provider = testAddress(0xa);

describe("a vote guard that was lost while the journal stayed", () => {
  /** An agent whose journal has a vote and whose guard is new. */
  function agentWith(vote: Pick<VoteRecord, "outcome" | "resultHash" | "commitment">) {
    const secret = hexToBytes(testHash(0x5ec));
    const relays = new FakeRelays();
    const recorded: string[] = [];
    const unused = (): never => assert.fail("the test does not expect this call");
    const guard = createVoteGuard(memoryDb(), {
      provider,
      domain: testDomain,
      saltOf: (jobId) => deriveSalt(secret, jobId),
    });
    const state = { ...emptyState, jobs: new Map([[JOB, { ...emptyJob(JOB), vote: { ...vote, at: 1 } }]]) };
    const perform = createPerformer({
      provider,
      domain: testDomain,
      policy: buildPolicy(),
      signer: privateKeyToAccount(testHash(0xa9)),
      secret,
      store: createAgentStore(memoryDb()),
      guard,
      reader: fakeReader(),
      relays: relays.client(),
      outbox: {} as PerformPorts["outbox"],
      sandbox: { supports: unused, run: unused },
      places: createSemaphore(1),
      clock: systemClock,
      logger: silentLogger,
      state: () => state,
      dispatch: unused,
      record: (entry) => void recorded.push(entry.kind),
    });
    const effect: Effect = { type: "publish-opening", jobId: JOB, key: "k", place: 0, validUntil: 2 ** 33 };
    const open = () => perform(effect, new AbortController().signal);
    return { open, guard, relays, recorded, saltOf: (jobId: Hex) => deriveSalt(secret, jobId) };
  }

  test("opens the vote that the journal holds: its salt follows from the secret, and a late bond is burnt", async () => {
    const answer = { outcome: Outcome.Ok, resultHash: testHash(0x42) };
    const { saltOf } = agentWith({ ...answer, commitment: testHash(1) });
    const commitment = commitmentOf({ jobId: JOB, provider, ...answer, salt: saltOf(JOB) }, testDomain);
    const { open, guard, relays, recorded } = agentWith({ ...answer, commitment });
    await open();
    const [message] = relays.messages;
    assert.ok(message?.kind === "opening");
    const { outcome, resultHash, salt } = message.body.opening;
    assert.equal(commitmentOf({ jobId: JOB, provider, outcome, resultHash, salt }, testDomain), commitment);
    assert.deepEqual(recorded, ["opening-published"]);
    assert.equal(guard.get(JOB)?.commitment, commitment, "and the guard holds it from now on");
  });

  test("opens nothing under another secret: what was committed before is another vote", async () => {
    const { open, guard, relays } = agentWith({
      outcome: Outcome.Ok,
      resultHash: testHash(0x42),
      commitment: testHash(0xbad),
    });
    await assertCode(open(), "VOTE_CONFLICT");
    assert.deepEqual(relays.messages, []);
    assert.equal(guard.get(JOB), undefined);
  });
});

describe("a key store with a passphrase", () => {
  test("takes no record that is not encrypted: whoever can write files could plant a panel of his own", async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "quorate-planted-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const request = buildRequest();
    const keys = generateEncryptionKeyPair();
    const record: JobRecord = {
      version: 1,
      jobId: jobIdOf(request, testDomain),
      chainId: testDomain.chainId,
      market: testDomain.market,
      request,
      requirements: requirementsOf(buildManifest()),
      packageCid: "planted",
      packageKey: testHash(7),
      encryptionPrivateKey: keys.privateKey,
      createdAt: 1,
      createdAtBlock: 1,
      transactions: [],
    };
    const thief = fileKeyStore({ directory: join(folder, "thief") });
    await thief.put(record);
    const planted = await readFile(join(folder, "thief", `${record.jobId}.json`), "utf8");
    const store = fileKeyStore({ directory: join(folder, "own"), passphrase: "correct horse" });
    await store.put(record);
    assert.equal((await store.get(record.jobId))?.packageKey, record.packageKey);
    await writeFile(join(folder, "own", `${record.jobId}.json`), planted);
    await assertCode(store.get(record.jobId), "KEY_STORE_DAMAGED");
    await assertCode(store.list(), "KEY_STORE_DAMAGED");
  });
});
