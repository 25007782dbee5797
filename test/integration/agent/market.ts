/** A market on a chain of its own, a relay, and a requester, for tests of agents. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jobMarketAbi, testTokenAbi } from "@quorate/abi";
import { jobMarketArtifact, testTokenArtifact } from "@quorate/abi/artifacts";
import { type Duty, dutyOrder, factEvents } from "@quorate/agent";
import {
  type Address,
  contentHashOf,
  derivePackageKeys,
  encodePackage,
  encryptPackage,
  foldJobEvent,
  generateEncryptionKeyPair,
  generatePackageKey,
  type Hex,
  hashRequirements,
  hex,
  type JobEvent,
  type JobFacts,
  jobIdOf,
  type MarketDomain,
  offerTypes,
  openSealed,
  type Package,
  type Request,
  requirementsOf,
  type SignedOffer,
  sealAad,
  sealTo,
  silentLogger,
  systemClock,
  typedDomain,
} from "@quorate/core";
import { startRelay } from "@quorate/relay";
import { buildPackage, buildRequest, until } from "@quorate/testkit";
import { createRelayClient, openOffer, REQUESTS_TOPIC, type RelayClient, sealOffer, signEnvelope } from "@quorate/wire";
import { createWalletClient, http, type PrivateKeyAccount, parseEther, parseEventLogs } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { type Anvil, localChain, startAnvil } from "../chain/anvil.ts";

/** Engine of the packages that these tests send. */
export const engine = { name: "quickjs", version: "0.32.0+1" } as const;

/** A provider with its deposit made; `agent` is the key that works for it. */
export type TestProvider = { readonly account: PrivateKeyAccount; readonly agent: PrivateKeyAccount };

/** A request under way. */
export type TestJob = {
  readonly jobId: Hex;
  readonly request: Request;
  readonly encryptionKey: Hex;
  readonly packageKey: Uint8Array;
};

/** A running market. */
export class TestMarket implements AsyncDisposable {
  readonly anvil: Anvil;
  readonly domain: MarketDomain;
  readonly token: Address;
  readonly relayUrl: string;
  readonly relays: RelayClient;
  readonly requester: PrivateKeyAccount = privateKeyToAccount(generatePrivateKey());
  readonly dir: string;
  readonly #closeRelay: () => Promise<void>;
  /** One transaction of a key at a time: nonces come from the node. */
  #sending: Promise<unknown> = Promise.resolve();

  static async start(): Promise<TestMarket> {
    const anvil = await startAnvil();
    try {
      await anvil.rpc("evm_setAutomine", true);
      const deployed = async (
        artifact: typeof jobMarketArtifact | typeof testTokenArtifact,
        args: unknown[],
      ): Promise<Address> => {
        const hash = await anvil.wallet.deployContract({
          abi: artifact.abi as never,
          bytecode: artifact.bytecode as Hex,
          args: args as never,
          account: anvil.wallet.account ?? null,
          chain: localChain,
        });
        const { contractAddress } = await anvil.public.waitForTransactionReceipt({ hash });
        if (!contractAddress) throw new Error("not deployed");
        return contractAddress;
      };
      const market = await deployed(jobMarketArtifact, [5, 604_800]);
      const token = await deployed(testTokenArtifact, ["Test", "TST", 6]);
      const domain = { chainId: 31337, market };
      const dir = mkdtempSync(join(tmpdir(), "quorate-agent-"));
      const relay = await startRelay({
        dataDir: join(dir, "relay"),
        markets: [domain],
        port: 0,
        clock: systemClock,
        logger: silentLogger,
        // All actors of the test share one address.
        limits: { sourceShare: 100, writesPerMinute: 100_000, uploadsPerMinute: 100_000, readsPerMinute: 1_000_000 },
      });
      const made = new TestMarket(anvil, domain, token, relay.url, () => relay.close(), dir);
      await made.fund(made.requester.address);
      await made.deposit(made.requester, 10n ** 12n);
      await anvil.rpc("evm_setAutomine", false);
      await anvil.rpc("evm_setIntervalMining", 1);
      return made;
    } catch (error) {
      await anvil.stop();
      throw error;
    }
  }

  private constructor(
    anvil: Anvil,
    domain: MarketDomain,
    token: Address,
    relayUrl: string,
    closeRelay: () => Promise<void>,
    dir: string,
  ) {
    this.anvil = anvil;
    this.domain = domain;
    this.token = token;
    this.relayUrl = relayUrl;
    this.#closeRelay = closeRelay;
    this.dir = dir;
    this.relays = createRelayClient({ urls: [relayUrl], domain });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeRelay();
    await this.anvil.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** A policy that serves everybody on a chain of one-second blocks. */
  policy(changes: Record<string, unknown> = {}): Record<string, unknown> {
    return {
      version: 1,
      tokens: { [this.token]: { prices: { base: "900000" }, bond: { most: "10000000" } } },
      requesters: { mode: "any" },
      leastCalloutBps: 0,
      windows: { leastCommitSeconds: 5, leastRevealSeconds: 5 },
      panel: { unknown: "accept" },
      carrying: { mode: "never", patienceSeconds: 2 },
      confirmations: 1,
      finality: { mode: "depth", depth: 2, endpoints: 1 },
      retentionSeconds: 20,
      ...changes,
    };
  }

  /** Sends a call and waits until it is mined. */
  async send(
    account: PrivateKeyAccount,
    functionName: string,
    args: readonly unknown[],
    address: Address = this.domain.market,
  ): Promise<void> {
    const abi = address === this.token ? testTokenAbi : jobMarketAbi;
    const wallet = createWalletClient({ account, chain: localChain, transport: http(this.anvil.url) });
    const next = this.#sending.then(async () => {
      const { request } = await this.anvil.public.simulateContract({
        account,
        address,
        abi,
        functionName,
        args,
      } as never);
      const hash = await wallet.writeContract(request);
      const { status } = await this.anvil.public.waitForTransactionReceipt({ hash, timeout: 30_000 });
      if (status !== "success") throw new Error(`${functionName} reverted`);
    });
    this.#sending = next.catch(() => {});
    return next;
  }

  async fund(address: Address): Promise<void> {
    await this.anvil.rpc("anvil_setBalance", address, `0x${parseEther("10").toString(16)}`);
  }

  async deposit(account: PrivateKeyAccount, amount: bigint): Promise<void> {
    await this.send(account, "mint", [account.address, amount], this.token);
    await this.send(account, "approve", [this.domain.market, amount], this.token);
    await this.send(account, "deposit", [this.token, account.address, amount]);
  }

  /** Makes a provider that has funds; with `hotKey` an authorized agent works for it. */
  async provider({ hotKey = false } = {}): Promise<TestProvider> {
    const account = privateKeyToAccount(generatePrivateKey());
    await this.fund(account.address);
    await this.deposit(account, 100_000_000n);
    if (!hotKey) return { account, agent: account };
    const agent = privateKeyToAccount(generatePrivateKey());
    await this.fund(agent.address);
    await this.send(account, "authorize", [agent.address, this.token, 10_000_000n, 5, 2 ** 39]);
    return { account, agent };
  }

  /**
   * Publishes a request and its package.
   *
   * @param changes Fields of the request.
   * @param first For each duty the place whose turn it shall be.
   */
  async request(
    changes: Partial<Request> = {},
    first: Partial<Record<Duty, { places: number[]; first: number }>> = {},
    pkg: Package = buildPackage({
      engine,
      limits: { fuel: 1_000_000_000, memoryBytes: 33_554_432, outputBytes: 65_536, wallTimeMs: 5_000 },
    }),
  ): Promise<TestJob> {
    const packageKey = generatePackageKey();
    const plaintext = encodePackage(pkg);
    const { root, blocks } = encryptPackage(plaintext, packageKey);
    for (const { cid, bytes } of blocks) await this.relays.putBlock(cid, bytes);
    const { publicKey, privateKey } = generateEncryptionKeyPair();
    const now = await this.now();
    const requirements = requirementsOf(pkg.manifest);
    const base = buildRequest({
      requester: this.requester.address,
      token: this.token,
      packageHash: root,
      contentHash: contentHashOf(derivePackageKeys(packageKey).contentKey, plaintext),
      requirementsHash: hashRequirements(requirements),
      encryptionKey: publicKey,
      commitWindow: 60,
      revealWindow: 60,
      expiry: now + 600,
      ...changes,
    });
    const request = this.#withTurns(base, first);
    const draft = {
      kind: "request" as const,
      topic: REQUESTS_TOPIC,
      body: { request, requirements, ...this.domain },
      createdAt: Math.floor(Date.now() / 1000),
      expiry: Math.floor(Date.now() / 1000) + 3600,
    };
    await this.relays.publish(await signEnvelope(draft, this.requester, this.domain));
    return { jobId: jobIdOf(request, this.domain), request, encryptionKey: privateKey, packageKey };
  }

  /** Nobody chooses the turns of a job but the hash of its id: tries nonces until they fall as the test needs. */
  #withTurns(request: Request, wanted: NonNullable<Parameters<TestMarket["request"]>[1]>): Request {
    for (let nonce = BigInt(Date.now()) * 1000n; ; nonce++) {
      const candidate = { ...request, nonce };
      const jobId = jobIdOf(candidate, this.domain);
      const fits = Object.entries(wanted).every(
        ([duty, { places, first }]) => dutyOrder(jobId, duty as never, places)[0] === first,
      );
      if (fits) return candidate;
    }
  }

  /** Waits for the offers of these providers and opens the job with them, in this order. */
  async open(
    job: TestJob,
    providers: readonly TestProvider[],
    { spares = 0, keyFor }: { spares?: number; keyFor?: (place: number) => Uint8Array } = {},
  ): Promise<void> {
    const offers = new Map<string, SignedOffer>();
    const everybody = providers.map(({ account }) => account.address.toLowerCase());
    await until(
      async () => {
        for (const envelope of await this.relays.list(job.jobId)) {
          if (envelope.kind !== "offer") continue;
          const { offer, signature } = await openOffer(envelope, job.encryptionKey, this.domain);
          offers.set(offer.provider.toLowerCase(), { ...offer, signature, keyWrap: "0x" });
        }
        return everybody.every((provider) => offers.has(provider));
      },
      { timeoutMs: 120_000, everyMs: 200, what: "offers of every provider" },
    );
    const chosen = await Promise.all(
      everybody.map(async (provider, place) => {
        const offer = offers.get(provider) as SignedOffer;
        const aad = sealAad({ jobId: job.jobId, provider: offer.provider, ...this.domain });
        const plaintext = keyFor?.(place) ?? job.packageKey;
        const wrap = await sealTo({ recipient: offer.encryptionKey, purpose: "key-wrap", aad, plaintext });
        return { ...offer, keyWrap: hex(wrap) };
      }),
    );
    await this.send(this.requester, "open", [job.request, spares, chosen]);
  }

  /** A provider without an agent offers by hand; returns when the relay has it. */
  async offerByHand(job: TestJob, { account }: TestProvider): Promise<void> {
    const offer = {
      jobId: job.jobId,
      provider: account.address,
      price: 900_000n,
      encryptionKey: generateEncryptionKeyPair().publicKey,
      roles: 7,
      expiry: job.request.expiry,
    };
    const signature = await account.signTypedData({
      domain: typedDomain(this.domain),
      types: offerTypes,
      primaryType: "Offer",
      message: offer,
    });
    const body = await sealOffer(
      { offer, signature, agent: account.address },
      job.request.encryptionKey,
      account.address,
      this.domain,
    );
    const createdAt = Math.floor(Date.now() / 1000);
    const draft = { kind: "offer" as const, topic: job.jobId, body, createdAt, expiry: createdAt + 3600 };
    await this.relays.publish(await signEnvelope(draft, account, this.domain));
  }

  /** Events of a job by transaction, in the order of the chain. */
  async transactions(jobId: Hex): Promise<readonly (readonly string[])[]> {
    const logs = await this.anvil.public.getLogs({ address: this.domain.market, fromBlock: 0n });
    const found = new Map<Hex, string[]>();
    for (const { eventName, args, transactionHash } of parseEventLogs({ abi: jobMarketAbi, logs })) {
      if ((args as { jobId?: Hex }).jobId !== jobId) continue;
      found.set(transactionHash, [...(found.get(transactionHash) ?? []), eventName]);
    }
    return [...found.values()];
  }

  /** Facts of a job as a fresh reader of the chain folds them. */
  async facts(jobId: Hex): Promise<JobFacts | undefined> {
    const logs = await this.anvil.public.getLogs({ address: this.domain.market, fromBlock: 0n });
    const events = parseEventLogs({ abi: jobMarketAbi, logs });
    const times = new Map<bigint, number>();
    let facts: JobFacts | undefined;
    for (const event of events) {
      const args = event.args as { jobId?: Hex };
      if (args.jobId !== jobId || !(factEvents as readonly string[]).includes(event.eventName)) continue;
      const known = times.get(event.blockNumber);
      const timestamp =
        known ?? Number((await this.anvil.public.getBlock({ blockNumber: event.blockNumber })).timestamp);
      times.set(event.blockNumber, timestamp);
      facts = foldJobEvent(facts, { eventName: event.eventName, args: event.args, timestamp } as unknown as JobEvent);
    }
    return facts;
  }

  /** Waits until a job is settled. */
  settled(jobId: Hex, timeoutMs = 900_000): Promise<JobFacts & { settled: NonNullable<JobFacts["settled"]> }> {
    return until(
      async () => {
        const facts = await this.facts(jobId);
        return facts?.settled === undefined ? undefined : { ...facts, settled: facts.settled };
      },
      { timeoutMs, everyMs: 500, what: `job ${jobId} to be settled` },
    );
  }

  /** The result that a provider delivered, opened; undefined while there is none. */
  async delivered(job: TestJob, provider: Address): Promise<Uint8Array | undefined> {
    for (const envelope of await this.relays.list(job.jobId)) {
      if (envelope.kind !== "delivery" || envelope.body.provider.toLowerCase() !== provider.toLowerCase()) continue;
      const blocks = await Promise.all(envelope.body.cids.map((cid) => this.relays.getBlock(cid)));
      const aad = sealAad({ jobId: job.jobId, provider, ...this.domain });
      return openSealed({ privateKey: job.encryptionKey, purpose: "result", aad, sealed: Buffer.concat(blocks) });
    }
    return undefined;
  }

  /** Asks for the result again. */
  async askAgain(job: TestJob): Promise<void> {
    const createdAt = Math.floor(Date.now() / 1000);
    const draft = {
      kind: "redelivery" as const,
      topic: job.jobId,
      body: { reason: "lost it" },
      createdAt,
      expiry: createdAt + 600,
    };
    await this.relays.publish(await signEnvelope(draft, this.requester, this.domain));
  }

  /** Free and locked balance of a provider in the market. */
  async balance(provider: Address): Promise<{ free: bigint; locked: bigint }> {
    const [free, locked] = await this.anvil.public.readContract({
      address: this.domain.market,
      abi: jobMarketAbi,
      functionName: "accountOf",
      args: [this.token, provider],
    });
    return { free, locked };
  }

  /** Timestamp of the newest block, unix s. */
  async now(): Promise<number> {
    return Number((await this.anvil.public.getBlock()).timestamp);
  }
}
