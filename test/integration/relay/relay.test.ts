import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { blocksOf, type Hex, systemClock, unixSeconds } from "@quorate/core";
import { testDomain, testHash, until } from "@quorate/testkit";
import { createRelayClient, type Envelope, type RelayClient, signEnvelope } from "@quorate/wire";
import { privateKeyToAccount } from "viem/accounts";
import { startLiar, startRelayProcess, stopAll } from "./processes.ts";

after(stopAll);

/** Machines that run many tests at once are slow; a wait ends as soon as its condition holds. */
const patient = { timeoutMs: 60_000 };

const signer = (index: number) => privateKeyToAccount(testHash(0x9000 + index));

async function message(topic: Hex, text: string, index = 0): Promise<Envelope> {
  const createdAt = unixSeconds(systemClock);
  const body = { reason: text };
  const draft = { kind: "redelivery" as const, topic, body, createdAt, expiry: createdAt + 3_600 };
  return signEnvelope(draft, signer(index), testDomain);
}

const reasons = (envelopes: readonly Envelope[]): string[] =>
  envelopes.map(({ body }) => (body as { reason: string }).reason).sort();

function clientOf(urls: readonly string[]): RelayClient {
  return createRelayClient({
    urls,
    domain: testDomain,
    timeoutMs: 15_000,
    graceMs: 15_000,
    waitMs: 2_000,
    attempts: 2,
  });
}

function blockOf(fill: number, size = 10_000): { cid: string; bytes: Uint8Array } {
  return blocksOf(new Uint8Array(size).fill(fill))[0] as { cid: string; bytes: Uint8Array };
}

/** Collects what a subscription gives until it is stopped. */
function collect(client: RelayClient, topic: Hex): { got: Envelope[]; stop(): Promise<void> } {
  const controller = new AbortController();
  const got: Envelope[] = [];
  const running = (async () => {
    for await (const envelope of client.subscribe(topic, { signal: controller.signal })) got.push(envelope);
  })();
  return {
    got,
    stop: async () => {
      controller.abort();
      await running;
    },
  };
}

describe("a client of several relay processes", () => {
  it("reads and writes on while one relay is killed and comes back, and misses nothing", async () => {
    const topic = testHash(1);
    const [stable, mortal] = await Promise.all([startRelayProcess(), startRelayProcess()]);
    const client = clientOf([stable.url, mortal.url]);
    const reader = collect(client, topic);
    assert.equal((await client.publish(await message(topic, "a both"))).accepted.length, 2);
    await until(() => reader.got.length === 1, patient);

    await mortal.kill();
    const report = await client.publish(await message(topic, "b one"));
    assert.deepEqual(report.accepted, [stable.url]);
    assert.deepEqual(
      report.failed.map(({ url, error }) => [url, error.code]),
      [[mortal.url, "RELAY_UNREACHABLE"]],
    );
    await until(() => reader.got.length === 2, patient);

    const port = Number(new URL(mortal.url).port);
    await startRelayProcess({ dataDir: mortal.dataDir, port });
    // what only the revived relay holds arrives too: the subscription reconnects by itself
    await clientOf([mortal.url]).publish(await message(topic, "c revived"));
    await until(() => reader.got.length === 3, patient);
    await reader.stop();
    assert.deepEqual(reasons(reader.got), ["a both", "b one", "c revived"]);
    assert.deepEqual(reasons(await client.list(topic)), ["a both", "b one", "c revived"]);
  });

  it("believes nothing that a lying relay changed, and still hears the honest one", async () => {
    const topic = testHash(2);
    const [honest, base] = await Promise.all([startRelayProcess(), startRelayProcess()]);
    const liar = await startLiar(base.url, (path, body) => {
      if (path.startsWith("/ipfs/")) return Buffer.from(body.map((byte) => byte ^ 1));
      return Buffer.from(body.toString().replaceAll('"reason":"', '"reason":"not '));
    });
    const client = clientOf([liar, honest.url]);
    const reader = collect(client, topic);
    await client.publish(await message(topic, "true"));
    const block = blockOf(1);
    assert.equal((await client.putBlock(block.cid, block.bytes)).accepted.length, 2);
    assert.deepEqual(await client.getBlock(block.cid), block.bytes);
    await until(() => reader.got.length === 1, patient);
    assert.deepEqual(reasons(await client.list(topic)), ["true"]);
    assert.deepEqual(reasons(await clientOf([liar]).list(topic)), [], "alone, the liar convinces nobody");
    await reader.stop();
    assert.deepEqual(reasons(reader.got), ["true"]);
  });

  it("finds a block that a single relay of three has, when another one is dead", async () => {
    const relays = await Promise.all([startRelayProcess(), startRelayProcess(), startRelayProcess()]);
    const [dead, , holder] = relays;
    const block = blockOf(2, 1_048_576);
    await clientOf([holder.url]).putBlock(block.cid, block.bytes);
    await dead.kill();
    assert.deepEqual(await clientOf(relays.map(({ url }) => url)).getBlock(block.cid), block.bytes);
  });
});

describe("a relay that is killed while it takes messages and blocks", () => {
  it("has everything that it acknowledged after each of several restarts", async () => {
    const topic = testHash(3);
    const limits = {
      othersPerTopic: 100_000,
      perSenderAndTopic: 100_000,
      messagesPerSender: 100_000,
      sourceShare: 100,
    };
    let relay = await startRelayProcess({ limits });
    const acknowledged = { messages: new Set<string>(), blocks: new Map<string, Uint8Array>() };
    const next = { message: 0, block: 0 };
    for (let round = 0; round < 3; round++) {
      // one try only: what is not acknowledged is not counted
      const client = createRelayClient({ urls: [relay.url], domain: testDomain, timeoutMs: 5_000, attempts: 1 });
      const goal = { messages: acknowledged.messages.size + 8, blocks: acknowledged.blocks.size + 8 };
      let alive = true;
      const writers = Array.from({ length: 6 }, async (_, writer) => {
        while (alive) {
          try {
            if (writer % 2 === 0) {
              // Always a new one: however many were written before the kill, a round can reach its goal.
              const index = next.message++;
              const envelope = await message(topic, `m${index}`, index % 4);
              await client.publish(envelope);
              acknowledged.messages.add((envelope.body as { reason: string }).reason);
            } else {
              const block = blockOf(next.block % 251, 20_000 + next.block++);
              await client.putBlock(block.cid, block.bytes);
              acknowledged.blocks.set(block.cid, block.bytes);
            }
          } catch {
            if (!alive) return;
          }
        }
      });
      try {
        await until(() => acknowledged.messages.size >= goal.messages && acknowledged.blocks.size >= goal.blocks, {
          ...patient,
          everyMs: 1,
        });
        await relay.kill();
      } finally {
        // Else a round that misses its goal would write on for ever, and the run with it.
        alive = false;
        await Promise.all(writers);
      }
      relay = await startRelayProcess({ dataDir: relay.dataDir, limits });

      const revived = clientOf([relay.url]);
      const held = new Set(reasons(await revived.list(topic)));
      for (const reason of acknowledged.messages) assert.ok(held.has(reason), `round ${round}: ${reason} was lost`);
      for (const [cid, bytes] of acknowledged.blocks) assert.deepEqual(await revived.getBlock(cid), bytes);
    }
    assert.ok(acknowledged.messages.size >= 24 && acknowledged.blocks.size >= 24);
  });
});
