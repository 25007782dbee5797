/** Largest amount of the ledger: accounts and escrows are uint96. */
export const MAX_AMOUNT: bigint = (1n << 96n) - 1n;

/** One whole in ten thousandths. */
export const BPS: bigint = 10_000n;

/**
 * A share of an amount, rounded down as the contract rounds.
 *
 * @param amount Base units.
 * @param bps Ten thousandths.
 * @returns Base units.
 */
export function shareOf(amount: bigint, bps: number): bigint {
  return (amount * BigInt(bps)) / BPS;
}

/**
 * Tells whether an amount fits the ledger.
 *
 * @param amount Base units.
 */
export function isAmount(amount: bigint): boolean {
  return amount >= 0n && amount <= MAX_AMOUNT;
}
