import { FatalError, isQuorateError } from "@quorate/core";
import {
  challengeMessage,
  describeStatement,
  type ExpectedStatement,
  type KnownVerifiers,
  openCipher,
  parseReceipt,
  queryOfReceipt,
  type Receipt,
  type VerifyReceiptParameters,
  verifyReceipt,
} from "@quorate/proofs";
import { type Address, type Client, createClient, fallback, type Hex, http, isAddressEqual, parseAbi } from "viem";
import { readContract } from "viem/actions";
import { refusalWords, signalWords } from "./words.ts";

/** What a relying party accepts. */
export type AcceptedReceipts = {
  readonly chainId: number;
  /** The query market that is trusted. */
  readonly market: Address;
  /** Domain providers whose word counts. */
  readonly providers: readonly Address[];
  /** Code hashes of the verifiers that are trusted, by circuit. */
  readonly verifiers: KnownVerifiers;
  /** What it must say, on any day; anything that says something unless given. */
  readonly statement?: ExpectedStatement | undefined;
  /** From `personOf` over the papers that were shown; anybody unless given. */
  readonly person?: bigint | undefined;
  /** How old the day of the statement may be, seconds; 30 days unless given. */
  readonly maxAgeS?: number | undefined;
  /** Fresh words of the relying party, with the asker's signature over `challengeMessage`. */
  readonly challenge?: { readonly text: string; readonly signature: Hex } | undefined;
};

/** Options of {@link checkReceipt}. */
export type CheckReceiptOptions = {
  readonly accepts: AcceptedReceipts;
  /** JSON-RPC endpoints of the chain, preferred first; without one or a client the chain is not asked, and nothing is accepted. */
  readonly rpc?: readonly string[] | undefined;
  /** Reads the chain, in place of `rpc`; it cannot be handed to a worker. */
  readonly client?: Client | undefined;
  /** Told of each step once it is decided. */
  readonly onStep?: ((step: CheckStep) => void) | undefined;
  /** Unix s; the machine's clock unless given. */
  readonly now?: number | undefined;
};

/** A part of a check: `here` needs no chain, `chain` reads it, `verifier` calls the contract that judges proofs, `provider` is trust. */
export type CheckStepId = "here" | "chain" | "verifier" | "provider";

/** A part of a check that is decided. */
export type CheckStep = {
  readonly id: CheckStepId;
  /** `unknown`: the chain did not answer. `skipped`: not looked at, since an earlier part refused, or without a chain. */
  readonly state: "passed" | "refused" | "unknown" | "skipped";
  /** Stable code of what is wrong. */
  readonly code?: string | undefined;
  readonly title: string;
  /** What it means, in plain words. */
  readonly words: string;
};

/** A public signal of the proof, explained. */
export type ExplainedSignal = {
  readonly name: "cipher" | "nullifier" | "root" | "query";
  readonly value: bigint;
  readonly title: string;
  readonly meaning: string;
};

/**
 * What a check found: `accepted` by all that was asked for; `untrusted`: good, but of a provider whose word does not count;
 * `unanchored`: good as far as it can be told without a chain; `unknown`: the chain did not answer; `refused`.
 */
export type CheckVerdict = "accepted" | "untrusted" | "unanchored" | "unknown" | "refused";

/** A receipt that was checked. */
export type CheckedReceipt = {
  readonly verdict: CheckVerdict;
  /** Undefined when what was given is no receipt. */
  readonly receipt?: Receipt | undefined;
  /** What was asked, in words; undefined when it has none. */
  readonly statement?: string | undefined;
  /** What it says; worth something only if the verdict is `accepted`. Undefined when it does not open. */
  readonly answer?: boolean | undefined;
  /** Whether the asker signed the challenge. */
  readonly askerPresent: boolean;
  /** When the provider published the data, and when it was superseded (0 if it is current), unix s; only by the chain. */
  readonly root?: { readonly publishedAt: number; readonly supersededAt: number } | undefined;
  readonly steps: readonly CheckStep[];
  readonly signals: readonly ExplainedSignal[];
};

const verifierAbi = parseAbi([
  "function verifyProof(uint256[2] a, uint256[2][2] b, uint256[2] c, uint256[4] signals) view returns (bool)",
]);

const TIMEOUT_MS = 15_000;

/**
 * Checks a receipt for a relying party: by computation alone, then against the chain, then by the contract that judges proofs
 * there. Never throws for what is wrong with the receipt: each part says in words what it found.
 *
 * @param given - The receipt: JSON text, or parsed.
 * @param options - What is accepted, and where the chain is read.
 * @example
 * ```ts
 * const checked = await checkReceipt(await file.text(), { accepts, rpc: ["https://…"] });
 * if (checked.verdict === "accepted" && checked.answer) openTheDoor();
 * ```
 */
export async function checkReceipt(given: unknown, options: CheckReceiptOptions): Promise<CheckedReceipt> {
  const { accepts, rpc } = options;
  const steps: CheckStep[] = [];
  const add = (step: CheckStep): void => {
    steps.push(step);
    options.onStep?.(step);
  };
  const skip = (id: CheckStepId, words: string): void => add({ id, state: "skipped", title: titles[id], words });

  let receipt: Receipt;
  try {
    receipt = parseReceipt(typeof given === "string" ? jsonOf(given) : given);
  } catch (error) {
    add(refusal("here", error));
    for (const id of ["chain", "verifier", "provider"] as const) skip(id, "Not looked at: there is no receipt.");
    return { verdict: "refused", askerPresent: false, steps, signals: [] };
  }
  const signals = signalsOf(receipt);
  const common = {
    receipt,
    statement: attempt(() => describeStatement(receipt.statement)),
    answer: attempt(() => openCipher(receipt.cipher, receipt.k, queryOfReceipt(receipt))),
    signals,
  };

  const client = options.client ?? (rpc === undefined || rpc.length === 0 ? undefined : clientOf(rpc));
  const isTrusted = accepts.providers.some((provider) => isAddressEqual(provider, receipt.provider));
  // Trust is a part of its own: whether a proof is good does not depend on whose word counts.
  const { maxAgeS, challenge, ...accepted } = accepts;
  const parameters: VerifyReceiptParameters = {
    ...accepted,
    providers: [receipt.provider],
    maxAge: maxAgeS,
    now: options.now ?? Math.floor(Date.now() / 1000),
  };

  let askerPresent = false;
  try {
    // Accounts that are contracts can be asked for their signature on chain alone.
    await verifyReceipt(receipt, client === undefined ? { ...parameters, challenge } : parameters);
    askerPresent = client === undefined && challenge !== undefined;
    add(passed("here", "The proof holds, the answer opens with the key, and both belong to exactly this question."));
  } catch (error) {
    add(refusal("here", error));
    for (const id of ["chain", "verifier", "provider"] as const) skip(id, "Not looked at: it is refused already.");
    return { ...common, verdict: "refused", askerPresent, steps };
  }

  let root: CheckedReceipt["root"];
  if (client === undefined) {
    skip("chain", "The chain was not asked whether the provider published this data and gave this answer.");
    skip("verifier", "The chain was not asked.");
  } else {
    try {
      const verified = await verifyReceipt(receipt, { ...parameters, client, challenge });
      ({ root, askerPresent } = verified);
      add(
        passed(
          "chain",
          "The chain has this answer to this question, paid for and from data that the provider has published and not revoked.",
        ),
      );
    } catch (error) {
      add(refusal("chain", error));
    }
    if (steps.at(-1)?.state === "passed") add(await askVerifier(client, receipt));
    else skip("verifier", "Not looked at: the chain has not confirmed the rest.");
  }

  if (isTrusted) add(passed("provider", "You accept the word of the provider that registered the record."));
  else add(refusal("provider", new FatalError("RECEIPT_PROVIDER", "The provider is none of those that are accepted.")));
  return { ...common, verdict: verdictOf(steps), askerPresent, root, steps };
}

const titles: Readonly<Record<CheckStepId, string>> = {
  here: "Computed here",
  chain: "Compared with the chain",
  verifier: "Judged by the verifier on chain",
  provider: "Whose word it is",
};

function verdictOf(steps: readonly CheckStep[]): CheckVerdict {
  const states = new Map(steps.map(({ id, state }) => [id, state]));
  const technical = (["here", "chain", "verifier"] as const).map((id) => states.get(id));
  if (technical.includes("refused")) return "refused";
  if (technical.includes("unknown")) return "unknown";
  if (technical.includes("skipped")) return "unanchored";
  return states.get("provider") === "passed" ? "accepted" : "untrusted";
}

function passed(id: CheckStepId, words: string): CheckStep {
  return { id, state: "passed", title: titles[id], words };
}

/** Codes of `verifyReceipt` and of the receipt's parts; whatever else is thrown is the chain's silence. */
const OWN_CODES = /^(RECEIPT_|STATEMENT_|VALUE_|FIELD_|RANDOM_|SUBJECT_KEY_|DATASET_INVALID|ANSWER_UNREADABLE)/;

function refusal(id: CheckStepId, error: unknown): CheckStep {
  if (isQuorateError(error) && OWN_CODES.test(error.code)) {
    const { title, meaning } = refusalWords(error.code);
    return { id, state: "refused", code: error.code, title, words: `${meaning} ${error.message}` };
  }
  return unanswered(id);
}

function unanswered(id: CheckStepId): CheckStep {
  return {
    id,
    state: "unknown",
    code: "CHAIN_UNREACHABLE",
    title: "The chain did not answer",
    words: "Nothing can be said about this part now. Try again, or name another endpoint of the chain.",
  };
}

async function askVerifier(client: Client, receipt: Receipt): Promise<CheckStep> {
  const [a0, a1, b00, b01, b10, b11, c0, c1] = receipt.proof;
  const { cipher, nullifier, root, verifier } = receipt;
  try {
    const holds = await readContract(client, {
      address: verifier,
      abi: verifierAbi,
      functionName: "verifyProof",
      args: [
        [a0, a1],
        [
          [b00, b01],
          [b10, b11],
        ],
        [c0, c1],
        [cipher, nullifier, root, queryOfReceipt(receipt)],
      ],
    });
    if (holds) return passed("verifier", "The contract that the provider was paid by accepts this very proof.");
    const { title, meaning } = refusalWords("VERIFIER_SAYS_NO");
    return { id: "verifier", state: "refused", code: "VERIFIER_SAYS_NO", title, words: meaning };
  } catch {
    return unanswered("verifier");
  }
}

function signalsOf(receipt: Receipt): readonly ExplainedSignal[] {
  const { cipher, nullifier, root } = receipt;
  const query = attempt(() => queryOfReceipt(receipt));
  return [
    { name: "cipher" as const, value: cipher },
    { name: "nullifier" as const, value: nullifier },
    { name: "root" as const, value: root },
    ...(query === undefined ? [] : [{ name: "query" as const, value: query }]),
  ].map((signal) => ({ ...signal, ...signalWords[signal.name] }));
}

function clientOf(rpc: readonly string[]): Client {
  const nodes = rpc.map((url) => http(url, { timeout: TIMEOUT_MS, retryCount: 1 }));
  const [only] = nodes;
  return createClient({ transport: nodes.length === 1 && only !== undefined ? only : fallback(nodes) });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FatalError("RECEIPT_INVALID", "What was given is no JSON.", { cause });
  }
}

function attempt<T>(compute: () => T): T | undefined {
  try {
    return compute();
  } catch {
    return undefined;
  }
}

/**
 * What the asker of a receipt signs (EIP-191) to show that it is its own.
 *
 * @param receipt - From {@link checkReceipt}.
 * @param text - Fresh words of the relying party.
 */
export function challengeFor(receipt: Receipt, text: string): string {
  return challengeMessage(receipt, text);
}
