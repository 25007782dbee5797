/**
 * The requester of the local market as a process of its own. Argument: file with its settings as JSON. It is told over the
 * process channel which story to run, and tells over it what happens.
 */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Hex, sealAad, sealTo, silentLogger, systemClock } from "@quorate/core";
import {
  createRequester,
  type JobRecord,
  makePackage,
  parseTrustPolicy,
  type ReceivedOffer,
  type Requester,
  type RequesterKeyStore,
  type Selection,
} from "@quorate/sdk";
import { fileKeyStore } from "@quorate/sdk/node";
import { createLogger, loadKeystore, runService } from "@quorate/service";
import { createRelayClient } from "@quorate/wire";
import { bytesToHex, createPublicClient, hexToBytes, http, type PublicClient } from "viem";
import { failureOf } from "./channel.ts";
import { marketClient } from "./keys.ts";
import { findProgram } from "./programs/index.ts";
import type { RequesterCommand, RequesterConfig, RequesterEvent } from "./requester-events.ts";
import { type Story, WALL_TIME_MS } from "./stories.ts";

const config = JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as RequesterConfig;

/** How long the requester waits for offers, and for the result of a settled job. */
const OFFERS_TIMEOUT_MS = 60_000;
const RESULT_TIMEOUT_MS = 60_000;

process.exitCode = await runService(
  async (signal) => {
    const keyStore = fileKeyStore({ directory: join(config.home, "jobs") });
    const requester = await connect(keyStore);
    const jobs: Promise<void>[] = [];
    process.channel?.ref();
    process.on("message", (command: RequesterCommand) => {
      jobs.push(run(requester, keyStore, command.story, signal).catch(tellFailure));
    });
    tell({ type: "ready" });
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await Promise.allSettled(jobs);
    process.channel?.unref();
  },
  { logger: createLogger({ level: "info", stream: process.stdout }), exit: (code) => process.exit(code) },
);

function tell(event: RequesterEvent): void {
  process.send?.(event);
}

function tellFailure(error: unknown): void {
  console.error(error);
  tell(failureOf(error));
}

async function connect(keyStore: RequesterKeyStore): Promise<Requester> {
  const passphrase = readFileSync(config.passphraseFile, "utf8").trim();
  const account = await loadKeystore(join(config.home, "keys", "requester.json"), passphrase);
  const client = createPublicClient({ transport: http(config.rpc), pollingInterval: 500 }) as PublicClient;
  const trust: unknown = JSON.parse(readFileSync(join(config.home, "trust.json"), "utf8"));
  return createRequester({
    client: marketClient({ ...config, client, account }),
    relays: createRelayClient({
      urls: [...config.relays],
      domain: { chainId: config.chainId, market: config.market },
      clock: systemClock,
      logger: silentLogger,
    }),
    keyStore,
    trustPolicy: parseTrustPolicy(trust),
    fromBlock: config.fromBlock,
    leastRelays: config.relays.length,
    pollIntervalMs: 500,
  });
}

async function run(
  requester: Requester,
  keyStore: RequesterKeyStore,
  story: Story,
  signal: AbortSignal,
): Promise<void> {
  const program = findProgram(story.program);
  const { manifest: own, files } = await program.build();
  const manifest = { ...own, limits: { ...own.limits, wallTimeMs: WALL_TIME_MS } };
  const prepared = makePackage({ manifest, files });
  tell({
    type: "packed",
    files: [...files.keys()],
    bytes: prepared.encrypted.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0),
    blocks: prepared.encrypted.blocks.length,
    cid: prepared.encrypted.cid,
  });

  const { jobId } = await requester.requestJob(
    { prepared, wishes: { ...story.wishes, token: config.token }, label: story.title },
    { signal },
  );
  tell({ type: "requested", jobId });

  const selection = await choose(requester, jobId, story.offers, signal);
  if (story.mishap?.kind === "garbage-key") {
    await sealGarbage(keyStore, jobId, selection, config.organizations[story.mishap.organization] as Hex);
    await requester.openJob(jobId, undefined, { signal });
  } else {
    await requester.openJob(jobId, selection, { signal });
  }

  let told = "";
  for await (const view of requester.watchJob(jobId, { signal })) {
    if (told === "") tell({ type: "opened", jobId, escrow: view.money.escrow.toString() });
    const panel = view.panel.map(({ provider, role, state }) => ({ provider, role, state }));
    const now = JSON.stringify([view.statusName, panel]);
    if (now !== told) tell({ type: "progress", status: view.statusName, panel });
    told = now;
  }
  const { stage } = await requester.resume(jobId, { signal });
  tell({ type: "settled", jobId, status: stage });

  const result = await requester.fetchResult(jobId, { signal, timeoutMs: RESULT_TIMEOUT_MS });
  const { ok, summary } = await program.check(result.bytes);
  tell({ type: "result", jobId, from: result.from, bytes: result.bytes.length, ok, summary });
}

/** Collects offers until everybody has answered or the time is over, and picks the panel. */
async function choose(requester: Requester, jobId: Hex, expected: number, signal: AbortSignal): Promise<Selection> {
  const offers: ReceivedOffer[] = [];
  const providers = new Set<string>();
  for await (const offer of requester.collectOffers(jobId, { signal, timeoutMs: OFFERS_TIMEOUT_MS })) {
    offers.push(offer);
    if (offer.kind === "offer" && !providers.has(offer.offer.provider)) {
      providers.add(offer.offer.provider);
      tell({
        type: "offer",
        provider: offer.offer.provider,
        price: offer.offer.price.toString(),
        accepted: offer.judgement.accepted,
        reasons: offer.judgement.reasons,
      });
    }
    if (providers.size === expected) break;
  }
  const selection = await requester.selectOffers(jobId, offers);
  tell({
    type: "selected",
    chosen: selection.chosen.map(({ offer, role }) => ({
      provider: offer.provider,
      role,
      price: offer.price.toString(),
    })),
    refused: selection.refused.map(({ offer, reasons }) => ({ provider: offer.provider, reasons })),
  });
  return selection;
}

/**
 * Stores a panel whose key wraps are in order but for one organization, which gets a key that opens nothing. The shipped
 * client has no such option: it finds the panel in its store as if an earlier call had fixed it.
 */
async function sealGarbage(keyStore: RequesterKeyStore, jobId: Hex, selection: Selection, victim: Hex): Promise<void> {
  const record = (await keyStore.get(jobId)) as JobRecord;
  const offers = await Promise.all(
    selection.chosen.map(async ({ offer }) => {
      const isVictim = offer.provider.toLowerCase() === victim.toLowerCase();
      const sealed = await sealTo({
        recipient: offer.encryptionKey,
        purpose: "key-wrap",
        aad: sealAad({ jobId, provider: offer.provider, chainId: config.chainId, market: config.market }),
        plaintext: isVictim ? randomBytes(32) : hexToBytes(record.packageKey),
      });
      return { ...offer, keyWrap: bytesToHex(sealed) };
    }),
  );
  const reasons = selection.chosen.map(({ role, reasons: why }) => ({ role, reasons: why }));
  await keyStore.put({ ...record, selection: { spares: selection.spares, offers, reasons } });
}
