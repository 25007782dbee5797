import type { Address, Terms } from "@quorate/core";
import type { Reason } from "./judge-request.ts";
import type { Policy } from "./policy.ts";

/** Result of judging a panel: stay, or decline while that is possible. */
export type PanelJudgement = { readonly stays: boolean; readonly reasons: readonly Reason[] };

/**
 * Judges the panel of an opened job; a provider sees it only then.
 *
 * With `no-veto`, a requester must not be able to own a veto: `n - q + 1` seats can prevent every agreement, and any
 * spare may end up in a seat. So fewer than that may be held by providers that this provider does not know.
 *
 * @param policy Policy of the provider.
 * @param terms Terms of the job.
 * @param own Place of this provider.
 * @returns Whether it stays, and every reason against.
 */
export function judgePanel(policy: Policy, terms: Terms, own: number): PanelJudgement {
  const reasons: Reason[] = [];
  const others = terms.places
    .map(({ provider }, place) => ({ provider: provider.toLowerCase() as Address, place }))
    .filter(({ place }) => place !== own);

  const denied = others.filter(({ provider }) => policy.panel.deny.includes(provider));
  for (const { provider, place } of denied)
    reasons.push({ code: "PANEL_DENIED", message: `place ${place} is held by ${provider}, which is denied` });

  const present = new Set(terms.places.map(({ provider }) => provider.toLowerCase()));
  for (const provider of policy.panel.require) {
    if (!present.has(provider))
      reasons.push({ code: "PANEL_MISSES", message: `required provider ${provider} is not on the panel` });
  }

  if (policy.panel.unknown === "no-veto") {
    const known = new Set(policy.panel.known.flatMap(({ providers }) => providers));
    const weighted = terms.seats + terms.spares;
    const unknown = others.filter(({ provider, place }) => place < weighted && !known.has(provider));
    const veto = terms.seats - terms.quorum + 1;
    if (unknown.length >= veto)
      reasons.push({
        code: "PANEL_VETO",
        message: `${unknown.length} seats and spares are held by unknown providers (${unknown.map(({ provider }) => provider).join(", ")}); ${veto} are enough to prevent every agreement`,
      });
  }
  return { stays: reasons.length === 0, reasons };
}
