// `npm run verify:contracts`: everything that is held against the contracts, in full. `npm test` runs short profiles of most of it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { root } from "./lib/workspace.ts";
import { CONTRACT_SOURCES, type Figures, openKeptFigures } from "./verify/lib/kept-figures.ts";

const USAGE = `usage: npm run verify:contracts -- [options]

Attacks against weakened contracts, invariants and fuzz at length, the contracts beside a model, proofs, coverage and mutants; two
parts at a time. Takes hours on two cores. A part that held is not run again until something changes that it depends on, and a part
that was ended goes on where it was.

  --only <part>   one of attacks, invariants, fuzz, differential, formal, coverage, mutation; may be repeated
  --again         run also what held before
  --at-once <n>   parts beside each other, a core and 1 GB of memory each (2)
  --json          one line of JSON last on standard output, everything else on standard error
  --help          print this`;

/** A figure of a part and what it has to be. */
type Demand = readonly [name: string, holds: (figures: Figures) => boolean];

/** One part: how it is run, which figures the last line shows, and what they have to be. */
type Part = {
  readonly run: (options: { readonly again: boolean }) => Promise<Figures>;
  /** What it depends on besides contracts, tests and tools. */
  readonly sources: readonly string[];
  readonly shows: readonly string[];
  readonly demands: readonly Demand[];
};

const none = (name: string): Demand => [`no ${name}`, (figures) => figures[name] === 0];
const atLeast = (name: string, least: number): Demand => [
  `${name} at least ${least}`,
  (figures) => (figures[name] ?? 0) >= least,
];
const say = (line: string): void => console.error(line);

/** The parts, those that take longest first. */
export const parts: Readonly<Record<string, Part>> = {
  mutation: {
    run: async () => {
      const { verifyMutation } = await import("./verify/mutation.ts");
      const { mutants, killed, findings } = await verifyMutation({ log: say });
      for (const finding of findings) say(finding);
      return { mutants, killed, findings: findings.length };
    },
    sources: ["scripts/verify/mutation", "scripts/verify/mutation.ts"],
    shows: ["mutants", "killed"],
    demands: [
      atLeast("mutants", 200),
      ["95 % killed", ({ mutants = 0, killed = 0 }) => killed >= 0.95 * mutants],
      none("findings"),
    ],
  },
  invariants: {
    run: async ({ again }) => {
      const { verifyInvariants } = await import("./verify/invariants.ts");
      return { ...(await verifyInvariants({ long: true, again, log: say })) };
    },
    sources: ["scripts/verify/invariants.ts"],
    shows: ["count", "callsEach", "failed"],
    demands: [atLeast("count", 40), atLeast("callsEach", 131_072), none("failed")],
  },
  attacks: {
    run: async ({ again }) => {
      const { verifyAttacks } = await import("./verify/attacks.ts");
      const { tests, failed } = await verifyAttacks({
        threads: 1,
        again,
        onOutcome: ({ name, ok, note }) => say(`${ok ? "✔" : "✘"} ${name}${ok ? "" : `: ${note}`}`),
      });
      return { tests, failed };
    },
    sources: ["scripts/verify/attacks.ts"],
    shows: ["tests", "failed"],
    demands: [atLeast("tests", 1), none("failed")],
  },
  differential: {
    run: async ({ again }) => {
      const { verifyDifferential } = await import("./verify/differential.ts");
      return { ...(await verifyDifferential({ again, print: say })) };
    },
    sources: ["scripts/verify/differential.ts", "test/differential", "packages/core/src"],
    shows: ["sequences", "failed"],
    demands: [atLeast("sequences", 1), none("failed")],
  },
  fuzz: {
    run: async ({ again }) => {
      const { verifyFuzz } = await import("./verify/invariants.ts");
      return { ...(await verifyFuzz({ long: true, again, log: say })) };
    },
    sources: ["scripts/verify/invariants.ts"],
    shows: ["properties", "runsEach", "failed"],
    demands: [atLeast("properties", 1), atLeast("runsEach", 100_000), none("failed")],
  },
  formal: {
    run: async () => {
      const { verifyFormal } = await import("./verify/formal.ts");
      const { proved, unknown, failed } = await verifyFormal({ log: say });
      return { proved, unknown, failed };
    },
    sources: ["scripts/verify/formal.ts"],
    shows: ["proved", "unknown"],
    demands: [atLeast("proved", 12), none("unknown"), none("failed")],
  },
  coverage: {
    run: async () => {
      const { verifyCoverage } = await import("./verify/coverage.ts");
      const { lines, statements, branches, findings } = await verifyCoverage();
      for (const finding of findings) say(finding);
      return { lines, statements, branches };
    },
    sources: ["scripts/verify/coverage", "scripts/verify/coverage.ts", "node_modules/@foundry-rs/forge/package.json"],
    shows: ["lines", "branches"],
    demands: [atLeast("lines", 100), atLeast("statements", 100), atLeast("branches", 100)],
  },
};

/** Order of the last line. */
const ORDER = ["attacks", "invariants", "fuzz", "differential", "formal", "coverage", "mutation"];

/**
 * What of a part is not as it has to be.
 *
 * @param name of the part
 * @param figures that it gave; undefined when it did not come to its end
 * @returns findings, none when all is well
 */
export function judge(name: string, figures: Figures | undefined): readonly string[] {
  if (figures === undefined) return [`${name}: did not come to its end`];
  const demands = parts[name]?.demands ?? [];
  return demands.filter(([, holds]) => !holds(figures)).map(([demand]) => `${name}: not ${demand}`);
}

/** Each part has a process of its own: they keep a core busy each, and Hardhat is one a process. */
async function runPart(name: string, report: string, again: boolean): Promise<Figures | undefined> {
  const script = join(root, "scripts", "verify-contracts.ts");
  const code = await runProcess([script, "--part", name, "--report", report, ...(again ? ["--again"] : [])]);
  return code === 0 ? (JSON.parse(readFileSync(report, "utf8")) as Figures) : undefined;
}

async function runProcess(args: readonly string[]): Promise<number> {
  // Its words go to standard error: standard output may be read by a program.
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", 2, 2] });
  const stop = (): void => void child.kill();
  process.once("exit", stop);
  return await new Promise((resolve) => {
    child.once("close", (code) => {
      process.off("exit", stop);
      resolve(code ?? 1);
    });
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      again: { type: "boolean", default: false },
      "at-once": { type: "string", default: "2" },
      part: { type: "string" },
      report: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.part !== undefined && values.report !== undefined) {
    const part = parts[values.part];
    if (part === undefined) throw new Error(`there is no part ${values.part}`);
    writeFileSync(values.report, JSON.stringify(await part.run({ again: values.again })));
    return 0;
  }
  const unknown = values.only?.find((name) => parts[name] === undefined);
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}: ${ORDER.join(", ")}`);
  const atOnce = Number(values["at-once"]);
  if (!Number.isSafeInteger(atOnce) || atOnce < 1) throw new Error("--at-once takes a whole number from 1 on");
  const wanted = Object.keys(parts).filter((name) => values.only?.includes(name) ?? true);
  const results = new Map<string, Figures | undefined>();
  const folder = join(root, ".cache", "verify", "parts");
  const kept = new Map(
    wanted.map((name) => {
      const sources = [
        ...CONTRACT_SOURCES,
        "test/contracts",
        "scripts/verify-contracts.ts",
        ...(parts[name]?.sources ?? []),
      ];
      return [name, openKeptFigures({ root, sources, folder })] as const;
    }),
  );
  for (const name of values.again ? [] : wanted) {
    const figures = kept.get(name)?.get(name);
    if (figures === undefined) continue;
    results.set(name, figures);
    say(`✔ ${name}: ${JSON.stringify(figures)}, held before for the same sources`);
  }
  const waiting = wanted.filter((name) => !results.has(name));

  say("building");
  if ((await runProcess([join(root, "node_modules/hardhat/dist/src/cli.js"), "build", "--quiet"])) !== 0) return 1;
  const scratch = mkdtempSync(join(tmpdir(), "quorate-verify-"));
  try {
    const worker = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const started = performance.now();
        say(`${name}: begins`);
        const figures = await runPart(name, join(scratch, `${name}.json`), values.again);
        results.set(name, figures);
        if (figures !== undefined && judge(name, figures).length === 0) kept.get(name)?.put(name, figures);
        const minutes = ((performance.now() - started) / 60_000).toFixed(1);
        say(`${judge(name, figures).length === 0 ? "✔" : "✘"} ${name}: ${JSON.stringify(figures)} in ${minutes} min`);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const findings = [...results].flatMap(([name, figures]) => judge(name, figures));
  for (const finding of findings) say(finding);
  const shown = ORDER.filter((name) => results.has(name)).map((name) => {
    const figures = results.get(name);
    return [name, Object.fromEntries((parts[name]?.shows ?? []).map((key) => [key, figures?.[key] ?? null]))];
  });
  console.log(
    values.json
      ? JSON.stringify(Object.fromEntries(shown))
      : findings.length === 0
        ? "all parts hold"
        : `${findings.length} findings`,
  );
  return findings.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exitCode = await main();
