import type { CheckedReceipt, CheckStep } from "../../../src/receipt-check/index.ts";

/** What a check comes to, for people. */
export type Headline = {
  readonly tone: "good" | "warn" | "bad";
  readonly title: string;
  readonly words: string;
};

/**
 * What a check comes to.
 *
 * @param checked - Receipt that was checked.
 */
export function headlineOf({ verdict, steps }: CheckedReceipt): Headline {
  switch (verdict) {
    case "accepted":
      return {
        tone: "good",
        title: "The receipt is good",
        words: "Verified twice, in this browser and on chain, and given by a provider whose word you take.",
      };
    case "untrusted":
      return {
        tone: "warn",
        title: "The proof is good. Do you take its provider's word?",
        words:
          "Verified twice, in this browser and on chain. What it is worth depends on whether you trust the provider.",
      };
    case "unanchored":
      return {
        tone: "warn",
        title: "The proof holds, but the chain was not asked",
        words: "Whether the provider published this data and gave this answer is open.",
      };
    case "unknown":
      return {
        tone: "warn",
        title: "It could not be checked to the end",
        words: "The proof holds in this browser, but the chain did not answer.",
      };
    case "refused": {
      const refused = steps.find(({ state }) => state === "refused");
      return {
        tone: "bad",
        title: `The receipt is refused: ${lowerFirst(refused?.title ?? "it cannot be checked")}`,
        words: "Do not rely on anything that it says.",
      };
    }
    default:
      return verdict satisfies never;
  }
}

/**
 * What to do about a part of a check.
 *
 * @param step - Decided part.
 * @returns Empty when nothing is to be done.
 */
export function adviceOf({ code }: Pick<CheckStep, "code">): string {
  return code === "RECEIPT_PROVIDER" ? "Accept the provider above, if you do." : "";
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
