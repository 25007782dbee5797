import { OutputExceeded } from "./stops.ts";

/** Collects what a program writes, up to its limit. */
export class OutputBuffer {
  readonly #limit: number;
  readonly #chunks: Uint8Array[] = [];
  length = 0;

  /** @param limit Most bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Appends a copy of the bytes.
   *
   * @throws {OutputExceeded} If they do not fit; nothing of them is kept.
   */
  write(bytes: Uint8Array): void {
    if (bytes.length > this.#limit - this.length) throw new OutputExceeded();
    if (bytes.length === 0) return;
    // Many small writes share a chunk, or each byte of output would cost the host an object.
    const last = this.#chunks.at(-1);
    const used = this.#used;
    if (last !== undefined && bytes.length <= last.length - used) {
      last.set(bytes, used);
      this.#used += bytes.length;
    } else {
      if (last !== undefined) this.#chunks[this.#chunks.length - 1] = last.subarray(0, used);
      const chunk = new Uint8Array(Math.max(bytes.length, Math.min(65_536, this.#limit - this.length)));
      chunk.set(bytes);
      this.#chunks.push(chunk);
      this.#used = bytes.length;
    }
    this.length += bytes.length;
  }

  #used = 0;

  /** Everything that was written. */
  bytes(): Uint8Array {
    const result = new Uint8Array(this.length);
    let offset = 0;
    this.#chunks.forEach((chunk, index) => {
      const part = index === this.#chunks.length - 1 ? chunk.subarray(0, this.#used) : chunk;
      result.set(part, offset);
      offset += part.length;
    });
    return result;
  }
}

/** Keeps the end of what a program writes for a person to read. */
export class TailBuffer {
  readonly #bytes: Uint8Array;
  #total = 0;

  /** @param limit Most bytes kept. */
  constructor(limit: number) {
    this.#bytes = new Uint8Array(limit);
  }

  write(bytes: Uint8Array): void {
    const size = this.#bytes.length;
    const part = bytes.length > size ? bytes.subarray(bytes.length - size) : bytes;
    this.#total += bytes.length - part.length;
    for (const byte of part) this.#bytes[this.#total++ % size] = byte;
  }

  /** The kept end, with what is no UTF-8 replaced. */
  text(): string {
    const size = this.#bytes.length;
    if (this.#total <= size) return new TextDecoder().decode(this.#bytes.subarray(0, this.#total));
    const start = this.#total % size;
    const ordered = new Uint8Array(size);
    ordered.set(this.#bytes.subarray(start));
    ordered.set(this.#bytes.subarray(0, start), size - start);
    return new TextDecoder().decode(ordered);
  }
}
