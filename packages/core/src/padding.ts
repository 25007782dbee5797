import { FatalError } from "./errors.ts";

const LENGTH_BYTES = 8;

/** Smallest padded size of a sealed message, bytes. */
export const MIN_MESSAGE_BYTES = 1_024;

/**
 * Size class of a content: the next multiple of an eighth of the power of two below it, so that an observer learns the
 * size to within 12.5 %, and nothing below `least`.
 *
 * @param size Bytes to hide, length prefix included.
 * @param least Smallest class, a power of two, at least 8.
 * @returns Bytes.
 */
export function sizeClass(size: number, least: number): number {
  if (size <= least) return least;
  // 2^exponent < size <= 2^(exponent + 1)
  const exponent = 31 - Math.clz32(size - 1);
  const step = 2 ** (exponent - 3);
  return Math.ceil(size / step) * step;
}

/**
 * Hides the length of a content: its length in 8 bytes, the content, zeros up to the size class.
 *
 * @param content Any bytes below 2^31.
 * @param least Smallest class, a power of two.
 */
export function pad(content: Uint8Array, least: number): Uint8Array {
  const size = LENGTH_BYTES + content.length;
  const padded = new Uint8Array(sizeClass(size, least));
  new DataView(padded.buffer).setBigUint64(0, BigInt(content.length));
  padded.set(content, LENGTH_BYTES);
  return padded;
}

/**
 * Undoes {@link pad}. Refuses every encoding but the one that `pad` gives, so that no party can hide a mark in it.
 *
 * @param padded Padded bytes from anywhere.
 * @param least Smallest class that was used.
 * @throws FatalError `PADDING_MALFORMED`.
 */
export function unpad(padded: Uint8Array, least: number): Uint8Array {
  if (padded.length >= LENGTH_BYTES) {
    const view = new DataView(padded.buffer, padded.byteOffset, padded.byteLength);
    const end = view.getBigUint64(0) + BigInt(LENGTH_BYTES);
    if (
      end <= BigInt(padded.length) &&
      sizeClass(Number(end), least) === padded.length &&
      padded.subarray(Number(end)).every((byte) => byte === 0)
    ) {
      return padded.slice(LENGTH_BYTES, Number(end));
    }
  }
  throw new FatalError("PADDING_MALFORMED", "The padding of the content is malformed. Its author made it wrongly.");
}
