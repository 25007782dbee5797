import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FailureCause, ReportCode } from "@quorate/core";
import fc from "fast-check";
import type { RunResult } from "../../result.ts";
import { runPackage } from "../../run-package.ts";
import { type PackageOptions, quickjsPackage } from "../../testing/build.ts";

const run = (source: string, options: PackageOptions = {}): Promise<RunResult> =>
  runPackage(quickjsPackage(source, options));

async function text(source: string, options: PackageOptions = {}): Promise<string> {
  const result = await run(source, options);
  assert.ok(result.kind === "ok", JSON.stringify(result));
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(result.output);
}

const value = async (expression: string, options: PackageOptions = {}): Promise<unknown> =>
  JSON.parse(await text(`export default ${expression}`, options));

function assertFailed(result: RunResult, cause: FailureCause, exitCode = 0): void {
  assert.deepEqual(
    result.kind === "failed" ? { kind: result.kind, cause: result.cause, exitCode: result.exitCode } : result,
    { kind: "failed", cause, exitCode },
  );
}

describe("what a program can do", () => {
  it("returns a value: text and bytes as they are, everything else as a line of JSON", async () => {
    assert.equal(await text("export default 'plain'"), "plain");
    assert.equal(await text("export default new TextEncoder", {}).catch(() => "none"), "none");
    assert.equal(await text("export default new Uint8Array([104, 105])"), "hi");
    assert.equal(await text("export default new Uint16Array([0x6968]).buffer"), "hi");
    assert.equal(await text("export default { a: [1, null] }"), '{"a":[1,null]}\n');
    assert.equal(await text("export default undefined"), "");
  });

  it("returns from a function, plain or async, that is given the API", async () => {
    assert.equal(await text("export default ({ args }) => args.join('+')", { args: ["1", "2"] }), "1+2");
    assert.equal(await text("export default async () => { await null; return 'later' }"), "later");
    assert.equal(await text("export default await Promise.resolve('top level')"), "top level");
  });

  it("prints lines and writes bytes in the order of its calls", async () => {
    const source = "print('a', 1, {b: 2}); quorate.write('é'); quorate.write(new Uint8Array([33])); print('z')";
    assert.equal(await text(source), 'a 1 {"b":2}\né!z\n');
  });

  it("reads standard input, files, arguments and environment", async () => {
    const options = {
      args: ["x"],
      env: { A: "1" },
      files: { "in.txt": "line", "d/data.bin": Uint8Array.of(0, 255) },
      stdin: "in.txt",
    };
    assert.deepEqual(
      await value(
        "({ args: quorate.args, env: quorate.env, names: quorate.files.names(), input: quorate.input.text(), bytes: [...quorate.files.bytes('d/data.bin')], length: quorate.input.bytes().length })",
        options,
      ),
      { args: ["x"], env: { A: "1" }, names: ["d/data.bin", "in.txt"], input: "line", bytes: [0, 255], length: 4 },
    );
    assert.equal(await text("export default quorate.input.text()"), "");
  });

  it("keeps every character of its texts, NUL, byte order mark and emoji included", async () => {
    const odd = "\ufeffa\0b\u{1f600}é\0";
    assert.equal(await text("export default quorate.files.text('t')", { files: { t: odd } }), odd);
    assert.equal(await text("print('\\ud800')"), "\ufffd\n");
  });

  it("imports other modules of its package and nothing else", async () => {
    const files = {
      "lib/a.js": "import { b } from './b.js'; export const a = b + 1",
      "lib/b.js": "export const b = 1",
    };
    assert.equal(await text("import { a } from './lib/a.js'; export default String(a)", { files }), "2");
    for (const name of [
      "node:fs",
      "fs",
      "std",
      "os",
      "qjs:os",
      "/etc/passwd",
      "../../etc/passwd",
      "https://a.b/c.js",
    ]) {
      const source = `export default await import(${JSON.stringify(name)}).then(() => "loaded", () => "refused")`;
      assert.equal(await text(source), "refused", name);
    }
  });
});

describe("how a program ends", () => {
  it("an uncaught error, a rejection and a syntax error are Failed with exit code 1 and a diagnosis", async () => {
    for (const source of ["throw new Error('boom')", "await Promise.reject(new Error('boom'))", "let boom boom"]) {
      const result = await run(source);
      assertFailed(result, FailureCause.NonZeroExit, 1);
      assert.match(result.kind === "failed" ? result.diagnostics : "", /boom|expecting/);
    }
  });

  it("exit ends at once with its code, whatever catches", async () => {
    assertFailed(await run("try { quorate.exit(7) } catch {} finally { for (;;) {} }"), FailureCause.NonZeroExit, 7);
    assertFailed(await run("quorate.exit(-1)"), FailureCause.NonZeroExit, 0xffff_ffff);
    assert.equal(await text("print('kept'); quorate.exit(0); print('lost')"), "kept\n");
  });

  it("waiting for what never comes is Failed with exit code 13", async () => {
    assertFailed(await run("await new Promise(() => {})"), FailureCause.NonZeroExit, 13);
    assertFailed(await run("export default () => new Promise(() => {})"), FailureCause.NonZeroExit, 13);
  });

  it("output beyond the limit is Failed, whatever catches; output at the limit is Ok", async () => {
    const flood = "for (;;) { try { print('x'.repeat(99)) } catch {} }";
    assertFailed(await run(flood, { limits: { outputBytes: 100_000 } }), FailureCause.OutputExceeded);
    assert.equal(await text("quorate.write('12345')", { limits: { outputBytes: 5 } }), "12345");
    assertFailed(await run("quorate.write('123456')", { limits: { outputBytes: 5 } }), FailureCause.OutputExceeded);
  });

  for (const [name, source] of [
    ["a loop", "for (;;) {}"],
    ["a loop that catches", "for (;;) { try { for (;;) {} } catch {} finally {} }"],
    ["promises for ever", "const again = () => Promise.resolve().then(again); await again()"],
    ["a regular expression that explodes", "/^(a+)+$/.test('a'.repeat(60) + 'b')"],
    ["a getter of the result", "export default { get a() { for (;;) {} } }"],
    ["a thenable result", "export default { then() { for (;;) {} } }"],
    ["the description of its error", "throw { get message() { for (;;) {} } }"],
    ["sorting with a liar", "for (;;) [3, 1, 2].sort(() => 0.5 - Math.random())"],
    ["text that doubles", "let s = 'x'; for (;;) { s += s; if (s.length > 1e6) s = 'x' }"],
  ] as const) {
    it(`${name} ends by fuel, or at its own fault, alike each time`, async () => {
      const limits = { fuel: 200_000_000 };
      const [first, second] = [await run(source, { limits }), await run(source, { limits })];
      assert.ok(first.kind === "failed", JSON.stringify(first));
      const cause = name === "the description of its error" ? FailureCause.NonZeroExit : FailureCause.FuelExhausted;
      assert.equal(first.cause, cause);
      assert.ok(second.kind === "failed");
      assert.deepEqual(
        [second.cause, second.usage.fuel, second.usage.memoryBytes],
        [first.cause, first.usage.fuel, first.usage.memoryBytes],
      );
    });
  }

  it("memory beyond the limit is an error that it can catch, else MemoryExceeded", async () => {
    const limits = { memoryBytes: 32 * 2 ** 20 };
    assertFailed(
      await run("const a = []; for (;;) a.push(new Array(1000).fill(a))", { limits }),
      FailureCause.MemoryExceeded,
    );
    assertFailed(await run("new ArrayBuffer(2 ** 31 - 1)", { limits }), FailureCause.MemoryExceeded);
    const caught = "try { new Uint8Array(1e9) } catch (error) { print(error.message) }";
    assert.equal(await text(caught, { limits }), "out of memory\n");
    const big = await run("globalThis.kept = new Uint8Array(20e6).fill(1); print('ok')", {
      limits: { memoryBytes: 64 * 2 ** 20 },
    });
    assert.equal(big.kind, "ok");
  });

  it("a limit below what the interpreter needs is MemoryExceeded", async () => {
    assertFailed(await run("1", { limits: { memoryBytes: 2 ** 24 - 1 } }), FailureCause.MemoryExceeded);
    assert.equal((await run("1", { limits: { memoryBytes: 2 ** 24 } })).kind, "ok");
  });

  for (const [name, source] of [
    ["functions", "let d = 0; const f = () => { d += 1; f() }; try { f() } catch (e) { print(e.message, d) }"],
    [
      "getters",
      "let d = 0; const o = { get x() { d += 1; return this.x } }; try { o.x } catch (e) { print(e.message, d) }",
    ],
    [
      "callbacks of builtins",
      "let d = 0; const f = () => { d += 1; [1].map(f) }; try { f() } catch (e) { print(e.message, d) }",
    ],
    [
      "calls of the host",
      "let d = 0; const f = () => { d += 1; console.log(d); f() }; try { f() } catch (e) { print(e.message, d) }",
    ],
  ] as const) {
    it(`recursion of ${name} ends in an error at the same depth each time`, async () => {
      const first = await text(source);
      assert.match(first, /^stack overflow \d+\n$/);
      assert.equal(await text(source), first);
    });
  }

  it("recursion that only the host's stack ends is a report", async () => {
    const result = await run("JSON.parse('['.repeat(1e6))");
    assert.ok(result.kind === "report", JSON.stringify(result));
    assert.equal(result.code, ReportCode.HostFailure);
  });

  it("a program that is no text is ProgramInvalid", async () => {
    const pkg = quickjsPackage("1");
    for (const bytes of [Uint8Array.of(0xff, 0xfe), Uint8Array.of(0x31, 0)]) {
      assertFailed(await runPackage({ ...pkg, files: new Map([["main.js", bytes]]) }), FailureCause.ProgramInvalid);
    }
  });
});

describe("determinism", () => {
  it("time begins in 2000 in UTC and moves only as it is looked at", async () => {
    assert.equal(
      await text(
        "print(Date.now(), new Date().toISOString(), new Date(2020, 6, 1).getTimezoneOffset(), String(new Date(0)))",
      ),
      "946684800000 2000-01-01T00:00:00.000Z 0 Thu Jan 01 1970 00:00:00 GMT+0000\n",
    );
    const waits = "const end = Date.now() + 1; while (Date.now() < end); export default 'done'";
    assert.equal(await text(waits), "done");
  });

  it("random numbers are equal for equal packages, differ between packages and fill [0, 1)", async () => {
    const source = "export default Array.from({ length: 2000 }, Math.random)";
    const numbers = (await value(source.slice(15))) as number[];
    assert.deepEqual(await value(source.slice(15)), numbers);
    assert.notDeepEqual(await value(source.slice(15), { args: ["other"] }), numbers);
    assert.ok(numbers.every((number) => number >= 0 && number < 1));
    const average = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    assert.ok(Math.abs(average - 0.5) < 0.03, String(average));
  });

  it("not-a-numbers have one form", async () => {
    const source =
      "[...new Uint8Array(new Float64Array([0 / 0, -(0 / 0), Math.sqrt(-1), Infinity - Infinity]).buffer)]";
    assert.deepEqual(await value(source), Array(4).fill([0, 0, 0, 0, 0, 0, 0xf8, 0x7f]).flat());
  });

  it("one unit of fuel less than a run uses exhausts it", async () => {
    const source = "let s = 0; for (let i = 0; i < 1000; i += 1) s += i; print(s)";
    const { usage } = await run(source);
    assert.equal((await run(source, { limits: { fuel: usage.fuel } })).kind, "ok");
    assertFailed(await run(source, { limits: { fuel: usage.fuel - 1 } }), FailureCause.FuelExhausted);
  });
});

describe("escapes", () => {
  it("no global of the host is there", async () => {
    const names = [
      "process",
      "require",
      "module",
      "Buffer",
      "fetch",
      "setTimeout",
      "setInterval",
      "queueMicrotask",
      "WebAssembly",
      "Atomics",
      "Worker",
      "XMLHttpRequest",
      "WebSocket",
      "Deno",
      "Bun",
      "std",
      "os",
      "scriptArgs",
      "window",
      "self",
      "global",
    ];
    assert.deepEqual(await value(`${JSON.stringify(names)}.filter((name) => name in globalThis)`), []);
  });

  for (const [name, expression] of [
    ["a constructor chain", "quorate.write.constructor.constructor('return typeof process')()"],
    ["a constructor of the API's objects", "quorate.files.names().constructor.constructor('return typeof require')()"],
    ["the global object of an eval", "(0, eval)('typeof globalThis.process')"],
    [
      "an error's stack preparation",
      "(Error.prepareStackTrace = (e, frames) => frames?.[0]?.getThis?.()?.process, typeof new Error().stack?.process)",
    ],
    ["a host function's own properties", "typeof Object.getPrototypeOf(console.log).process"],
    ["an asynchronous constructor", "typeof (await (async () => {}).constructor('return globalThis.process')())"],
  ] as const) {
    it(`${name} leads to the interpreter's own globals`, async () => {
      assert.equal(await text(`export default ${expression}`), "undefined");
    });
  }

  it("the API cannot be changed in place, and shadowing it changes nothing for the engine", async () => {
    assert.deepEqual(
      await value(
        "(() => { const tries = [() => { quorate.exit = 1 }, () => { quorate.files.text = 1 }, () => { quorate.args.push('x') }]; return tries.map((t) => { try { t(); return 'done' } catch (e) { return e.name } }) })()",
      ),
      ["TypeError", "TypeError", "TypeError"],
    );
    assert.equal(await text("globalThis.quorate = null; globalThis.print = null; export default 'still'"), "still");
  });

  it("polluted prototypes reach neither this process nor a later run", async () => {
    const pollute = `
      for (const p of [Object.prototype, Array.prototype, Function.prototype, String.prototype, Promise.prototype]) {
        p.polluted = "yes";
        for (const key of ["kind", "output", "get", "set", "value"]) try { Object.defineProperty(p, key, { value: "evil", configurable: true, writable: true }) } catch {}
      }
      JSON.stringify = () => "forged";
      Promise.prototype.then = null;
      export default "own output";`;
    await run(pollute);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.equal(([] as unknown as Record<string, unknown>).kind, undefined);
    assert.equal(await text("export default typeof {}.polluted + JSON.stringify({ a: 1 })"), 'undefined{"a":1}');
  });

  it("host functions refuse arguments of other kinds without harm", async () => {
    const source = `
      const bad = [undefined, null, 1, {}, [], Symbol("s"), () => {}, new Proxy({}, {}), 10n, "__proto__", "constructor", "main.js"];
      const outcomes = [];
      for (const value of bad) {
        for (const call of [quorate.write, quorate.files.text, quorate.files.bytes]) {
          try { outcomes.push(typeof call(value)) } catch (error) { outcomes.push(error.name) }
        }
      }
      const detached = new ArrayBuffer(8);
      try { quorate.write(new Proxy(new Uint8Array(4), {})) } catch (error) { outcomes.push(error.name) }
      export default outcomes.filter((outcome) => !["TypeError", "RangeError", "undefined"].includes(outcome));`;
    assert.equal((await text(source)).trim().split("\n").at(-1)?.endsWith("[]"), true);
  });

  it("any program text ends in an answer", async () => {
    const fragment = fc.constantFrom(
      "quorate",
      ".",
      "write",
      "(",
      ")",
      "[",
      "]",
      "{",
      "}",
      "await ",
      "import",
      "export default ",
      "'a'",
      "0",
      "=>",
      ";",
      "print",
      "Proxy",
      "new ",
      "throw ",
      "function*",
      "yield ",
      "...",
      "`",
      "${",
      "\\u0000",
      "async ",
      "class ",
      "=",
      "exit",
      ",",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fragment, { maxLength: 25 }), async (fragments) => {
        const result = await run(fragments.join(""), { limits: { fuel: 5_000_000 } });
        assert.notEqual(result.kind, "report", JSON.stringify(result));
      }),
      { numRuns: 60 },
    );
  });
});
