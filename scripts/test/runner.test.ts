// The runner is what says that everything passes, so here it is shown to fail: skipped tests, empty files, files that leave early,
// crashes, hanging steps, failed predecessors.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ensureDebianPackages, type Machine } from "./debian.ts";
import { judgeReport, parseReport, runProgram, runStep } from "./run-step.ts";
import { schedule, selectSteps } from "./schedule.ts";
import { listSteps, type Step, type Work } from "./steps.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "quorate-runner-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = 'import { test, describe, it, before } from "node:test"; import assert from "node:assert/strict";\n';

/** Runs one file of node:test through the runner; names of what failed, and how many passed. */
async function run(
  name: string,
  text: string,
  isolation: "process" | "none" = "process",
): Promise<{ passed: number; failed: readonly string[]; details: string }> {
  const file = join(folder, `${name}.test.mjs`);
  writeFileSync(file, HEAD + text);
  const step: Step = { name, load: 1, timeoutMs: 20_000, work: { kind: "node-test", files: [file], isolation } };
  const { passed, failures } = await runStep(step, folder);
  return {
    passed: passed.length,
    failed: failures.map((failure) => failure.name),
    details: failures.map((failure) => failure.detail).join("\n"),
  };
}

for (const isolation of ["process", "none"] as const) {
  describe(`counting, isolation ${isolation}`, () => {
    it("counts tests, not suites, with the names of their suites", async () => {
      const result = await run(
        "counts",
        'describe("s", () => { it("a", () => {}); it("b", () => assert.equal(1, 2)); }); test("c", () => {});',
        isolation,
      );
      assert.equal(result.passed, 2);
      assert.deepEqual(result.failed, ["s > b"]);
      assert.match(result.details, /1 !== 2/);
      assert.match(result.details, /counts\.test\.mjs:2/);
    });

    it("counts skipped and unfinished tests as failed", async () => {
      const result = await run(
        "skips",
        'it.skip("s", () => {}); it("t", { todo: true }, () => {}); it("u", (t) => t.skip()); it("v", () => {});',
        isolation,
      );
      assert.equal(result.passed, 1);
      assert.deepEqual(result.failed, ["s", "t", "u"]);
    });

    it("counts a file without a test, one that leaves early, and one that crashes, as failed", async () => {
      assert.deepEqual((await run("empty", "", isolation)).failed, ["the file runs its tests to the end"]);
      assert.deepEqual(
        (await run("leaves", 'test("x", () => process.exit(0)); test("y", () => {});', isolation)).failed,
        ["the file runs its tests to the end"],
      );
      const crashed = await run("crash", 'console.error("last words"); throw new Error("boom");', isolation);
      assert.equal(crashed.passed, 0);
      assert.ok(crashed.failed.length > 0);
      assert.match(crashed.details, /last words/);
    });

    it("counts a broken hook once with its tests", async () => {
      const result = await run(
        "hook",
        'describe("s", () => { before(() => { throw new Error("no database"); }); it("a", () => {}); });',
        isolation,
      );
      assert.equal(result.passed, 0);
      assert.match(result.details, /no database/);
    });

    it("counts what a file does after its tests", async () => {
      const result = await run(
        "late",
        'test("x", () => { setTimeout(() => { throw new Error("too late"); }, 20); });',
        isolation,
      );
      assert.match(result.details, /too late/);
      assert.ok(result.failed.length > 0);
    });
  });
}

describe("counting", () => {
  it("fails a step that runs no test", async () => {
    const none: Step = { name: "none", load: 1, work: { kind: "node-test", files: [], isolation: "process" } };
    assert.deepEqual(
      (await runStep(none, folder)).failures.map(({ detail }) => detail),
      ["not one test was run"],
    );
  });

  it("fails a run without an end, with a bad exit code, or that was killed, though all its tests passed", () => {
    const pass = { type: "pass", name: "a", file: "f", ms: 1 } as const;
    const end = { files: undefined, code: 0, reason: undefined, output: "words", step: "s" };
    assert.equal(judgeReport([pass, { type: "end" }], end).failures.length, 0);
    assert.match(judgeReport([pass], end).failures[0]?.detail ?? "", /ended without a report .*\nwords/);
    assert.match(judgeReport([pass, { type: "end" }], { ...end, code: 1 }).failures[0]?.detail ?? "", /exit code 1/);
    assert.match(
      judgeReport([pass, { type: "end" }], { ...end, code: undefined, reason: "killed by SIGKILL" }).failures[0]
        ?.detail ?? "",
      /SIGKILL/,
    );
  });

  it("drops the half line that a crash leaves", () => {
    assert.deepEqual(parseReport('{"type":"end"}\n{"type":"pa'), [{ type: "end" }]);
  });

  it("counts each command of a step by its exit code and shows its output", async () => {
    const work: Work = {
      kind: "commands",
      commands: [
        { name: "good", argv: ["node", "-e", ""] },
        { name: "bad", argv: ["node", "-e", "console.log('why'); process.exit(3)"] },
        { name: "missing", argv: ["/nonexistent/program"] },
      ],
    };
    const { passed, failures } = await runStep({ name: "c", load: 1, work }, folder);
    assert.deepEqual(
      passed.map(({ name }) => name),
      ["good"],
    );
    assert.deepEqual(
      failures.map(({ name }) => name),
      ["bad", "missing"],
    );
    assert.match(failures[0]?.detail ?? "", /exit code 3\nwhy/);
    assert.match(failures[1]?.detail ?? "", /ENOENT/);
  });

  it("ends a program at its limit, with its children", async () => {
    const child =
      "require('child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' }); setInterval(() => {}, 1000)";
    const started = performance.now();
    const { reason, code } = await runProgram(["node", "-e", child], 500);
    assert.equal(code, undefined);
    assert.match(reason ?? "", /limit of 0\.5 s/);
    assert.ok(performance.now() - started < 10_000);
  });
});

describe("scheduling", () => {
  const work: Work = { kind: "commands", commands: [] };
  const step = (name: string, load: number, after?: readonly string[]): Step => ({
    name,
    load,
    work,
    ...(after === undefined ? {} : { after }),
  });
  const passed = (
    name: string,
  ): { step: string; ms: number; passed: { name: string; file: string; ms: number }[]; failures: never[] } => ({
    step: name,
    ms: 0,
    passed: [{ name: "t", file: "f", ms: 0 }],
    failures: [],
  });

  it("keeps the load within the cores and gives a large step the machine", async () => {
    let load = 0;
    let most = 0;
    const steps = [step("a", 1), step("b", 1), step("c", 1), step("whole", 8), step("d", 1)];
    const results = await schedule(steps, 2, async ({ name, load: own }) => {
      load += Math.min(own, 2);
      most = Math.max(most, load);
      await new Promise((resolve) => setImmediate(resolve));
      load -= Math.min(own, 2);
      return passed(name);
    });
    assert.equal(most, 2);
    assert.deepEqual(
      results.map((result) => result.step),
      ["a", "b", "c", "whole", "d"],
    );
  });

  it("runs a step after those it needs, and fails it unrun when one of them failed", async () => {
    const order: string[] = [];
    const steps = [
      step("late", 1, ["early"]),
      step("early", 1),
      step("broken", 1),
      step("lost", 1, ["broken"]),
      step("loster", 1, ["lost"]),
    ];
    const results = await schedule(steps, 2, async ({ name }) => {
      order.push(name);
      if (name === "broken") throw new Error("crashed");
      return passed(name);
    });
    assert.ok(order.indexOf("late") > order.indexOf("early"));
    assert.ok(!order.includes("lost") && !order.includes("loster"));
    assert.deepEqual(
      results.map(({ failures }) => failures.length),
      [0, 0, 1, 1, 1],
    );
    assert.match(results[2]?.failures[0]?.detail ?? "", /crashed/);
    assert.match(results[3]?.failures[0]?.detail ?? "", /"broken", which it needs, failed/);
  });

  it("says so when steps wait for each other", async () => {
    const circle = [step("a", 1, ["b"]), step("b", 1, ["a"])];
    await assert.rejects(
      schedule(circle, 2, async ({ name }) => passed(name)),
      /wait for what is not run: a, b/,
    );
  });

  it("selects steps by name or beginning, with what they need", () => {
    const all = [step("compile", 1), step("unit core", 1), step("unit abi", 1), step("contracts", 1, ["compile"])];
    const names = (only: readonly string[]): readonly string[] =>
      selectSteps(all, { only, fast: false }).map(({ name }) => name);
    assert.deepEqual(names(["contracts"]), ["compile", "contracts"]);
    assert.deepEqual(names(["unit"]), ["unit core", "unit abi"]);
    assert.deepEqual(names([]), ["compile", "unit core", "unit abi", "contracts"]);
    assert.throws(() => names(["contrats"]), /no step is called "contrats"; there are: compile/);
  });

  it("the table has unique names, known predecessors and a load", () => {
    const steps = listSteps();
    const names = steps.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    for (const { name, after = [], load } of steps) {
      assert.ok(load > 0, name);
      for (const other of after) assert.ok(names.includes(other), `${name} comes after ${other}`);
    }
  });
});

describe("Debian packages", () => {
  const needed = [{ name: "bubblewrap", program: "surely-not-there", why: "isolation" }];
  /** A machine with these programs, that records what it is told to run. */
  function machine(
    programs: readonly string[],
    isRoot: boolean,
    results: (argv: string) => boolean,
  ): Machine & { readonly ran: string[] } {
    const at = mkdtempSync(join(folder, "bin-"));
    for (const program of programs) writeFileSync(join(at, program), "", { mode: 0o755 });
    const ran: string[] = [];
    return {
      path: [at, "/nonexistent"].join(delimiter),
      isRoot,
      ran,
      run: (argv) => {
        ran.push(argv.join(" "));
        return results(argv.join(" "));
      },
    };
  }

  it("are left alone when they are there", () => {
    const here = machine(["surely-not-there"], false, () => assert.fail("nothing is run"));
    assert.equal(
      ensureDebianPackages(here, () => {}, needed),
      undefined,
    );
  });

  it("are installed by root, with fresh lists if the first try fails", () => {
    let tries = 0;
    const here = machine(["apt-get"], true, (argv) => !argv.includes("install") || ++tries > 1);
    assert.equal(
      ensureDebianPackages(here, () => {}, needed),
      undefined,
    );
    const install = "apt-get install -y -qq --no-install-recommends bubblewrap";
    assert.deepEqual(here.ran, [install, "apt-get update -qq", install]);
  });

  it("are installed through a sudo that asks for nothing, and never through one that asks", () => {
    const open = machine(["apt-get", "sudo"], false, () => true);
    assert.equal(
      ensureDebianPackages(open, () => {}, needed),
      undefined,
    );
    assert.deepEqual(open.ran, ["sudo -n true", "sudo -n apt-get install -y -qq --no-install-recommends bubblewrap"]);
    const closed = machine(["apt-get", "sudo"], false, () => false);
    assert.equal(
      ensureDebianPackages(closed, () => {}, needed),
      "sudo apt-get update && sudo apt-get install -y bubblewrap",
    );
    assert.deepEqual(closed.ran, ["sudo -n true"]);
  });

  it("that cannot be installed come back as a line to paste", () => {
    assert.equal(
      ensureDebianPackages(
        machine([], true, () => true),
        () => {},
        needed,
      ),
      "apt-get update && apt-get install -y bubblewrap",
    );
  });
});
