import type { JobView } from "@quorate/sdk";
import type { Address } from "viem";
import { bondFates } from "./words.ts";

/** A part of what a job moved. */
export type MoneyPart = {
  readonly id: string;
  /** How it is drawn. */
  readonly kind: "paid" | "fee" | "refund" | "returned" | "burnt" | "quarantined";
  /** Where it went; an account follows where there is one. */
  readonly text: string;
  readonly account?: Address;
  /** Base units. */
  readonly amount: bigint;
};

/** Where escrow and bonds of a settled job went; each sums up to its whole. */
export type MoneyParts = { readonly escrow: readonly MoneyPart[]; readonly bonds: readonly MoneyPart[] };

/**
 * Splits escrow and bonds of a settled job by where they went; parts of nothing are left out.
 *
 * @param view - Settled job.
 * @param carrier - Whose call settled, where it is known.
 */
export function moneyOf(view: JobView, carrier: Address | undefined): MoneyParts {
  const { terms, panel, money } = view;
  if (terms === undefined) return { escrow: [], bonds: [] };
  const fates = bondFates(panel);
  const sum = (fate: "returned" | "burnt" | "quarantined"): bigint =>
    BigInt(fates.filter((candidate) => candidate === fate).length) * terms.bond;
  const escrow: MoneyPart[] = [
    ...panel.map(
      ({ place, provider, paid = 0n }): MoneyPart => ({
        id: `place-${place}`,
        kind: "paid",
        text: "paid to",
        account: provider,
        amount: paid,
      }),
    ),
    {
      id: "fee",
      kind: "fee",
      text: carrier === undefined ? "for settling" : "for settling, to",
      ...(carrier === undefined ? {} : { account: carrier }),
      amount: terms.carrierFee,
    },
    { id: "refund", kind: "refund", text: "back to", account: terms.requester, amount: money.refunded ?? 0n },
  ];
  const bonds: MoneyPart[] = [
    { id: "returned", kind: "returned", text: "returned to the providers", amount: sum("returned") },
    { id: "burnt", kind: "burnt", text: "burnt for lateness", amount: sum("burnt") },
    {
      id: "quarantined",
      kind: "quarantined",
      text: "in quarantine until the provider proves itself",
      amount: sum("quarantined"),
    },
  ];
  return { escrow: escrow.filter(isSomething), bonds: bonds.filter(isSomething) };
}

function isSomething({ amount }: MoneyPart): boolean {
  return amount > 0n;
}
