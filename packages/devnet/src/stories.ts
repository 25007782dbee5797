import type { Verdict } from "@quorate/core";
import type { JobWishes } from "@quorate/sdk";
import { dollars } from "./organizations.ts";

/** What happens to a job from outside, by the wrappers of the local market. */
export type Mishap =
  /** The organization's process is killed right after the award, and started again after the job. */
  | { readonly kind: "goes-silent"; readonly organization: string }
  /** The requester's client seals garbage instead of the package key to this organization. */
  | { readonly kind: "garbage-key"; readonly organization: string };

/** Time limit of every program here, milliseconds: agents take no run that may last longer than half of the commit window. */
export const WALL_TIME_MS = 20_000;

/** A job of the local market: what is asked, what goes wrong, what has to come out. */
export type Story = {
  /** Name in the summary. */
  readonly name: string;
  /** One line for people. */
  readonly title: string;
  /** What a newcomer should know before it begins. */
  readonly explanation: string;
  /** Name of the demo program. */
  readonly program: string;
  readonly wishes: Omit<JobWishes, "token">;
  /** Organizations that offer: the panel is chosen when all of them have. */
  readonly offers: number;
  readonly mishap?: Mishap;
  /** Transactions that the chain must show for the job, where their number is certain. */
  readonly transactions?: number;
  /** Verdict by organization; whoever is missing must have no place. */
  readonly verdicts: Readonly<Record<string, keyof typeof Verdict>>;
};

const common = {
  priceCeiling: dollars(150),
  bond: dollars(200),
  carrierFee: dollars(5),
  calloutBps: 1_000,
  standbyBps: 500,
  commitWindow: 60,
  revealWindow: 40,
  offerWindow: 600,
} as const;

const reinstatement = {
  title: "A shadow shows that it agrees again",
  program: "stock-volatility",
  offers: 5,
  wishes: { ...common, seats: 2, quorum: 2, spares: 0, shadows: 1 },
  verdicts: { ember: "Aligned", aurora: "Aligned", dune: "Aligned" },
} as const;

/** The stories of the local market, in their order. `programs` maps to the demo programs by name. */
export const stories: readonly Story[] = [
  {
    name: "caught",
    title: "Three seats, two equal answers decide, and one machine lies",
    explanation:
      "Five organizations offer. The requester trusts all of them and takes the three cheapest. One of them returns a wrong answer: two agree against it, " +
      "its bond goes to quarantine and it is on probation from now on. The seats vote by a set that all of them sign: two transactions are the whole job.",
    program: "stock-volatility",
    offers: 5,
    // Nobody waits for the end of this window: half of it is the time to agree on the set, on the slowest machine.
    wishes: { ...common, seats: 3, quorum: 2, spares: 0, setVotes: true, commitWindow: 180 },
    transactions: 2,
    verdicts: { dune: "Fault", ember: "Aligned", aurora: "Aligned" },
  },
  {
    name: "replaced",
    title: "One organization goes silent after the award, and a spare takes its seat",
    explanation:
      "A speech synthesizer that was compiled to WASI and knows nothing of this market. The provider on probation gets no seat. One of the chosen disappears before it commits: " +
      "once its time is over, anybody may promote the spare, which does the work instead.",
    program: "spoken-bulletin",
    offers: 4,
    wishes: { ...common, seats: 3, quorum: 2, spares: 1 },
    mishap: { kind: "goes-silent", organization: "ember" },
    verdicts: { ember: "Late", aurora: "Aligned", borealis: "Aligned", cirrus: "Aligned" },
  },
  {
    name: "unreadable",
    title: "One provider cannot open the package, and nobody is convicted",
    explanation:
      "The requester seals garbage to one provider. It cannot compute, says so with a report, and keeps its bond: only two computed answers can be held against each other.",
    program: "stock-volatility",
    offers: 4,
    wishes: { ...common, seats: 3, quorum: 2, spares: 0 },
    mishap: { kind: "garbage-key", organization: "borealis" },
    verdicts: { ember: "Aligned", aurora: "Aligned", borealis: "Reported" },
  },
  ...[1, 2, 3].map(
    (turn): Story => ({
      ...reinstatement,
      name: `shadow-${turn}`,
      explanation:
        turn === 1
          ? "The provider on probation takes part as a shadow: it works, commits and opens like the others, is paid when it agrees, and its vote weighs nothing."
          : turn === 2
            ? "Again. Three computed answers in a row that agree with the majority end the probation."
            : "The third one. Afterwards the provider claims its bond back from quarantine.",
    }),
  ),
];
