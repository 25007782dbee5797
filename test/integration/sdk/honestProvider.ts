import { jobMarketAbi } from "@quorate/abi";
import {
  cidOfPackage,
  type Hex,
  openingOf,
  openPackage,
  type PlacedCommitment,
  type Request,
  readPackageRoot,
  termsOf,
  type Vote,
} from "@quorate/core";
import { runPackage } from "@quorate/sandbox";
import { getJob, revealJob } from "@quorate/sdk";
import { until } from "@quorate/testkit";
import { REQUESTS_TOPIC, type RelayClient } from "@quorate/wire";
import { getAbiItem } from "viem";
import type { Chain } from "./fixture.ts";
import { placed, type ScriptedProvider } from "./scriptedProvider.ts";

type Seated = {
  readonly provider: ScriptedProvider;
  readonly place: number;
  readonly vote: Vote;
  readonly output: Uint8Array;
};

/**
 * Lets providers serve the next request on the relays honestly: offer, fetch, run, commit, open, deliver.
 *
 * @returns Resolves with the job id once everything is delivered.
 */
export async function serveNextRequest(
  chain: Chain,
  relays: RelayClient,
  providers: readonly ScriptedProvider[],
  signal: AbortSignal,
): Promise<Hex> {
  const { jobId, request } = await nextRequest(chain, relays, signal);
  for (const provider of providers) await provider.offer({ jobId, request });
  const opened = await until(
    async () => {
      const [log] = await chain.public.getLogs({
        address: chain.domain.market,
        event: getAbiItem({ abi: jobMarketAbi, name: "JobOpened" }),
        args: { jobId },
        fromBlock: 0n,
        strict: true,
      });
      return log?.args;
    },
    { timeoutMs: 60_000, everyMs: 100, what: "the job to be opened" },
  );
  const terms = termsOf(request, opened.spares, opened.places);
  const seated: Seated[] = [];
  for (const [place, { provider: address }] of opened.places.entries()) {
    const provider = providers.find((item) => item.address === address);
    if (provider === undefined) throw new Error(`${address} is not one of the providers`);
    const key = await provider.unwrap(jobId, opened.keyWraps[place] as Hex);
    const root = await relays.getBlock(cidOfPackage(request.packageHash));
    const leaves = await Promise.all(
      readPackageRoot(request.packageHash, root).leaves.map((cid) => relays.getBlock(cid)),
    );
    const { packageHash, contentHash } = request;
    const run = await runPackage(openPackage({ packageHash, contentHash, root, leaves }, key));
    if (run.kind !== "ok") throw new Error(`the program ended ${run.kind}`);
    const vote = provider.vote(jobId, key, run.output);
    await provider.commit(terms, place, vote);
    seated.push({ provider, place, vote, output: run.output });
  }
  const commitments: PlacedCommitment[] = placed(
    seated.map(({ place, vote }) => [place, vote] as const),
    chain,
  );
  const openings = seated.map(({ place, vote }) => openingOf(place, vote));
  await revealJob(chain.client(9), { jobId, terms, commitments, openings });
  const { phase } = await getJob(chain.client(9), { jobId });
  if (phase !== "accepted") throw new Error(`the job is ${phase}`);
  for (const { provider, place, output } of seated) await provider.deliver({ jobId, request }, place, output);
  return jobId;
}

async function nextRequest(
  chain: Chain,
  relays: RelayClient,
  signal: AbortSignal,
): Promise<{ jobId: Hex; request: Request }> {
  for await (const envelope of relays.subscribe(REQUESTS_TOPIC, { signal })) {
    if (envelope.kind !== "request") continue;
    const { request } = envelope.body;
    const jobId = await chain.public.readContract({
      address: chain.domain.market,
      abi: jobMarketAbi,
      functionName: "jobIdOf",
      args: [request],
    });
    return { jobId, request };
  }
  throw new Error("no request came");
}
