// Writes the verifier of a circuit under keys of a ceremony.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { zKey } from "snarkjs";
import { readConfig } from "./circuits/config.ts";
import { verifierSource } from "./circuits/generate.ts";
import { root } from "./lib/workspace.ts";

const USAGE = `usage: node scripts/verifier.ts <circuit> <final.zkey>

Prints the Solidity source of the verifier of a circuit of circuits/circuits.json under the keys of a proving key. Unlike the
contracts of contracts/generated it takes every chain: docs/guides/ceremony.md says which keys deserve it.

  --help  print this`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { help: { type: "boolean", default: false } },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const [name, zkey] = positionals;
  const { instances } = readConfig();
  const instance = instances.find((candidate) => candidate.name === name);
  if (instance === undefined || zkey === undefined) {
    console.error(`Name one of ${instances.map((each) => each.name).join(", ")} and a proving key.\n\n${USAGE}`);
    process.exitCode = 64;
    return;
  }
  const { nPublic } = await zKey.exportVerificationKey(zkey);
  if (nPublic !== instance.publicSignals.length) {
    throw new Error(`${zkey} is for ${nPublic} public signals, ${instance.name} has ${instance.publicSignals.length}`);
  }
  const pragma = /^pragma solidity ([\d.]+);$/m.exec(readFileSync(join(root, "contracts/JobMarket.sol"), "utf8"))?.[1];
  if (pragma === undefined) throw new Error("contracts/JobMarket.sol names no compiler version");
  const template = readFileSync(join(root, "node_modules/snarkjs/templates/verifier_groth16.sol.ejs"), "utf8");
  const solidity = await zKey.exportSolidityVerifier(zkey, { groth16: template });
  process.stdout.write(verifierSource(solidity, instance, pragma, "production"));
}

try {
  await main();
} finally {
  // snarkjs keeps its workers, and with them the process, until its curve is ended.
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } };
  await curve?.terminate();
}
