// `npm run bench -- zk`: proofs of both circuits beside Semaphore v4, the prover process, and trees of records.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { CircuitInputs } from "@quorate/proofs";
import { createProver } from "@quorate/proofs/node";
import { sealedAnswer } from "../../test/circuits/support/reference.ts";
import { type BenchCircuit, type BenchName, benchCircuits } from "./lib/zk-circuits.ts";
import { measureTree, type TreeMeasurement } from "./lib/zk-tree.ts";

const USAGE = `usage: npm run bench -- zk [options]

Proves both circuits by the prover of @quorate/proofs, and Semaphore v4 (depth 20, from the circuits in its npm package) by snarkjs, in
turn and in one process; tells medians and the medians of the ratios of each round. Then the prover process by itself, and a tree of records: from nothing, and an update.
The first run compiles circuits and makes keys, which takes minutes; they stay in .cache/circuits.

  --rounds <n>     rounds of proofs, 7 unless given
  --records <n>    records of the tree, 100000 unless given; 0 leaves the tree out
  --json           print one line of JSON last
  --help           print this`;

/** Most that a proof may take, as a multiple of Semaphore's in the same round. */
const TARGETS: Readonly<Record<Exclude<BenchName, "semaphore">, number>> = { sealedAnswer: 1.4, scorecard: 1.7 };
const MAX_VERIFY_GAS = 209_500;
const UPDATES = 1_000;

type Times = {
  readonly witnessMs: number;
  readonly proveMs: number;
  /** Of all threads: other programs on the machine hardly change it. */
  readonly proveCpuMs: number;
  readonly snarkjsProveMs: number;
  readonly verifyMs: number;
};
type CircuitFigures = Times & {
  readonly constraints: number;
  readonly publicSignals: number;
  readonly zkeyBytes: number;
  readonly verifyGas: number;
};
type ProverFigures = { readonly startMs: number; readonly proofMs: number; readonly peakMiB: number };

async function timesOf(circuit: BenchCircuit): Promise<Times> {
  const start = performance.now();
  const witness = await circuit.witness();
  const computed = performance.now();
  const before = process.cpuUsage();
  const made = await circuit.prove(witness);
  const { user, system } = process.cpuUsage(before);
  const proved = performance.now();
  if (!(await circuit.verify(made))) throw new Error(`a proof of ${circuit.name} does not verify`);
  const verified = performance.now();
  // Where this is how it proves anyway, there is nothing to measure again.
  if (circuit.name !== "semaphore") await circuit.proveBySnarkjs(witness);
  const proveMs = proved - computed;
  return {
    witnessMs: computed - start,
    proveMs,
    proveCpuMs: (user + system) / 1000,
    snarkjsProveMs: circuit.name === "semaphore" ? proveMs : performance.now() - verified,
    verifyMs: verified - proved,
  };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** Rounds of one proof each; every round begins with another circuit, so that none is always the first. */
async function runRounds(
  circuits: readonly BenchCircuit[],
  rounds: number,
): Promise<ReadonlyMap<BenchName, readonly Times[]>> {
  const times = new Map<BenchName, Times[]>(circuits.map(({ name }) => [name, []]));
  for (const circuit of circuits) await timesOf(circuit);
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < circuits.length; n++) {
      const circuit = circuits[(round + n) % circuits.length] as BenchCircuit;
      times.get(circuit.name)?.push(await timesOf(circuit));
    }
  }
  return times;
}

/** The prover of the package: its start with all keys, a proof of a sealed answer, the memory of its process. */
async function measureProver(): Promise<ProverFigures> {
  const start = performance.now();
  const prover = await createProver();
  try {
    await prover.warm();
    const warm = performance.now();
    const proofs: number[] = [];
    for (let n = 0; n < 5; n++) {
      const { witnessMs, proveMs } = await prover.prove("sealed-answer", sealedAnswer().inputs as CircuitInputs);
      proofs.push(witnessMs + proveMs);
    }
    return { startMs: warm - start, proofMs: median(proofs), peakMiB: Math.max(...childPids().map(peakMiB)) };
  } finally {
    await prover.close();
  }
}

/** Processes that this one started and that prove. */
function childPids(): readonly number[] {
  const text = execFileSync("ps", ["-o", "pid=,args=", "--ppid", `${process.pid}`], { encoding: "utf8" });
  const lines = text.split("\n").filter((line) => line.includes(join("prover", "child")));
  return lines.map((line) => Number.parseInt(line.trim(), 10));
}

/** Largest resident set of a process. */
function peakMiB(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Math.round(Number(line?.[1]) / 1024);
}

function print(figures: ReadonlyMap<BenchName, CircuitFigures>): void {
  console.log(
    "circuit        constraints  public  witness ms  prove ms  CPU ms  snarkjs ms  verify ms  key bytes  verify gas",
  );
  for (const [name, figure] of figures) {
    const {
      constraints,
      publicSignals,
      witnessMs,
      proveMs,
      proveCpuMs,
      snarkjsProveMs,
      verifyMs,
      zkeyBytes,
      verifyGas,
    } = figure;
    const cells = [
      constraints,
      publicSignals,
      witnessMs.toFixed(0),
      proveMs.toFixed(0),
      proveCpuMs,
      snarkjsProveMs,
      verifyMs.toFixed(1),
      zkeyBytes,
      verifyGas,
    ];
    const widths = [11, 6, 10, 8, 6, 10, 9, 9, 10];
    console.log(`${name.padEnd(13)} ${cells.map((cell, n) => `${cell}`.padStart((widths[n] ?? 0) + 1)).join(" ")}`);
  }
}

function verdict(holds: boolean): string {
  return holds ? "met" : "MISSED";
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "7" },
      records: { type: "string", default: "100000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const rounds = Math.max(1, Number.parseInt(values.rounds, 10));
  const records = Number.parseInt(values.records, 10);
  const circuits = await benchCircuits((line) => console.error(line));
  const times = await runRounds(circuits, rounds);
  const of = (name: BenchName, part: keyof Times): readonly number[] =>
    (times.get(name) ?? []).map((time) => time[part]);
  const figures = new Map(
    circuits.map(({ name, constraints, publicSignals, zkeyBytes, verifyGas }): [BenchName, CircuitFigures] => [
      name,
      {
        constraints,
        publicSignals,
        witnessMs: Math.round(median(of(name, "witnessMs"))),
        proveMs: Math.round(median(of(name, "proveMs"))),
        proveCpuMs: Math.round(median(of(name, "proveCpuMs"))),
        snarkjsProveMs: Math.round(median(of(name, "snarkjsProveMs"))),
        verifyMs: Number(median(of(name, "verifyMs")).toFixed(1)),
        zkeyBytes,
        verifyGas,
      },
    ]),
  );
  print(figures);
  const ratios: Record<string, { readonly time: number; readonly cpu: number; readonly snarkjs: number }> = {};
  for (const [name, target] of Object.entries(TARGETS) as [Exclude<BenchName, "semaphore">, number][]) {
    const ratioOf = (part: keyof Times): number => {
      const pairs = of(name, part).map((time, round) => time / (of("semaphore", part)[round] ?? Number.NaN));
      return Number(median(pairs).toFixed(2));
    };
    const [time, cpu] = [ratioOf("proveMs"), ratioOf("proveCpuMs")];
    ratios[name] = { time, cpu, snarkjs: ratioOf("snarkjsProveMs") };
    console.log(
      `${name} takes ${time} × Semaphore's time, ${cpu} × its CPU; target ${target}: ${verdict(time <= target)} (medians of ${rounds} rounds)`,
    );
    const gas = figures.get(name)?.verifyGas ?? Number.NaN;
    console.log(`${name} costs ${gas} gas to verify, target ${MAX_VERIFY_GAS}: ${verdict(gas <= MAX_VERIFY_GAS)}`);
  }
  const prover = await measureProver();
  console.log(
    `prover: ${(prover.startMs / 1000).toFixed(1)} s to start with all keys, ${prover.proofMs.toFixed(0)} ms a sealed answer, at most ${prover.peakMiB} MiB, target 1024: ${verdict(prover.peakMiB < 1024)}`,
  );
  let tree: TreeMeasurement | undefined;
  if (records > 0) {
    console.error(`tree: ${records} records`);
    tree = measureTree(records, Math.min(UPDATES, records));
    const [build, update] = [tree.buildMs / 1000, tree.updateMs / 1000];
    console.log(`tree of ${records}: ${build.toFixed(1)} s, target 300: ${verdict(build < 300)}`);
    console.log(
      `update of ${tree.updated}: ${update.toFixed(1)} s, target 10: ${verdict(update < 10)}; a path ${tree.pathMs.toFixed(2)} ms`,
    );
  }
  if (values.json) console.log(JSON.stringify({ zk: { ...Object.fromEntries(figures), ratios, prover, tree } }));
}

try {
  await main();
} finally {
  // snarkjs keeps its workers, and with them the process, until its curve is ended.
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } };
  await curve?.terminate();
}
