import { queryMarketAbi } from "@quorate/abi";
import { FatalError, quoteDigest } from "@quorate/core";
import { encodeStatement, parseStatement, verifyProof } from "@quorate/proofs";
import { decodeEventLog, getAbiItem, type Hex, numberToHex, toEventSelector } from "viem";
import type { ProofWords } from "../actions/answer.ts";
import { findLog } from "../internal/findLog.ts";
import { read } from "../internal/read.ts";
import { quoteOf } from "./askQuery.ts";
import { type AskerContext, addToQuery } from "./context.ts";
import { requireAnswered } from "./followQuery.ts";
import type { FoundAnswer, QueryRecord } from "./record.ts";

const WORD = 64;
const PROOF_WORDS = 8;

/**
 * The answer of a query as the chain has it, with its proof: the event names the transaction, and the proof stands behind
 * cipher and nullifier in its calldata, whichever contract was called.
 *
 * @param context The asker's context.
 * @param record Record of the query.
 * @throws FatalError `QUERY_NOT_ASKED`, `QUERY_EXPIRED`, `ANSWER_NOT_FOUND`; RetryableError `QUERY_PENDING`
 */
export async function findAnswer(context: AskerContext, record: QueryRecord): Promise<FoundAnswer> {
  const cipher = await requireAnswered(context, record);
  if (record.found !== undefined && record.found.cipher === cipher) return record.found;
  const { client } = context;
  const { quote } = quoteOf(record);
  const selector = toEventSelector(getAbiItem({ abi: queryMarketAbi, name: "QuestionAnswered" }));
  const log = await findLog(client, [selector, quoteDigest(quote, context.domain)], record.createdAtBlock);
  if (log === undefined) {
    throw notFound(record, "the node has no event of it since the query was prepared");
  }
  const { args } = decodeEventLog({
    abi: queryMarketAbi,
    eventName: "QuestionAnswered",
    topics: log.topics as [Hex, ...Hex[]],
    data: log.data,
  });
  const { nullifier } = args;
  const { input } = await read(client.public.getTransaction({ hash: log.transactionHash }));
  const { circuit } = encodeStatement(parseStatement(record.statement));
  const candidates = proofsIn(input, cipher, nullifier);
  const signals = [cipher, nullifier, quote.root, quote.query] as const;
  for (const proof of candidates) {
    // Anybody may carry the answer, and write whatever it likes before the real proof.
    if (candidates.length === 1 || (await verifyProof(circuit, proof, signals))) {
      const found = { cipher, nullifier, proof, transaction: log.transactionHash };
      await addToQuery(context, record.queryId, { found });
      return found;
    }
  }
  throw notFound(record, `transaction ${log.transactionHash} does not carry its proof in the open`);
}

/**
 * Whatever stands behind a cipher and a nullifier in calldata, at any offset: a call within a call is not aligned to words.
 *
 * @param input Calldata.
 * @param cipher From the event.
 * @param nullifier From the event.
 * @returns Candidates, in their order; anybody may have written some that are no proofs.
 */
export function proofsIn(input: Hex, cipher: bigint, nullifier: bigint): readonly ProofWords[] {
  const text = input.slice(2);
  const needle = word(cipher) + word(nullifier);
  const proofs: ProofWords[] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 2)) {
    const start = at + needle.length;
    if (at % 2 !== 0 || start + PROOF_WORDS * WORD > text.length) continue;
    const words = Array.from({ length: PROOF_WORDS }, (_, n) =>
      BigInt(`0x${text.slice(start + n * WORD, start + (n + 1) * WORD)}`),
    );
    proofs.push(words as unknown as ProofWords);
  }
  return proofs;
}

function word(value: bigint): string {
  return numberToHex(value, { size: 32 }).slice(2);
}

function notFound({ queryId }: QueryRecord, why: string): FatalError {
  return new FatalError(
    "ANSWER_NOT_FOUND",
    `The chain says that query ${queryId} is answered, but ${why}. Ask a node that keeps older transactions.`,
  );
}
