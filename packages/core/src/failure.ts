import { FatalError } from "./errors.ts";
import { FailureCause } from "./job.ts";

/** Why a program failed, as every honest provider sees it. */
export type Failure = {
  readonly cause: FailureCause;
  /** Non-zero for `NonZeroExit` (unsigned 32 bits), zero for every other cause. */
  readonly exitCode: number;
};

/** Bytes of an encoded failure. */
export const FAILURE_BYTES = 5;

const causes: readonly number[] = Object.values(FailureCause);

function isFailure({ cause, exitCode }: { cause: number; exitCode: number }): boolean {
  const hasExitCode = cause === FailureCause.NonZeroExit;
  return (
    causes.includes(cause) &&
    Number.isInteger(exitCode) &&
    exitCode < 2 ** 32 &&
    (hasExitCode ? exitCode > 0 : exitCode === 0)
  );
}

/**
 * Result bytes of an outcome `Failed`: cause (1) ‖ exit code (4, big-endian). Never text, which could differ.
 *
 * @param failure Cause and exit code.
 * @throws FatalError `FAILURE_MALFORMED` for a cause or an exit code that does not exist.
 */
export function encodeFailure(failure: Failure): Uint8Array {
  if (!isFailure(failure)) return malformed();
  const bytes = new Uint8Array(FAILURE_BYTES);
  bytes[0] = failure.cause;
  new DataView(bytes.buffer).setUint32(1, failure.exitCode);
  return bytes;
}

/**
 * Reads the result bytes of an outcome `Failed`.
 *
 * @param bytes From anywhere.
 * @throws FatalError `FAILURE_MALFORMED`.
 */
export function decodeFailure(bytes: Uint8Array): Failure {
  if (bytes.length !== FAILURE_BYTES) return malformed();
  const failure = {
    cause: bytes[0] as FailureCause,
    exitCode: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1),
  };
  return isFailure(failure) ? failure : malformed();
}

function malformed(): never {
  throw new FatalError("FAILURE_MALFORMED", "The bytes are no failure: a known cause and its exit code are expected.");
}
