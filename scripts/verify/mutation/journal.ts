// What is known about mutants so far: one line each, written as soon as it is known, so that a run that was ended goes on where it was.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** How a mutant ended. */
export type Verdict =
  | { readonly status: "killed"; readonly by: string }
  | { readonly status: "survived" }
  /** Its tests did not end: noticed too. */
  | { readonly status: "timeout" }
  /** The compiler does not take it. */
  | { readonly status: "stillborn"; readonly error: string };

/**
 * A line of the journal. `pin` is the hash of the tests that the verdict rests on: all of them for a survivor, those of the killer for a
 * mutant that was killed. When they change, the mutant is judged again.
 */
export type Entry = { readonly id: string; readonly pin: string } & Verdict;

/** Verdicts by id of the mutant; lasts on disk. */
export class Journal {
  readonly #file: string;
  readonly #entries = new Map<string, Entry>();

  /** @param file that is read if it is there; a last line that was cut off is forgotten */
  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) return;
    const text = readFileSync(file, "utf8");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length < text.length) appendFileSync(file, "\n");
    for (const line of whole.split("\n")) {
      const entry = parse(line);
      if (entry !== undefined) this.#entries.set(entry.id, entry);
    }
  }

  /** The verdict on a mutant, if there is one. */
  get(id: string): Entry | undefined {
    return this.#entries.get(id);
  }

  /** Everything known. */
  get entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** Notes a verdict. */
  put(entry: Entry): void {
    this.#entries.set(entry.id, entry);
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
  }
}

function parse(line: string): Entry | undefined {
  try {
    return JSON.parse(line) as Entry;
  } catch {
    return undefined;
  }
}
