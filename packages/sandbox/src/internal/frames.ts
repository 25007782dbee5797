import type { Manifest } from "@quorate/core";
import type { EngineInput, EngineResult } from "./engine.ts";

/**
 * Messages between the parent and the process that runs a program: length of the header, length of the rest, the header
 * as JSON, the rest.
 * Parent to child: manifest and files. Child to parent: one byte {@link READY}, then the result.
 */

/** What the child sends once it has loaded everything that it needs. */
export const READY = 0x52;

/** Bytes of a frame's two lengths. */
export const PREFIX_BYTES = 8;

/** Longest header, bytes; names, manifest and diagnostics together stay far below. */
export const MAX_HEADER_BYTES = 1_048_576;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function frame(header: unknown, bodies: readonly Uint8Array[]): Uint8Array[] {
  const text = encoder.encode(JSON.stringify(header));
  const prefix = new Uint8Array(PREFIX_BYTES);
  const lengths = new DataView(prefix.buffer);
  lengths.setUint32(0, text.length, true);
  lengths.setUint32(
    4,
    bodies.reduce((sum, body) => sum + body.length, 0),
    true,
  );
  return [prefix, text, ...bodies];
}

/**
 * Length of a whole frame, as its first bytes say.
 *
 * @param bytes At least {@link PREFIX_BYTES} bytes.
 */
export function frameLength(bytes: Uint8Array): number {
  const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return PREFIX_BYTES + lengths.getUint32(0, true) + lengths.getUint32(4, true);
}

/** Splits a frame into its header and the rest. */
function split(bytes: Uint8Array): { header: unknown; body: Uint8Array } {
  if (bytes.length < PREFIX_BYTES || bytes.length !== frameLength(bytes)) throw new Error("a frame is cut short");
  const end = PREFIX_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (end - PREFIX_BYTES > MAX_HEADER_BYTES) throw new Error("a header is too long");
  return { header: JSON.parse(decoder.decode(bytes.subarray(PREFIX_BYTES, end))), body: bytes.subarray(end) };
}

/** What the child is given. */
export function encodeInput({ manifest, files }: EngineInput): Uint8Array[] {
  const entries = [...files];
  return frame({ manifest, files: entries.map(([name, bytes]) => [name, bytes.length]) }, [
    ...entries.map(([, bytes]) => bytes),
  ]);
}

/** Reads what {@link encodeInput} wrote; the parent is trusted. */
export function decodeInput(bytes: Uint8Array): EngineInput {
  const { header, body } = split(bytes);
  const { manifest, files } = header as { manifest: Manifest; files: [string, number][] };
  let offset = 0;
  return {
    manifest,
    files: new Map(
      files.map(([name, length]) => {
        offset += length;
        return [name, body.subarray(offset - length, offset)];
      }),
    ),
  };
}

/** What the child answers. */
export function encodeResult(result: EngineResult): Uint8Array[] {
  const { output, ...rest } = result.kind === "ok" ? result : { ...result, output: new Uint8Array(0) };
  return frame(rest, [output]);
}

const FAILURE_CAUSES = [
  "NonZeroExit",
  "Trap",
  "FuelExhausted",
  "MemoryExceeded",
  "OutputExceeded",
  "ProgramInvalid",
] as const;
const REPORT_CODES = ["HostFailure", "EngineUnavailable"] as const;

/**
 * Reads what the child answered. The child may have been taken over by its program: nothing of its shape is assumed.
 *
 * @param bytes Everything after {@link READY}.
 * @param outputLimit Most output, bytes.
 * @throws {Error} If it is no result.
 */
export function decodeResult(bytes: Uint8Array, outputLimit: number): EngineResult {
  const { header, body } = split(bytes);
  if (typeof header !== "object" || header === null) throw new Error("the result is no object");
  const fields = header as Record<string, unknown>;
  const count = (value: unknown): number => {
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new Error("a count is wrong");
    return value;
  };
  const text = (value: unknown): string => {
    if (typeof value !== "string") throw new Error("a text is missing");
    return value;
  };
  const member = <T extends string>(value: unknown, known: readonly T[]): T => {
    const found = known.find((name) => name === value);
    if (found === undefined) throw new Error("a code is unknown");
    return found;
  };
  const used = (fields.usage ?? {}) as Record<string, unknown>;
  const usage = {
    fuel: count(used.fuel),
    memoryBytes: count(used.memoryBytes),
    outputBytes: count(used.outputBytes),
  };
  switch (fields.kind) {
    case "ok": {
      if (body.length > outputLimit || body.length !== usage.outputBytes) throw new Error("the output is too long");
      const output = new Uint8Array(body);
      return { kind: "ok", output, usage, diagnostics: text(fields.diagnostics) };
    }
    case "failed": {
      const cause = member(fields.cause, FAILURE_CAUSES);
      const exitCode = count(fields.exitCode);
      if (exitCode > 0xffff_ffff || (cause === "NonZeroExit") !== exitCode > 0)
        throw new Error("the exit code is wrong");
      return { kind: "failed", cause, exitCode, usage, diagnostics: text(fields.diagnostics) };
    }
    case "report": {
      const code = member(fields.code, REPORT_CODES);
      return { kind: "report", code, detail: text(fields.detail), usage };
    }
    default:
      throw new Error("the kind is unknown");
  }
}
