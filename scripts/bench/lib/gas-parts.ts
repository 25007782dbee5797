// What the gas of a transaction is spent on, from its trace.

/** Gas of a transaction by what it pays for. The parts add up to what the receipt says. */
export type GasParts = {
  /** 21,000 and the calldata. */
  readonly intrinsic: number;
  /** Words of storage that are read and written. */
  readonly storage: number;
  /** Calls of precompiled contracts: one `ecrecover` a signature. */
  readonly precompiles: number;
  readonly events: number;
  /** All other instructions. */
  readonly computation: number;
  /** What is given back for words that are cleared; 0 or less. */
  readonly refund: number;
};

/** A step as `debug_traceTransaction` tells it. */
export type TraceStep = {
  readonly op: string;
  readonly depth: number;
  /** Left before the step. */
  readonly gas: number;
};

const STORAGE = new Set(["SLOAD", "SSTORE"]);

/**
 * Adds up the trace of a transaction whose only calls are of precompiled contracts. A step costs what is missing before the next one.
 *
 * @param steps in their order, all of them
 * @param used gas of the receipt
 * @param limit gas limit of the transaction: what is missing before the first step was paid up front
 * @returns the parts
 * @throws when another contract is called, or the trace is empty
 */
export function gasParts(steps: readonly TraceStep[], used: number, limit: number): GasParts {
  const [first] = steps;
  if (first === undefined) throw new Error("the trace has no steps");
  if (steps.some(({ depth }) => depth !== first.depth)) throw new Error("the transaction calls another contract");
  const parts = { storage: 0, precompiles: 0, events: 0, computation: 0 };
  for (const [index, { op, gas }] of steps.entries()) {
    // The last step returns or stops, which costs nothing more.
    const cost = gas - (steps[index + 1]?.gas ?? gas);
    if (STORAGE.has(op)) parts.storage += cost;
    else if (op.startsWith("LOG")) parts.events += cost;
    else if (op.endsWith("CALL")) parts.precompiles += cost;
    else parts.computation += cost;
  }
  const intrinsic = limit - first.gas;
  const { storage, precompiles, events, computation } = parts;
  return { intrinsic, ...parts, refund: used - intrinsic - storage - precompiles - events - computation };
}

/**
 * Parts of several transactions together.
 *
 * @param each their parts, one at least
 */
export function sumParts(each: readonly GasParts[]): GasParts {
  return each.reduce((sum, parts) => ({
    intrinsic: sum.intrinsic + parts.intrinsic,
    storage: sum.storage + parts.storage,
    precompiles: sum.precompiles + parts.precompiles,
    events: sum.events + parts.events,
    computation: sum.computation + parts.computation,
    refund: sum.refund + parts.refund,
  }));
}
