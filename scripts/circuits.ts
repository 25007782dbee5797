// Builds the circuits and their keys for development, and writes what follows from them: circuits/keys, contracts/generated, the
// verification keys and the artifacts of packages/proofs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readConfig } from "./circuits/config.ts";
import { type Built, buildCircuit, filesOf, type GeneratedFile } from "./circuits/generate.ts";
import { copyArtifacts, hasArtifacts, keyModuleOf } from "./circuits/proofs-package.ts";
import { root } from "./lib/workspace.ts";

const USAGE = `usage: node scripts/circuits.ts [--check | --write | --artifacts]

Compiles the circuits of circuits/circuits.json and makes their keys for development, once for each state of the sources;
the results stay in .cache/circuits, and what proves is copied to packages/proofs/artifacts. Prints the path of each proving
key as JSON.

  --check      exit with 1 and name the generated files that are not current: circuits/keys, contracts/generated,
               packages/proofs/src/generated
  --write      write these files
  --artifacts  make packages/proofs/artifacts whole; says nothing when it is
  --only NAME  build this circuit, and copy nothing
  --help       print this`;

/** Builds each circuit in a process of its own, so that they share the work among the cores; the results lie in the cache. */
async function buildBesideEachOther(names: readonly string[]): Promise<void> {
  await Promise.all(
    names.map(async (name) => {
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "--only", name], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      const [code] = (await once(child, "exit")) as [number | null];
      if (code !== 0) throw new Error(`building ${name} failed`);
    }),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      check: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      artifacts: { type: "boolean", default: false },
      only: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const config = readConfig();
  const pragma = /^pragma solidity ([\d.]+);$/m.exec(readFileSync(join(root, "contracts/JobMarket.sol"), "utf8"))?.[1];
  if (pragma === undefined) throw new Error("contracts/JobMarket.sol names no compiler version");
  const { only } = values;
  const instances = config.instances.filter(({ name }) => only === undefined || name === only);
  if (instances.length === 0) throw new Error(`circuits/circuits.json has no circuit ${only}`);
  const isWhole = hasArtifacts(instances);
  if (values.artifacts && !isWhole) console.error("Building circuits and their keys for development (once; minutes)…");
  const say = (line: string): void => {
    if (!values.artifacts || !isWhole) console.error(line);
  };
  if (only === undefined && !isWhole) await buildBesideEachOther(instances.map(({ name }) => name));
  const files: GeneratedFile[] = [];
  const circuits: Built[] = [];
  const built: Record<string, { readonly r1cs: string; readonly wasm: string; readonly zkey: string }> = {};
  for (const instance of instances) {
    const circuit = await buildCircuit(instance, config, only !== undefined || isWhole ? say : () => {});
    circuits.push(circuit);
    files.push(...filesOf(circuit, config, pragma));
    built[instance.name] = { ...circuit.compiled, zkey: circuit.keys.zkey };
  }
  if (only !== undefined) return;
  files.push(keyModuleOf(circuits));
  copyArtifacts(circuits);
  const stale = files.filter(({ path, text }) => {
    const file = join(root, path);
    return !existsSync(file) || readFileSync(file, "utf8") !== text;
  });
  if (values.write) {
    for (const { path, text } of stale) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    console.log(`${stale.length} of ${files.length} files were written`);
  } else if (values.check) {
    for (const { path } of stale) console.error(`${path} is not current: run node scripts/circuits.ts --write`);
    console.log(`${files.length - stale.length} of ${files.length} files of the circuits are current`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else if (!values.artifacts) {
    console.log(JSON.stringify(built));
  }
}

try {
  await main();
} finally {
  // snarkjs keeps its workers, and with them the process, until its curve is ended.
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } };
  await curve?.terminate();
}
