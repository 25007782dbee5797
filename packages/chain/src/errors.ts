import { FatalError, RetryableError } from "@quorate/core";

/** Codes of the errors of this package. */
export type ChainErrorCode =
  | "CHAIN_RESET"
  | "CHAIN_MISMATCH"
  | "REORG_TOO_DEEP"
  | "FOLLOWER_CONFIG"
  | "FOLLOWER_HANDLER_ASYNC"
  | "SOURCE_UNAVAILABLE"
  | "SOURCE_LIED"
  | "SOURCES_DISAGREE"
  | "LOG_UNKNOWN";

/** A source failed, timed out or refused; the same question may be answered later or by another source. */
export class SourceUnavailableError extends RetryableError {
  constructor(source: string, action: string, cause: unknown) {
    super(
      "SOURCE_UNAVAILABLE",
      `${source} did not answer ${action}. The follower asks again later, or another endpoint.`,
      {
        cause,
        details: { source, action },
      },
    );
  }
}

/** A source gave an answer that contradicts itself, the request, or what is proved by hashes. */
export class SourceLiedError extends RetryableError {
  constructor(source: string, what: string) {
    super(
      "SOURCE_LIED",
      `${source} gave a wrong answer: ${what}. It is set aside for a while; replace the endpoint if this goes on.`,
      {
        details: { source, what },
      },
    );
  }
}

/** Not enough sources agree on one chain; safe to wait. */
export class SourcesDisagreeError extends RetryableError {
  constructor(height: number, needed: number) {
    super(
      "SOURCES_DISAGREE",
      `Fewer than ${needed} endpoints agree on a block at or below ${height}. The follower waits; check the endpoints if this goes on.`,
      {
        details: { height, needed },
      },
    );
  }
}

/** The chain under this RPC is not the one that was followed before: a local chain was restarted. */
export class ChainResetError extends FatalError {
  constructor(stored: string, found: string) {
    super(
      "CHAIN_RESET",
      `The chain was replaced: block 0 is ${found}, this state was made on ${stored}. Delete the state of this chain and start again, or connect to the old chain.`,
      {
        details: { stored, found },
      },
    );
  }
}

/** No endpoint serves the expected chain. */
export class ChainMismatchError extends FatalError {
  constructor(expected: number, found: number, source: string) {
    super(
      "CHAIN_MISMATCH",
      `${source} serves chain ${found}, expected ${expected}. Correct the RPC URL or the chain id.`,
      {
        details: { expected, found, source },
      },
    );
  }
}

/** The fork point lies below all stored headers. */
export class ReorgTooDeepError extends FatalError {
  constructor(oldest: number, head: number) {
    super(
      "REORG_TOO_DEEP",
      `The chain was reorganised below block ${oldest}, the oldest header kept here (new head ${head}). Check the endpoints; if the reorganisation is real, delete the state of this follower so that it reads the chain again.`,
      {
        details: { oldest, head },
      },
    );
  }
}
