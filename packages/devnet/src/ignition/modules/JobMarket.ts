import { buildModule, type IgnitionModule } from "@nomicfoundation/ignition-core";

/**
 * Deploys the market. Parameters: `minWindow` and `maxWindow` in seconds, by default 5 minutes and 7 days; the contract
 * refuses shorter windows on every chain that is not for tests.
 */
const jobMarketModule: IgnitionModule = buildModule("JobMarket", (m) => {
  const minWindow = m.getParameter("minWindow", 5 * 60);
  const maxWindow = m.getParameter("maxWindow", 7 * 24 * 60 * 60);
  return { jobMarket: m.contract("JobMarket", [minWindow, maxWindow]) };
});

export default jobMarketModule;
