import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { encodePackage, FailureCause, type Package, ReportCode } from "@quorate/core";
import fc from "fast-check";
import type { RunResult } from "../result.ts";
import { runPackage } from "../run-package.ts";
import { command, type PackageOptions, quickjsPackage, wasiPackage } from "../testing/build.ts";
import { availableIsolations, findTool, requireIsolation } from "./isolation.ts";
import { runInChild, runIsolated } from "./run-isolated.ts";

const isolations = await availableIsolations();
const hostileChild = fileURLToPath(new URL("../testing/hostile-child.ts", import.meta.url));

function assertReport(result: RunResult, code: ReportCode, detail: RegExp): void {
  assert.ok(result.kind === "report", JSON.stringify(result));
  assert.equal(result.code, code, result.detail);
  assert.match(result.detail, detail);
}

function assertFailed(result: RunResult, cause: FailureCause): void {
  assert.ok(result.kind === "failed", JSON.stringify(result));
  assert.equal(result.cause, cause);
}

/** What is equal on every host. */
function counted(result: RunResult): unknown {
  const { usage, ...rest } = result;
  const { fuel, memoryBytes, outputBytes } = usage;
  return { ...rest, usage: { fuel, memoryBytes, outputBytes } };
}

/** Processes of this process's children that run the engine's child, by their command lines. */
function childrenAlive(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
        return status[0] !== "Z" && status[1] === String(process.pid);
      } catch {
        return false;
      }
    });
}

const endlessLoop = (options: PackageOptions = {}): Package =>
  wasiPackage(command("(loop $again (br $again))"), {
    ...options,
    limits: { fuel: Number.MAX_SAFE_INTEGER, wallTimeMs: 300, ...options.limits },
  });

it("this machine offers at least one isolation", () => {
  assert.ok(isolations.includes("process"));
});

for (const isolation of isolations) {
  describe(`isolation ${isolation}`, () => {
    const run = (pkg: Package | Uint8Array): Promise<RunResult> => runIsolated(pkg, { isolation });

    it("gives the same answer and counts as the engine in this process", async () => {
      const packages: Package[] = [
        wasiPackage(command("(call $write (i32.const 16) (i32.const 5))", '(data (i32.const 16) "hello")')),
        wasiPackage(command("(call $proc_exit (i32.const 9))")),
        wasiPackage(command("(loop $again (br $again))"), { limits: { fuel: 1_000_000 } }),
        quickjsPackage("print(Math.random(), Date.now(), quorate.files.text('a'))", { files: { a: "ü\0" } }),
        quickjsPackage("console.error('why'); throw new TypeError('boom')"),
        quickjsPackage("let d = 0; const f = () => { d += 1; f() }; try { f() } catch { print(d) }"),
      ];
      for (const pkg of packages) {
        assert.deepEqual(counted(await run(encodePackage(pkg))), counted(await runPackage(pkg)));
      }
    });

    it("wall time ends an endless program, and is a report", async () => {
      const startedAt = performance.now();
      assertReport(await run(endlessLoop()), ReportCode.WallTime, /longer than its 300 ms/);
      assert.ok(performance.now() - startedAt < 15_000);
      assert.deepEqual(childrenAlive(), []);
    });

    it("a program that asks two gigabytes gets its limit", async () => {
      const limits = { memoryBytes: 64 * 2 ** 20, fuel: 50_000_000_000 };
      const grow = command(
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (memory.fill (i32.const 0) (i32.const 1) (i32.mul (memory.size) (i32.const 65536))) (call $proc_exit (i32.const 1))",
      );
      const wasi = await run(wasiPackage(grow, { limits }));
      assertFailed(wasi, FailureCause.MemoryExceeded);
      // One page, and as many steps of 16 as fit.
      assert.equal(wasi.usage.memoryBytes, 1_009 * 65_536);
      assert.ok((wasi.usage.peakProcessBytes ?? 0) < 300 * 2 ** 20, String(wasi.usage.peakProcessBytes));
      const script = "const kept = []; for (;;) kept.push(new Uint8Array(2 ** 20).fill(1))";
      const quickjs = await run(quickjsPackage(script, { limits }));
      assertFailed(quickjs, FailureCause.MemoryExceeded);
      assert.ok((quickjs.usage.peakProcessBytes ?? 0) < 350 * 2 ** 20, String(quickjs.usage.peakProcessBytes));
    });

    it("4 GiB of initial memory and huge tables are refused by their numbers", async () => {
      assertFailed(
        await run(wasiPackage(command("", "", '(memory (export "memory") 65536)'))),
        FailureCause.MemoryExceeded,
      );
      assertFailed(await run(wasiPackage(command("", "(table 10000000 funcref)"))), FailureCause.ProgramInvalid);
    });

    it("an output flood ends at the limit", async () => {
      const flood = "(loop $again (call $write (i32.const 0) (i32.const 65536)) (br $again))";
      const result = await run(wasiPackage(command(flood), { limits: { outputBytes: 10_000_000, fuel: 10 ** 12 } }));
      assertFailed(result, FailureCause.OutputExceeded);
    });

    it("64 MiB of output arrive whole", async () => {
      const size = 2 ** 26;
      const write =
        "(local $i i32) (loop $again (call $write (i32.const 0) (i32.const 65536)) (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1024))))";
      const result = await run(wasiPackage(command(write), { limits: { outputBytes: size } }));
      assert.ok(result.kind === "ok");
      assert.equal(result.output.length, size);
    });

    it("deep recursion ends as a report", async () => {
      const deep = command("(call $deep)", "(func $deep (call $deep) (drop (i32.load (i32.const 0))))");
      const result = await run(wasiPackage(deep, { limits: { fuel: Number.MAX_SAFE_INTEGER } }));
      assertReport(result, ReportCode.HostFailure, /call stack/);
    });

    it("a giant function costs the child alone, within the memory that it was given", async () => {
      const sum = Array.from(
        { length: 15_000 },
        (_, index) => `(local.set $x (f64.add (local.get $x) (f64.sqrt (f64.const ${index}))))`,
      );
      const giant = `(func $giant (local $x f64) ${sum.join(" ")})`;
      const result = await run(wasiPackage(command("(call $giant)", giant), { limits: { wallTimeMs: 20_000 } }));
      assert.equal(result.kind, "ok", JSON.stringify(result));
      assert.ok((result.usage.peakProcessBytes ?? 0) < 2 ** 30);
    });

    it("an abort ends the process and rejects with its reason", async () => {
      const reason = new Error("enough");
      const controller = new AbortController();
      const running = runIsolated(endlessLoop({ limits: { wallTimeMs: 60_000 } }), {
        isolation,
        signal: controller.signal,
      });
      const rejected = assert.rejects(running, reason);
      const deadline = performance.now() + 10_000;
      while (childrenAlive().length === 0 && performance.now() < deadline) await new Promise(setImmediate);
      assert.equal(childrenAlive().length > 0, true);
      controller.abort(reason);
      await rejected;
      assert.deepEqual(childrenAlive(), []);
    });

    describe("a child that its program has taken over", () => {
      const hostile = (mode: string, argument = "", limits: PackageOptions["limits"] = {}): Promise<RunResult> =>
        runInChild(
          quickjsPackage("1", { limits: { wallTimeMs: 3_000, outputBytes: 4_096, ...limits } }),
          { isolation },
          () => [hostileChild, mode, argument],
        );

      it("reads no file, writes none, starts nothing, sees no environment, reaches no network", async () => {
        const server = createServer().listen(0, "127.0.0.1");
        await new Promise((resolve) => server.once("listening", resolve));
        const { port } = server.address() as { port: number };
        try {
          const result = await hostile("probe", `${process.pid}/${port}`);
          assert.ok(result.kind === "ok", JSON.stringify(result));
          const outcomes = JSON.parse(new TextDecoder().decode(result.output)) as Record<string, string>;
          // A process of the same user can be signalled where there is no process namespace.
          if (isolation === "bubblewrap") assert.equal(outcomes.kill, "ESRCH");
          for (const attempt of ["readPasswd", "readSelf", "listRoot", "write", "spawn", "worker", "network"]) {
            assert.notEqual(outcomes[attempt], "done", `${attempt}: ${JSON.stringify(outcomes)}`);
          }
          assert.deepEqual(
            outcomes.environment?.split(",").filter((name) => !["", "PWD", "OLDPWD", "SHLVL", "_"].includes(name)),
            [],
          );
        } finally {
          server.close();
        }
        assert.equal(existsSync("/tmp/escaped"), false);
      });

      it("cannot answer before it is asked", async () => {
        assertReport(await hostile("early"), ReportCode.HostFailure, /before it was asked/);
      });

      it("cannot confuse the parent with garbage or a forged shape", async () => {
        assertReport(await hostile("garbage"), ReportCode.HostFailure, /no result/);
        const usage = '"usage":{"fuel":0,"memoryBytes":0,"outputBytes":0}';
        const convicting = `{"kind":"report","code":"PackageMismatch","detail":"",${usage}}`;
        assertReport(await hostile("forged", convicting), ReportCode.HostFailure, /no result/);
        assertReport(await hostile("short"), ReportCode.HostFailure, /without an answer/);
      });

      it("cannot flood the parent", async () => {
        assertReport(await hostile("flood"), ReportCode.HostFailure, /more than it may/);
        assert.deepEqual(childrenAlive(), []);
      });

      it("is ended when it does not listen, and told as dead when it dies", async () => {
        assertReport(await hostile("deaf", "", { wallTimeMs: 200 }), ReportCode.WallTime, /200 ms/);
        assertReport(await hostile("dies"), ReportCode.HostFailure, /SIGKILL|exit code 137/);
      });

      it("cannot take more memory than it was given", async () => {
        assertReport(
          await hostile("hoards", "", { wallTimeMs: 20_000 }),
          ReportCode.HostFailure,
          /ended without an answer/,
        );
      });

      it("leaves no process behind", async () => {
        // A length of its own tells these sleepers from any other on the machine.
        const seconds = `60.${randomInt(2 ** 40)}`;
        await hostile("spawns", seconds, { wallTimeMs: 500 });
        assert.deepEqual(childrenAlive(), []);
        const sleepers = readdirSync("/proc").filter((pid) => {
          try {
            return readFileSync(`/proc/${pid}/cmdline`, "latin1") === `/bin/sleep\0${seconds}\0`;
          } catch {
            return false;
          }
        });
        assert.deepEqual(sleepers, []);
      });
    });
  });
}

describe("before a process is started", () => {
  it("bytes that are no package are refused by name", async () => {
    const options = { isolation: "process" } as const;
    await assert.rejects(runIsolated(new Uint8Array(10), options), { code: "PACKAGE_MALFORMED" });
    const valid = encodePackage(quickjsPackage("1"));
    await fc.assert(
      fc.asyncProperty(fc.nat(valid.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = valid.slice();
        damaged[at] = (damaged[at] as number) ^ change;
        // Either it is refused, or it is another package, which is not run here.
        const refusal = runIsolated(damaged, { ...options, signal: AbortSignal.abort(new Error("not run")) });
        await assert.rejects(refusal);
      }),
      { numRuns: 300 },
    );
  });

  it("a package beyond the operator's ceilings is reported and not run", async () => {
    const pkg = quickjsPackage("1");
    for (const limits of [{ memoryBytes: 1 }, { outputBytes: 1 }, { wallTimeMs: 1 }]) {
      const result = await runIsolated(pkg, { isolation: "process", limits });
      assertReport(result, ReportCode.RequirementsExceeded, new RegExp(Object.keys(limits)[0] as string));
    }
  });

  it("an engine that is not here is a report", async () => {
    const pkg = quickjsPackage("1");
    const manifest = { ...pkg.manifest, engine: { name: "quickjs", version: "0.32.0" } as const };
    assertReport(
      await runIsolated({ ...pkg, manifest }, { isolation: "process" }),
      ReportCode.EngineUnavailable,
      /0\.32\.0/,
    );
  });

  it("a mode that is missing is refused by name, never replaced", async () => {
    if (findTool("bwrap") === undefined) {
      await assert.rejects(requireIsolation("bubblewrap"), { code: "ISOLATION_UNAVAILABLE", message: /bwrap/ });
    } else {
      await requireIsolation("bubblewrap");
    }
    assert.equal(findTool("no-such-tool"), undefined);
  });

  it("a signal that is already aborted starts nothing", async () => {
    const reason = new Error("enough");
    const running = runIsolated(quickjsPackage("1"), { isolation: "process", signal: AbortSignal.abort(reason) });
    await assert.rejects(running, reason);
  });
});
