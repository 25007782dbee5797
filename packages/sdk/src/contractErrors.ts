/** What a custom error of the contract means to a caller. */
export type ContractErrorRow = {
  /** Stable code. */
  readonly code: string;
  /** What happened and why, without a full stop. */
  readonly reason: string;
  /** What to do. */
  readonly advice: string;
  /** Whether the same call may be accepted later without change. */
  readonly retry: boolean;
  /** Page under `docs/`. */
  readonly docsPath?: string;
};

const ACTIONS = "protocol/lifecycle.md#actions";
const STATUS = "protocol/lifecycle.md#status";

/**
 * Every custom error that a call of the market can end with: name in the contract → code, reason, advice. A test compares the
 * names with the ABI.
 */
export const contractErrors: Readonly<Record<string, ContractErrorRow>> = {
  AlreadyCommitted: {
    code: "ALREADY_COMMITTED",
    reason: "The place has committed, so it can no longer decline",
    advice: "Open the commitment once revealing begins.",
    retry: false,
    docsPath: ACTIONS,
  },
  AlreadyDeclined: {
    code: "ALREADY_DECLINED",
    reason: "The place has declined already",
    advice: "Nothing is left to do: its bond is free.",
    retry: false,
    docsPath: ACTIONS,
  },
  BadCallbackGas: {
    code: "BAD_CALLBACK_GAS",
    reason: "The gas of the callback is above its maximum, or there is gas and no callback",
    advice: "Give a callback at most 1000000 gas, and none without a callback.",
    retry: false,
  },
  BadOffers: {
    code: "BAD_OFFERS",
    reason: "Some offers cannot be opened now",
    advice: "Leave out the offers that are named and select again; nothing was paid.",
    retry: false,
    docsPath: ACTIONS,
  },
  BadPanelSize: {
    code: "BAD_PANEL_SIZE",
    reason: "The number of offers does not fit the seats, spares and shadows of the request",
    advice: "Bring one offer for every seat, then spares and shadows up to the request's numbers.",
    retry: false,
    docsPath: ACTIONS,
  },
  BadQuorum: {
    code: "BAD_QUORUM",
    reason: "The quorum is no majority of the seats, or below 2",
    advice: "Use a quorum of at least 2, more than half of the seats, and no more than the seats.",
    retry: false,
  },
  BadSet: {
    code: "BAD_SET",
    reason: "The set of commitments lacks a seat, names a place twice, or a place of it cannot be a member",
    advice: "Bring one commitment for each seat, none for spares, at most one for a shadow.",
    retry: false,
    docsPath: ACTIONS,
  },
  BalanceBelowHeld: {
    code: "TOKEN_BALANCE_SHRANK",
    reason: "The market owns less of the token than it owes: the token shrinks balances",
    advice: "Do not use this token. Withdraw what you can.",
    retry: false,
  },
  CallbackFailed: {
    code: "CALLBACK_FAILED",
    reason: "The callback of the job failed again",
    advice: "Mend the contract that is called, then try again; the money of the job was paid at its settlement.",
    retry: true,
  },
  CallbackNeedsGas: {
    code: "CALLBACK_NEEDS_GAS",
    reason: "The call has too little gas left for the callback of the job",
    advice: "Call again with a gas limit that is higher by what the error names.",
    retry: true,
  },
  CallbackWithoutCode: {
    code: "CALLBACK_WITHOUT_CODE",
    reason: "There is no contract at the callback of the request",
    advice: "Deploy the contract first, or request without a callback; nothing was paid.",
    retry: true,
  },
  CommitmentRefused: {
    code: "COMMITMENT_REFUSED",
    reason: "The commitment cannot be placed",
    advice: "Read the job: the place is not seated, has declined or committed, or its deadline has passed.",
    retry: false,
    docsPath: ACTIONS,
  },
  CommitmentsMismatch: {
    code: "COMMITMENTS_MISMATCH",
    reason: "The commitments are not all of the job's in the order in which they landed",
    advice: "Rebuild the list from the CommitmentPlaced events of the canonical chain, then try again.",
    retry: true,
    docsPath: ACTIONS,
  },
  HeldAboveMaximum: {
    code: "MARKET_FULL_FOR_TOKEN",
    reason: "The market cannot hold so much of one token",
    advice: "Deposit less.",
    retry: false,
  },
  InsufficientFree: {
    code: "INSUFFICIENT_FREE_BALANCE",
    reason: "The account's free balance in the market is too low",
    advice: "Deposit the difference, or wait until open jobs release what is locked.",
    retry: true,
  },
  JobAlreadyOpened: {
    code: "JOB_ALREADY_OPENED",
    reason: "This request was opened before, and a job id opens once for ever",
    advice: "Follow the job that is open. For another job, make a request with a new nonce.",
    retry: false,
    docsPath: ACTIONS,
  },
  JobNotOpen: {
    code: "JOB_NOT_OPEN",
    reason: "The job was never opened, or is settled",
    advice: "Read the job's status; if it is settled, its result is final.",
    retry: false,
    docsPath: STATUS,
  },
  MarketWindowsOutOfRange: {
    code: "MARKET_WINDOWS_OUT_OF_RANGE",
    reason: "The windows of the market itself are out of range on this chain",
    advice: "Deploy with windows from 5 minutes to 7 days; shorter ones are for local chains only.",
    retry: false,
  },
  NoCallbackPending: {
    code: "NO_CALLBACK_PENDING",
    reason: "The job is not settled, or no callback of it has failed",
    advice: "Nothing is left to do.",
    retry: false,
  },
  NoSuchPlace: {
    code: "NO_SUCH_PLACE",
    reason: "The panel has no such place",
    advice: "Take the place from the job's JobOpened event.",
    retry: false,
  },
  NotClaimable: {
    code: "QUARANTINE_NOT_CLAIMABLE",
    reason: "Nothing is quarantined under this number, or its probation lasts",
    advice: "Wait for the end of the probation: three alignments in a row, or 180 days without a fault.",
    retry: true,
    docsPath: "protocol/lifecycle.md#standing",
  },
  NotProvider: {
    code: "NOT_PROVIDER",
    reason: "The caller is neither the provider of the place nor an agent of it in force",
    advice: "Use the provider's or its agent's key, and check the agent's authorization and its end.",
    retry: false,
    docsPath: ACTIONS,
  },
  NotRequester: {
    code: "NOT_REQUESTER",
    reason: "Only the requester that the request names may do this",
    advice: "Use the requester's wallet.",
    retry: false,
    docsPath: ACTIONS,
  },
  NothingToPromote: {
    code: "NOTHING_TO_PROMOTE",
    reason: "No seat is vacant, or no spare is left",
    advice: "Read the job again: somebody may have promoted already.",
    retry: true,
    docsPath: ACTIONS,
  },
  RequestExpired: {
    code: "REQUEST_EXPIRED",
    reason: "The request has expired, so it can no longer be opened",
    advice: "Request again with a later expiry; nothing was paid.",
    retry: false,
    docsPath: ACTIONS,
  },
  SetAlreadyPlaced: {
    code: "SET_ALREADY_PLACED",
    reason: "The job has a set of commitments",
    advice: "Open what is still closed with reveal.",
    retry: false,
    docsPath: ACTIONS,
  },
  SetNotAllowed: {
    code: "SET_NOT_ALLOWED",
    reason: "The request did not allow votes by a set",
    advice: "Commit and reveal one by one.",
    retry: false,
    docsPath: ACTIONS,
  },
  SetNotSigned: {
    code: "SET_NOT_SIGNED",
    reason: "A member did not sign this set of commitments",
    advice: "Collect the signatures again, one a member in the order of places, over exactly these commitments.",
    retry: false,
    docsPath: ACTIONS,
  },
  SetTooLate: {
    code: "SET_TOO_LATE",
    reason: "The time for a set ended with the first commit window",
    advice: "Reveal what was committed on chain.",
    retry: false,
    docsPath: ACTIONS,
  },
  ShareAboveMaximum: {
    code: "SHARE_ABOVE_MAXIMUM",
    reason: "A share in basis points is above its maximum",
    advice: "Use at most 5000 for the call-out fee and 10000 for the standby fee.",
    retry: false,
  },
  TermsMismatch: {
    code: "TERMS_MISMATCH",
    reason: "The terms are not those of the job",
    advice: "Rebuild the terms from the job's JobOpened event.",
    retry: false,
  },
  TooLateToDecline: {
    code: "TOO_LATE_TO_DECLINE",
    reason: "The first quarter of the window is over, so the place can no longer be declined",
    advice: "Commit before the deadline, if only to report.",
    retry: false,
    docsPath: ACTIONS,
  },
  TooManyPlaces: {
    code: "TOO_MANY_PLACES",
    reason: "A job has at most 16 places",
    advice: "Ask for fewer seats, spares or shadows.",
    retry: false,
  },
  TooManySpares: {
    code: "TOO_MANY_SPARES",
    reason: "More spares were brought than the request names",
    advice: "Leave some out.",
    retry: false,
  },
  UnexpectedTransfer: {
    code: "TOKEN_TAKES_FEES",
    reason: "The token moved another amount than it was asked to",
    advice: "Use another token: the market takes none that charges on transfer.",
    retry: false,
  },
  UnknownFlags: {
    code: "UNKNOWN_FLAGS",
    reason: "The request has flags that the market does not know",
    advice: "Use AcceptProbation, SetVotes, both or none.",
    retry: false,
  },
  UselessAddress: {
    code: "USELESS_ADDRESS",
    reason: "Money sent to this address would be lost",
    advice: "Name another account than zero or the market.",
    retry: false,
  },
  WindowOutOfRange: {
    code: "WINDOW_OUT_OF_RANGE",
    reason: "A window is shorter or longer than this market allows",
    advice: "Choose windows within the market's minWindow and maxWindow.",
    retry: false,
  },
  WrongStatus: {
    code: "WRONG_STATUS",
    reason: "The job is in another status than the call needs",
    advice: "Read the job: the time for this has passed or has not come.",
    retry: true,
    docsPath: STATUS,
  },
  ZeroEncryptionKey: {
    code: "ZERO_ENCRYPTION_KEY",
    reason: "The request has no key to seal offers and results to",
    advice: "Make a key pair and request again.",
    retry: false,
  },

  // OpenZeppelin's, which the market inherits.
  AddressEmptyCode: {
    code: "TOKEN_NOT_A_CONTRACT",
    reason: "The address has no code",
    advice: "Check the token's address and the chain.",
    retry: false,
  },
  FailedCall: {
    code: "CALL_FAILED",
    reason: "A call inside the transaction failed without saying why",
    advice: "Check the token's address and the account's balance.",
    retry: false,
  },
  InvalidShortString: {
    code: "CONTRACT_STRING_INVALID",
    reason: "A short string of the contract is malformed",
    advice: "The deployment is damaged; check the market's address.",
    retry: false,
  },
  ReentrancyGuardReentrantCall: {
    code: "REENTRANT_CALL",
    reason: "The market was called from inside its own call",
    advice: "Use another token: this one calls back while it transfers.",
    retry: false,
  },
  SafeERC20FailedOperation: {
    code: "TOKEN_TRANSFER_FAILED",
    reason: "The token refused the transfer",
    advice: "Check the payer's token balance and its allowance for the market.",
    retry: true,
  },
  StringTooLong: {
    code: "CONTRACT_STRING_INVALID",
    reason: "A string of the contract is too long",
    advice: "The deployment is damaged; check the market's address.",
    retry: false,
  },
};

/** Errors of tokens by ERC-6093, which the market passes on. Source: https://eips.ethereum.org/EIPS/eip-6093 */
export const tokenErrors: Readonly<Record<string, ContractErrorRow>> = {
  ERC20InsufficientAllowance: {
    code: "TOKEN_ALLOWANCE_TOO_LOW",
    reason: "The market may not take so many tokens",
    advice: "Approve the market for the amount, or deposit with a permit.",
    retry: true,
  },
  ERC20InsufficientBalance: {
    code: "TOKEN_BALANCE_TOO_LOW",
    reason: "The payer holds too few tokens",
    advice: "Get more tokens, or deposit less.",
    retry: true,
  },
  ERC20InvalidReceiver: {
    code: "TOKEN_RECEIVER_INVALID",
    reason: "The token refuses this receiver",
    advice: "Name another account.",
    retry: false,
  },
};
