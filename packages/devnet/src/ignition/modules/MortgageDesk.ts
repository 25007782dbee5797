import { buildModule, type IgnitionModule } from "@nomicfoundation/ignition-core";
import { poseidon1Artifact, poseidon6Artifact } from "@quorate/abi/artifacts";

/**
 * Deploys the example of a contract that acts on an answer. Parameters are the fields of its policy: addresses `market`, `lender`,
 * `provider` and `verifier`; `attribute` and `minimum` as records hold them, and `maxAge` in seconds.
 */
const mortgageDeskModule: IgnitionModule = buildModule("MortgageDesk", (m) => {
  const fields = ["market", "lender", "provider", "verifier", "attribute", "minimum", "maxAge"] as const;
  const policy = Object.fromEntries(fields.map((field) => [field, m.getParameter<string>(field)]));
  const poseidon1 = m.contract("Poseidon1", poseidon1Artifact, []);
  const poseidon6 = m.contract("Poseidon6", poseidon6Artifact, []);
  return { mortgageDesk: m.contract("MortgageDesk", [policy, poseidon1, poseidon6]), poseidon1, poseidon6 };
});

export default mortgageDeskModule;
