/**
 * The mortgage lender of the local market as a process of its own: the shipped asker's client on a key file. Argument: file with
 * its settings. It is told over the process channel what to ask, and tells over it what comes of it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { mortgageDeskAbi } from "@quorate/abi";
import type { Hex } from "@quorate/core";
import { subjectIdOf, subjectRefOf } from "@quorate/proofs";
import { fileQueryStore } from "@quorate/sdk/node";
import { type Asker, createAsker } from "@quorate/sdk/queries";
import { createLogger, type KeyAccount, loadKeystore, runService } from "@quorate/service";
import { createPublicClient, http, type PublicClient, type WalletClient } from "viem";
import { parseSettings, serveCommands } from "../channel.ts";
import { marketClient } from "../keys.ts";
import type { LenderCommand, LenderConfig, LenderEvent } from "./messages.ts";

const config = parseSettings<LenderConfig>(readFileSync(process.argv[2] as string, "utf8"));

/** What the process works with. */
type Lender = {
  readonly account: KeyAccount;
  readonly publicClient: PublicClient;
  readonly wallet: WalletClient;
  readonly store: ReturnType<typeof fileQueryStore>;
  readonly asker: Asker;
};

process.exitCode = await runService(
  async (signal) => {
    const lender = await connect();
    const ready: LenderEvent = { type: "ready" };
    await serveCommands<LenderCommand, LenderEvent>(process, ready, (command) => run(lender, command, signal), signal);
  },
  { logger: createLogger({ level: "info", stream: process.stdout }), exit: (code) => process.exit(code) },
);

async function connect(): Promise<Lender> {
  const passphrase = readFileSync(config.passphraseFile, "utf8").trim();
  const account = await loadKeystore(join(config.home, "keys", "lender.json"), passphrase);
  const publicClient = createPublicClient({ transport: http(config.rpc), pollingInterval: 500 }) as PublicClient;
  const client = marketClient({ ...config, client: publicClient, account });
  const store = fileQueryStore({ directory: join(config.home, "queries"), passphrase });
  const asker = createAsker({ client, store, verifiers: config.verifiers, pollIntervalMs: 500 });
  return { account, publicClient, wallet: client.wallet, store, asker };
}

async function run(lender: Lender, command: LenderCommand, signal: AbortSignal): Promise<LenderEvent> {
  const { asker, store } = lender;
  switch (command.type) {
    case "prepare": {
      const { providerUrl, statement, papers, subjectKey, label } = command;
      const { queryId, consentRequest } = await asker.prepare({
        providerUrl,
        statement,
        papers,
        subjectKey,
        askerName: "Harbor Mortgage",
        label,
        signal,
      });
      // The answer key goes to the market's own process for one reason: it searches the chain for it.
      const record = await store.get(queryId);
      return { type: "prepared", queryId, request: consentRequest, secret: record?.k ?? 0n };
    }
    case "quote": {
      const { quote } = await asker.quote(command.queryId, command.consent, { signal });
      return { type: "quoted", price: quote.price, bond: quote.bond };
    }
    case "ask":
      return { type: "asked", transaction: (await asker.ask(command.queryId, { signal })).hash as Hex };
    case "finish":
      return finish(lender, command.queryId, signal);
    case "act":
      return act(lender, command);
  }
}

async function finish({ asker }: Lender, queryId: Hex, signal: AbortSignal): Promise<LenderEvent> {
  const { stage } = await asker.wait(queryId, { signal });
  if (stage !== "answered") {
    const { hash } = await asker.refund(queryId, { signal });
    return { type: "refunded", transaction: hash as Hex };
  }
  const { answer } = await asker.answer(queryId);
  const { transaction } = await asker.receipt(queryId);
  return { type: "answered", answer, transaction: transaction as Hex };
}

/** Hands an answer to a contract that acts on it. This publishes question and answer. */
async function act(
  { account, publicClient, wallet, store }: Lender,
  { queryId, desk, applicant }: Extract<LenderCommand, { type: "act" }>,
): Promise<LenderEvent> {
  const record = await store.get(queryId);
  if (record === undefined) throw new Error(`the store has no query ${queryId}`);
  const { person, nonce, subjectKey, subjectNonce, statement, k } = record;
  const { asOf } = statement as { asOf: number };
  const opening = { nonce, subjectRef: subjectRefOf(subjectIdOf(subjectKey, person), subjectNonce), asOf, k };
  const contract = { address: desk, abi: mortgageDeskAbi, account, chain: wallet.chain } as const;
  const register = await wallet.writeContract({ ...contract, functionName: "register", args: [applicant, person] });
  await publicClient.waitForTransactionReceipt({ hash: register });
  const approve = await wallet.writeContract({ ...contract, functionName: "approve", args: [applicant, opening] });
  await publicClient.waitForTransactionReceipt({ hash: approve });
  const approved = await publicClient.readContract({
    address: desk,
    abi: mortgageDeskAbi,
    functionName: "isApproved",
    args: [applicant],
  });
  return { type: "acted", transactions: [register, approve], approved };
}
