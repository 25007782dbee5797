// Makes the proofs that tests and benchmarks of the query market send to the chain, so that these need no prover.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { type Groth16Proof, groth16, type VerificationKey } from "snarkjs";
import { type ScenarioQuestion, scenarioQuestions } from "../test/integration/queries/support/scenario.ts";
import { prettyJson } from "./generate/output.ts";
import { root } from "./lib/workspace.ts";

const FILE = "test/vectors/proofs.json";
const USAGE = `usage: node scripts/proofs.ts [--check | --write]

Proofs of the questions of test/integration/queries/support/scenario.ts under the keys for development, in ${FILE}.
A proof is another one each time, and each is as good.

  --check   (default) exit with 1 unless every question has a proof that verifies
  --write   make the proofs that are missing or do not verify
  --help    print this`;

/** A question with its proof; numbers are decimal. */
type Entry = {
  readonly name: string;
  readonly circuit: string;
  readonly answer: boolean;
  readonly opening: Readonly<Record<string, string>>;
  /** Cipher, nullifier, root and query. */
  readonly signals: readonly string[];
  /** Words of the points as contracts take them. */
  readonly proof: readonly string[];
};
type Entries = { readonly about: string; readonly questions: readonly Entry[] };

const readJson = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), "utf8")) as T;

/** Points as contracts take them: affine, the halves of B's coordinates the other way round. */
function wordsOf({ pi_a, pi_b, pi_c }: Groth16Proof): readonly string[] {
  const b = pi_b.slice(0, 2).flatMap((pair) => [...pair].reverse());
  return [...pi_a.slice(0, 2), ...b, ...pi_c.slice(0, 2)];
}

/** The way back. */
function proofOf(words: readonly string[]): Groth16Proof {
  const [a0 = "", a1 = "", b00 = "", b01 = "", b10 = "", b11 = "", c0 = "", c1 = ""] = words;
  return {
    pi_a: [a0, a1, "1"],
    pi_b: [
      [b01, b00],
      [b11, b10],
      ["1", "0"],
    ],
    pi_c: [c0, c1, "1"],
    protocol: "groth16",
    curve: "bn128",
  };
}

async function run(script: string, input: string): Promise<string> {
  const child = spawn(process.execPath, [join(root, script)], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(input);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return output;
}

/** What an entry says beside its proof. */
function factsOf({ name, circuit, opening, example }: ScenarioQuestion): Omit<Entry, "proof"> {
  const decimals = Object.entries(opening).map(([key, value]) => [key, value.toString()] as const);
  const signals = example.signals.map(String);
  return { name, circuit, answer: example.answer === 1n, opening: Object.fromEntries(decimals), signals };
}

async function isGood(entry: Entry | undefined, question: ScenarioQuestion): Promise<boolean> {
  if (entry === undefined) return false;
  const { proof, ...facts } = entry;
  if (JSON.stringify(facts) !== JSON.stringify(factsOf(question))) return false;
  const { verificationKey } = readJson<{ readonly verificationKey: VerificationKey }>(
    `circuits/keys/${question.circuit}.json`,
  );
  return groth16.verify(verificationKey, entry.signals, proofOf(proof));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      check: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const questions = scenarioQuestions();
  const stored = existsSync(join(root, FILE)) ? readJson<Entries>(FILE).questions : [];
  const entries = new Map(stored.map((entry) => [entry.name, entry]));
  const bad: ScenarioQuestion[] = [];
  for (const question of questions) if (!(await isGood(entries.get(question.name), question))) bad.push(question);
  if (!values.write) {
    for (const { name } of bad)
      console.error(`${FILE}: "${name}" has no good proof: run node scripts/proofs.ts --write`);
    console.log(`${questions.length - bad.length} of ${questions.length} proofs are good`);
    process.exitCode = bad.length === 0 && stored.length === questions.length ? 0 : 1;
    return;
  }
  const paths = JSON.parse(await run("scripts/circuits.ts", "")) as Record<string, { wasm: string; zkey: string }>;
  for (const question of bad) {
    const { circuit, example } = question;
    const request = { ...paths[circuit], inputs: example.inputs };
    const input = JSON.stringify(request, (_, value) => (typeof value === "bigint" ? value.toString() : value));
    const { proof } = JSON.parse(await run("test/circuits/support/prove.ts", input)) as { proof: Groth16Proof };
    const entry = { ...factsOf(question), proof: wordsOf(proof) };
    if (!(await isGood(entry, question))) throw new Error(`the proof of "${question.name}" does not verify`);
    entries.set(question.name, entry);
  }
  const about = "Proofs under the keys for development; node scripts/proofs.ts --write";
  writeFileSync(join(root, FILE), prettyJson({ about, questions: questions.map(({ name }) => entries.get(name)) }));
  console.log(`${bad.length} of ${questions.length} proofs were made`);
}

try {
  await main();
} finally {
  // snarkjs keeps its workers, and with them the process, until its curve is ended.
  const { curve_bn128: curve } = globalThis as { curve_bn128?: { terminate(): Promise<void> } };
  await curve?.terminate();
}
