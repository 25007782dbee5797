import type { ContractErrorRow } from "./contractErrors.ts";

const LIFE = "protocol/queries.md#life-of-a-question";

/** Custom errors that the query market alone has; those it shares with the job market stand there. */
export const queryContractErrors: Readonly<Record<string, ContractErrorRow>> = {
  AlreadyAsked: {
    code: "QUESTION_ALREADY_ASKED",
    reason: "This query was asked before, and a provider is asked a query once",
    advice: "Follow the question that stands; for another one prepare a query anew.",
    retry: false,
    docsPath: LIFE,
  },
  AnswerTooLate: {
    code: "ANSWER_TOO_LATE",
    reason: "The deadline of the question has passed",
    advice: "Nothing can be answered any more: price and bond are the asker's.",
    retry: false,
    docsPath: LIFE,
  },
  CipherOutOfRange: {
    code: "CIPHER_OUT_OF_RANGE",
    reason: "The cipher is no field element",
    advice: "Send the proof's own signals.",
    retry: false,
  },
  DatasetExists: {
    code: "DATASET_EXISTS",
    reason: "The account has registered this definition already",
    advice: "Publish roots of the dataset that exists; another definition makes another dataset.",
    retry: false,
  },
  NotAnswered: {
    code: "QUESTION_NOT_ANSWERED",
    reason: "The question has no answer",
    advice: "Wait until it is answered; once it has expired, there will be none.",
    retry: true,
    docsPath: LIFE,
  },
  NotAsker: {
    code: "NOT_ASKER",
    reason: "Only the asker that the quote names may ask",
    advice: "Use the asker's wallet.",
    retry: false,
  },
  NotDatasetProvider: {
    code: "NOT_DATASET_PROVIDER",
    reason: "The dataset is another provider's",
    advice: "Use the wallet of the dataset's provider, and compare dataset and provider of the quote.",
    retry: false,
  },
  NotPoseidon: {
    code: "NOT_POSEIDON",
    reason: "The contract that was given as Poseidon of two inputs computes something else",
    advice: "Deploy circomlib's Poseidon contract and give its address.",
    retry: false,
  },
  NotPublisher: {
    code: "NOT_PUBLISHER",
    reason: "Only provider and publisher of the dataset may publish and revoke its roots",
    advice: "Use one of their keys, or name this one with `setPublisher`.",
    retry: false,
  },
  NotYetExpirable: {
    code: "QUESTION_NOT_YET_EXPIRABLE",
    reason: "The provider's time is not over, and until then only the provider may end the question",
    advice: "Wait for the deadline.",
    retry: true,
    docsPath: LIFE,
  },
  NullifierOutOfRange: {
    code: "NULLIFIER_OUT_OF_RANGE",
    reason: "The nullifier is no field element",
    advice: "Send the proof's own signals.",
    retry: false,
  },
  NullifierUsed: {
    code: "NULLIFIER_USED",
    reason: "This use of the record is spent",
    advice: "Prove with another index of the record's budget.",
    retry: false,
  },
  ProofRefused: {
    code: "PROOF_REFUSED",
    reason: "The verifier says that the proof is wrong",
    advice: "Prove again from the quote's root and query; nothing was paid.",
    retry: false,
  },
  ProviderIsAsker: {
    code: "PROVIDER_IS_ASKER",
    reason: "A provider cannot ask itself",
    advice: "Ask with another account.",
    retry: false,
  },
  QueryOutOfRange: {
    code: "QUERY_OUT_OF_RANGE",
    reason: "The query is zero or no field element",
    advice: "Make the query with this package; do not ask this quote.",
    retry: false,
  },
  QuestionNotPending: {
    code: "QUESTION_NOT_PENDING",
    reason: "The question was never asked, or has ended",
    advice: "Read where it stands.",
    retry: false,
    docsPath: LIFE,
  },
  QuoteExpired: {
    code: "QUOTE_EXPIRED",
    reason: "The quote's time is over",
    advice: "Nothing was paid; prepare the query again, with a new consent.",
    retry: true,
    docsPath: LIFE,
  },
  QuoteMismatch: {
    code: "QUOTE_NOT_OF_QUESTION",
    reason: "The question was asked by another quote",
    advice: "Take the quote from the question's QuestionAsked event.",
    retry: false,
  },
  QuoteNotSigned: {
    code: "QUOTE_NOT_SIGNED",
    reason: "Nobody who may bind the provider has signed this quote",
    advice:
      "Get another quote: the signature is wrong, or the agent's authorization has ended or does not cover bond and window.",
    retry: false,
  },
  RootIsCurrent: {
    code: "ROOT_IS_CURRENT",
    reason: "The root is the dataset's current one already",
    advice: "Nothing is left to do.",
    retry: false,
  },
  RootIsRevoked: {
    code: "ROOT_IS_REVOKED",
    reason: "The root was revoked, for good",
    advice: "Publish a root of corrected records.",
    retry: false,
  },
  RootNotAskable: {
    code: "ROOT_NOT_ASKABLE",
    reason: "Nobody can ask about this root: it is unknown, revoked, or superseded for too long",
    advice: "Nothing was paid; prepare the query again, about the current root.",
    retry: false,
    docsPath: LIFE,
  },
  RootOutOfRange: {
    code: "ROOT_OUT_OF_RANGE",
    reason: "The root is zero or no field element",
    advice: "Publish the root of a tree of records.",
    retry: false,
  },
  UnknownDataset: {
    code: "DATASET_UNKNOWN",
    reason: "Nobody registered this dataset",
    advice: "Check its id and the query market's address.",
    retry: false,
  },
  UnknownRoot: {
    code: "ROOT_UNKNOWN",
    reason: "The root was never published",
    advice: "Name a root that the dataset published.",
    retry: false,
  },
  VerifierChanged: {
    code: "VERIFIER_CHANGED",
    reason: "The verifier has other code than the quote says",
    advice: "Do not ask this quote: what its verifier proves is unknown.",
    retry: false,
  },
  VerifierFailed: {
    code: "VERIFIER_FAILED",
    reason: "The verifier reverted, or did not answer with one word of 0 or 1",
    advice: "The proof is malformed, or the verifier is broken; nothing was paid.",
    retry: false,
  },
  VerifierWithoutCode: {
    code: "VERIFIER_WITHOUT_CODE",
    reason: "The verifier of the quote is no contract",
    advice: "Do not ask this quote.",
    retry: false,
  },
  WrongKey: {
    code: "ANSWER_KEY_WRONG",
    reason: "The key does not open the answer",
    advice: "Use the answer key of this very query.",
    retry: false,
  },
};
