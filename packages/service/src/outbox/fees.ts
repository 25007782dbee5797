/** Fees of an EIP-1559 transaction, in wei per gas. */
export type Fees = { readonly maxFee: bigint; readonly priorityFee: bigint };

/** What a fee is planned from. */
export type FeeInput = {
  /** Base fee of the newest block. */
  readonly baseFee: bigint;
  /** What the node suggests as priority fee. */
  readonly suggested: bigint;
  /** Highest fees signed for this nonce so far. */
  readonly previous?: Fees;
  /** Never sign above. */
  readonly cap: bigint;
  /** Ceiling of a first priority fee; replacements may pass it, up to the cap. */
  readonly maxPriorityFee: bigint;
};

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
/** Nodes ask for 10 % more before they replace a transaction; an eighth and one wei leaves no doubt about rounding. */
const raised = (fee: bigint): bigint => fee + fee / 8n + 1n;

/**
 * Plans the fees of the next signature: room for six full blocks of rising base fee at first, at least an eighth more
 * than before for a replacement, never above the cap.
 *
 * @param input Market, history and limits.
 * @returns The fees, or `undefined` when nothing within the cap could be mined now or would be accepted as a replacement.
 */
export function planFees(input: FeeInput): Fees | undefined {
  const { baseFee, previous, cap } = input;
  const first = min(input.suggested, input.maxPriorityFee);
  const priority = previous === undefined ? first : max(first, raised(previous.priorityFee));
  const least = previous === undefined ? baseFee : raised(previous.maxFee);
  const wanted = max(2n * baseFee + priority, max(least, priority));
  const maxFee = min(wanted, cap);
  if (maxFee < least || maxFee < baseFee || (previous !== undefined && maxFee < priority)) return undefined;
  return { maxFee, priorityFee: min(priority, maxFee) };
}
