import { buildModule, type IgnitionModule } from "@nomicfoundation/ignition-core";

/**
 * Deploys the verifiers of both circuits under the keys for development. Anybody can forge proofs under these keys, so the contracts
 * refuse every chain but the local ones.
 */
const developmentVerifiersModule: IgnitionModule = buildModule("DevelopmentVerifiers", (m) => {
  return {
    sealedAnswerVerifier: m.contract("SealedAnswerVerifier"),
    scorecardVerifier: m.contract("ScorecardVerifier"),
  };
});

export default developmentVerifiersModule;
