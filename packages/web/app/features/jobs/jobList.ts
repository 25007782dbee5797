import { JobStatus } from "@quorate/core";
import { type Address, isAddress } from "viem";
import type { MarketJob } from "../../market/index.ts";

/** Where a job may stand, as the list filters it. */
export const statusFilters = ["all", "open", "accepted", "inconclusive"] as const;

/** Value of {@link statusFilters}. */
export type StatusFilter = (typeof statusFilters)[number];

/** What the list of jobs shows. */
export type JobFilter = {
  readonly status: StatusFilter;
  /** Only those that the connected account asked for. */
  readonly isMine: boolean;
  readonly provider: Address | undefined;
  readonly token: Address | undefined;
  /** Part of an id. */
  readonly text: string;
  /** From 1. */
  readonly page: number;
};

/** Jobs on one page of the list. */
export const PAGE_SIZE = 25;

/**
 * Reads the filter from the query of the address; what makes no sense is left out.
 *
 * @param query - Of the address.
 */
export function readFilter(query: URLSearchParams): JobFilter {
  const status = statusFilters.find((name) => name === query.get("status")) ?? "all";
  const page = Number(query.get("page") ?? "1");
  return {
    status,
    isMine: query.get("mine") === "yes",
    provider: addressIn(query, "provider"),
    token: addressIn(query, "token"),
    text: query.get("id") ?? "",
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/**
 * Writes a filter as the query of an address; what is as usual is left out.
 *
 * @param filter - The filter.
 */
export function writeFilter({ status, isMine, provider, token, text, page }: JobFilter): URLSearchParams {
  const query = new URLSearchParams();
  if (status !== "all") query.set("status", status);
  if (isMine) query.set("mine", "yes");
  if (provider !== undefined) query.set("provider", provider);
  if (token !== undefined) query.set("token", token);
  if (text !== "") query.set("id", text);
  if (page > 1) query.set("page", String(page));
  return query;
}

function addressIn(query: URLSearchParams, name: string): Address | undefined {
  const value = query.get(name);
  return value !== null && isAddress(value, { strict: false }) ? value : undefined;
}

/**
 * Jobs that a filter lets through, newest first.
 *
 * @param jobs - In the order of opening.
 * @param filter - What to show.
 * @param account - Connected account.
 */
export function filterJobs(
  jobs: Iterable<MarketJob>,
  filter: JobFilter,
  account: Address | undefined,
): readonly MarketJob[] {
  const provider = filter.provider?.toLowerCase();
  const token = filter.token?.toLowerCase();
  const text = filter.text.trim().toLowerCase();
  return [...jobs]
    .filter(({ facts }) => {
      const { request, terms, jobId } = facts;
      if (filter.isMine && request.requester.toLowerCase() !== account?.toLowerCase()) return false;
      if (token !== undefined && terms.token.toLowerCase() !== token) return false;
      if (provider !== undefined && !terms.places.some((place) => place.provider.toLowerCase() === provider))
        return false;
      if (text !== "" && !jobId.toLowerCase().includes(text)) return false;
      return filter.status === "all" || statusOf(facts.settled?.status) === filter.status;
    })
    .reverse();
}

function statusOf(settled: JobStatus | undefined): StatusFilter {
  if (settled === undefined) return "open";
  return settled === JobStatus.Accepted ? "accepted" : "inconclusive";
}
