import { readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { Writable } from "node:stream";
import { FatalError } from "@quorate/core";
import { Interrupted } from "./exit-codes.ts";

/** Where a passphrase may come from, in this order. */
export type PassphraseSources = {
  /** File whose first line is the passphrase (`--passphrase-file`). */
  readonly file?: string | undefined;
  /** `QUORATE_PASSPHRASE`. */
  readonly variable?: string | undefined;
  /** Terminal to ask on; absent without one. */
  readonly terminal?: { readonly input: NodeJS.ReadStream; readonly output: NodeJS.WriteStream } | undefined;
};

/**
 * Gets the passphrase of a key file.
 *
 * @param sources - Where to look.
 * @param prompt - What the terminal shows.
 * @param signal - Ends the question.
 * @returns The passphrase, without line end.
 * @throws FatalError `USAGE_NO_PASSPHRASE` when there is no source, `USAGE_PASSPHRASE_FILE` when the file cannot be read or is empty.
 */
export async function readPassphrase(sources: PassphraseSources, prompt: string, signal: AbortSignal): Promise<string> {
  if (sources.file !== undefined) {
    let line: string | undefined;
    try {
      line = readFileSync(sources.file, "utf8").split(/\r?\n/, 1)[0];
    } catch (error) {
      throw new FatalError(
        "USAGE_PASSPHRASE_FILE",
        `The passphrase file ${sources.file} cannot be read. Check the path and its permissions.`,
        { cause: error },
      );
    }
    if (!line)
      throw new FatalError(
        "USAGE_PASSPHRASE_FILE",
        `The first line of ${sources.file} is empty; it must hold the passphrase.`,
      );
    return line;
  }
  if (sources.variable !== undefined && sources.variable !== "") return sources.variable;
  if (sources.terminal === undefined) {
    throw new FatalError(
      "USAGE_NO_PASSPHRASE",
      "A key file has to be opened and there is no terminal to ask on. Name a file with --passphrase-file, or set QUORATE_PASSPHRASE.",
    );
  }
  return ask(sources.terminal.input, sources.terminal.output, prompt, signal);
}

async function ask(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
  prompt: string,
  signal: AbortSignal,
): Promise<string> {
  // readline echoes what is typed to its output: it gets one that swallows everything.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  output.write(prompt);
  try {
    return await answerOf(createInterface({ input, output: silent, terminal: true }), "", signal);
  } finally {
    output.write("\n");
  }
}

/**
 * Asks a question on a terminal, showing what is typed.
 *
 * @param terminal - Streams of the terminal.
 * @param question - What is asked.
 * @param signal - Ends the question.
 * @returns The line that was typed.
 * @throws Interrupted after Ctrl-C or the end of input.
 */
export async function askTerminal(
  terminal: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
  question: string,
  signal: AbortSignal,
): Promise<string> {
  return answerOf(createInterface({ ...terminal, terminal: true }), question, signal);
}

async function answerOf(lines: Interface, question: string, signal: AbortSignal): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      // The terminal gives Ctrl-C as a key while it is read like this, not as a signal.
      lines.once("SIGINT", () => reject(new Interrupted("Stopped at a question. Nothing was done after it.")));
      lines.once("close", () =>
        reject(new Interrupted("The terminal was closed at a question. Nothing was done after it.")),
      );
      lines.question(question, { signal }, resolve);
    });
  } finally {
    lines.close();
  }
}
