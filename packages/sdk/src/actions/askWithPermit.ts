import type { MarketClient } from "../client.ts";
import type { ContractRefused } from "../errors.ts";
import { encodeMulticall } from "../internal/journaledSend.ts";
import { type EncodedCall, sendCall } from "../internal/sendCall.ts";
import { type AskParameters, encodeAsk } from "./ask.ts";
import { encodeDepositWithPermit } from "./depositWithPermit.ts";
import { type Permit, signPermit } from "./signPermit.ts";
import type { Encodable, WriteErrorCode, WriteResult } from "./types.ts";

/** Parameters of {@link askWithPermit}. */
export type AskWithPermitParameters = AskParameters & {
  /** Base units to pay into the asker's account in the same transaction. */
  readonly amount: bigint;
  /** A permit signed before; default: one is signed now, good for an hour. */
  readonly permit?: Permit;
};

/** What {@link askWithPermit} returns. */
export type AskWithPermitReturnType = WriteResult;

/** What {@link askWithPermit} throws. */
export type AskWithPermitErrorType = ContractRefused | { readonly code: WriteErrorCode | "PERMIT_UNSUPPORTED" };

/**
 * The call that {@link askWithPermit} sends, for another sender.
 *
 * @param parameters As of the action, with the query market's address and a permit by the asker.
 */
export function encodeAskWithPermit(
  parameters: Encodable<AskWithPermitParameters> & { readonly permit: Permit },
): EncodedCall {
  const { market, quote, amount, permit } = parameters;
  const { token, asker: account } = quote;
  return encodeMulticall(market, [
    encodeDepositWithPermit({ market, token, account, amount, permit }),
    encodeAsk(parameters),
  ]);
}

/**
 * Funds and asks a question in one transaction: both happen or neither.
 *
 * @param client Client of the query market, with the asker's wallet.
 * @param parameters As of `ask`, with the amount to pay in.
 * @returns Hash and receipt of the mined transaction.
 * @throws An {@link AskWithPermitErrorType}.
 */
export async function askWithPermit(
  client: MarketClient,
  parameters: AskWithPermitParameters,
): Promise<AskWithPermitReturnType> {
  const { amount, quote } = parameters;
  const permit = parameters.permit ?? (await signPermit(client, { token: quote.token, value: amount }));
  return sendCall(client, encodeAskWithPermit({ ...parameters, permit, market: client.market }), parameters);
}
