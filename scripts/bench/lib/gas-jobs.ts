// Whole jobs on Hardhat's in-process network, in steady state, and the gas of each of their transactions.

import { DhkemX25519HkdfSha256 } from "@hpke/dhkem-x25519";
import {
  commitmentSetTypes,
  deriveOfferKeyPair,
  Flag,
  type Hex,
  hex,
  type JobFacts,
  leastQuorum,
  type Opening,
  Outcome,
  openingOf,
  packSetSignature,
  type Request,
  type SetSignature,
  type SignedOffer,
  sealAad,
  signedCommitmentTypes,
  typedDomain,
} from "@quorate/core";
import { testHash } from "@quorate/testkit";
import { type ContractTransactionResponse, getBytes, id, Wallet } from "ethers";
import { hpkeSeal } from "../../../packages/core/src/hpke.ts";
import { actorKey, mined, mutable, plain, TestMarket } from "../../../test/integration/contracts/support/market.ts";
import { type GasParts, gasParts, sumParts, type TraceStep } from "./gas-parts.ts";

/** How the votes come: each agent commits, one carrier brings all commitments, or one call brings a signed set with its openings. */
export type Way = "self" | "carried" | "set";

/** One measured job. */
export type Measurement = {
  readonly way: Way;
  readonly seats: number;
  readonly quorum: number;
  /** Gas by transaction, in order. */
  readonly steps: readonly { readonly name: string; readonly gas: number }[];
  readonly gas: number;
  readonly transactions: number;
};

/** Panels that are measured: n = 2..7 with q = 2..4 where the rules allow it. */
export const panels: readonly { readonly seats: number; readonly quorum: number }[] = [2, 3, 4, 5, 6, 7].flatMap(
  (seats) =>
    [2, 3, 4].filter((quorum) => quorum >= leastQuorum(seats) && quorum <= seats).map((quorum) => ({ seats, quorum })),
);

/** A market whose accounts, standings and agents have worked before. */
export class SteadyMarket {
  readonly #market: TestMarket;
  readonly #agents: readonly Wallet[];
  /** Transactions of the job that was measured last. */
  #sent: readonly string[] = [];

  private constructor(market: TestMarket) {
    this.#market = market;
    this.#agents = market.providers.map(
      (_, index) => new Wallet(actorKey(`agent ${index}`), market.connection.ethers.provider),
    );
  }

  /** Deploys, deposits, authorizes agents, and runs two jobs with everybody. */
  static async create(): Promise<SteadyMarket> {
    const market = await TestMarket.create();
    const steady = new SteadyMarket(market);
    for (const [index, provider] of market.providers.entries()) {
      const agent = steady.#agents[index] as Wallet;
      await market.rpc("hardhat_setBalance", agent.address, "0x56bc75e2d63100000");
      await mined(
        market.market.connect(provider).authorize(agent.address, market.token.target, 1_000_000n, 300, 2_000_000_000),
      );
    }
    // Every account, standing and the burnt total are words that exist already when measuring begins.
    await steady.measure("self", 7, 4);
    await steady.measure("carried", 7, 4);
    await steady.measure("set", 7, 4);
    return steady;
  }

  /** Size of the market's code on chain, bytes. */
  async codeSize(): Promise<number> {
    const { connection, domain } = this.#market;
    return getBytes(await connection.ethers.provider.getCode(domain.market)).length;
  }

  /** Runs one job with a unanimous panel and adds up its gas. */
  async measure(way: Way, seats: number, quorum: number): Promise<Measurement> {
    const { market, requester, carrier } = this.#market;
    const steps: { name: string; gas: number }[] = [];
    const hashes: string[] = [];
    const send = async (name: string, sending: Promise<ContractTransactionResponse>): Promise<void> => {
      const { gasUsed, hash } = await mined(sending);
      steps.push({ name, gas: Number(gasUsed) });
      hashes.push(hash);
    };
    const request = this.#request(way, seats, quorum);
    const offers = await Promise.all(Array.from({ length: seats }, (_, place) => this.#offer(request, place)));
    const opening = market.connect(requester).open(request, 0, plain(offers));
    await send("open", opening);
    let facts = await this.#market.follow(undefined, opening);

    const votes = facts.terms.places.map((_, place) =>
      this.#market.vote(facts, place, Outcome.Ok, id("result") as Hex),
    );
    const commitments = votes.map((vote) => this.#market.commitment(vote));
    const openings: Opening[] = votes.map((vote, place) => openingOf(place, vote));
    if (way === "self") {
      for (const [place, commitment] of commitments.entries()) {
        const agent = this.#agents[place] as Wallet;
        const commit = market.connect(agent).commit(facts.jobId, plain(facts.terms), place, commitment);
        await send(`commit ${place}`, commit);
        facts = await this.#market.follow(facts, commit);
      }
    } else if (way === "carried") {
      const carried = await Promise.all(
        commitments.map((commitment, place) => this.#carried(facts, place, commitment)),
      );
      const commit = market.connect(carrier).commitBySig(facts.jobId, plain(facts.terms), carried);
      await send("commitBySig", commit);
      facts = await this.#market.follow(facts, commit);
    }

    const terms = plain(facts.terms);
    const contract = market.connect(carrier);
    const reveal =
      way === "set"
        ? contract.revealSet(facts.jobId, terms, [], [], plain(openings), await this.#signatures(facts, commitments))
        : contract.reveal(facts.jobId, terms, plain(facts.commitments), plain(openings));
    await send(way === "set" ? "revealSet" : "reveal", reveal);
    facts = await this.#market.follow(facts, reveal);
    if (facts.settled?.outcome !== Outcome.Ok) throw new Error("the measured job did not settle as it should");
    this.#sent = hashes;
    const gas = steps.reduce((sum, step) => sum + step.gas, 0);
    return { way, seats, quorum, steps, gas, transactions: steps.length };
  }

  /** What the gas of the job that was measured last was spent on, all its transactions together. */
  async parts(): Promise<GasParts> {
    const { provider } = this.#market.connection.ethers;
    const each = await Promise.all(
      this.#sent.map(async (hash) => {
        const [receipt, transaction] = await Promise.all([
          provider.getTransactionReceipt(hash),
          provider.getTransaction(hash),
        ]);
        if (receipt === null || transaction === null) throw new Error(`transaction ${hash} is not on the chain`);
        const options = { disableMemory: true, disableStack: true, disableStorage: true };
        const trace = (await this.#market.rpc("debug_traceTransaction", hash, options)) as { structLogs: TraceStep[] };
        return gasParts(trace.structLogs, Number(receipt.gasUsed), Number(transaction.gasLimit));
      }),
    );
    return sumParts(each);
  }

  /** Hashes are as dense as real ones, so that calldata costs what it costs. */
  #request(way: Way, seats: number, quorum: number): Request {
    const name = `${way} ${seats} ${quorum}`;
    const digest = (what: string): Hex => id(`${what} ${name}`) as Hex;
    return this.#market.request({
      packageHash: digest("package"),
      contentHash: digest("content"),
      requirementsHash: digest("requirements"),
      encryptionKey: digest("encryption key"),
      seats,
      quorum,
      commitWindow: 3_600,
      revealWindow: 3_600,
      flags: way === "set" ? Flag.SetVotes : 0,
    });
  }

  async #offer(request: Request, place: number): Promise<SignedOffer> {
    const { domain, providers } = this.#market;
    const provider = providers[place] as Wallet;
    const secret = getBytes(id(`secret ${place}`));
    const keys = deriveOfferKeyPair(secret, testHash(Number(request.nonce)));
    const price = 900_000n - BigInt(place) * 1_001n;
    const offer = await this.#market.offer(
      request,
      provider,
      { price, encryptionKey: keys.publicKey },
      this.#agents[place] as Wallet,
    );
    const aad = sealAad({
      ...domain,
      jobId: (await this.#market.market.jobIdOf(request)) as Hex,
      provider: offer.provider,
    });
    return { ...offer, keyWrap: hex(await wrapKey(keys.publicKey, aad, `${request.nonce} ${place}`)) };
  }

  #signatures({ jobId }: JobFacts, commitments: readonly Hex[]): Promise<SetSignature[]> {
    return Promise.all(
      commitments.map(async (_, place) => {
        const agent = this.#agents[place] as Wallet;
        const types = mutable(commitmentSetTypes);
        const message = { jobId, commitments };
        return packSetSignature((await agent.signTypedData(typedDomain(this.#market.domain), types, message)) as Hex);
      }),
    );
  }

  async #carried(
    facts: JobFacts,
    place: number,
    commitment: Hex,
  ): Promise<{ place: number; commitment: Hex; signature: string }> {
    const provider = (this.#market.providers[place] as Wallet).address;
    const message = { jobId: facts.jobId, provider, commitment };
    const agent = this.#agents[place] as Wallet;
    const signature = await agent.signTypedData(
      typedDomain(this.#market.domain),
      mutable(signedCommitmentTypes),
      message,
    );
    return { place, commitment, signature };
  }
}

/** A real key wrap, but with an ephemeral key from a seed: the number of zero bytes in it costs gas, and a snapshot must repeat. */
async function wrapKey(recipient: Hex, aad: Uint8Array, seed: string): Promise<Uint8Array> {
  const ephemeral = await new DhkemX25519HkdfSha256().deriveKeyPair(
    new Uint8Array(getBytes(id(`ephemeral ${seed}`))).buffer,
  );
  const info = new TextEncoder().encode("quorate/key-wrap/v1");
  return hpkeSeal(getBytes(recipient), info, aad, getBytes(id(`package key ${seed}`)), ephemeral);
}
