import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { type PackageOptions, wasiPackage } from "../../testing/build.ts";
import { FuelExhausted, OutputExceeded, ProgramExit } from "../stops.ts";
import { Errno, FileType, Right, signatures } from "./abi.ts";
import { WasiHost } from "./host.ts";

const MEMORY_BYTES = 65_536;
/** Where tests put paths, structures, buffers. */
const PATH = 1_024;
const OUT = 4_096;
const BUFFER = 8_192;

let memory: ArrayBuffer;
let view: DataView;
let host: WasiHost;
let call: Record<string, (...args: (number | bigint)[]) => number>;
let fuel: number;

function start(options: PackageOptions): void {
  memory = new ArrayBuffer(MEMORY_BYTES);
  view = new DataView(memory);
  host = new WasiHost(wasiPackage(new Uint8Array(0), options), new Uint8Array(32).fill(7));
  fuel = 10_000_000;
  host.connect({
    memory: () => memory,
    charge: (amount) => {
      fuel -= amount;
      if (fuel < 0) throw new FuelExhausted();
    },
  });
  call = host.imports() as unknown as typeof call;
}

function put(text: string | Uint8Array, at = PATH): number {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  new Uint8Array(memory).set(bytes, at);
  return bytes.length;
}

function invoke(name: string, ...args: (number | bigint)[]): number {
  const serve = call[name];
  assert.ok(serve !== undefined, name);
  return serve(...args);
}

function open(path: string, { fd = 3, flags = 0, rights = Right.FdRead as bigint } = {}): number {
  return invoke("path_open", fd, 0, PATH, put(path), flags, rights, 0n, 0, OUT);
}

function opened(path: string, options: Parameters<typeof open>[1] = {}): number {
  assert.equal(open(path, options), Errno.Success);
  return view.getUint32(OUT, true);
}

function vector(at: number, length: number, index = 0): void {
  view.setUint32(512 + index * 8, at, true);
  view.setUint32(516 + index * 8, length, true);
}

function read(fd: number, length: number): Uint8Array {
  vector(BUFFER, length);
  assert.equal(invoke("fd_read", fd, 512, 1, OUT), Errno.Success);
  return new Uint8Array(memory.slice(BUFFER, BUFFER + view.getUint32(OUT, true)));
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

beforeEach(() =>
  start({
    args: ["one", "zwei drei"],
    env: { B: "2", A: "1" },
    files: { "a.txt": "abcdef", "dir/b.txt": "inner", "dir/deep/c.txt": "", "in.txt": "standard input" },
    stdin: "in.txt",
  }),
);

describe("what a program is told", () => {
  it("arguments are the program's name and the manifest's", () => {
    assert.equal(invoke("args_sizes_get", OUT, OUT + 4), Errno.Success);
    assert.deepEqual([view.getUint32(OUT, true), view.getUint32(OUT + 4, true)], [3, 24]);
    assert.equal(invoke("args_get", OUT, BUFFER), Errno.Success);
    assert.equal(text(new Uint8Array(memory, BUFFER, 24)), "main.wasm\0one\0zwei drei\0");
    assert.equal(view.getUint32(OUT + 8, true), BUFFER + 14);
  });

  it("the environment is the manifest's, sorted", () => {
    assert.equal(invoke("environ_sizes_get", OUT, OUT + 4), Errno.Success);
    assert.equal(invoke("environ_get", OUT, BUFFER), Errno.Success);
    assert.equal(text(new Uint8Array(memory, BUFFER, 8)), "A=1\0B=2\0");
  });

  it("the clock begins in 2000 and moves with each look, whatever the host's clock says", () => {
    const times = [0, 0, 1, 1].map((clock) => {
      assert.equal(invoke("clock_time_get", clock, 0n, OUT), Errno.Success);
      return view.getBigUint64(OUT, true);
    });
    assert.deepEqual(times, [946684800000001000n, 946684800000002000n, 3000n, 4000n]);
    assert.equal(invoke("clock_time_get", 4, 0n, OUT), Errno.Invalid);
    assert.equal(invoke("clock_res_get", 0, OUT), Errno.Success);
  });

  it("random bytes depend on the seed alone, not on how they are asked for", () => {
    assert.equal(invoke("random_get", BUFFER, 5_000), Errno.Success);
    const whole = memory.slice(BUFFER, BUFFER + 5_000);
    start({});
    for (let offset = 0; offset < 5_000; offset += 50) {
      assert.equal(invoke("random_get", BUFFER + offset, 50), Errno.Success);
    }
    assert.deepEqual(memory.slice(BUFFER, BUFFER + 5_000), whole);
    assert.ok(new Set(new Uint8Array(whole)).size > 250);
  });
});

describe("files", () => {
  it("/data is the one preopened folder", () => {
    assert.equal(invoke("fd_prestat_get", 3, OUT), Errno.Success);
    assert.deepEqual([view.getUint32(OUT, true), view.getUint32(OUT + 4, true)], [0, 5]);
    assert.equal(invoke("fd_prestat_dir_name", 3, BUFFER, 5), Errno.Success);
    assert.equal(text(new Uint8Array(memory, BUFFER, 5)), "/data");
    assert.equal(invoke("fd_prestat_dir_name", 3, BUFFER, 4), Errno.NameTooLong);
    assert.equal(invoke("fd_prestat_get", 4, OUT), Errno.BadFileDescriptor);
  });

  it("a file is read in pieces to its end", () => {
    const fd = opened("a.txt");
    assert.deepEqual([text(read(fd, 4)), text(read(fd, 4)), text(read(fd, 4))], ["abcd", "ef", ""]);
  });

  it("several buffers are filled in their order", () => {
    const fd = opened("a.txt");
    vector(BUFFER, 2);
    vector(BUFFER + 100, 3, 1);
    assert.equal(invoke("fd_read", fd, 512, 2, OUT), Errno.Success);
    assert.equal(view.getUint32(OUT, true), 5);
    assert.equal(text(new Uint8Array(memory, BUFFER + 100, 3)), "cde");
  });

  it("seeking goes anywhere at or after the beginning; reading beyond the end gives nothing", () => {
    const fd = opened("a.txt");
    const seek = (offset: bigint, whence: number): number => invoke("fd_seek", fd, offset, whence, OUT);
    assert.equal(seek(-2n, 2), Errno.Success);
    assert.equal(text(read(fd, 9)), "ef");
    assert.equal(seek(-1n, 0), Errno.Invalid);
    assert.equal(seek(0n, 3), Errno.Invalid);
    assert.equal(seek(2n ** 63n - 1n, 0), Errno.Success);
    assert.equal(text(read(fd, 9)), "");
    assert.equal(seek(1n, 1), Errno.Overflow);
    assert.equal(invoke("fd_tell", fd, OUT), Errno.Success);
    assert.equal(view.getBigUint64(OUT, true), 2n ** 63n - 1n);
  });

  it("fd_pread reads at an offset of 64 bits, taken as unsigned, and leaves the position", () => {
    const fd = opened("a.txt");
    vector(BUFFER, 2);
    assert.equal(invoke("fd_pread", fd, 512, 1, 3n, OUT), Errno.Success);
    assert.equal(text(new Uint8Array(memory, BUFFER, 2)), "de");
    assert.equal(invoke("fd_pread", fd, 512, 1, -1n, OUT), Errno.Success);
    assert.equal(view.getUint32(OUT, true), 0);
    assert.equal(text(read(fd, 1)), "a");
  });

  it("a file's status tells its type and size", () => {
    assert.equal(invoke("path_filestat_get", 3, 0, PATH, put("dir/b.txt"), OUT), Errno.Success);
    assert.equal(view.getUint8(OUT + 16), FileType.RegularFile);
    assert.equal(view.getBigUint64(OUT + 32, true), 5n);
    assert.equal(invoke("path_filestat_get", 3, 0, PATH, put("dir"), OUT), Errno.Success);
    assert.equal(view.getUint8(OUT + 16), FileType.Directory);
    assert.equal(invoke("fd_filestat_get", 0, OUT), Errno.Success);
    assert.equal(view.getBigUint64(OUT + 32, true), 14n);
  });

  it("a folder lists its entries by name, in pieces by cookie, and without the program", () => {
    const names: string[] = [];
    let cookie = 0n;
    for (;;) {
      assert.equal(invoke("fd_readdir", 3, BUFFER, 40, cookie, OUT), Errno.Success);
      const used = view.getUint32(OUT, true);
      if (used < 24) break;
      const length = view.getUint32(BUFFER + 16, true);
      assert.ok(used >= 24 + length, "the buffer holds one record");
      names.push(text(new Uint8Array(memory, BUFFER + 24, length)));
      cookie = view.getBigUint64(BUFFER, true);
    }
    assert.deepEqual(names, [".", "..", "a.txt", "dir", "in.txt"]);
    assert.equal(invoke("fd_readdir", 3, BUFFER, 40, -1n, OUT), Errno.Success);
    assert.equal(view.getUint32(OUT, true), 0);
  });

  it("a folder below can be opened and used, and is no way up", () => {
    const fd = opened("dir/./deep/..", { flags: 2 });
    assert.equal(text(read(opened("b.txt", { fd }), 9)), "inner");
    assert.equal(open("../a.txt", { fd }), Errno.NotCapable);
  });

  for (const [path, errno] of [
    ["..", Errno.NotCapable],
    ["../..", Errno.NotCapable],
    ["dir/../../data/a.txt", Errno.NotCapable],
    ["/data/a.txt", Errno.NotCapable],
    ["/etc/passwd", Errno.NotCapable],
    ["../../../../../../etc/passwd", Errno.NotCapable],
    ["./../proc/self/environ", Errno.NotCapable],
    ["main.wasm", Errno.NoEntry],
    ["", Errno.NoEntry],
    ["a.txt/", Errno.NotDirectory],
    ["a.txt/..", Errno.NotDirectory],
    ["a.txt/../a.txt", Errno.NotDirectory],
    ["none/../a.txt", Errno.NoEntry],
    ["a.txt\0", Errno.Invalid],
    ["__proto__", Errno.NoEntry],
    ["constructor", Errno.NoEntry],
    ["x".repeat(5_000), Errno.NameTooLong],
  ] as const) {
    it(`the path ${JSON.stringify(path.slice(0, 40))} is refused with ${errno}`, () => {
      assert.equal(open(path), errno);
      assert.equal(invoke("path_filestat_get", 3, 1, PATH, put(path), OUT), errno);
    });
  }

  it("a path that is no UTF-8 is refused", () => {
    const length = put(Uint8Array.of(0x61, 0xff));
    assert.equal(invoke("path_open", 3, 0, PATH, length, 0, 0n, 0n, 0, OUT), Errno.IllegalBytes);
  });

  it("no call makes, changes or removes anything", () => {
    const length = put("a.txt");
    assert.equal(open("a.txt", { rights: Right.FdWrite }), Errno.ReadOnlyFileSystem);
    assert.equal(open("a.txt", { flags: 8 }), Errno.ReadOnlyFileSystem);
    assert.equal(open("new.txt", { flags: 1 }), Errno.ReadOnlyFileSystem);
    assert.equal(open("a.txt", { flags: 5 }), Errno.Exists);
    assert.equal(open("none/new.txt", { flags: 1 }), Errno.NoEntry);
    const changes: Record<string, (number | bigint)[]> = {
      path_create_directory: [3, PATH, length],
      path_filestat_set_times: [3, 0, PATH, length, 0n, 0n, 0],
      path_link: [3, 0, PATH, length, 3, PATH, length],
      path_remove_directory: [3, PATH, length],
      path_rename: [3, PATH, length, 3, PATH, length],
      path_symlink: [PATH, length, 3, PATH, length],
      path_unlink_file: [3, PATH, length],
    };
    for (const [name, args] of Object.entries(changes)) {
      assert.equal(invoke(name, ...args), Errno.ReadOnlyFileSystem, name);
    }
    const fd = opened("a.txt");
    vector(BUFFER, 1);
    assert.equal(invoke("fd_write", fd, 512, 1, OUT), Errno.NotCapable);
    assert.equal(invoke("fd_pwrite", fd, 512, 1, 0n, OUT), Errno.NotCapable);
    assert.equal(invoke("fd_allocate", fd, 0n, 1n), Errno.NotCapable);
    assert.equal(invoke("fd_filestat_set_size", fd, 0n), Errno.NotCapable);
    assert.equal(invoke("path_readlink", 3, PATH, put("a.txt"), BUFFER, 9, OUT), Errno.Invalid);
  });
});

describe("descriptors", () => {
  it("closed numbers are free again, lowest first, and name nothing until then", () => {
    const [first, second] = [opened("a.txt"), opened("dir/b.txt")];
    assert.deepEqual([first, second], [4, 5]);
    assert.equal(invoke("fd_close", first), Errno.Success);
    assert.equal(invoke("fd_close", first), Errno.BadFileDescriptor);
    assert.equal(invoke("fd_tell", first, OUT), Errno.BadFileDescriptor);
    assert.equal(opened("in.txt"), first);
    assert.equal(text(read(first, 8)), "standard");
    assert.equal(text(read(second, 8)), "inner");
  });

  it("a descriptor takes another's place by renumbering", () => {
    const [first, second] = [opened("a.txt"), opened("dir/b.txt")];
    assert.equal(invoke("fd_renumber", first, second), Errno.Success);
    assert.equal(text(read(second, 8)), "abcdef");
    assert.equal(invoke("fd_close", first), Errno.BadFileDescriptor);
    assert.equal(invoke("fd_renumber", second, 99), Errno.BadFileDescriptor);
  });

  it("standard output in another's place still counts as output", () => {
    assert.equal(invoke("fd_renumber", 1, 0), Errno.Success);
    put("x", BUFFER);
    vector(BUFFER, 1);
    assert.equal(invoke("fd_write", 0, 512, 1, OUT), Errno.Success);
    assert.equal(text(host.output.bytes()), "x");
  });

  it("they run out at 1,024", () => {
    let count = 3;
    while (open("a.txt") === Errno.Success) count += 1;
    assert.equal(count, 1_023);
    assert.equal(open("a.txt"), Errno.TooManyFiles);
  });

  for (const fd of [4, 99, -1, 0x7fff_ffff, -0x8000_0000]) {
    it(`${fd} names nothing`, () => {
      vector(BUFFER, 1);
      assert.equal(invoke("fd_read", fd, 512, 1, OUT), Errno.BadFileDescriptor);
      assert.equal(invoke("fd_write", fd, 512, 1, OUT), Errno.BadFileDescriptor);
      assert.equal(invoke("fd_close", fd), Errno.BadFileDescriptor);
      assert.equal(invoke("fd_fdstat_get", fd, OUT), Errno.BadFileDescriptor);
      assert.equal(open("a.txt", { fd }), Errno.BadFileDescriptor);
    });
  }

  it("standard input reads the file that the manifest names, standard error is no result", () => {
    assert.equal(text(read(0, 64)), "standard input");
    put("oops", BUFFER);
    vector(BUFFER, 4);
    assert.equal(invoke("fd_write", 2, 512, 1, OUT), Errno.Success);
    assert.equal(host.output.length, 0);
    assert.equal(host.diagnostics.text(), "oops");
    assert.equal(invoke("fd_seek", 1, 0n, 0, OUT), Errno.IllegalSeek);
    assert.equal(invoke("fd_read", 3, 512, 1, OUT), Errno.IsDirectory);
  });
});

describe("hostile calls", () => {
  it("pointers and lengths outside the memory are a fault and change nothing", () => {
    const fd = opened("a.txt");
    vector(MEMORY_BYTES - 2, 4);
    assert.equal(invoke("fd_read", fd, 512, 1, OUT), Errno.Fault);
    vector(BUFFER, -1);
    assert.equal(invoke("fd_read", fd, 512, 1, OUT), Errno.Fault);
    vector(BUFFER, 2);
    assert.equal(invoke("fd_read", fd, 512, 1, -4), Errno.Fault);
    assert.equal(invoke("fd_read", fd, -8, 1, OUT), Errno.Fault);
    assert.equal(invoke("fd_read", fd, 512, 1_024, MEMORY_BYTES - 3), Errno.Fault);
    assert.equal(text(read(fd, 9)), "abcdef", "the position has not moved");
    assert.equal(invoke("random_get", 0, -1), Errno.Fault);
    assert.equal(invoke("args_get", -1, 0), Errno.Fault);
    assert.equal(invoke("path_open", 3, 0, -1, -1, 0, 0n, 0n, 0, OUT), Errno.Fault);
  });

  it("more than 1,024 buffers or 4 GiB at once are refused", () => {
    vector(BUFFER, 1);
    assert.equal(invoke("fd_write", 1, 512, 1_025, OUT), Errno.Invalid);
    assert.equal(invoke("fd_write", 1, 512, -1, OUT), Errno.Invalid);
    assert.equal(host.output.length, 0);
  });

  it("output beyond the limit ends the run", () => {
    start({ limits: { outputBytes: 3 } });
    vector(BUFFER, 4);
    assert.throws(() => invoke("fd_write", 1, 512, 1, OUT), OutputExceeded);
  });

  it("proc_exit ends the run with the code as unsigned", () => {
    assert.throws(
      () => invoke("proc_exit", -1),
      (error) => error instanceof ProgramExit && error.exitCode === 2 ** 32 - 1,
    );
  });

  it("every call costs fuel, so that calls alone cannot run for ever", () => {
    fuel = 1_000;
    assert.throws(() => {
      for (;;) invoke("sched_yield");
    }, FuelExhausted);
  });

  it("sockets and signals are not there", () => {
    assert.equal(invoke("sock_accept", 0, 0, OUT), Errno.NotSupported);
    assert.equal(invoke("sock_send", 1, 0, 0, 0, OUT), Errno.NotSupported);
    assert.equal(invoke("proc_raise", 9), Errno.NotSupported);
  });

  it("any arguments to any call give an error number and never more output than the limit", () => {
    const value32 = fc.oneof(fc.integer(), fc.integer({ min: 0, max: 70_000 }), fc.nat(8));
    const value64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    const anyCall = fc.constantFrom(...Object.keys(signatures)).chain((name) =>
      fc.record({
        name: fc.constant(name),
        args: fc.tuple(...[...(signatures[name] as string)].map((letter) => (letter === "i" ? value32 : value64))),
      }),
    );
    fc.assert(
      fc.property(fc.array(anyCall, { maxLength: 60 }), (calls) => {
        start({ files: { "a.txt": "abc" }, limits: { outputBytes: 100_000 } });
        try {
          for (const { name, args } of calls) {
            const errno = invoke(name, ...(args as (number | bigint)[]));
            assert.ok(Number.isInteger(errno) && errno >= 0 && errno <= 76, `${name}: ${errno}`);
          }
        } catch (error) {
          const known = [ProgramExit, OutputExceeded, FuelExhausted].some((stop) => error instanceof stop);
          if (!known) throw error;
        }
        assert.ok(host.output.length <= 100_000);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("poll_oneoff", () => {
  function subscribe(
    index: number,
    type: number,
    fields: { clock?: number; timeout?: bigint; flags?: number; fd?: number },
  ): void {
    const at = BUFFER + index * 48;
    view.setBigUint64(at, BigInt(100 + index), true);
    view.setUint8(at + 8, type);
    view.setUint32(at + 16, type === 0 ? (fields.clock ?? 1) : (fields.fd ?? 0), true);
    if (type === 0) {
      view.setBigUint64(at + 24, fields.timeout ?? 0n, true);
      view.setUint16(at + 40, fields.flags ?? 0, true);
    }
  }

  it("a sleep takes no time of the host and all of it on the program's clock", () => {
    subscribe(0, 0, { timeout: 3_600_000_000_000n });
    assert.equal(invoke("poll_oneoff", BUFFER, OUT, 1, PATH), Errno.Success);
    assert.equal(view.getUint32(PATH, true), 1);
    assert.equal(view.getBigUint64(OUT, true), 100n);
    assert.equal(invoke("clock_time_get", 1, 0n, OUT), Errno.Success);
    assert.equal(view.getBigUint64(OUT, true), 3_600_000_001_000n);
  });

  it("the earliest of several timers fires, absolute ones included", () => {
    subscribe(0, 0, { timeout: 5_000n });
    subscribe(1, 0, { timeout: 2_000n, flags: 1 });
    assert.equal(invoke("poll_oneoff", BUFFER, OUT, 2, PATH), Errno.Success);
    assert.deepEqual([view.getUint32(PATH, true), view.getBigUint64(OUT, true)], [1, 101n]);
  });

  it("streams are ready at once; a wrong descriptor is told in its event", () => {
    subscribe(0, 0, { timeout: 5_000n });
    subscribe(1, 1, { fd: 0 });
    subscribe(2, 2, { fd: 1 });
    subscribe(3, 1, { fd: 77 });
    assert.equal(invoke("poll_oneoff", BUFFER, OUT, 4, PATH), Errno.Success);
    assert.equal(view.getUint32(PATH, true), 3);
    assert.deepEqual(
      [0, 1, 2].map((index) => [view.getBigUint64(OUT + index * 32, true), view.getUint16(OUT + index * 32 + 8, true)]),
      [
        [101n, 0],
        [102n, 0],
        [103n, Errno.BadFileDescriptor],
      ],
    );
    assert.equal(view.getBigUint64(OUT + 16, true), 14n);
  });

  it("nothing to wait for is refused", () => {
    assert.equal(invoke("poll_oneoff", BUFFER, OUT, 0, PATH), Errno.Invalid);
  });
});
