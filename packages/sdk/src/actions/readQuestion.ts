import { queryMarketAbi } from "@quorate/abi";
import type { QuestionStatus } from "@quorate/core";
import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link readQuestion}. */
export type ReadQuestionParameters = {
  readonly provider: Address;
  readonly query: bigint;
  /** Block to read at; default the newest. */
  readonly blockNumber?: bigint | undefined;
};

/** What {@link readQuestion} returns. */
export type ReadQuestionReturnType = {
  readonly status: QuestionStatus;
  /** Unix s, while pending; zero otherwise. */
  readonly deadline: number;
  /** Once answered; zero otherwise. */
  readonly cipher: bigint;
};

/** What {@link readQuestion} throws. */
export type ReadQuestionErrorType = ReadErrorType;

/**
 * Reads where a question stands on chain.
 *
 * @param client Client of the query market.
 * @param parameters What to read.
 * @throws A {@link ReadQuestionErrorType}.
 */
export async function readQuestion(
  client: MarketClient,
  parameters: ReadQuestionParameters,
): Promise<ReadQuestionReturnType> {
  const [status, deadline, cipher] = await read(
    client.public.readContract({
      address: client.market,
      abi: queryMarketAbi,
      functionName: "questionOf",
      args: [parameters.provider, parameters.query],
      ...(parameters.blockNumber === undefined ? {} : { blockNumber: parameters.blockNumber }),
    }),
  );
  return { status: status as QuestionStatus, deadline, cipher };
}
