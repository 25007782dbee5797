// Counters, probation and quarantine: rows T1 to T7 and A10 of lifecycle.md.
import { burn, credit, type Ledger } from "./ledger.ts";
import { type Address, type Context, type Hex, refuse } from "./types.ts";

/** 180 days without a fault end a probation. */
export const PROBATION_SECONDS: number = 180 * 86_400;
const ALIGNMENTS_TO_END = 3;

/** The order of the contract's enum. */
export const Verdict = {
  None: 0,
  Aligned: 1,
  Reported: 2,
  Overruled: 3,
  Undecided: 4,
  Dissent: 5,
  Fault: 6,
  Declined: 7,
  Late: 8,
  Standby: 9,
} as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** What will become of a quarantined bond. */
export const QuarantineState = { None: 0, Held: 1, Returnable: 2, Burnable: 3 } as const;

/** The record of a provider. */
export type Standing = {
  readonly probation: number;
  readonly probationSince: number;
  readonly lastFaultAt: number;
  readonly alignedInRow: number;
  readonly aligned: number;
  readonly late: number;
  readonly reported: number;
  readonly undecided: number;
  readonly declined: number;
  readonly faults: number;
};

/** Records and entries. The maps are replaced, never shared, when a state is copied. */
export type Standings = {
  readonly records: Map<Address, Standing>;
  /** Numbers of probations that ended by another fault, `provider/number`. */
  readonly failed: Set<string>;
  /** By `provider/token/number`. */
  readonly quarantine: Map<string, bigint>;
};

const UNKNOWN: Standing = {
  probation: 0,
  probationSince: 0,
  lastFaultAt: 0,
  alignedInRow: 0,
  aligned: 0,
  late: 0,
  reported: 0,
  undecided: 0,
  declined: 0,
  faults: 0,
};

/** Nobody is known. */
export function createStandings(): Standings {
  return { records: new Map(), failed: new Set(), quarantine: new Map() };
}

/** A copy that may be changed. */
export function copyStandings({ records, failed, quarantine }: Standings): Standings {
  return { records: new Map(records), failed: new Set(failed), quarantine: new Map(quarantine) };
}

/** The record of a provider. */
export function standingOf(standings: Standings, provider: Address): Standing {
  return standings.records.get(provider) ?? UNKNOWN;
}

/** Whether a probation lasts now. */
export function onProbation(standings: Standings, provider: Address, now: number): boolean {
  const { probationSince, lastFaultAt } = standingOf(standings, provider);
  return probationSince !== 0 && now < lastFaultAt + PROBATION_SECONDS;
}

/** An entry and what will become of it. */
export function quarantineOf(
  standings: Standings,
  provider: Address,
  token: Address,
  probation: number,
  now: number,
): { readonly amount: bigint; readonly state: number } {
  const amount = standings.quarantine.get(`${provider}/${token}/${probation}`) ?? 0n;
  if (amount === 0n) return { amount, state: QuarantineState.None };
  if (standings.failed.has(`${provider}/${probation}`)) return { amount, state: QuarantineState.Burnable };
  const lasts = standingOf(standings, provider).probation === probation && onProbation(standings, provider, now);
  return { amount, state: lasts ? QuarantineState.Held : QuarantineState.Returnable };
}

/** A10. */
export function claimQuarantine(
  context: Context,
  ledger: Ledger,
  standings: Standings,
  provider: Address,
  token: Address,
  probation: number,
): void {
  const { amount, state } = quarantineOf(standings, provider, token, probation, context.now);
  if (state === QuarantineState.None || state === QuarantineState.Held) {
    refuse("NotClaimable", provider, token, probation, state);
  }
  const burnt = state === QuarantineState.Burnable;
  standings.quarantine.delete(`${provider}/${token}/${probation}`);
  if (burnt) burn(ledger, token, amount);
  else credit(ledger, token, provider, amount);
  context.emit(ledger.market, "QuarantineClaimed", { provider, token, probation, amount, burnt });
}

/** A verdict to record. The bond of a fault is in the pots already. */
export type Recorded = {
  readonly jobId: Hex;
  readonly openedAt: number;
  readonly provider: Address;
  readonly verdict: Verdict;
  readonly token: Address;
  readonly bond: bigint;
};

/** Rows T1 to T7. */
export function record(context: Context, market: Address, standings: Standings, recorded: Recorded): void {
  const { jobId, openedAt, provider, verdict, token, bond } = recorded;
  const { now } = context;
  const before = standingOf(standings, provider);
  const isOn = onProbation(standings, provider, now);
  const counts = isOn && openedAt > before.probationSince;
  const set = (changes: Partial<Standing>): void => {
    standings.records.set(provider, { ...standingOf(standings, provider), ...changes });
  };
  switch (verdict) {
    case Verdict.Aligned: {
      set({ aligned: before.aligned + 1 });
      if (!counts) return;
      const alignedInRow = before.alignedInRow + 1;
      set({ alignedInRow });
      if (alignedInRow < ALIGNMENTS_TO_END) return;
      set({ probationSince: 0 });
      context.emit(market, "ProbationEnded", { provider, probation: before.probation, well: true });
      return;
    }
    case Verdict.Late:
      set({ late: before.late + 1, ...(counts ? { alignedInRow: 0 } : {}) });
      return;
    case Verdict.Reported:
      set({ reported: before.reported + 1 });
      return;
    case Verdict.Undecided:
      set({ undecided: before.undecided + 1 });
      return;
    case Verdict.Declined:
      set({ declined: before.declined + 1 });
      return;
    case Verdict.Fault: {
      set({ faults: before.faults + 1, lastFaultAt: now });
      let { probation } = before;
      if (counts) {
        standings.failed.add(`${provider}/${probation}`);
        context.emit(market, "ProbationEnded", { provider, probation, well: false });
      }
      if (counts || !isOn) {
        probation += 1;
        set({ probation, probationSince: now, alignedInRow: 0 });
        context.emit(market, "ProbationBegan", { provider, probation, jobId });
      }
      const key = `${provider}/${token}/${probation}`;
      standings.quarantine.set(key, (standings.quarantine.get(key) ?? 0n) + bond);
      context.emit(market, "BondQuarantined", { provider, token, probation, jobId, amount: bond });
      return;
    }
    default:
      return;
  }
}
