// The parts of snarkjs and circom_runtime that prove; neither ships types.
declare module "snarkjs" {
  export const groth16: {
    verify(key: unknown, publicSignals: readonly string[], proof: unknown): Promise<boolean>;
  };
  export const curves: { getCurveFromName(name: "bn128"): Promise<unknown> };
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
