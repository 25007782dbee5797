import { isQuorateError } from "@quorate/core";
import pc from "picocolors";

/** Where a command says what it does and what came out of it. */
export type Output = {
  /** True with `--json`: {@link Output.result} prints one JSON line. */
  readonly json: boolean;
  /** A step that was reached, in words. */
  step(text: string): void;
  /** What is being waited for; overwritten by the next line on a terminal, printed when it changes elsewhere. */
  progress(text: string): void;
  /** Something the person should know although the command goes on. */
  warn(text: string): void;
  /** What came out: `value` as one JSON line with `json`, else the lines of `text`. */
  result(value: unknown, text: readonly string[]): void;
  /** Bytes that came out, as they are. */
  raw(bytes: Uint8Array): void;
  /** An error with code, cause and what to do. */
  failure(error: unknown): void;
};

/** A stream of the process. */
export type OutputStream = { write(chunk: string | Uint8Array): unknown; readonly isTTY?: boolean };

/** What {@link createOutput} needs from the process. */
export type OutputOptions = {
  readonly json: boolean;
  /** Gets what came out, and nothing else: a script may pipe it on. */
  readonly stdout: OutputStream;
  /** Gets everything that is said on the way. */
  readonly stderr: OutputStream;
  /** False where nobody wants colours (`NO_COLOR`). Default: true. */
  readonly colours?: boolean;
};

/**
 * Makes the output of a command.
 *
 * @param options - Streams and mode.
 * @returns Plain lines without a terminal, a live progress line with one, one JSON line with `json`.
 */
export function createOutput(options: OutputOptions): Output {
  const { json, stdout, stderr } = options;
  const interactive = !json && stderr.isTTY === true;
  const colours = pc.createColors(interactive && options.colours !== false);
  let live = false;
  let lastProgress = "";
  let hasResult = false;
  const clear = (): void => {
    if (live) stderr.write("\r\u001b[2K");
    live = false;
  };
  return {
    json,
    step(text) {
      clear();
      stderr.write(`${colours.green("•")} ${text}\n`);
    },
    progress(text) {
      if (interactive) {
        clear();
        stderr.write(colours.dim(`… ${text}`));
        live = true;
      } else if (text !== lastProgress) {
        stderr.write(`… ${text}\n`);
      }
      lastProgress = text;
    },
    warn(text) {
      clear();
      stderr.write(`${colours.yellow("!")} ${text}\n`);
    },
    result(value, text) {
      clear();
      hasResult = true;
      if (json) stdout.write(`${toJson(value)}\n`);
      else for (const line of text) stdout.write(`${line}\n`);
    },
    raw(bytes) {
      clear();
      stdout.write(bytes);
    },
    failure(error) {
      clear();
      if (json) {
        // A command that said that it is up, and fails later, has used its one line.
        (hasResult ? stderr : stdout).write(`${toJson({ error: describeError(error) })}\n`);
        return;
      }
      const { code, message, causes = [], docs } = describeError(error);
      stderr.write(`${colours.red(code)}: ${message}\n`);
      for (const cause of causes) stderr.write(`  because: ${cause}\n`);
      if (docs !== undefined) stderr.write(`  see: docs/${docs}\n`);
    },
  };
}

/**
 * JSON of values of the market: amounts as decimal strings, bytes as hex, maps as objects.
 *
 * @param value - Anything a command returns.
 * @returns One line of JSON.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === "bigint") return item.toString();
    if (item instanceof Uint8Array) return `0x${Buffer.from(item).toString("hex")}`;
    if (item instanceof Map) return Object.fromEntries(item);
    if (item instanceof Set) return [...item];
    return item;
  });
}

/** An error as JSON shows it. */
type ErrorView = {
  readonly code: string;
  readonly message: string;
  readonly causes?: readonly string[];
  readonly docs?: string;
  readonly details?: unknown;
};

function describeError(error: unknown): ErrorView {
  const causes = causesOf(error);
  const because = causes.length === 0 ? {} : { causes };
  if (isQuorateError(error)) {
    return {
      code: error.code,
      message: error.message,
      ...because,
      ...(error.docsPath === undefined ? {} : { docs: error.docsPath }),
      ...(error.details === undefined ? {} : { details: error.details }),
    };
  }
  const message = firstLine(error instanceof Error ? error.message : String(error));
  return {
    code: "UNEXPECTED",
    message: `${message} This is a defect: please report it with the command that led here.`,
    ...because,
  };
}

/** Causes below an error, the nearest first; the file system's own words repeat what is said already. */
function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause instanceof Error && causes.length < 4) {
    causes.push(isQuorateError(cause) ? `${cause.code}: ${cause.message}` : firstLine(cause.message));
    cause = cause.cause;
  }
  return [...new Set(causes.filter((text) => text !== ""))];
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
