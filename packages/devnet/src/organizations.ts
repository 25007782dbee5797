/** An organization of the local market. Amounts in whole test dollars. */
export type Organization = {
  readonly name: string;
  /** Folder and process name. */
  readonly slug: string;
  /** Asking price of a place. */
  readonly price: number;
  /** Runs whose answer the wrapper around its sandbox spoils, from the first on. */
  readonly corruptRuns: number;
};

/** The five organizations, cheapest first. Nothing but the wrapper around one sandbox tells the corrupt one from the others. */
export const organizations: readonly Organization[] = [
  { name: "Dune Data", slug: "dune", price: 80, corruptRuns: 1 },
  { name: "Ember Grid", slug: "ember", price: 90, corruptRuns: 0 },
  { name: "Aurora Compute", slug: "aurora", price: 100, corruptRuns: 0 },
  { name: "Borealis Labs", slug: "borealis", price: 110, corruptRuns: 0 },
  { name: "Cirrus Cloud", slug: "cirrus", price: 120, corruptRuns: 0 },
];

/** Test dollars that each organization deposits for bonds. */
export const DEPOSIT = 1_000;

/** Test dollars that the requester deposits. */
export const BUDGET = 5_000;

/** Digits after the point of the test dollar. */
export const DECIMALS = 6;

/**
 * Whole test dollars in base units.
 *
 * @param amount - Whole dollars.
 */
export function dollars(amount: number): bigint {
  return BigInt(amount) * 10n ** BigInt(DECIMALS);
}
