import { readFile } from "node:fs/promises";
import { blocksOf, systemClock, unixSeconds } from "@quorate/core";
import { testDomain, testHash } from "@quorate/testkit";
import { createRelayClient, signEnvelope } from "@quorate/wire";
import { privateKeyToAccount } from "viem/accounts";
import { startRelayProcess, stopAll } from "./processes.ts";

// Measures one relay process on loopback: messages, blocks of 64 KiB, reads; prints throughput and memory as JSON.
// Run: node test/integration/relay/load.ts [messages] [blocks]
const [messageCount = 2_000, blockCount = 200] = process.argv.slice(2).map(Number);
const CONCURRENCY = 32;

const unbounded = {
  othersPerTopic: 1_000_000,
  perSenderAndTopic: 1_000_000,
  messagesPerSender: 1_000_000,
  bytesPerSender: 2 ** 40,
  writesPerMinute: 1_000_000,
  uploadsPerMinute: 1_000_000,
  sourceShare: 100,
};

async function measure(count: number, task: (index: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  const workers = Array.from({ length: CONCURRENCY }, async () => {
    for (let index = next++; index < count; index = next++) await task(index);
  });
  await Promise.all(workers);
  return Math.round(count / ((performance.now() - startedAt) / 1000));
}

/** Processor time of a process so far, milliseconds; does not depend on what else runs. Linux counts hundredths of a second. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function rssMiB(pid: number): Promise<number> {
  const pages = /VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1];
  return Math.round(Number(pages) / 1024);
}

const relay = await startRelayProcess({ limits: unbounded });
try {
  const client = createRelayClient({ urls: [relay.url], domain: testDomain, timeoutMs: 60_000, attempts: 1 });
  const createdAt = unixSeconds(systemClock);
  const signers = Array.from({ length: 20 }, (_, index) => privateKeyToAccount(testHash(index + 1)));
  const envelopes = await Promise.all(
    Array.from({ length: messageCount }, (_, index) =>
      signEnvelope(
        {
          kind: "redelivery" as const,
          topic: testHash(index % 50),
          body: { reason: `message ${index}` },
          createdAt,
          expiry: createdAt + 3_600,
        },
        signers[index % signers.length] as (typeof signers)[0],
        testDomain,
      ),
    ),
  );
  const blocks = Array.from({ length: blockCount }, (_, index) => {
    const bytes = new Uint8Array(65_536);
    new DataView(bytes.buffer).setUint32(0, index);
    return blocksOf(bytes)[0] as { cid: string; bytes: Uint8Array };
  });
  const idle = await rssMiB(relay.pid);
  const cpuBefore = await cpuMs(relay.pid);
  const messagesPerSecond = await measure(messageCount, (index) =>
    client.publish(envelopes[index] as (typeof envelopes)[0]),
  );
  const afterMessages = await rssMiB(relay.pid);
  const cpuAfterMessages = await cpuMs(relay.pid);
  const uploadsPerSecond = await measure(blockCount, (index) => {
    const { cid, bytes } = blocks[index] as (typeof blocks)[0];
    return client.putBlock(cid, bytes);
  });
  const cpuAfterUploads = await cpuMs(relay.pid);
  const downloadsPerSecond = await measure(blockCount, (index) =>
    client.getBlock((blocks[index] as (typeof blocks)[0]).cid),
  );
  const pagesPerSecond = await measure(500, async (index) => {
    const response = await fetch(`${relay.url}/v1/topics/${testHash(index % 50)}/messages`);
    await response.arrayBuffer();
  });
  const afterAll = await rssMiB(relay.pid);
  const rates = { messagesPerSecond, uploadsPerSecond, downloadsPerSecond, pagesPerSecond };
  const cpuMsEach = {
    message: (cpuAfterMessages - cpuBefore) / messageCount,
    upload: (cpuAfterUploads - cpuAfterMessages) / blockCount,
  };
  console.log(
    JSON.stringify({ messageCount, blockCount, ...rates, cpuMsEach, rssMiB: { idle, afterMessages, afterAll } }),
  );
} finally {
  await stopAll();
}
