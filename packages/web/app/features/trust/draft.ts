import { parseTrustPolicy, type ReplicationPlan, type TrustPolicy } from "@quorate/sdk";
import { explain } from "../../lib/explain.ts";
import { count, formatNumber, parseAmount } from "../../lib/format.ts";

/** A trust policy while somebody edits it: what is typed, as it is typed. */
export type TrustDraft = {
  readonly accept: TrustPolicy["accept"];
  readonly allow: readonly { readonly provider: string; readonly organization: string; readonly note: string }[];
  readonly deny: readonly { readonly provider: string; readonly reason: string }[];
  readonly leastAligned: string;
  readonly mostFaults: string;
  /** Percent. */
  readonly mostMissed: string;
  readonly leastKnownCoPanelists: string;
  /** One address a line. */
  readonly knownRequesters: string;
  readonly onePlacePerOrganization: boolean;
  /** Display units; empty for none. */
  readonly leastBond: string;
  readonly highestPrice: string;
  /** Percent. */
  readonly target: string;
  readonly leastSeats: string;
  readonly mostSeats: string;
  readonly mostSpares: string;
};

/**
 * A policy as an editor shows it.
 *
 * @param policy - The policy.
 * @param decimals - Of the token in which bond and price are written.
 */
export function draftOf(policy: TrustPolicy, decimals: number): TrustDraft {
  const amount = (value: bigint | undefined): string => (value === undefined ? "" : formatNumber(value, decimals));
  const { history, replication } = policy;
  return {
    accept: policy.accept,
    allow: policy.allow.map(({ provider, organization = "", note = "" }) => ({ provider, organization, note })),
    deny: policy.deny.map(({ provider, reason = "" }) => ({ provider, reason })),
    leastAligned: String(history.leastAligned),
    mostFaults: String(history.mostFaults),
    mostMissed: percentText(history.mostMissedShare),
    leastKnownCoPanelists: String(history.leastKnownCoPanelists),
    knownRequesters: history.knownRequesters.join("\n"),
    onePlacePerOrganization: policy.onePlacePerOrganization,
    leastBond: amount(policy.leastBond),
    highestPrice: amount(policy.highestPrice),
    target: percentText(replication.target),
    leastSeats: String(replication.leastSeats),
    mostSeats: String(replication.mostSeats),
    mostSpares: String(replication.mostSpares),
  };
}

/** What an editor's content comes to. */
export type Judged =
  | { readonly policy: TrustPolicy; readonly error: undefined }
  | { readonly policy: undefined; readonly error: string };

/**
 * Reads what was typed.
 *
 * @param draft - As typed.
 * @param decimals - Of the token in which bond and price are written.
 */
export function judgeDraft(draft: TrustDraft, decimals: number): Judged {
  const leastBond = amountOf(draft.leastBond, decimals);
  const highestPrice = amountOf(draft.highestPrice, decimals);
  if (leastBond === null) return { policy: undefined, error: "The least bond is no amount of the token." };
  if (highestPrice === null) return { policy: undefined, error: "The highest price is no amount of the token." };
  const twice = twiceNamed([...draft.allow, ...draft.deny].map(({ provider }) => provider));
  if (twice !== undefined) return { policy: undefined, error: `${twice} stands on the lists twice. Keep one of them.` };
  try {
    return {
      error: undefined,
      policy: parseTrustPolicy({
        version: 1,
        accept: draft.accept,
        allow: draft.allow.map(({ provider, organization, note }) => ({
          provider: provider.trim(),
          ...(organization.trim() === "" ? {} : { organization: organization.trim() }),
          ...(note.trim() === "" ? {} : { note: note.trim() }),
        })),
        deny: draft.deny.map(({ provider, reason }) => ({
          provider: provider.trim(),
          ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
        })),
        history: {
          leastAligned: numberOf(draft.leastAligned),
          mostFaults: numberOf(draft.mostFaults),
          mostMissedShare: numberOf(draft.mostMissed) / 100,
          leastKnownCoPanelists: numberOf(draft.leastKnownCoPanelists),
          knownRequesters: draft.knownRequesters.split(/[\s,]+/).filter((text) => text !== ""),
        },
        onePlacePerOrganization: draft.onePlacePerOrganization,
        ...(leastBond === undefined ? {} : { leastBond }),
        ...(highestPrice === undefined ? {} : { highestPrice }),
        replication: {
          target: numberOf(draft.target) / 100,
          leastSeats: numberOf(draft.leastSeats),
          mostSeats: numberOf(draft.mostSeats),
          mostSpares: numberOf(draft.mostSpares),
        },
      }),
    };
  } catch (error) {
    return { policy: undefined, error: explain(error).message };
  }
}

function percentText(share: number): string {
  return String(Number((share * 100).toFixed(6)));
}

function numberOf(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

/** Undefined for nothing, null for what is no amount. */
function amountOf(text: string, decimals: number): bigint | undefined | null {
  if (text.trim() === "") return undefined;
  return parseAmount(text, decimals) ?? null;
}

function twiceNamed(addresses: readonly string[]): string | undefined {
  const keys = addresses.map((address) => address.trim().toLowerCase()).filter((key) => key !== "");
  return keys.find((key, index) => keys.indexOf(key) !== index);
}

/**
 * What a policy means, in one sentence.
 *
 * @param policy - The policy.
 */
export function policyWords({ accept, allow, deny }: TrustPolicy): string {
  const never = deny.length === 0 ? "" : `; never the ${count(deny.length, "provider")} you denied`;
  if (accept === "anyone") return `Everybody may be seated and read your data${never}.`;
  if (allow.length === 0 && accept === "allow-list") return "Nobody may be seated: your list names no provider yet.";
  const named = `the ${count(allow.length, "provider")} on your list`;
  return accept === "history"
    ? `Seated are ${allow.length === 0 ? "" : `${named}, and `}those whose history in jobs that you can believe passes your rule${never}.`
    : `Only ${named} may be seated${never}.`;
}

/**
 * What a plan means, in one sentence.
 *
 * @param plan - From `planReplication`.
 */
export function planWords({ seats, quorum, spares, chance, belowTarget }: ReplicationPlan): string {
  const share = `${(chance * 100).toFixed(1)} %`;
  const panel = `${count(seats, "seat")}, ${quorum} of them equal, ${count(spares, "spare")}`;
  return belowTarget
    ? `From what is known of providers so far, even the largest panel you allow (${panel}) reaches an accepted answer with a chance of ${share} only, below your target.`
    : `From what is known of providers so far, a job needs ${panel}: a chance of ${share} for an accepted answer.`;
}
