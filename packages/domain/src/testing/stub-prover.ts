/** A prover that computes what a proof would show, and proves nothing. Used by tests only. */
import { FIELD_MODULUS, hash, pathRoot } from "@quorate/proofs";
import type { ProverPort } from "../internal/answerer.ts";

/** Signals that follow from the inputs of the circuit for single attributes, computed anew. */
export const stubProver: ProverPort = {
  prove: async (circuit, inputs) => {
    if (circuit !== "sealed-answer") throw new Error("the stub knows one circuit");
    const number = (name: string): bigint => inputs[name] as bigint;
    const subjectId = hash(number("Ax"), number("Ay"), number("person"));
    const meta = number("validFrom") | (number("validUntil") << 40n) | (number("budget") << 80n);
    const leaf = hash(subjectId, number("attribute"), number("value"), meta, number("nk"));
    const root = pathRoot(leaf, {
      index: (inputs.index as bigint[]).map(Number),
      siblings: inputs.siblings as bigint[][],
    });
    const params = number("lo") | (number("hi") << 64n) | (number("asOf") << 128n) | (number("negate") << 168n);
    const query = hash(
      number("context"),
      hash(subjectId, number("subjectNonce")),
      number("person"),
      number("attribute"),
      params,
      hash(number("k")),
    );
    const holds = number("lo") <= number("value") && number("value") <= number("hi");
    const answer = holds !== (number("negate") === 1n) ? 1n : 0n;
    const cipher = (answer + hash(number("k"), query)) % FIELD_MODULUS;
    const nullifier = hash(number("nk"), number("attribute"), number("validFrom"), number("i"));
    return { proof: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n], signals: [cipher, nullifier, root, query] };
  },
};
