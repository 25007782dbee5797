import { createRequire } from "node:module";
import hardhatEthers from "@nomicfoundation/hardhat-ethers";
import hardhatIgnitionEthers from "@nomicfoundation/hardhat-ignition-ethers";
import hardhatKeystore from "@nomicfoundation/hardhat-keystore";
import hardhatNodeTestRunner from "@nomicfoundation/hardhat-node-test-runner";
import hardhatTypechain from "@nomicfoundation/hardhat-typechain";
import hardhatVerify from "@nomicfoundation/hardhat-verify";
import { configVariable, defineConfig } from "hardhat/config";
import solidityTests from "./scripts/build/solidity-tests.ts";

/** The compiler comes from npm, so that builds need no download. */
const compiler = createRequire(import.meta.url).resolve("solc/soljson.js");

const solidity = {
  // One compilation for all that is deployed: Hardhat's network does not start beside the build info of a file that holds types only.
  isolated: false,
  version: "0.8.37",
  path: compiler,
  settings: {
    evmVersion: "osaka",
    viaIR: true,
    // More runs give less gas and more bytes; `JobMarket` has to stay below 24,576.
    optimizer: { enabled: true, runs: 100 },
    // Without a hash of the sources in it, bytecode changes with code and compiler only, not with a comment.
    metadata: { bytecodeHash: "none" },
  },
} as const;

export default defineConfig({
  plugins: [
    hardhatEthers,
    hardhatIgnitionEthers,
    hardhatTypechain,
    hardhatNodeTestRunner,
    hardhatKeystore,
    hardhatVerify,
    // Tests are compiled apart from what is deployed, see there.
    solidityTests,
  ],
  // `hardhat ignition deploy` builds with the profile `production`: what is deployed must be what was tested.
  solidity: { profiles: { default: solidity, production: solidity } },
  paths: {
    sources: ["contracts", "test/contracts/tokens", "test/contracts/harness"],
    tests: { solidity: "test/contracts", nodejs: "test/integration" },
    ignition: "packages/devnet/src/ignition",
  },
  // `--test-profile long` is the long run of scripts/verify/invariants.ts. Handlers of invariants never revert: one that does is broken.
  test: {
    solidity: {
      profiles: {
        default: { fuzz: { runs: 256 }, invariant: { runs: 2, depth: 64, failOnRevert: true } },
        long: {
          fuzz: { runs: 100_000 },
          invariant: { runs: 512, depth: 256, failOnRevert: true, shrinkRunLimit: 200 },
        },
      },
    },
  },
  networks: {
    localhost: { type: "http", url: "http://127.0.0.1:8545" },
    live: {
      type: "http",
      url: configVariable("QUORATE_RPC_URL"),
      accounts: [configVariable("QUORATE_DEPLOYER_KEY")],
    },
  },
});
