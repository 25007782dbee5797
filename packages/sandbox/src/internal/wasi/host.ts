import { DIAGNOSTICS_BYTES, type EngineInput } from "../engine.ts";
import { OutputBuffer, TailBuffer } from "../output.ts";
import { DeterministicRandom } from "../random.ts";
import { ProgramExit } from "../stops.ts";
import { Errno, FileType, OpenFlag, Right, signatures } from "./abi.ts";
import { buildTree, lookUp, type Node } from "./files.ts";

/** What the host needs of the running instance. */
export type HostPort = {
  /** The program's memory; another object after each growth. */
  memory(): ArrayBuffer;
  /** Charges work of the host. Throws `FuelExhausted` when nothing is left. */
  charge(fuel: number): void;
};

/** A function of the host as the program imports it. */
type HostFunction = (...args: never[]) => number;

/** First moment of the program's clock: 2000-01-01T00:00:00Z, in nanoseconds. */
const CLOCK_START_NS = 946_684_800_000_000_000n;
/** Each look at the clock moves it, so that programs which wait for time to pass go on. */
const CLOCK_STEP_NS = 1_000n;
const CLOCKS = 4;

const DATA_DIRECTORY = new TextEncoder().encode("/data");
const FIRST_FREE_DESCRIPTOR = 3;
const MAX_DESCRIPTORS = 1_024;
const MAX_IO_VECTORS = 1_024;
const MAX_SUBSCRIPTIONS = 1_024;

const FILE_RIGHTS = Right.FdRead | Right.FdSeek | Right.FdTell | Right.FdAdvise | Right.FdFilestatGet;
const OUTPUT_RIGHTS = Right.FdWrite | Right.FdFilestatGet | Right.PollFdReadwrite;
const DIRECTORY_RIGHTS =
  Right.PathOpen | Right.FdReaddir | Right.PathFilestatGet | Right.PathReadlink | Right.FdFilestatGet;

/** Fuel of one call, and of each 8 bytes that it moves, like the engine's bulk instructions. */
const FUEL_PER_CALL = 100;

/** Ends a call with an error number; never leaves the host. */
class CallFailed extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super();
    this.errno = errno;
  }
}

type FileDescriptor = {
  readonly kind: "file";
  readonly node: Extract<Node, { kind: "file" }>;
  /** Byte position; any non-negative 64-bit integer. */
  position: bigint;
};
type Descriptor =
  | FileDescriptor
  | { readonly kind: "directory"; readonly node: Extract<Node, { kind: "directory" }>; readonly preopen: boolean }
  | { readonly kind: "output"; readonly write: (bytes: Uint8Array) => void };

/** Pointers and sizes arrive as signed 32-bit integers. */
function unsigned(value: number): number {
  return value >>> 0;
}

/**
 * Serves WASI preview 1 to one program from memory alone: standard input and the files of the package can be read,
 * standard output is collected up to its limit, standard error kept for diagnosis. Clock and random bytes depend on
 * nothing but the package and the calls made so far. There is no way from here to the host's files, clock, network.
 */
export class WasiHost {
  readonly output: OutputBuffer;
  readonly diagnostics: TailBuffer = new TailBuffer(DIAGNOSTICS_BYTES);
  readonly #args: readonly Uint8Array[];
  readonly #environment: readonly Uint8Array[];
  readonly #random: DeterministicRandom;
  readonly #descriptors = new Map<number, Descriptor>();
  #now = CLOCK_START_NS;
  #port: HostPort | undefined;

  /**
   * @param input Manifest and files.
   * @param seed Of the random bytes.
   */
  constructor({ manifest, files }: EngineInput, seed: Uint8Array) {
    const encoder = new TextEncoder();
    const terminated = (text: string): Uint8Array => encoder.encode(`${text}\0`);
    this.#args = [manifest.program, ...manifest.args].map(terminated);
    this.#environment = Object.entries(manifest.env)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => terminated(`${name}=${value}`));
    this.#random = new DeterministicRandom(seed);
    this.output = new OutputBuffer(manifest.limits.outputBytes);
    const data = new Map(files);
    data.delete(manifest.program);
    const root = buildTree(data);
    const input = manifest.stdin === undefined ? new Uint8Array(0) : (files.get(manifest.stdin) as Uint8Array);
    this.#descriptors.set(0, { kind: "file", node: { kind: "file", inode: 0n, bytes: input }, position: 0n });
    this.#descriptors.set(1, { kind: "output", write: (bytes) => this.output.write(bytes) });
    this.#descriptors.set(2, { kind: "output", write: (bytes) => this.diagnostics.write(bytes) });
    if (root.kind === "directory") this.#descriptors.set(3, { kind: "directory", node: root, preopen: true });
  }

  /** Connects the instance; before that no call can be served. */
  connect(port: HostPort): void {
    this.#port = port;
  }

  /** All functions of preview 1; those that a read-only host cannot serve say so. */
  imports(): Record<string, (...args: never[]) => number | undefined> {
    const served: Record<string, HostFunction> = {
      args_get: (pointers: number, buffer: number) => this.#writeStrings(this.#args, pointers, buffer),
      args_sizes_get: (count: number, size: number) => this.#writeSizes(this.#args, count, size),
      environ_get: (pointers: number, buffer: number) => this.#writeStrings(this.#environment, pointers, buffer),
      environ_sizes_get: (count: number, size: number) => this.#writeSizes(this.#environment, count, size),
      clock_res_get: (clock: number, result: number) => this.#clockResolution(clock, result),
      clock_time_get: (clock: number, _precision: bigint, result: number) => this.#clockTime(clock, result),
      fd_advise: (fd: number) => this.#require(fd, Errno.Success, "file"),
      fd_allocate: (fd: number) => this.#require(fd, Errno.NotCapable),
      fd_close: (fd: number) => this.#close(fd),
      fd_datasync: (fd: number) => this.#require(fd, Errno.Success),
      fd_fdstat_get: (fd: number, result: number) => this.#descriptorStatus(fd, result),
      fd_fdstat_set_flags: (fd: number, flags: number) => this.#require(fd, flags === 0 ? 0 : Errno.NotSupported),
      fd_fdstat_set_rights: (fd: number) => this.#require(fd, Errno.NotCapable),
      fd_filestat_get: (fd: number, result: number) => this.#fileStatus(this.#descriptor(fd), result),
      fd_filestat_set_size: (fd: number) => this.#require(fd, Errno.NotCapable),
      fd_filestat_set_times: (fd: number) => this.#require(fd, Errno.NotCapable),
      fd_pread: (fd: number, vectors: number, count: number, offset: bigint, result: number) =>
        this.#readAt(fd, vectors, count, BigInt.asUintN(64, offset), result),
      fd_prestat_get: (fd: number, result: number) => this.#preopen(fd, result),
      fd_prestat_dir_name: (fd: number, buffer: number, length: number) => this.#preopenName(fd, buffer, length),
      fd_pwrite: (fd: number) => {
        const descriptor = this.#descriptor(fd);
        return descriptor.kind === "output" ? Errno.IllegalSeek : Errno.NotCapable;
      },
      fd_read: (fd: number, vectors: number, count: number, result: number) => this.#read(fd, vectors, count, result),
      fd_readdir: (fd: number, buffer: number, length: number, cookie: bigint, result: number) =>
        this.#readDirectory(fd, buffer, length, BigInt.asUintN(64, cookie), result),
      fd_renumber: (from: number, to: number) => this.#renumber(from, to),
      fd_seek: (fd: number, offset: bigint, whence: number, result: number) => this.#seek(fd, offset, whence, result),
      fd_sync: (fd: number) => this.#require(fd, Errno.Success),
      fd_tell: (fd: number, result: number) => this.#seek(fd, 0n, 1, result),
      fd_write: (fd: number, vectors: number, count: number, result: number) => this.#write(fd, vectors, count, result),
      path_create_directory: (fd: number) => this.#refuseChange(fd),
      path_filestat_get: (fd: number, _flags: number, path: number, length: number, result: number) =>
        this.#fileStatusAt(fd, path, length, result),
      path_filestat_set_times: (fd: number) => this.#refuseChange(fd),
      path_link: (fd: number) => this.#refuseChange(fd),
      path_open: (
        fd: number,
        _lookup: number,
        path: number,
        length: number,
        flags: number,
        rights: bigint,
        _inheriting: bigint,
        _descriptorFlags: number,
        result: number,
      ) => this.#open(fd, path, length, flags, rights, result),
      path_readlink: (fd: number, path: number, length: number) => this.#readLink(fd, path, length),
      path_remove_directory: (fd: number) => this.#refuseChange(fd),
      path_rename: (fd: number) => this.#refuseChange(fd),
      path_symlink: (_target: number, _length: number, fd: number) => this.#refuseChange(fd),
      path_unlink_file: (fd: number) => this.#refuseChange(fd),
      poll_oneoff: (subscriptions: number, events: number, count: number, result: number) =>
        this.#poll(subscriptions, events, count, result),
      random_get: (buffer: number, length: number) => this.#fillRandom(buffer, length),
      sched_yield: () => Errno.Success,
    };
    const imports: Record<string, (...args: never[]) => number | undefined> = {};
    for (const name of Object.keys(signatures)) {
      const serve = served[name] ?? (() => Errno.NotSupported);
      imports[name] = (...args: never[]) => {
        this.#charge(0);
        try {
          return serve(...args);
        } catch (error) {
          if (error instanceof CallFailed) return error.errno;
          throw error;
        }
      };
    }
    imports.proc_exit = (exitCode: number) => {
      throw new ProgramExit(unsigned(exitCode));
    };
    return imports;
  }

  #charge(bytes: number): void {
    this.#port?.charge(FUEL_PER_CALL + (bytes >>> 3));
  }

  /** The bytes of the program that a pointer and a length name. */
  #bytes(pointer: number, length: number): Uint8Array {
    const memory = this.#port?.memory();
    const start = unsigned(pointer);
    const count = unsigned(length);
    if (memory === undefined || start + count > memory.byteLength) throw new CallFailed(Errno.Fault);
    return new Uint8Array(memory, start, count);
  }

  #view(pointer: number, length: number): DataView {
    const bytes = this.#bytes(pointer, length);
    return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #descriptor(fd: number): Descriptor {
    const descriptor = this.#descriptors.get(unsigned(fd));
    if (descriptor === undefined) throw new CallFailed(Errno.BadFileDescriptor);
    return descriptor;
  }

  #file(fd: number): FileDescriptor {
    const descriptor = this.#descriptor(fd);
    if (descriptor.kind === "directory") throw new CallFailed(Errno.IsDirectory);
    if (descriptor.kind === "output") throw new CallFailed(Errno.NotCapable);
    return descriptor;
  }

  #directory(fd: number): Extract<Descriptor, { kind: "directory" }> {
    const descriptor = this.#descriptor(fd);
    if (descriptor.kind !== "directory") throw new CallFailed(Errno.NotDirectory);
    return descriptor;
  }

  #require(fd: number, errno: number, kind?: Descriptor["kind"]): number {
    const descriptor = this.#descriptor(fd);
    return kind === undefined || descriptor.kind === kind ? errno : Errno.NotCapable;
  }

  #refuseChange(fd: number): number {
    this.#directory(fd);
    return Errno.ReadOnlyFileSystem;
  }

  #writeSizes(strings: readonly Uint8Array[], count: number, size: number): number {
    this.#view(count, 4).setUint32(0, strings.length, true);
    const total = strings.reduce((sum, bytes) => sum + bytes.length, 0);
    this.#view(size, 4).setUint32(0, total, true);
    return Errno.Success;
  }

  #writeStrings(strings: readonly Uint8Array[], pointers: number, buffer: number): number {
    const total = strings.reduce((sum, bytes) => sum + bytes.length, 0);
    this.#charge(total);
    const target = this.#bytes(buffer, total);
    const view = this.#view(pointers, strings.length * 4);
    let offset = 0;
    for (const [index, bytes] of strings.entries()) {
      target.set(bytes, offset);
      view.setUint32(index * 4, unsigned(buffer) + offset, true);
      offset += bytes.length;
    }
    return Errno.Success;
  }

  #clockResolution(clock: number, result: number): number {
    if (unsigned(clock) >= CLOCKS) return Errno.Invalid;
    this.#view(result, 8).setBigUint64(0, CLOCK_STEP_NS, true);
    return Errno.Success;
  }

  #clockTime(clock: number, result: number): number {
    if (unsigned(clock) >= CLOCKS) return Errno.Invalid;
    this.#now += CLOCK_STEP_NS;
    const time = unsigned(clock) === 0 ? this.#now : this.#now - CLOCK_START_NS;
    this.#view(result, 8).setBigUint64(0, time, true);
    return Errno.Success;
  }

  #close(fd: number): number {
    this.#descriptor(fd);
    this.#descriptors.delete(unsigned(fd));
    return Errno.Success;
  }

  #renumber(from: number, to: number): number {
    const descriptor = this.#descriptor(from);
    this.#descriptor(to);
    if (unsigned(from) === unsigned(to)) return Errno.Success;
    this.#descriptors.set(unsigned(to), descriptor);
    this.#descriptors.delete(unsigned(from));
    return Errno.Success;
  }

  #descriptorStatus(fd: number, result: number): number {
    const descriptor = this.#descriptor(fd);
    const view = this.#view(result, 24);
    const [type, rights, inheriting] =
      descriptor.kind === "directory"
        ? [FileType.Directory, DIRECTORY_RIGHTS, DIRECTORY_RIGHTS | FILE_RIGHTS]
        : descriptor.kind === "file"
          ? [FileType.RegularFile, FILE_RIGHTS, 0n]
          : [FileType.Unknown, OUTPUT_RIGHTS, 0n];
    view.setBigUint64(0, 0n, true);
    view.setUint8(0, type);
    view.setBigUint64(8, rights, true);
    view.setBigUint64(16, inheriting, true);
    return Errno.Success;
  }

  #fileStatus(target: Descriptor | Node, result: number): number {
    const view = this.#view(result, 64);
    new Uint8Array(view.buffer, view.byteOffset, 64).fill(0);
    const node = "node" in target ? target.node : target;
    if (node.kind === "output") {
      view.setUint8(16, FileType.Unknown);
      view.setBigUint64(24, 1n, true);
      return Errno.Success;
    }
    view.setBigUint64(8, node.inode, true);
    view.setUint8(16, node.kind === "directory" ? FileType.Directory : FileType.RegularFile);
    view.setBigUint64(24, 1n, true);
    view.setBigUint64(32, node.kind === "file" ? BigInt(node.bytes.length) : 0n, true);
    for (const offset of [40, 48, 56]) view.setBigUint64(offset, CLOCK_START_NS, true);
    return Errno.Success;
  }

  /** The buffers of a scatter or gather list; all are checked before the first is used. */
  #vectors(pointer: number, count: number): Uint8Array[] {
    const length = unsigned(count);
    if (length > MAX_IO_VECTORS) throw new CallFailed(Errno.Invalid);
    const view = this.#view(pointer, length * 8);
    const vectors: Uint8Array[] = [];
    for (let index = 0; index < length; index += 1) {
      vectors.push(this.#bytes(view.getUint32(index * 8, true), view.getUint32(index * 8 + 4, true)));
    }
    return vectors;
  }

  /** Copies from the file into the buffers; returns the count. */
  #fill(vectors: readonly Uint8Array[], source: Uint8Array, position: bigint): number {
    if (position >= BigInt(source.length)) return 0;
    const start = Number(position);
    let offset = start;
    for (const vector of vectors) {
      const part = source.subarray(offset, offset + vector.length);
      vector.set(part);
      offset += part.length;
    }
    this.#charge(offset - start);
    return offset - start;
  }

  #read(fd: number, pointer: number, count: number, result: number): number {
    const file = this.#file(fd);
    const vectors = this.#vectors(pointer, count);
    const view = this.#view(result, 4);
    const length = this.#fill(vectors, file.node.bytes, file.position);
    file.position += BigInt(length);
    view.setUint32(0, length, true);
    return Errno.Success;
  }

  #readAt(fd: number, pointer: number, count: number, offset: bigint, result: number): number {
    const file = this.#file(fd);
    const vectors = this.#vectors(pointer, count);
    const view = this.#view(result, 4);
    view.setUint32(0, this.#fill(vectors, file.node.bytes, offset), true);
    return Errno.Success;
  }

  #write(fd: number, pointer: number, count: number, result: number): number {
    const descriptor = this.#descriptor(fd);
    if (descriptor.kind !== "output") return Errno.NotCapable;
    const vectors = this.#vectors(pointer, count);
    const view = this.#view(result, 4);
    const length = vectors.reduce((sum, vector) => sum + vector.length, 0);
    // The count returned has 32 bits; overlapping buffers could add up to more.
    if (length > 0xffff_ffff) return Errno.Invalid;
    for (const vector of vectors) {
      this.#charge(vector.length);
      descriptor.write(vector);
    }
    view.setUint32(0, length, true);
    return Errno.Success;
  }

  #seek(fd: number, offset: bigint, whence: number, result: number): number {
    const descriptor = this.#descriptor(fd);
    if (descriptor.kind === "output") return Errno.IllegalSeek;
    if (descriptor.kind === "directory") return Errno.IsDirectory;
    const view = this.#view(result, 8);
    const bases = [0n, descriptor.position, BigInt(descriptor.node.bytes.length)];
    const base = bases[unsigned(whence)];
    if (base === undefined) return Errno.Invalid;
    const position = base + offset;
    if (position < 0n) return Errno.Invalid;
    if (position >= 2n ** 63n) return Errno.Overflow;
    descriptor.position = position;
    view.setBigUint64(0, position, true);
    return Errno.Success;
  }

  #preopen(fd: number, result: number): number {
    const descriptor = this.#descriptor(fd);
    if (descriptor.kind !== "directory" || !descriptor.preopen) return Errno.BadFileDescriptor;
    const view = this.#view(result, 8);
    view.setUint32(0, 0, true);
    view.setUint32(4, DATA_DIRECTORY.length, true);
    return Errno.Success;
  }

  #preopenName(fd: number, buffer: number, length: number): number {
    const descriptor = this.#descriptor(fd);
    if (descriptor.kind !== "directory" || !descriptor.preopen) return Errno.BadFileDescriptor;
    if (unsigned(length) < DATA_DIRECTORY.length) return Errno.NameTooLong;
    this.#bytes(buffer, DATA_DIRECTORY.length).set(DATA_DIRECTORY);
    return Errno.Success;
  }

  /** Entries in the order of their names, `.` and `..` first; the cookie is the index of the next one. */
  #readDirectory(fd: number, buffer: number, length: number, cookie: bigint, result: number): number {
    const { node } = this.#directory(fd);
    const target = this.#bytes(buffer, length);
    const view = this.#view(result, 4);
    const encoder = new TextEncoder();
    const entries: [string, Node][] = [
      [".", node],
      ["..", node],
      ...[...node.entries].sort(([a], [b]) => (a < b ? -1 : 1)),
    ];
    let used = 0;
    for (let index = cookie < BigInt(entries.length) ? Number(cookie) : entries.length; ; index += 1) {
      const entry = entries[index];
      if (entry === undefined || used === target.length) break;
      const name = encoder.encode(entry[0]);
      const record = new Uint8Array(24 + name.length);
      const fields = new DataView(record.buffer);
      fields.setBigUint64(0, BigInt(index + 1), true);
      fields.setBigUint64(8, entry[1].inode, true);
      fields.setUint32(16, name.length, true);
      fields.setUint8(20, entry[1].kind === "directory" ? FileType.Directory : FileType.RegularFile);
      record.set(name, 24);
      // A record that does not fit is cut: a full buffer tells the program to ask again with a larger one.
      const part = record.subarray(0, target.length - used);
      target.set(part, used);
      used += part.length;
    }
    this.#charge(used);
    view.setUint32(0, used, true);
    return Errno.Success;
  }

  #lookUp(fd: number, path: number, length: number): ReturnType<typeof lookUp> {
    const { node } = this.#directory(fd);
    const bytes = this.#bytes(path, length);
    this.#charge(bytes.length);
    return lookUp(node, bytes);
  }

  #fileStatusAt(fd: number, path: number, length: number, result: number): number {
    const found = this.#lookUp(fd, path, length);
    return "node" in found ? this.#fileStatus(found.node, result) : found.errno;
  }

  #readLink(fd: number, path: number, length: number): number {
    // There are no links: what exists is no link.
    const found = this.#lookUp(fd, path, length);
    return "node" in found ? Errno.Invalid : found.errno;
  }

  #open(fd: number, path: number, length: number, flags: number, rights: bigint, result: number): number {
    const found = this.#lookUp(fd, path, length);
    const view = this.#view(result, 4);
    const wants = (flag: number): boolean => (unsigned(flags) & flag) !== 0;
    if (!("node" in found)) {
      return wants(OpenFlag.Create) && found.lastPartMissing ? Errno.ReadOnlyFileSystem : found.errno;
    }
    const { node } = found;
    if (wants(OpenFlag.Create) && wants(OpenFlag.Exclusive)) return Errno.Exists;
    if (wants(OpenFlag.Directory) && node.kind !== "directory") return Errno.NotDirectory;
    const writes = (BigInt.asUintN(64, rights) & Right.FdWrite) !== 0n;
    if (wants(OpenFlag.Truncate) || writes) {
      return node.kind === "directory" ? Errno.IsDirectory : Errno.ReadOnlyFileSystem;
    }
    let free = FIRST_FREE_DESCRIPTOR;
    while (this.#descriptors.has(free)) free += 1;
    if (free >= MAX_DESCRIPTORS) return Errno.TooManyFiles;
    this.#descriptors.set(
      free,
      node.kind === "file" ? { kind: "file", node, position: 0n } : { kind: "directory", node, preopen: false },
    );
    view.setUint32(0, free, true);
    return Errno.Success;
  }

  /**
   * Everything subscribed is ready at once. A timer moves the program's clock to its end in place of waiting; files
   * and streams are always ready.
   */
  #poll(subscriptions: number, events: number, count: number, result: number): number {
    const length = unsigned(count);
    if (length === 0 || length > MAX_SUBSCRIPTIONS) return Errno.Invalid;
    const source = this.#view(subscriptions, length * 48);
    const target = this.#view(events, length * 32);
    const view = this.#view(result, 4);
    this.#charge(length * 80);
    // Subscriptions and events may overlap in memory: read all before the first is written.
    const parsed = Array.from({ length }, (_, index) => this.#subscription(source, index * 48));
    const streams = parsed.filter(({ kind }) => kind !== "clock");
    // A timer beside a stream that is ready never fires.
    const fired = streams.length > 0 ? streams : parsed.toSorted((a, b) => (a.time < b.time ? -1 : 1)).slice(0, 1);
    const [first] = fired;
    if (first?.kind === "clock" && first.time > this.#now) this.#now = first.time;
    for (const [index, event] of fired.entries()) {
      const offset = index * 32;
      for (let word = 0; word < 32; word += 8) target.setBigUint64(offset + word, 0n, true);
      target.setBigUint64(offset, event.userdata, true);
      target.setUint16(offset + 8, event.errno, true);
      target.setUint8(offset + 10, event.type);
      target.setBigUint64(offset + 16, event.available, true);
    }
    view.setUint32(0, fired.length, true);
    return Errno.Success;
  }

  #subscription(source: DataView, offset: number): PollEvent {
    const userdata = source.getBigUint64(offset, true);
    const type = source.getUint8(offset + 8);
    const base = { userdata, type, errno: 0, available: 0n, time: 0n };
    if (type === 0) {
      const clock = source.getUint32(offset + 16, true);
      const timeout = source.getBigUint64(offset + 24, true);
      const absolute = (source.getUint16(offset + 40, true) & 1) !== 0;
      if (clock >= CLOCKS) return { ...base, kind: "failed", errno: Errno.Invalid };
      const zero = clock === 0 ? 0n : CLOCK_START_NS;
      const time = absolute ? zero + timeout : this.#now + timeout;
      // The clock itself stays within 64 bits.
      return { ...base, kind: "clock", time: time < 2n ** 63n ? time : 2n ** 63n };
    }
    const descriptor = this.#descriptors.get(source.getUint32(offset + 16, true));
    const fits = type === 1 ? descriptor?.kind === "file" : type === 2 ? descriptor?.kind === "output" : false;
    if (!fits) {
      const errno = type > 2 ? Errno.Invalid : descriptor === undefined ? Errno.BadFileDescriptor : Errno.NotCapable;
      return { ...base, kind: "failed", errno };
    }
    const left =
      descriptor?.kind === "file" ? BigInt(descriptor.node.bytes.length) - descriptor.position : BigInt(PIPE_BYTES);
    return { ...base, kind: "stream", available: left > 0n ? left : 0n };
  }

  #fillRandom(buffer: number, length: number): number {
    const target = this.#bytes(buffer, length);
    // A stream cipher costs more than copying: charge its bytes eight times.
    this.#charge(target.length * 8);
    this.#random.fill(target);
    return Errno.Success;
  }
}

/** What a stream that takes bytes is said to take at once. */
const PIPE_BYTES = 65_536;

type PollEvent = {
  readonly kind: "clock" | "stream" | "failed";
  readonly userdata: bigint;
  readonly type: number;
  readonly errno: number;
  readonly available: bigint;
  /** On the scale of the real-time clock, nanoseconds. */
  readonly time: bigint;
};
