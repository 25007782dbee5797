/**
 * The local chain as a process of its own: Hardhat's simulated network behind JSON-RPC on loopback, mining by interval.
 * Arguments: port, mining interval in milliseconds. Prints one line `listening <url>` when it accepts requests.
 */
import { fileURLToPath } from "node:url";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";

const [port = "8545", intervalMs = "1000"] = process.argv.slice(2);

const hre = await createHardhatRuntimeEnvironment({
  // Nothing is compiled here, and what lies about from compilations, of a broken one too, must not keep the chain from starting.
  paths: { artifacts: fileURLToPath(new URL("no-artifacts", import.meta.url)) },
  networks: {
    devnet: {
      type: "edr-simulated",
      chainId: 31337,
      accounts: { mnemonic: "test test test test test test test test test test test junk", count: 1 },
      mining: { auto: false, interval: Number(intervalMs) },
      allowBlocksWithSameTimestamp: false,
    },
  },
});
const server = await hre.network.createServer("devnet", "127.0.0.1", Number(port));
const { address, port: bound } = await server.listen();
console.log(`listening http://${address}:${bound}`);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    server.close().finally(() => process.exit(0));
  });
}
