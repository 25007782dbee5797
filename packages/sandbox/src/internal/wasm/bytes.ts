/** The bytes are not a module of the accepted subset of WebAssembly. */
export class ModuleRefused extends Error {}

/** Reads the WebAssembly binary format; every read checks its bounds. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  pos: number;

  constructor(bytes: Uint8Array, pos = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  get done(): boolean {
    return this.pos >= this.end;
  }

  byte(): number {
    if (this.pos >= this.end) throw new ModuleRefused("unexpected end");
    return this.bytes[this.pos++] as number;
  }

  skip(count: number): void {
    if (count > this.end - this.pos) throw new ModuleRefused("unexpected end");
    this.pos += count;
  }

  /** Unsigned LEB128 of at most 32 bits. */
  u32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) throw new ModuleRefused("integer too large");
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return result;
    }
    throw new ModuleRefused("integer too long");
  }

  /** Skips a signed LEB128 of at most `maxBytes` bytes; the compiler checks its unused bits. */
  skipSigned(maxBytes: number): void {
    for (let count = 0; count < maxBytes; count += 1) {
      if (this.byte() < 0x80) return;
    }
    throw new ModuleRefused("integer too long");
  }

  /** A length-prefixed UTF-8 name. */
  name(): string {
    const length = this.u32();
    if (length > 100_000) throw new ModuleRefused("name too long");
    const start = this.pos;
    this.skip(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        this.bytes.subarray(start, start + length),
      );
    } catch {
      throw new ModuleRefused("name is not UTF-8");
    }
  }
}

/** Writes the WebAssembly binary format into a growing buffer. */
export class ByteWriter {
  #buffer: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.#buffer = new Uint8Array(capacity);
  }

  #reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.length));
    this.#buffer = grown;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.length++] = value;
  }

  raw(bytes: Uint8Array | readonly number[]): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Copies `[start, end)` of `source`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.#reserve(count);
    if (count < 48) {
      for (let index = start; index < end; index += 1) this.#buffer[this.length++] = source[index] as number;
    } else {
      this.#buffer.set(source.subarray(start, end), this.length);
      this.length += count;
    }
  }

  u32(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 128) | 0x80);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a safe integer. */
  signed(value: number): void {
    let rest = value;
    for (;;) {
      const low = ((rest % 128) + 128) % 128;
      rest = Math.floor(rest / 128);
      const signBit = low >= 64;
      if ((rest === 0 && !signBit) || (rest === -1 && signBit)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  name(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** What was written so far; a view that later writes may invalidate. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }
}
