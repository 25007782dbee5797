import type { ConnectedAccount } from "./SessionProvider.tsx";

/**
 * How often a wallet asks until a call is sent that has to be paid for, in words.
 *
 * @param account - Who pays; undefined while nobody is connected.
 * @param missing - Base units that the account in the market lacks.
 * @param act - What is paid for, after "to".
 */
export function promptsInWords(
  account: Pick<ConnectedAccount, "isContract" | "batchesCalls"> | undefined,
  missing: bigint,
  act: string,
): string {
  if (missing === 0n) return `once: to ${act}`;
  if (account?.batchesCalls === true) return `once: to pay in what is missing and to ${act}`;
  if (account?.isContract === true) return `three times: to approve what is missing, to pay it in, and to ${act}`;
  return `twice at most: to let the market take what is missing, and to ${act}`;
}
