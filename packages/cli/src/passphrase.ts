import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
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
  const lines = createInterface({ input, output: silent, terminal: true });
  output.write(prompt);
  try {
    return await new Promise<string>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      // The terminal gives Ctrl-C as a key while it is read like this, not as a signal.
      lines.once("SIGINT", () => reject(new Interrupted("Stopped at the passphrase. Nothing was done.")));
      lines.once("close", () =>
        reject(new Interrupted("The terminal was closed at the passphrase. Nothing was done.")),
      );
      lines.question("", { signal }, resolve);
    });
  } finally {
    lines.close();
    output.write("\n");
  }
}
