/** A refusal in words: what is wrong, and what it means for whoever was shown the receipt. */
export type RefusalWords = { readonly title: string; readonly meaning: string };

const refusals: Readonly<Record<string, RefusalWords>> = {
  RECEIPT_INVALID: {
    title: "This is not a receipt",
    meaning: "It has another form than receipts have, or parts of it are missing. Ask for the whole file.",
  },
  RECEIPT_MARKET: {
    title: "It is of another market or chain",
    meaning: "It may be good there. Here nothing can be said about it.",
  },
  RECEIPT_PROVIDER: {
    title: "Its provider's word does not count for you",
    meaning: "A proof shows what a provider has registered, so everything depends on whether you trust that provider.",
  },
  RECEIPT_VERIFIER: {
    title: "Its proof was judged by an unknown contract",
    meaning: "Such a contract can call anything proved. The receipt shows nothing.",
  },
  RECEIPT_STATEMENT: {
    title: "It says something else than you asked for",
    meaning: "The proof may be good, but for another statement. Ask for a receipt of the one that you need.",
  },
  RECEIPT_VACUOUS: {
    title: "Its statement says nothing",
    meaning: "It holds for everybody or for nobody, so its answer tells nothing about this person.",
  },
  RECEIPT_PERSON: {
    title: "It is about another person",
    meaning: "The papers that you saw are not those that the record belongs to.",
  },
  RECEIPT_STALE: {
    title: "It is about the wrong day",
    meaning: "The day of its statement is longer ago than you accept, or has not come yet. Ask for a new one.",
  },
  RECEIPT_QUERY: {
    title: "Its parts do not belong together",
    meaning: "Quote and question differ. It was put together wrongly, or on purpose.",
  },
  RECEIPT_ANSWER: {
    title: "It was changed",
    meaning:
      "With the key in it the answer does not open: statement, person, asker or key were altered after the answer was given.",
  },
  RECEIPT_PROOF: {
    title: "Its proof does not hold",
    meaning: "The mathematics does not work out for these numbers. The receipt was altered, or never was one.",
  },
  RECEIPT_CHALLENGE: {
    title: "Whoever shows it is not its asker",
    meaning: "Your fresh words are not signed by the account that asked. The receipt may have been copied.",
  },
  RECEIPT_UNANSWERED: {
    title: "The chain knows no such answer",
    meaning: "The question was never asked there, or never answered. A proof that was not paid for shows nothing here.",
  },
  RECEIPT_CIPHER: {
    title: "The chain has another answer",
    meaning: "The encrypted answer in the receipt is not the one that the provider gave.",
  },
  RECEIPT_NULLIFIER: {
    title: "Its proof is not the one that was paid for",
    meaning: "The use of the record that it names was never counted on chain.",
  },
  RECEIPT_DATASET: {
    title: "Its data set is somebody else's",
    meaning: "The provider that it names has not registered this data set.",
  },
  RECEIPT_ROOT: {
    title: "The provider does not stand behind the data",
    meaning: "The data that it is proved from was never published, or was revoked.",
  },
  RECEIPT_CODE: {
    title: "The verifier on chain is another contract than it says",
    meaning: "Its code differs from the one that the receipt names.",
  },
  VERIFIER_SAYS_NO: {
    title: "The verifier on chain does not accept its proof",
    meaning: "The contract that judges proofs says that this one is wrong.",
  },
};

/**
 * A refusal in words.
 *
 * @param code - Of `verifyReceipt`, or `VERIFIER_SAYS_NO`.
 */
export function refusalWords(code: string): RefusalWords {
  return (
    refusals[code] ?? {
      title: "It cannot be checked",
      meaning: "Its statement or its numbers are none that this version can put into a question.",
    }
  );
}

/** Codes that this module has words for. */
export const refusalCodes: readonly string[] = Object.keys(refusals);

/** What each public signal of a proof is, in plain words. */
export const signalWords: Readonly<
  Record<"cipher" | "nullifier" | "root" | "query", { readonly title: string; readonly meaning: string }>
> = {
  cipher: {
    title: "The answer, encrypted",
    meaning:
      "All that the chain shows of the answer. With the key in this receipt it opens to yes or no; without it, it tells nothing.",
  },
  nullifier: {
    title: "One use of the record",
    meaning:
      "Counts one answer of the record's budget, so that nobody can ask about it without end. It does not tell which record it is.",
  },
  root: {
    title: "The provider's data",
    meaning:
      "A fingerprint of all records that the provider had published. The proof says that the record is one of them, not which.",
  },
  query: {
    title: "The question",
    meaning:
      "A fingerprint of who asked whom about whom, of the statement and of the answer's key. Recomputed from this receipt: change a word in it and this number changes.",
  },
};
