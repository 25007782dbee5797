// The parts of snarkjs and circomlibjs that are used here; neither ships types.
declare module "snarkjs" {
  /** A proof as snarkjs writes it: decimal strings, points in projective coordinates. */
  export type Groth16Proof = {
    readonly pi_a: readonly string[];
    readonly pi_b: readonly (readonly string[])[];
    readonly pi_c: readonly string[];
    readonly protocol: string;
    readonly curve: string;
  };
  /** Decimal strings; points in projective coordinates. */
  export type VerificationKey = {
    readonly nPublic: number;
    readonly vk_alpha_1: readonly string[];
    readonly vk_beta_2: readonly (readonly string[])[];
    readonly vk_gamma_2: readonly (readonly string[])[];
    readonly vk_delta_2: readonly (readonly string[])[];
    readonly IC: readonly (readonly string[])[];
  };
  export const groth16: {
    prove(zkey: string, witness: string): Promise<{ proof: Groth16Proof; publicSignals: string[] }>;
    verify(key: VerificationKey, publicSignals: readonly string[], proof: Groth16Proof): Promise<boolean>;
  };
  export const zKey: {
    newZKey(r1cs: string, phase1: string, zkey: string): Promise<Uint8Array | -1>;
    beacon(from: string, to: string, name: string, beaconHex: string, iterationsExponent: number): Promise<Uint8Array>;
    exportVerificationKey(zkey: string): Promise<VerificationKey>;
    exportSolidityVerifier(zkey: string, templates: { readonly groth16: string }): Promise<string>;
    verifyFromR1cs(r1cs: string, phase1: string, zkey: string): Promise<boolean>;
  };
  export const wtns: {
    calculate(input: unknown, wasm: string, witness: string): Promise<void>;
  };
}

declare module "circomlibjs" {
  type Element = Uint8Array;
  type Field = { e(value: bigint | string): Element; toObject(element: Element): bigint };
  export type Point = readonly [Element, Element];
  export type BabyJub = {
    readonly F: Field;
    readonly Base8: Point;
    readonly Generator: Point;
    readonly order: bigint;
    readonly subOrder: bigint;
    addPoint(a: Point, b: Point): Point;
    mulPointEscalar(point: Point, scalar: bigint): Point;
    inCurve(point: Point): boolean;
    inSubgroup(point: Point): boolean;
  };
  export type Signature = { readonly R8: Point; readonly S: bigint };
  export type Eddsa = {
    readonly babyJub: BabyJub;
    readonly F: Field;
    prv2pub(key: Uint8Array): Point;
    signPoseidon(key: Uint8Array, message: Element): Signature;
    verifyPoseidon(message: Element, signature: Signature, key: Point): boolean;
  };
  export type Poseidon = { (inputs: readonly bigint[]): Element; readonly F: Field };
  type AbiParameter = { readonly name: string; readonly type: string };
  export const poseidonContract: {
    createCode(inputs: number): string;
    generateABI(inputs: number): {
      readonly type: "function";
      readonly name: string;
      readonly inputs: readonly AbiParameter[];
      readonly outputs: readonly AbiParameter[];
      readonly stateMutability: string;
    }[];
  };
  export function buildEddsa(): Promise<Eddsa>;
  export function buildPoseidon(): Promise<Poseidon>;
}
