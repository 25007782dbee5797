import { isQuorateError } from "@quorate/core";
import pc from "picocolors";

/** Where a command says what it does and what came out of it. */
export type Output = {
  /** True with `--json`: {@link Output.result} prints one JSON line, everything else goes to standard error. */
  readonly json: boolean;
  /** True when a person watches: progress may overwrite its line. */
  readonly interactive: boolean;
  /** A step that was reached, in words. */
  step(text: string): void;
  /** What is being waited for; overwritten by the next line on a terminal, printed once elsewhere. */
  progress(text: string): void;
  /** Something the person should know although the command goes on. */
  warn(text: string): void;
  /** What came out: `value` as one JSON line with `--json`, else the lines of `text`. */
  result(value: unknown, text: readonly string[]): void;
  /** An error with code, cause and what to do. */
  failure(error: unknown): void;
};

/** What {@link createOutput} needs from the process. */
export type OutputOptions = {
  readonly json: boolean;
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
};

/**
 * Makes the output of a command.
 *
 * @param options - Streams and mode.
 * @returns Plain lines without a terminal, a live progress line with one, one JSON line with `json`.
 */
export function createOutput(options: OutputOptions): Output {
  const { json, stdout, stderr } = options;
  const interactive = !json && stdout.isTTY === true;
  const talk = json ? stderr : stdout;
  const colours = pc.createColors(interactive);
  let live = false;
  let lastProgress = "";
  const clear = (): void => {
    if (live) talk.write("\r\u001b[2K");
    live = false;
  };
  return {
    json,
    interactive,
    step(text) {
      clear();
      talk.write(`${colours.green("•")} ${text}\n`);
    },
    progress(text) {
      if (interactive) {
        clear();
        talk.write(colours.dim(`… ${text}`));
        live = true;
      } else if (text !== lastProgress) {
        talk.write(`… ${text}\n`);
      }
      lastProgress = text;
    },
    warn(text) {
      clear();
      stderr.write(`${colours.yellow("!")} ${text}\n`);
    },
    result(value, text) {
      clear();
      if (json) stdout.write(`${toJson(value)}\n`);
      else for (const line of text) stdout.write(`${line}\n`);
    },
    failure(error) {
      clear();
      if (json) {
        stdout.write(`${toJson({ error: describeError(error) })}\n`);
        return;
      }
      const { code, message, docs } = describeError(error);
      stderr.write(`${colours.red(code)}: ${message}\n`);
      for (const cause of causesOf(error)) stderr.write(`  because: ${cause}\n`);
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

function describeError(error: unknown): { code: string; message: string; docs?: string; details?: unknown } {
  if (isQuorateError(error)) {
    return {
      code: error.code,
      message: error.message,
      ...(error.docsPath === undefined ? {} : { docs: error.docsPath }),
      ...(error.details === undefined ? {} : { details: error.details }),
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "UNEXPECTED",
    message: `${message} This is a defect: please report it with the command that led here.`,
  };
}

function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let cause = error instanceof Error ? error.cause : undefined;
  while (cause instanceof Error && causes.length < 4) {
    causes.push(isQuorateError(cause) ? `${cause.code}: ${cause.message}` : (cause.message.split("\n")[0] ?? ""));
    cause = cause.cause;
  }
  return causes;
}
