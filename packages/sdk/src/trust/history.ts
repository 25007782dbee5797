import { type JobFacts, Verdict } from "@quorate/core";
import type { Address, Hex } from "viem";
import type { TrustPolicy } from "./policy.ts";

/** What a provider did in jobs that count. */
export type ProviderHistory = {
  readonly provider: Address;
  /** Counted jobs in which it had a place that was used: a seat, a promoted spare, a shadow that voted. */
  readonly jobs: number;
  readonly aligned: number;
  readonly faults: number;
  /** Late or declined. */
  readonly missed: number;
  /** Job ids that were counted, oldest first. */
  readonly counted: readonly Hex[];
};

/** Histories by provider, in lower-case spelling. */
export type TrustedHistory = ReadonlyMap<string, ProviderHistory>;

const EMPTY: Omit<ProviderHistory, "provider"> = { jobs: 0, aligned: 0, faults: 0, missed: 0, counted: [] };

/**
 * What is known of a provider; zeros for a stranger.
 *
 * @param history Histories.
 * @param provider Its account.
 */
export function historyOf(history: TrustedHistory, provider: Address): ProviderHistory {
  return history.get(provider.toLowerCase()) ?? { provider, ...EMPTY };
}

/**
 * Histories from settled jobs. A job counts for a provider only when its requester is known, or enough of the provider's
 * co-panelists are on the allow list: whoever owns requester and panel can mint any number of alignments for itself.
 *
 * @param jobs Facts of jobs in the order of the chain; open ones are ignored.
 * @param policy Whom the requester knows.
 * @param requester The requester's own account: its jobs always count.
 */
export function buildHistory(jobs: Iterable<JobFacts>, policy: TrustPolicy, requester: Address): TrustedHistory {
  const knownRequesters = new Set(
    [requester, ...policy.history.knownRequesters].map((account) => account.toLowerCase()),
  );
  const knownProviders = new Map(
    policy.allow.map(({ provider, organization }) => [provider.toLowerCase(), organization ?? provider.toLowerCase()]),
  );
  const histories = new Map<string, ProviderHistory>();
  for (const job of jobs) {
    if (job.settled === undefined) continue;
    const isOwn = knownRequesters.has(job.request.requester.toLowerCase());
    job.settled.results.forEach(({ verdict }, place) => {
      const provider = job.terms.places[place]?.provider;
      if (provider === undefined || verdict === Verdict.Standby || verdict === Verdict.None) return;
      if (!isOwn && coPanelistsOf(job, provider, knownProviders) < policy.history.leastKnownCoPanelists) return;
      const before = historyOf(histories, provider);
      histories.set(provider.toLowerCase(), {
        provider,
        jobs: before.jobs + 1,
        aligned: before.aligned + Number(verdict === Verdict.Aligned),
        faults: before.faults + Number(verdict === Verdict.Fault),
        missed: before.missed + Number(verdict === Verdict.Late || verdict === Verdict.Declined),
        counted: [...before.counted, job.jobId],
      });
    });
  }
  return histories;
}

/** Known organizations, others than the provider's own, that computed the same job. */
function coPanelistsOf(job: JobFacts, provider: Address, known: ReadonlyMap<string, string>): number {
  const own = known.get(provider.toLowerCase());
  const organizations = new Set<string>();
  job.terms.places.forEach((place, index) => {
    const verdict = job.settled?.results[index]?.verdict;
    const organization = known.get(place.provider.toLowerCase());
    // Only a co-panelist that answered and was accepted vouches for the answer that the provider agreed with.
    if (organization !== undefined && organization !== own && verdict === Verdict.Aligned)
      organizations.add(organization);
  });
  return organizations.size;
}
