import type { CircuitInputs } from "../inputs.ts";
import type { Circuit } from "../statement.ts";

/** Where a child finds what it proves with. */
export type CircuitFiles = {
  /** Witness calculator. */
  readonly wasm: string;
  /** Proving key. */
  readonly zkey: string;
};

/** First message to a child. */
export type ChildSettings = {
  readonly kind: "settings";
  readonly files: Readonly<Record<Circuit, CircuitFiles>>;
  /** External prover; the witness goes through files in `scratch`. */
  readonly executable?: { readonly path: string; readonly scratch: string } | undefined;
};

/** What a child is asked. */
export type ChildRequest =
  | { readonly kind: "warm"; readonly id: number; readonly circuit: Circuit }
  | { readonly kind: "prove"; readonly id: number; readonly circuit: Circuit; readonly inputs: CircuitInputs };

/** Points of a proof, as decimal strings in snarkjs' order. */
export type ProofPoints = {
  readonly a: readonly string[];
  readonly b: readonly (readonly string[])[];
  readonly c: readonly string[];
};

/** What a child answers. */
export type ChildReply =
  | { readonly kind: "warm"; readonly id: number }
  | {
      readonly kind: "proof";
      readonly id: number;
      readonly points: ProofPoints;
      readonly signals: readonly string[];
      readonly witnessMs: number;
      readonly proveMs: number;
    }
  | {
      readonly kind: "failed";
      readonly id: number;
      /** `witness`: the circuit refuses the inputs; `proof`: what came out does not verify; `prover`: anything else. */
      readonly stage: "witness" | "proof" | "prover";
      readonly message: string;
    };
