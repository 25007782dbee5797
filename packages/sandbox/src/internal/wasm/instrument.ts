import { ByteReader, ByteWriter, ModuleRefused } from "./bytes.ts";

/** A function that the module imports, with the signature it declares. */
export type ImportedFunction = {
  readonly module: string;
  readonly name: string;
  /** Value types in the binary format, one byte each. */
  readonly params: readonly number[];
  readonly results: readonly number[];
};

/** What the engine accepts of a module beside the instruction set. */
export type InstrumentPolicy = {
  /** Ceiling of the linear memory, in pages of 64 KiB; the module's own maximum is lowered to it. */
  readonly maxMemoryPages: number;
  /** Accepts an imported memory and a start function: for the engine's own modules only. */
  readonly trusted?: boolean;
};

/** A module with metering built in, and what the engine has to know about it. */
export type InstrumentedModule = {
  readonly bytes: Uint8Array;
  readonly imports: readonly ImportedFunction[];
  readonly exports: ReadonlyMap<string, "function" | "table" | "memory" | "global">;
  /** Initial pages of the module's own memory; undefined if it declares none. */
  readonly initialPages: number | undefined;
};

/** Exported `i64` global: fuel that is left; negative once exhausted. */
export const FUEL_EXPORT = "quorate.fuel";
/** Exported `i32` global: bits of {@link StateBit}. */
export const STATE_EXPORT = "quorate.state";

/** Bits of the exported state. */
export const StateBit = {
  /** The program asked for memory beyond its limit and got none: equal on every host. */
  GrowthRefused: 1,
  /** The host could not give memory within the limit: only this host knows. */
  HostOutOfMemory: 2,
} as const;

/**
 * Limits of the accepted subset. Each is at or below what every engine that follows the "Implementation-defined
 * Limits" of the WebAssembly JavaScript interface accepts, so that no host refuses what another runs.
 */
export const moduleLimits = {
  moduleBytes: 134_217_728,
  types: 100_000,
  functions: 500_000,
  imports: 10_000,
  exports: 100_000,
  globals: 100_000,
  tables: 100,
  tableEntries: 1_000_000,
  elementSegments: 100_000,
  dataSegments: 100_000,
  parameters: 1_000,
  results: 1_000,
  locals: 50_000,
  /** Of a function after instrumentation. */
  bodyBytes: 7_654_321,
  branchTargets: 65_000,
} as const;

const I32 = 0x7f;
const I64 = 0x7e;
const F32 = 0x7d;
const F64 = 0x7c;
const V128 = 0x7b;
const FUNCREF = 0x70;
const EXTERNREF = 0x6f;

/** Fuel that one page of fresh memory costs: the host has to clear 64 KiB. */
const FUEL_PER_PAGE_SHIFT = 10;
/** Bulk operations cost a unit for so many bytes, as a power of two. */
const FUEL_BULK_BYTES_SHIFT = 3;

/** Vector instructions that the standard leaves unassigned in the fixed-width range. */
const VECTOR_HOLES: ReadonlySet<number> = new Set([
  0x9a, 0xa2, 0xa5, 0xa6, 0xaf, 0xb0, 0xb2, 0xb3, 0xb4, 0xbb, 0xc2, 0xc5, 0xc6, 0xcf, 0xd0, 0xd2, 0xd3, 0xd4, 0xe2,
  0xee,
]);

function isVectorF32Result(op: number): boolean {
  return op === 0x5e || (op >= 0x67 && op <= 0x6a) || (op >= 0xe3 && op <= 0xe9);
}

function isVectorF64Result(op: number): boolean {
  return op === 0x5f || op === 0x74 || op === 0x75 || op === 0x7a || op === 0x94 || (op >= 0xef && op <= 0xf5);
}

function limit(value: number, most: number, what: string): number {
  if (value > most) throw new ModuleRefused(`${what}: ${value} is above the limit of ${most}`);
  return value;
}

function valueType(reader: ByteReader): number {
  const type = reader.byte();
  if (type === I32 || type === I64 || type === F32 || type === F64 || type === V128) return type;
  if (type === FUNCREF || type === EXTERNREF) return type;
  throw new ModuleRefused(`value type 0x${type.toString(16)} is not accepted`);
}

function referenceType(reader: ByteReader): number {
  const type = reader.byte();
  if (type !== FUNCREF && type !== EXTERNREF) {
    throw new ModuleRefused(`reference type 0x${type.toString(16)} is not accepted`);
  }
  return type;
}

type Limits = { readonly min: number; readonly max: number | undefined };

/** Limits with 32-bit indices, not shared: flags 0 and 1 only. */
function readLimits(reader: ByteReader, what: string): Limits {
  const flags = reader.byte();
  if (flags > 1) throw new ModuleRefused(`${what} with flags ${flags}: shared or 64-bit ${what} is not accepted`);
  const min = reader.u32();
  const max = flags === 1 ? reader.u32() : undefined;
  if (max !== undefined && max < min) throw new ModuleRefused(`${what} with a maximum below its minimum`);
  return { min, max };
}

type FunctionType = { readonly params: readonly number[]; readonly results: readonly number[] };

/** Instructions whose result may be a NaN of unspecified bits, as ranges of opcodes. */
function isF32Arithmetic(op: number): boolean {
  return (op >= 0x8d && op <= 0x97) || op === 0xb6;
}

function isF64Arithmetic(op: number): boolean {
  return (op >= 0x9b && op <= 0xa5) || op === 0xbb;
}

const F32_NAN = [0x43, 0x00, 0x00, 0xc0, 0x7f] as const;
const F64_NAN = [0x44, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f] as const;
const F32X4_NAN = [0xfd, 12, ...repeat([0x00, 0x00, 0xc0, 0x7f], 4)] as const;
const F64X2_NAN = [0xfd, 12, ...repeat([0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xf8, 0x7f], 2)] as const;

function repeat(bytes: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => bytes).flat();
}

class Instrumenter {
  readonly #source: Uint8Array;
  readonly #policy: InstrumentPolicy;
  readonly #out: ByteWriter;
  readonly #section = new ByteWriter(1 << 16);
  readonly #body = new ByteWriter(1 << 16);

  readonly #types: FunctionType[] = [];
  readonly #imports: ImportedFunction[] = [];
  readonly #functionTypes: number[] = [];
  readonly #tableMaxima: number[] = [];
  readonly #exports = new Map<string, "function" | "table" | "memory" | "global">();
  #globals = 0;
  #memoryMax: number | undefined;
  #initialPages: number | undefined;
  #tableEntries = 0;
  #globalsWritten = false;
  #exportsWritten = false;
  #codeSeen = false;

  // State of the function being rewritten.
  #pending = 0;
  #temporaries: number[] = [];
  #localCount = 0;

  constructor(source: Uint8Array, policy: InstrumentPolicy) {
    this.#source = source;
    this.#policy = policy;
    this.#out = new ByteWriter(Math.ceil(source.length * 1.5) + 1024);
  }

  run(): InstrumentedModule {
    const source = this.#source;
    limit(source.length, moduleLimits.moduleBytes, "module bytes");
    const reader = new ByteReader(source);
    for (const expected of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) {
      if (reader.byte() !== expected) throw new ModuleRefused("not a WebAssembly module of version 1");
    }
    this.#out.copy(source, 0, 8);
    let lastOrder = 0;
    while (!reader.done) {
      const id = reader.byte();
      const size = reader.u32();
      const start = reader.pos;
      reader.skip(size);
      const section = new ByteReader(source, start, reader.pos);
      if (id === 0) {
        // Custom sections carry names and debug information: they mean nothing to the engine.
        section.name();
        continue;
      }
      // Data count (12) stands between element (9) and code (10).
      const order = id === 12 ? 9.5 : id;
      if (order <= lastOrder) throw new ModuleRefused(`section ${id} out of order or twice`);
      lastOrder = order;
      if (id > 6) this.#ensureGlobals();
      if (id > 7) this.#ensureExports();
      const rewritten = this.#readSection(id, section);
      if (!section.done) throw new ModuleRefused(`section ${id} has bytes left over`);
      this.#out.byte(id);
      if (rewritten) {
        this.#out.u32(this.#section.length);
        this.#out.raw(this.#section.view());
        this.#section.reset();
      } else {
        this.#out.u32(size);
        this.#out.copy(source, start, start + size);
      }
    }
    this.#ensureGlobals();
    this.#ensureExports();
    if (!this.#codeSeen && this.#functionTypes.length > this.#imports.length) {
      throw new ModuleRefused("functions without code");
    }
    return {
      bytes: this.#out.view().slice(),
      imports: this.#imports,
      exports: this.#exports,
      initialPages: this.#initialPages,
    };
  }

  /** Reads a section; true if its new content stands in the section buffer. */
  #readSection(id: number, section: ByteReader): boolean {
    switch (id) {
      case 1:
        this.#readTypes(section);
        return false;
      case 2:
        this.#readImports(section);
        return false;
      case 3:
        this.#readFunctions(section);
        return false;
      case 4:
        this.#rewriteTables(section);
        return true;
      case 5:
        this.#rewriteMemory(section);
        return true;
      case 6:
        this.#rewriteGlobals(section);
        return true;
      case 7:
        this.#rewriteExports(section);
        return true;
      case 8:
        // It would run before the host can serve its imports; command modules start at `_start`.
        if (this.#policy.trusted !== true) throw new ModuleRefused("a start function is not accepted");
        section.u32();
        return false;
      case 9:
        this.#readElements(section);
        return false;
      case 12:
        limit(section.u32(), moduleLimits.dataSegments, "data segments");
        return false;
      case 10:
        this.#rewriteCode(section);
        return true;
      case 11:
        this.#readData(section);
        return false;
      default:
        throw new ModuleRefused(`section ${id} is not accepted`);
    }
  }

  #readTypes(section: ByteReader): void {
    const count = limit(section.u32(), moduleLimits.types, "types");
    for (let index = 0; index < count; index += 1) {
      if (section.byte() !== 0x60) throw new ModuleRefused("only function types are accepted");
      const params = readVector(section, moduleLimits.parameters, "parameters", valueType);
      const results = readVector(section, moduleLimits.results, "results", valueType);
      this.#types.push({ params, results });
    }
  }

  #typeAt(index: number): FunctionType {
    const type = this.#types[index];
    if (type === undefined) throw new ModuleRefused(`unknown type ${index}`);
    return type;
  }

  #readImports(section: ByteReader): void {
    const count = limit(section.u32(), moduleLimits.imports, "imports");
    for (let index = 0; index < count; index += 1) {
      const module = section.name();
      const name = section.name();
      const kind = section.byte();
      if (kind === 0) {
        const type = section.u32();
        this.#functionTypes.push(type);
        this.#imports.push({ module, name, ...this.#typeAt(type) });
      } else if (kind === 2 && this.#policy.trusted === true && this.#memoryMax === undefined) {
        this.#memoryMax = Math.min(readLimits(section, "memory").max ?? 65_536, this.#policy.maxMemoryPages);
      } else {
        throw new ModuleRefused(`import ${module}.${name} is no function`);
      }
    }
  }

  #readFunctions(section: ByteReader): void {
    const count = limit(section.u32(), moduleLimits.functions, "functions");
    for (let index = 0; index < count; index += 1) {
      const type = section.u32();
      this.#typeAt(type);
      this.#functionTypes.push(type);
    }
  }

  #rewriteTables(section: ByteReader): void {
    const out = this.#section;
    const count = limit(section.u32(), moduleLimits.tables, "tables");
    out.u32(count);
    for (let index = 0; index < count; index += 1) {
      const type = referenceType(section);
      const { min, max } = readLimits(section, "table");
      this.#tableEntries += min;
      limit(this.#tableEntries, moduleLimits.tableEntries, "table entries");
      const ceiling = Math.min(max ?? moduleLimits.tableEntries, moduleLimits.tableEntries);
      this.#tableMaxima.push(ceiling);
      out.byte(type);
      out.byte(1);
      out.u32(min);
      out.u32(ceiling);
    }
  }

  #rewriteMemory(section: ByteReader): void {
    const out = this.#section;
    const count = section.u32();
    if (count > 1 || (count === 1 && this.#memoryMax !== undefined)) {
      throw new ModuleRefused("more than one memory is not accepted");
    }
    out.u32(count);
    if (count === 0) return;
    const { min, max } = readLimits(section, "memory");
    limit(max ?? min, 65_536, "memory pages");
    this.#initialPages = min;
    // A minimum above the ceiling is for the caller to judge; the maximum may not be below it.
    const ceiling = Math.max(min, Math.min(max ?? 65_536, this.#policy.maxMemoryPages));
    this.#memoryMax = ceiling;
    out.byte(1);
    out.u32(min);
    out.u32(ceiling);
  }

  #rewriteGlobals(section: ByteReader): void {
    const out = this.#section;
    const count = limit(section.u32(), moduleLimits.globals, "globals");
    const start = section.pos;
    for (let index = 0; index < count; index += 1) {
      valueType(section);
      if (section.byte() > 1) throw new ModuleRefused("a shared global is not accepted");
      this.#skipConstant(section);
      this.#globals += 1;
    }
    out.u32(count + 2);
    out.copy(section.bytes, start, section.pos);
    this.#writeOwnGlobals(out);
    this.#globalsWritten = true;
  }

  #writeOwnGlobals(out: ByteWriter): void {
    // (global $fuel (mut i64) (i64.const 2^52)) (global $state (mut i32) (i32.const 0))
    out.raw([I64, 1, 0x42]);
    out.signed(2 ** 52);
    out.raw([0x0b, I32, 1, 0x41, 0, 0x0b]);
  }

  #ensureGlobals(): void {
    if (this.#globalsWritten) return;
    const content = new ByteWriter();
    content.u32(2);
    this.#writeOwnGlobals(content);
    this.#out.byte(6);
    this.#out.u32(content.length);
    this.#out.raw(content.view());
    this.#globalsWritten = true;
  }

  #rewriteExports(section: ByteReader): void {
    const out = this.#section;
    const count = limit(section.u32(), moduleLimits.exports, "exports");
    const start = section.pos;
    for (let index = 0; index < count; index += 1) {
      const name = section.name();
      const kind = (["function", "table", "memory", "global"] as const)[section.byte()];
      if (kind === undefined) throw new ModuleRefused(`export ${name} is of an unknown kind`);
      if (this.#exports.has(name) || name === FUEL_EXPORT || name === STATE_EXPORT) {
        throw new ModuleRefused(`export ${name} is there twice or reserved`);
      }
      const target = section.u32();
      if (kind === "global" && target >= this.#globals) throw new ModuleRefused(`unknown global ${target}`);
      this.#exports.set(name, kind);
    }
    out.u32(count + 2);
    out.copy(section.bytes, start, section.pos);
    this.#writeOwnExports(out);
    this.#exportsWritten = true;
  }

  #writeOwnExports(out: ByteWriter): void {
    out.name(FUEL_EXPORT);
    out.byte(3);
    out.u32(this.#globals);
    out.name(STATE_EXPORT);
    out.byte(3);
    out.u32(this.#globals + 1);
  }

  #ensureExports(): void {
    if (this.#exportsWritten) return;
    const content = new ByteWriter();
    content.u32(2);
    this.#writeOwnExports(content);
    this.#out.byte(7);
    this.#out.u32(content.length);
    this.#out.raw(content.view());
    this.#exportsWritten = true;
  }

  #readElements(section: ByteReader): void {
    const count = limit(section.u32(), moduleLimits.elementSegments, "element segments");
    for (let index = 0; index < count; index += 1) {
      const flags = section.u32();
      if (flags > 7) throw new ModuleRefused(`element segment with flags ${flags}`);
      const passiveOrDeclared = (flags & 1) !== 0;
      const explicit = (flags & 2) !== 0;
      const expressions = (flags & 4) !== 0;
      if (!passiveOrDeclared) {
        if (explicit) section.u32();
        this.#skipConstant(section);
      }
      if (passiveOrDeclared || explicit) {
        if (expressions) referenceType(section);
        else if (section.byte() !== 0) throw new ModuleRefused("element kind is not accepted");
      }
      const entries = limit(section.u32(), moduleLimits.tableEntries, "entries of an element segment");
      for (let entry = 0; entry < entries; entry += 1) {
        if (expressions) this.#skipConstant(section);
        else section.u32();
      }
    }
  }

  #readData(section: ByteReader): void {
    const count = limit(section.u32(), moduleLimits.dataSegments, "data segments");
    for (let index = 0; index < count; index += 1) {
      const flags = section.u32();
      if (flags > 2) throw new ModuleRefused(`data segment with flags ${flags}`);
      if (flags === 2 && section.u32() !== 0) throw new ModuleRefused("more than one memory is not accepted");
      if (flags !== 1) this.#skipConstant(section);
      section.skip(section.u32());
    }
  }

  /** A constant expression of the standard without extensions: one constant and `end`. */
  #skipConstant(section: ByteReader): void {
    const op = section.byte();
    switch (op) {
      case 0x41:
        section.skipSigned(5);
        break;
      case 0x42:
        section.skipSigned(10);
        break;
      case 0x43:
        section.skip(4);
        break;
      case 0x44:
        section.skip(8);
        break;
      case 0xd0:
        referenceType(section);
        break;
      case 0xd2:
        section.u32();
        break;
      case 0xfd:
        if (section.u32() !== 12) throw new ModuleRefused("constant expression is not accepted");
        section.skip(16);
        break;
      default:
        throw new ModuleRefused(`constant expression with 0x${op.toString(16)} is not accepted`);
    }
    if (section.byte() !== 0x0b) throw new ModuleRefused("constant expression of more than one constant");
  }

  #rewriteCode(section: ByteReader): void {
    const out = this.#section;
    const count = section.u32();
    if (count !== this.#functionTypes.length - this.#imports.length) {
      throw new ModuleRefused("functions and code do not match");
    }
    out.u32(count);
    this.#codeSeen = true;
    for (let index = 0; index < count; index += 1) {
      const size = section.u32();
      const start = section.pos;
      section.skip(size);
      const type = this.#typeAt(this.#functionTypes[this.#imports.length + index] as number);
      this.#rewriteFunction(new ByteReader(section.bytes, start, start + size), type, out);
    }
  }

  #rewriteFunction(reader: ByteReader, type: FunctionType, out: ByteWriter): void {
    const groupCount = reader.u32();
    const groupsStart = reader.pos;
    let locals = type.params.length;
    for (let group = 0; group < groupCount; group += 1) {
      locals += reader.u32();
      limit(locals, moduleLimits.locals, "locals");
      valueType(reader);
    }
    const groupsEnd = reader.pos;
    this.#localCount = locals;
    this.#temporaries = [];
    const body = this.#body;
    body.reset();
    // Clearing the locals is work that the call does.
    this.#charge(1 + (locals >> 3));
    this.#check();
    this.#rewriteInstructions(reader);

    const header = new ByteWriter(16);
    header.u32(groupCount + this.#temporaries.length);
    header.copy(reader.bytes, groupsStart, groupsEnd);
    for (const temporary of this.#temporaries) {
      header.byte(1);
      header.byte(temporary);
    }
    limit(locals + this.#temporaries.length, moduleLimits.locals, "locals");
    const size = limit(header.length + body.length, moduleLimits.bodyBytes, "bytes of a function");
    out.u32(size);
    out.raw(header.view());
    out.raw(body.view());
  }

  /** Index of a local of this type that only the instrumentation uses; `which` tells several apart. */
  #temporary(type: number, which = 0): number {
    let seen = 0;
    for (let index = 0; index < this.#temporaries.length; index += 1) {
      if (this.#temporaries[index] !== type) continue;
      if (seen === which) return this.#localCount + index;
      seen += 1;
    }
    this.#temporaries.push(type);
    return seen === which ? this.#localCount + this.#temporaries.length - 1 : this.#temporary(type, which);
  }

  #op(opcode: number, index: number): void {
    this.#body.byte(opcode);
    this.#body.u32(index);
  }

  /** fuel -= amount */
  #charge(amount: number): void {
    const body = this.#body;
    this.#op(0x23, this.#globals);
    body.byte(0x42);
    body.signed(amount);
    body.byte(0x7d);
    this.#op(0x24, this.#globals);
  }

  /** if (fuel < 0) trap */
  #check(): void {
    this.#op(0x23, this.#globals);
    this.#body.raw([0x42, 0x00, 0x53, 0x04, 0x40, 0x00, 0x0b]);
  }

  /** Charges for the instructions since the last charge. */
  #flush(): void {
    if (this.#pending === 0) return;
    this.#charge(this.#pending);
    this.#pending = 0;
  }

  /** Charges for a bulk operation by the count on top of the stack, which stays there. */
  #chargeBulk(shift: number): void {
    const body = this.#body;
    const count = this.#temporary(I32);
    this.#op(0x22, count);
    this.#op(0x23, this.#globals);
    this.#op(0x20, count);
    // i64.extend_i32_u; i64.const shift; i64.shr_u; i64.sub
    body.raw([0xad, 0x42, shift, 0x88, 0x7d]);
    this.#op(0x24, this.#globals);
    this.#check();
  }

  /**
   * Makes a grow instruction equal on every host: a refusal within the declared maximum comes from the host alone
   * and ends the run, one beyond it is noted and passed on to the program.
   */
  #grow(emit: (opcode: "size" | "grow") => void, max: number, chargeShift: number): void {
    const body = this.#body;
    const delta = this.#temporary(I32, 0);
    const result = this.#temporary(I32, 1);
    this.#op(0x22, delta);
    emit("grow");
    this.#op(0x22, result);
    // i32.const -1; i32.eq; if
    body.raw([0x41, 0x7f, 0x46, 0x04, 0x40]);
    emit("size");
    body.byte(0xad);
    this.#op(0x20, delta);
    body.raw([0xad, 0x7c, 0x42]);
    body.signed(max);
    // i64.gt_u; if
    body.raw([0x56, 0x04, 0x40]);
    this.#op(0x23, this.#globals + 1);
    body.raw([0x41, StateBit.GrowthRefused, 0x72]);
    this.#op(0x24, this.#globals + 1);
    body.raw([0x05, 0x41, StateBit.HostOutOfMemory]);
    this.#op(0x24, this.#globals + 1);
    // unreachable; end; else
    body.raw([0x00, 0x0b, 0x05]);
    this.#op(0x23, this.#globals);
    this.#op(0x20, delta);
    body.raw([0xad, 0x42, chargeShift, 0x86, 0x7d]);
    this.#op(0x24, this.#globals);
    body.byte(0x0b);
    this.#op(0x20, result);
  }

  /** Replaces a NaN on top of the stack by the canonical one. */
  #canonicalize(type: number, nan: readonly number[], equal: readonly number[], select: readonly number[]): void {
    const body = this.#body;
    const temporary = this.#temporary(type);
    this.#op(0x22, temporary);
    body.raw(nan);
    this.#op(0x20, temporary);
    this.#op(0x20, temporary);
    body.raw(equal);
    body.raw(select);
  }

  #memoryMaximum(): number {
    if (this.#memoryMax === undefined) throw new ModuleRefused("no memory");
    return this.#memoryMax;
  }

  #rewriteInstructions(reader: ByteReader): void {
    const body = this.#body;
    const source = reader.bytes;
    let depth = 1;
    this.#pending = 0;
    while (depth > 0) {
      const start = reader.pos;
      const op = reader.byte();
      this.#pending += 1;
      switch (op) {
        case 0x02: // block
          blockType(reader);
          depth += 1;
          body.copy(source, start, reader.pos);
          break;
        case 0x03: // loop
          blockType(reader);
          depth += 1;
          this.#flush();
          body.copy(source, start, reader.pos);
          this.#check();
          break;
        case 0x04: // if
          blockType(reader);
          depth += 1;
          this.#flush();
          body.copy(source, start, reader.pos);
          break;
        case 0x0b: // end
          depth -= 1;
          this.#flush();
          body.byte(op);
          break;
        case 0x00: // unreachable
        case 0x05: // else
        case 0x0f: // return
          this.#flush();
          body.byte(op);
          break;
        case 0x0c: // br
        case 0x0d: // br_if
          reader.u32();
          this.#flush();
          body.copy(source, start, reader.pos);
          break;
        case 0x0e: {
          // br_table
          const targets = limit(reader.u32(), moduleLimits.branchTargets, "branch targets");
          for (let target = 0; target <= targets; target += 1) reader.u32();
          this.#flush();
          body.copy(source, start, reader.pos);
          break;
        }
        case 0x10: // call
          reader.u32();
          body.copy(source, start, reader.pos);
          break;
        case 0x11: // call_indirect
          reader.u32();
          reader.u32();
          body.copy(source, start, reader.pos);
          break;
        case 0x1c: {
          // select with types
          const types = limit(reader.u32(), 1, "types of a select");
          for (let index = 0; index < types; index += 1) valueType(reader);
          body.copy(source, start, reader.pos);
          break;
        }
        case 0x20: // local.get
        case 0x21: // local.set
        case 0x22: // local.tee
          if (reader.u32() >= this.#localCount) throw new ModuleRefused("unknown local");
          body.copy(source, start, reader.pos);
          break;
        case 0x23: // global.get
        case 0x24: // global.set
          // The engine's own globals stand behind the module's and must stay out of its reach.
          if (reader.u32() >= this.#globals) throw new ModuleRefused("unknown global");
          body.copy(source, start, reader.pos);
          break;
        case 0x25: // table.get
        case 0x26: // table.set
        case 0xd2: // ref.func
          reader.u32();
          body.copy(source, start, reader.pos);
          break;
        case 0x3f: // memory.size
          zeroIndex(reader);
          body.copy(source, start, reader.pos);
          break;
        case 0x40: // memory.grow
          zeroIndex(reader);
          this.#grow(
            (kind) => body.raw([kind === "size" ? 0x3f : 0x40, 0x00]),
            this.#memoryMaximum(),
            FUEL_PER_PAGE_SHIFT,
          );
          break;
        case 0x41: // i32.const
          reader.skipSigned(5);
          body.copy(source, start, reader.pos);
          break;
        case 0x42: // i64.const
          reader.skipSigned(10);
          body.copy(source, start, reader.pos);
          break;
        case 0x43: // f32.const
          reader.skip(4);
          body.copy(source, start, reader.pos);
          break;
        case 0x44: // f64.const
          reader.skip(8);
          body.copy(source, start, reader.pos);
          break;
        case 0xd0: // ref.null
          referenceType(reader);
          body.copy(source, start, reader.pos);
          break;
        case 0xfc:
          this.#rewriteMiscellaneous(reader, start);
          break;
        case 0xfd:
          this.#rewriteVector(reader, start);
          break;
        default:
          if (op >= 0x28 && op <= 0x3e) {
            memoryArgument(reader);
            body.copy(source, start, reader.pos);
          } else if (op === 0x01 || op === 0x1a || op === 0x1b || (op >= 0x45 && op <= 0xc4) || op === 0xd1) {
            body.byte(op);
            if (isF32Arithmetic(op)) this.#canonicalize(F32, F32_NAN, [0x5b], [0x1b]);
            else if (isF64Arithmetic(op)) this.#canonicalize(F64, F64_NAN, [0x61], [0x1b]);
          } else {
            throw new ModuleRefused(`instruction 0x${op.toString(16)} is not accepted`);
          }
      }
    }
    if (!reader.done) throw new ModuleRefused("code after the end of a function");
  }

  #rewriteMiscellaneous(reader: ByteReader, start: number): void {
    const body = this.#body;
    const op = reader.u32();
    switch (op) {
      case 8: // memory.init
        reader.u32();
        zeroIndex(reader);
        this.#chargeBulk(FUEL_BULK_BYTES_SHIFT);
        break;
      case 9: // data.drop
      case 13: // elem.drop
      case 16: // table.size
        reader.u32();
        break;
      case 10: // memory.copy
        zeroIndex(reader);
        zeroIndex(reader);
        this.#chargeBulk(FUEL_BULK_BYTES_SHIFT);
        break;
      case 11: // memory.fill
        zeroIndex(reader);
        this.#chargeBulk(FUEL_BULK_BYTES_SHIFT);
        break;
      case 12: // table.init
      case 14: // table.copy
        reader.u32();
        reader.u32();
        this.#chargeBulk(0);
        break;
      case 17: // table.fill
        reader.u32();
        this.#chargeBulk(0);
        break;
      case 15: {
        // table.grow
        const table = reader.u32();
        const max = this.#tableMaxima[table];
        if (max === undefined) throw new ModuleRefused(`unknown table ${table}`);
        this.#grow(
          (kind) => {
            body.byte(0xfc);
            body.u32(kind === "size" ? 16 : 15);
            body.u32(table);
          },
          max,
          0,
        );
        return;
      }
      default:
        if (op > 17) throw new ModuleRefused(`instruction 0xfc ${op} is not accepted`);
    }
    body.copy(reader.bytes, start, reader.pos);
  }

  #rewriteVector(reader: ByteReader, start: number): void {
    const op = reader.u32();
    if (op > 0xff) throw new ModuleRefused("relaxed vector instructions are not accepted");
    if (VECTOR_HOLES.has(op)) throw new ModuleRefused(`instruction 0xfd ${op} is not accepted`);
    if (op <= 11 || op === 0x5c || op === 0x5d) {
      memoryArgument(reader);
    } else if (op === 12 || op === 13) {
      reader.skip(16);
    } else if (op >= 21 && op <= 34) {
      reader.byte();
    } else if (op >= 0x54 && op <= 0x5b) {
      memoryArgument(reader);
      reader.byte();
    }
    this.#body.copy(reader.bytes, start, reader.pos);
    // v128.bitselect keeps each lane that equals itself.
    if (isVectorF32Result(op)) this.#canonicalize(V128, F32X4_NAN, [0xfd, 0x41], [0xfd, 0x52]);
    else if (isVectorF64Result(op)) this.#canonicalize(V128, F64X2_NAN, [0xfd, 0x47], [0xfd, 0x52]);
  }
}

function readVector(
  reader: ByteReader,
  most: number,
  what: string,
  element: (reader: ByteReader) => number,
): readonly number[] {
  const count = limit(reader.u32(), most, what);
  return Array.from({ length: count }, () => element(reader));
}

/** An empty, single-value or indexed block type. */
function blockType(reader: ByteReader): void {
  const first = reader.bytes[reader.pos];
  if (first === 0x40) {
    reader.byte();
  } else if (first !== undefined && (first & 0xc0) === 0x40) {
    valueType(reader);
  } else {
    reader.skipSigned(5);
  }
}

function memoryArgument(reader: ByteReader): void {
  // Bit 6 of the alignment would name another memory.
  if (reader.u32() >= 64) throw new ModuleRefused("more than one memory is not accepted");
  reader.u32();
}

function zeroIndex(reader: ByteReader): void {
  if (reader.byte() !== 0) throw new ModuleRefused("more than one memory is not accepted");
}

/**
 * Checks that a module keeps to the accepted subset of WebAssembly and builds the engine's rules into it:
 *
 * - fuel: each instruction costs one unit, charged at the end of each straight run of code; a function's entry and a
 *   loop's head trap when it is used up, so that every endless run ends at the same instruction on every host;
 * - NaN: every arithmetic instruction yields the canonical NaN, the only bits that the standard leaves to the host;
 * - memory and tables: growth ends at a limit of the engine, never at what the host happens to have.
 *
 * Accepted is WebAssembly 2.0 with one memory. Threads, 64-bit and multiple memories, relaxed vectors, exceptions, tail
 * calls, garbage collection and start functions are refused: either they let hosts differ or not every host has them.
 * Types of operands are left to the compiler.
 *
 * @param source Module in the binary format.
 * @param policy What to accept beside the instruction set.
 * @throws {ModuleRefused} If the module is malformed as far as it is read, or outside the subset.
 */
export function instrumentModule(source: Uint8Array, policy: InstrumentPolicy): InstrumentedModule {
  return new Instrumenter(source, policy).run();
}
