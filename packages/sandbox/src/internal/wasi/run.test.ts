import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureCause, ReportCode } from "@quorate/core";
import fc from "fast-check";
import type { RunResult } from "../../result.ts";
import { runPackage } from "../../run-package.ts";
import { command, type PackageOptions, wasiPackage, wasm } from "../../testing/build.ts";

const run = (text: string | Uint8Array, options: PackageOptions = {}): Promise<RunResult> =>
  runPackage(wasiPackage(text, options));

function output(result: RunResult): Uint8Array {
  assert.ok(result.kind === "ok", JSON.stringify(result));
  return result.output;
}

function assertFailed(result: RunResult, cause: FailureCause, exitCode = 0): void {
  assert.deepEqual(
    result.kind === "failed" ? { kind: result.kind, cause: result.cause, exitCode: result.exitCode } : result,
    { kind: "failed", cause, exitCode },
  );
}

describe("how a command ends", () => {
  it("returning from _start is Ok with the bytes that were written", async () => {
    const text = command("(call $write (i32.const 16) (i32.const 5))", '(data (i32.const 16) "hello")');
    assert.equal(new TextDecoder().decode(output(await run(text))), "hello");
  });

  it("exit code 0 is Ok, any other is Failed with that code as an unsigned number", async () => {
    assert.equal((await run(command("(call $proc_exit (i32.const 0))"))).kind, "ok");
    assertFailed(await run(command("(call $proc_exit (i32.const 3))")), FailureCause.NonZeroExit, 3);
    assertFailed(await run(command("(call $proc_exit (i32.const -1))")), FailureCause.NonZeroExit, 0xffff_ffff);
  });

  for (const [name, body] of [
    ["unreachable", "unreachable"],
    ["a division by zero", "(drop (i32.div_s (i32.const 1) (i32.const 0)))"],
    ["an address out of bounds", "(drop (i32.load (i32.const -4)))"],
    ["an empty entry of a table", "(call_indirect (i32.const 0))"],
  ] as const) {
    it(`${name} is a trap`, async () => {
      assertFailed(await run(command(body, "(table 1 funcref)")), FailureCause.Trap);
    });
  }

  it("a data segment out of bounds is a trap", async () => {
    assertFailed(await run(command("", '(data (i32.const 65535) "too long")')), FailureCause.Trap);
  });

  it("the byte that exceeds the output limit ends the run, the byte that meets it does not", async () => {
    const text = command("(call $write (i32.const 16) (i32.const 5))");
    assert.equal(output(await run(text, { limits: { outputBytes: 5 } })).length, 5);
    assertFailed(await run(text, { limits: { outputBytes: 4 } }), FailureCause.OutputExceeded);
  });

  it("a program cannot go on after its output is exceeded, whatever it ignores", async () => {
    const text = command("(loop $again (call $write (i32.const 16) (i32.const 5)) (br $again))");
    assertFailed(await run(text, { limits: { outputBytes: 1_000 } }), FailureCause.OutputExceeded);
  });

  it("the end of the host's stack is a report, never a failure", async () => {
    const text = command("(call $deep)", "(func $deep (call $deep) (drop (i32.load (i32.const 0))))");
    const result = await run(text, { limits: { fuel: Number.MAX_SAFE_INTEGER } });
    assert.ok(result.kind === "report", JSON.stringify(result));
    assert.equal(result.code, ReportCode.HostFailure);
  });

  it("an unknown engine version is a report", async () => {
    const pkg = wasiPackage(command(""));
    const manifest = { ...pkg.manifest, engine: { name: "wasi-p1", version: "0.9.9" } as const };
    const result = await runPackage({ ...pkg, manifest });
    assert.ok(result.kind === "report");
    assert.equal(result.code, ReportCode.EngineUnavailable);
  });

  it("an aborted signal rejects with its reason", async () => {
    const reason = new Error("enough");
    await assert.rejects(runPackage(wasiPackage(command("")), { signal: AbortSignal.abort(reason) }), reason);
  });
});

describe("fuel", () => {
  const endless = [
    ["a loop", "(loop $again (br $again))", ""],
    ["a loop with a conditional branch", "(loop $again (br_if $again (i32.const 1)))", ""],
    ["a loop through a table branch", "(loop $again (br_table $again (i32.const 0)))", ""],
    ["calls that return", "(loop $again (call $nothing) (br $again))", "(func $nothing)"],
    ["bulk copies", "(loop $a (memory.fill (i32.const 0) (i32.const 7) (i32.const 65536)) (br $a))", ""],
  ] as const;
  for (const [name, body, rest] of endless) {
    it(`ends ${name}, at the same count each time`, async () => {
      const limits = { fuel: 1_000_000 };
      const first = await run(command(body, rest), { limits });
      assertFailed(first, FailureCause.FuelExhausted);
      assert.equal(first.usage.fuel, 1_000_000);
      assert.deepEqual(
        { ...(await run(command(body, rest), { limits })).usage, elapsedMs: 0 },
        {
          ...first.usage,
          elapsedMs: 0,
        },
      );
    });
  }

  it("is exact: one unit less than a run uses exhausts it", async () => {
    const text = command(
      "(local $i i32) (loop $a (br_if $a (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))",
    );
    const { usage } = await run(text);
    assert.equal((await run(text, { limits: { fuel: usage.fuel } })).kind, "ok");
    assertFailed(await run(text, { limits: { fuel: usage.fuel - 1 } }), FailureCause.FuelExhausted);
  });

  it("counts an instruction as a unit", async () => {
    const base = (await run(command(""))).usage.fuel;
    const more = (await run(command("(drop (i32.const 1)) (drop (i32.const 2))"))).usage.fuel;
    assert.equal(more - base, 4);
  });

  it("charges bulk operations by their size", async () => {
    const fill = (size: number): string => command(`(memory.fill (i32.const 0) (i32.const 1) (i32.const ${size}))`);
    const [small, large] = [await run(fill(0)), await run(fill(65_536))];
    assert.equal(large.usage.fuel - small.usage.fuel, 65_536 / 8);
  });

  it("charges what the host writes", async () => {
    const write = (size: number): string => command(`(call $write (i32.const 16) (i32.const ${size}))`);
    const [small, large] = [await run(write(0)), await run(write(8_000))];
    assert.equal(large.usage.fuel - small.usage.fuel, 1_000);
  });
});

describe("memory", () => {
  const limits = { memoryBytes: 4 * 65_536 };

  it("a module that begins above its limit is MemoryExceeded", async () => {
    const text = command("", "", '(memory (export "memory") 5)');
    assertFailed(await run(text, { limits }), FailureCause.MemoryExceeded);
    assert.equal((await run(command("", "", '(memory (export "memory") 4)'), { limits })).kind, "ok");
  });

  it("65,536 initial pages are refused by their number alone", async () => {
    assertFailed(await run(command("", "", '(memory (export "memory") 65536)')), FailureCause.MemoryExceeded);
  });

  it("growth within the limit works, beyond it gives -1 and the program goes on", async () => {
    const text = command(
      "(i32.store8 (i32.const 16) (memory.grow (i32.const 3))) (i32.store8 (i32.const 17) (memory.grow (i32.const 1))) (i32.store8 (i32.const 18) (memory.size)) (call $write (i32.const 16) (i32.const 3))",
    );
    assert.deepEqual([...output(await run(text, { limits }))], [1, 0xff, 4]);
  });

  it("a program that fails after it was refused memory is MemoryExceeded", async () => {
    const grow = "(drop (memory.grow (i32.const 100)))";
    assertFailed(await run(command(`${grow} unreachable`), { limits }), FailureCause.MemoryExceeded);
    assertFailed(
      await run(command(`${grow} (call $proc_exit (i32.const 1))`), { limits }),
      FailureCause.MemoryExceeded,
    );
  });

  it("the module's own maximum stays below the limit's", async () => {
    const text = command(
      "(i32.store8 (i32.const 16) (memory.grow (i32.const 2))) (call $write (i32.const 16) (i32.const 1))",
      "",
      '(memory (export "memory") 1 2)',
    );
    assert.deepEqual([...output(await run(text, { limits }))], [0xff]);
  });

  it("a table cannot grow beyond the engine's ceiling", async () => {
    const text = command(
      "(i32.store (i32.const 16) (table.grow $t (table.get $t (i32.const 0)) (i32.const 2000000))) (call $write (i32.const 16) (i32.const 4))",
      "(table $t 1 funcref)",
    );
    assert.deepEqual([...output(await run(text))], [0xff, 0xff, 0xff, 0xff]);
  });
});

describe("floating point", () => {
  const zeros = "(f64.const 0)";
  const f64: readonly (readonly [string, string])[] = [
    ["div", `(f64.div ${zeros} ${zeros})`],
    ["sqrt", "(f64.sqrt (f64.const -1))"],
    ["sub", "(f64.sub (f64.const inf) (f64.const inf))"],
    ["add with payload", "(f64.add (f64.const nan:0x4000000000123) (f64.const 1))"],
    ["mul with negative payload", "(f64.mul (f64.const -nan:0x8000000000001) (f64.const 1))"],
    ["min", "(f64.min (f64.const nan:0xc000000000000) (f64.const 1))"],
    ["ceil", "(f64.ceil (f64.const -nan:0xdead))"],
    ["promote", "(f64.promote_f32 (f32.const -nan:0x12345))"],
  ];
  for (const [name, expression] of f64) {
    it(`f64 ${name} gives the canonical NaN`, async () => {
      const text = command(`(f64.store (i32.const 16) ${expression}) (call $write (i32.const 16) (i32.const 8))`);
      assert.deepEqual([...output(await run(text))], [0, 0, 0, 0, 0, 0, 0xf8, 0x7f]);
    });
  }

  it("f32 arithmetic and demotion give the canonical NaN", async () => {
    const text = command(
      "(f32.store (i32.const 16) (f32.div (f32.const 0) (f32.const 0))) (f32.store (i32.const 20) (f32.demote_f64 (f64.const -nan:0xdeadbeef)))  (call $write (i32.const 16) (i32.const 8))",
    );
    assert.deepEqual([...output(await run(text))], [0, 0, 0xc0, 0x7f, 0, 0, 0xc0, 0x7f]);
  });

  it("vector arithmetic gives the canonical NaN in each lane and leaves the others", async () => {
    const text = command(
      `(v128.store (i32.const 16) (f32x4.div (v128.const f32x4 0 1 -nan:0x1234 8) (v128.const f32x4 0 2 1 2)))
       (v128.store (i32.const 32) (f64x2.sqrt (v128.const f64x2 -1 16)))
       (call $write (i32.const 16) (i32.const 32))`,
    );
    const view = new DataView(output(await run(text)).buffer);
    assert.deepEqual(
      [0, 4, 8, 12].map((offset) => view.getUint32(offset, true)),
      [0x7fc00000, 0x3f000000, 0x7fc00000, 0x40800000],
    );
    assert.deepEqual(
      [16, 24].map((offset) => view.getBigUint64(offset, true)),
      [0x7ff8000000000000n, 0x4010000000000000n],
    );
  });

  it("what no arithmetic touched keeps its bits", async () => {
    const text = command(
      "(f64.store (i32.const 16) (f64.neg (f64.const nan:0x123))) (call $write (i32.const 16) (i32.const 8))",
    );
    assert.deepEqual([...output(await run(text))], [0x23, 0x01, 0, 0, 0, 0, 0xf0, 0xff]);
  });
});

describe("modules that are refused", () => {
  const refused: readonly (readonly [string, RegExp, string | Uint8Array])[] = [
    ["an empty file", /unexpected end/, new Uint8Array(0)],
    ["a component", /version 1/, Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)],
    ["a reactor", /no function `_start`/, '(module (memory (export "memory") 1) (func (export "_initialize")))'],
    ["no exported memory", /no memory is exported/, '(module (memory 1) (func (export "_start")))'],
    [
      "_start that is no function",
      /no function `_start`/,
      '(module (memory (export "memory") 1) (global (export "_start") i32 (i32.const 0)))',
    ],
    [
      "_start with a parameter",
      /takes parameters/,
      '(module (memory (export "memory") 1) (func (export "_start") (param i32)))',
    ],
    ["shared memory", /memory with flags 3/, '(module (memory (export "memory") 1 2 shared) (func (export "_start")))'],
    ["64-bit memory", /memory with flags [45]/, '(module (memory (export "memory") i64 1) (func (export "_start")))'],
    [
      "two memories",
      /more than one memory/,
      '(module (memory (export "memory") 1) (memory 1) (func (export "_start")))',
    ],
    ["atomics", /instruction 0xfe/, command("(drop (i32.atomic.load (i32.const 0)))")],
    ["relaxed vectors", /relaxed/, command("(drop (i32x4.relaxed_trunc_f32x4_s (v128.const i32x4 0 0 0 0)))")],
    ["tail calls", /instruction 0x12/, command("(return_call $next)", "(func $next)")],
    ["exceptions", /section 13/, command("(throw $tag)", "(tag $tag)")],
    ["a start function", /start function/, command("", "(func $begin) (start $begin)")],
    [
      "an imported memory",
      /env\.memory is no function/,
      '(module (import "env" "memory" (memory 1)) (export "memory" (memory 0)) (func (export "_start")))',
    ],
    [
      "an unknown import",
      /env\.f is not known/,
      command("", "", '(import "env" "f" (func)) (memory (export "memory") 1)'),
    ],
    [
      "an unknown function of WASI",
      /toString is not known/,
      command("", "", '(import "wasi_snapshot_preview1" "toString" (func)) (memory (export "memory") 1)'),
    ],
    [
      "a function of WASI with another signature",
      /fd_read has another signature/,
      command("", "", '(import "wasi_snapshot_preview1" "fd_read" (func (param i64))) (memory (export "memory") 1)'),
    ],
    [
      "an older WASI",
      /wasi_unstable\.sched_yield is not known/,
      command("", "", '(import "wasi_unstable" "sched_yield" (func (result i32))) (memory (export "memory") 1)'),
    ],
    [
      "an export with the engine's name",
      /reserved/,
      command("", '(global $g (export "quorate.fuel") i32 (i32.const 0))'),
    ],
    ["a table of two million entries", /table entries/, command("", "(table 2000000 funcref)")],
  ];
  for (const [name, why, text] of refused) {
    it(`${name} is ProgramInvalid`, async () => {
      const result = await run(text);
      assertFailed(result, FailureCause.ProgramInvalid);
      // For the reason meant, not because the test is wrong.
      assert.match(result.kind === "failed" ? result.diagnostics : "", why);
    });
  }

  it("a module cannot name the engine's own globals", async () => {
    // The module has one global; index 1 would be the fuel once it is built in.
    const valid = wasm(command("(global.set $own (i64.const 9))", "(global $own (mut i64) (i64.const 0))"));
    const at = valid.findIndex((byte, index) => byte === 0x42 && valid[index + 1] === 9 && valid[index + 2] === 0x24);
    assert.ok(at > 0);
    assert.equal((await run(valid)).kind, "ok");
    const hostile = valid.slice();
    hostile[at + 3] = 1;
    assertFailed(await run(hostile), FailureCause.ProgramInvalid);
  });

  it("a module cannot name a local of the instrumentation", async () => {
    const text = command("(local $x f64) (local.set $x (f64.add (f64.const 9) (f64.const 1)))");
    const valid = wasm(text);
    const at = valid.lastIndexOf(0x21);
    assert.equal(valid[at + 1], 0);
    const hostile = valid.slice();
    hostile[at + 1] = 1;
    assertFailed(await run(hostile), FailureCause.ProgramInvalid);
  });

  it("any damage to a module ends in an answer, never in a crash or a hang", async () => {
    const valid = wasm(
      command(
        "(local $i i32) (loop $a (drop (f64.sqrt (f64.const 2))) (br_if $a (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 9)))) (drop (memory.grow (i32.const 1))) (call $write (i32.const 16) (i32.const 5))",
        '(data (i32.const 16) "hello") (table 2 funcref) (elem (i32.const 0) $write)',
      ),
    );
    const edit = fc.record({ at: fc.nat(valid.length - 1), byte: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(valid.length), async (edits, cut) => {
        const damaged = valid.slice(0, cut % 4 === 0 ? cut : valid.length);
        for (const { at, byte } of edits) if (at < damaged.length) damaged[at] = byte;
        const result = await run(damaged, { limits: { fuel: 100_000 } });
        const again = await run(damaged, { limits: { fuel: 100_000 } });
        assert.notEqual(result.kind, "report", JSON.stringify(result));
        assert.deepEqual(
          { ...again, usage: { ...again.usage, elapsedMs: 0 } },
          {
            ...result,
            usage: { ...result.usage, elapsedMs: 0 },
          },
        );
      }),
      { numRuns: 1_500 },
    );
  });
});
