import { buildModule, type IgnitionModule } from "@nomicfoundation/ignition-core";
import { poseidon2Artifact } from "@quorate/abi/artifacts";

/**
 * Deploys the query market and the hash that it opens answers with. Parameters: `minWindow` and `maxWindow` in seconds, by default
 * 5 minutes and 7 days; the contract refuses shorter windows on every chain that is not for tests. Verifiers are no part of it: each
 * quote names its own.
 */
const queryMarketModule: IgnitionModule = buildModule("QueryMarket", (m) => {
  const minWindow = m.getParameter("minWindow", 5 * 60);
  const maxWindow = m.getParameter("maxWindow", 7 * 24 * 60 * 60);
  const poseidon2 = m.contract("Poseidon2", poseidon2Artifact, []);
  return { queryMarket: m.contract("QueryMarket", [minWindow, maxWindow, poseidon2]), poseidon2 };
});

export default queryMarketModule;
