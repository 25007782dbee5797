import type { Address, Hex } from "viem";

/** Addresses of pages: in the fragment, so that any static host serves all of them and sees none. */
export const routes = {
  market: "#/",
  jobs: "#/jobs",
  job: (jobId: Hex): string => `#/jobs/${jobId}`,
  request: "#/request",
  providers: "#/providers",
  provider: (provider: Address): string => `#/providers/${provider}`,
  ask: "#/ask",
  /** The subject's card travels in the address. */
  askAbout: (card: string): string => `#/ask/${card}`,
  questions: "#/questions",
  question: (queryId: Hex): string => `#/questions/${queryId}`,
  /** The request for consent travels in the address. */
  consent: (request: string): string => `#/consent/${request}`,
  consentEmpty: "#/consent",
  records: "#/records",
  check: "#/check",
  receipt: (receipt: string): string => `#/check/${receipt}`,
  account: "#/account",
  trust: "#/trust",
  settings: "#/settings",
} as const;
