import { FatalError, leastQuorum } from "@quorate/core";
import type { TrustedHistory } from "./history.ts";
import type { TrustPolicy } from "./policy.ts";

/** How many places a job should have. */
export type ReplicationPlan = {
  readonly seats: number;
  readonly quorum: number;
  readonly spares: number;
  /** Estimated chance that the planned panel accepts an aligned answer, with its spares, 0 to 1. */
  readonly chance: number;
  /** True when even the largest allowed panel stays below the target. */
  readonly belowTarget: boolean;
};

/**
 * Plans seats, quorum and spares from known history: fewer seats for a proven panel, never below two. Raw counters on chain
 * are no input: anybody can mint them.
 *
 * A provider's chance to answer, and to answer right, is estimated by Laplace's rule of succession from its counted jobs; a
 * stranger counts as one half. The panel is assumed to be the best providers known, filled up with strangers.
 *
 * @param history Histories of the providers that could be seated, as `buildHistory` gives them.
 * @param policy Limits and target.
 * @returns The smallest panel that reaches the target, or the largest allowed one with `belowTarget`.
 * @throws FatalError `TRUST_POLICY_INVALID` when the limits leave no panel.
 */
export function planReplication(history: TrustedHistory, policy: Pick<TrustPolicy, "replication">): ReplicationPlan {
  const { target, mostSeats, mostSpares } = policy.replication;
  const leastSeats = Math.max(2, policy.replication.leastSeats);
  if (leastSeats > mostSeats) {
    throw new FatalError("TRUST_POLICY_INVALID", `replication: from ${leastSeats} to ${mostSeats} seats is no range.`);
  }
  const ranked = [...history.values()]
    .map(({ jobs, aligned, missed }) => ({
      answers: (jobs - missed + 1) / (jobs + 2),
      aligned: (aligned + 1) / (jobs - missed + 2),
    }))
    .sort((a, b) => b.answers * b.aligned - a.answers * a.aligned);
  const stranger = { answers: 0.5, aligned: 0.5 };
  let best: ReplicationPlan | undefined;
  for (let seats = leastSeats; seats <= mostSeats; seats++) {
    const quorum = leastQuorum(seats);
    for (let spares = 0; spares <= Math.min(mostSpares, 16 - seats); spares++) {
      const panel = Array.from({ length: seats + spares }, (_, index) => ranked[index] ?? stranger);
      const chance = chanceOf(panel, seats, quorum);
      const plan = { seats, quorum, spares, chance, belowTarget: chance < target };
      if (!plan.belowTarget) return plan;
      if (best === undefined || chance > best.chance) best = plan;
    }
  }
  return best as ReplicationPlan;
}

/** Chance that the first `seats` of the panel's answering members hold at least `quorum` aligned ones. */
function chanceOf(
  panel: readonly { readonly answers: number; readonly aligned: number }[],
  seats: number,
  quorum: number,
): number {
  // State: how many seats are filled by members that answer, and how many of these are aligned.
  let states = new Map<string, number>([["0,0", 1]]);
  for (const { answers, aligned } of panel) {
    const next = new Map<string, number>();
    const add = (filled: number, right: number, chance: number): void => {
      const key = `${filled},${right}`;
      next.set(key, (next.get(key) ?? 0) + chance);
    };
    for (const [key, chance] of states) {
      const [filled, right] = key.split(",").map(Number) as [number, number];
      if (filled === seats) {
        add(filled, right, chance);
        continue;
      }
      add(filled, right, chance * (1 - answers));
      add(filled + 1, right, chance * answers * (1 - aligned));
      add(filled + 1, right + 1, chance * answers * aligned);
    }
    states = next;
  }
  let sum = 0;
  for (const [key, chance] of states) {
    if (Number(key.split(",")[1]) >= quorum) sum += chance;
  }
  return sum;
}
