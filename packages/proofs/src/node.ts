export { type CircuitArtifacts, circuitArtifacts } from "./prover/artifacts.ts";
export type { CircuitFiles } from "./prover/messages.ts";
export { createProver, type Proof, type ProveOptions, type Prover, type ProverOptions } from "./prover/prover.ts";
