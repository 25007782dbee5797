import { queryMarketAbi } from "@quorate/abi";
import type { Address } from "viem";
import type { MarketClient } from "../client.ts";
import { read } from "../internal/read.ts";
import type { ReadErrorType } from "./types.ts";

/** Parameters of {@link readAnswer}. */
export type ReadAnswerParameters = {
  readonly provider: Address;
  readonly query: bigint;
  /** Answer key of the query: whoever learns it reads the answer, the node included. */
  readonly key: bigint;
};

/** What {@link readAnswer} returns. */
export type ReadAnswerReturnType = boolean;

/** What {@link readAnswer} throws. */
export type ReadAnswerErrorType = ReadErrorType;

/**
 * Opens an answer by the contract. The key goes to the node: on a node of others, read the cipher by `readQuestion` and open it at home.
 *
 * @param client Client of the query market.
 * @param parameters What to read.
 * @throws A {@link ReadAnswerErrorType}.
 */
export async function readAnswer(
  client: MarketClient,
  parameters: ReadAnswerParameters,
): Promise<ReadAnswerReturnType> {
  const answer = await read(
    client.public.readContract({
      address: client.market,
      abi: queryMarketAbi,
      functionName: "answerOf",
      args: [parameters.provider, parameters.query, parameters.key],
    }),
  );
  return answer;
}
