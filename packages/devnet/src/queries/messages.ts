import type { Address, Hex } from "@quorate/core";
import type { ConsentRequest, Papers, Statement } from "@quorate/proofs";
import type { FailedEvent } from "../channel.ts";

/** Where the query side of the local market is. */
export type QuerySite = {
  readonly rpc: string;
  readonly chainId: number;
  /** Query market. */
  readonly market: Address;
  readonly token: Address;
  readonly fromBlock: number;
  /** Code hashes by circuit. */
  readonly verifiers: Readonly<Record<string, readonly Hex[]>>;
};

/** Settings of the lender's process. */
export type LenderConfig = QuerySite & { readonly home: string; readonly passphraseFile: string };

/** What the lender is told to do. It answers each command with one event. */
export type LenderCommand =
  | {
      readonly type: "prepare";
      readonly providerUrl: string;
      readonly statement: Statement;
      /** As the applicant showed them. */
      readonly papers: Papers;
      readonly subjectKey: readonly [bigint, bigint];
      readonly label: string;
    }
  | { readonly type: "quote"; readonly queryId: Hex; readonly consent: string }
  | { readonly type: "ask"; readonly queryId: Hex }
  | { readonly type: "finish"; readonly queryId: Hex }
  | { readonly type: "act"; readonly queryId: Hex; readonly desk: Address; readonly applicant: Address };

/** What the lender tells. */
export type LenderEvent =
  | { readonly type: "ready" }
  | { readonly type: "prepared"; readonly queryId: Hex; readonly request: ConsentRequest; readonly secret: bigint }
  | { readonly type: "quoted"; readonly price: bigint; readonly bond: bigint }
  | { readonly type: "asked"; readonly transaction: Hex }
  | { readonly type: "answered"; readonly answer: boolean; readonly transaction: Hex }
  | { readonly type: "refunded"; readonly transaction: Hex }
  | { readonly type: "acted"; readonly transactions: readonly Hex[]; readonly approved: boolean }
  | FailedEvent;

/** Settings of an applicant's process. */
export type ApplicantConfig = QuerySite & {
  readonly name: string;
  readonly home: string;
  /** 32 bytes, hex: its wallet's key file stands in for the wallet. */
  readonly secretFile: string;
  readonly papers: Papers;
};

/** A domain provider as a subject knows it. */
export type KnownProvider = { readonly provider: Address; readonly url: string };

/** What an applicant is told to do. It answers each command with one event. */
export type ApplicantCommand =
  | { readonly type: "enrol"; readonly at: KnownProvider; readonly code: string }
  | {
      readonly type: "consent";
      readonly at: KnownProvider;
      readonly request: ConsentRequest;
      /**
       * `looks`: consents when its client has found nothing wrong. `refuses`: reads and says no. `blindly`: a client of somebody
       * who cheats signs whatever it is given.
       */
      readonly manner: "looks" | "refuses" | "blindly";
    };

/** What an applicant's client showed to it before it said yes or no. */
export type ReviewWords = {
  readonly statement: string;
  readonly record: string;
  readonly learns: string;
  readonly together: string;
  readonly forever: string;
};

/** What an applicant tells. */
export type ApplicantEvent =
  | { readonly type: "ready" }
  | { readonly type: "enrolled"; readonly subjectKey: readonly [bigint, bigint] }
  | { readonly type: "consented"; readonly sealed: string; readonly words?: ReviewWords }
  | { readonly type: "refused"; readonly words: ReviewWords }
  | FailedEvent;

/** Settings of a domain provider's process: what `runDomain` takes. */
export type DomainConfig = Readonly<Record<string, unknown>>;

/** What a domain provider's process tells. */
export type DomainEvent = { readonly type: "proved"; readonly query: bigint; readonly ms: number };
