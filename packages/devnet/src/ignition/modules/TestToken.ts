import { buildModule, type IgnitionModule } from "@nomicfoundation/ignition-core";

/** Deploys a token that anybody can mint, with permit: for local chains only. Parameters: `name`, `symbol`, `decimals`. */
const testTokenModule: IgnitionModule = buildModule("TestToken", (m) => {
  const name = m.getParameter("name", "Quorate Test Dollar");
  const symbol = m.getParameter("symbol", "QTD");
  const decimals = m.getParameter("decimals", 6);
  return { testToken: m.contract("TestToken", [name, symbol, decimals]) };
});

export default testTokenModule;
