// The parts of snarkjs and circom_runtime that prove; neither ships types.
declare module "snarkjs" {
  /** A proof as snarkjs writes it: decimal strings, points in projective coordinates. */
  export type Groth16Proof = {
    readonly pi_a: readonly string[];
    readonly pi_b: readonly (readonly string[])[];
    readonly pi_c: readonly string[];
  };
  export const groth16: {
    prove(
      provingKey: Uint8Array,
      witness: { readonly type: "mem"; readonly data: Uint8Array },
    ): Promise<{ readonly proof: Groth16Proof; readonly publicSignals: readonly string[] }>;
    verify(key: unknown, publicSignals: readonly string[], proof: Groth16Proof): Promise<boolean>;
  };
  export const zKey: { exportVerificationKey(provingKey: Uint8Array): Promise<unknown> };
}

declare module "circom_runtime" {
  export type WitnessCalculator = {
    /** Witness as a `.wtns` file. */
    calculateWTNSBin(inputs: Readonly<Record<string, unknown>>, sanityCheck: boolean): Promise<Uint8Array>;
  };
  export function WitnessCalculatorBuilder(
    code: Uint8Array,
    options: { readonly memorySize: number },
  ): Promise<WitnessCalculator>;
}
