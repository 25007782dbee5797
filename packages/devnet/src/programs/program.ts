import { AssertionError } from "node:assert";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Package } from "@quorate/core";

/** A job that a user would really send, with the means to know whether its result is right. */
export type DemoProgram = {
  /** Short and stable, for command lines. */
  readonly name: string;
  /** One line for a person. */
  readonly title: string;
  /** What it computes, on what data, with what program. */
  readonly description: string;
  /** Builds the package from the installed program and data. */
  build(): Promise<Package>;
  /** What the result must say, computed from the same data by other code than the program's. */
  expected(): Promise<unknown>;
  /**
   * Compares a result with {@link expected}.
   *
   * @param output Result bytes of the job.
   */
  check(output: Uint8Array): Promise<Checked>;
};

/** What a comparison says. */
export type Checked = {
  readonly ok: boolean;
  /** The result, or how it differs, in one line for a person. */
  readonly summary: string;
};

/**
 * Runs assertions as a comparison.
 *
 * @param compare Throws an `AssertionError` where the result differs; returns the summary.
 */
export async function checked(compare: () => Promise<string>): Promise<Checked> {
  try {
    return { ok: true, summary: await compare() };
  } catch (error) {
    // Text that is no JSON or no UTF-8 is a wrong result too.
    if (error instanceof AssertionError || error instanceof SyntaxError || error instanceof TypeError) {
      return { ok: false, summary: error.message.split("\n", 1)[0] ?? "" };
    }
    throw error;
  }
}

const require = createRequire(import.meta.url);

/**
 * Reads a public data set.
 *
 * @param name File name in the `data` folder of `vega-datasets`.
 */
export async function readDataset(name: string): Promise<Uint8Array> {
  // The package exports its module alone, `build/index.js`; the data lies beside that folder.
  const folder = dirname(dirname(require.resolve("vega-datasets")));
  return new Uint8Array(await readFile(join(folder, "data", name)));
}

/**
 * Reads a file of an installed package by its module specifier.
 *
 * @param specifier For example `some-package/program.wasm`.
 */
export async function readInstalled(specifier: string): Promise<Uint8Array> {
  return new Uint8Array(await readFile(require.resolve(specifier)));
}
