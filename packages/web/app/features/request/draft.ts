import { isSafeFileName, MAX_OUTPUT_BYTES, type Manifest } from "@quorate/core";

/** A file that goes into the package. */
export type DraftFile = { readonly name: string; readonly bytes: Uint8Array };

/** Where the program comes from. */
export type ProgramSource = "example" | "file" | "editor";

/** Steps of the form. */
export type DraftStep = 1 | 2 | 3 | 4;

/** Terms as they are typed; what is undefined follows the market or the other fields. */
export type DraftTerms = {
  readonly token?: string | undefined;
  readonly priceCeiling?: string | undefined;
  readonly bond?: string | undefined;
  readonly carrierFee?: string | undefined;
  readonly seats?: string | undefined;
  readonly quorum?: string | undefined;
  readonly spares?: string | undefined;
  readonly shadows?: string | undefined;
  readonly calloutPercent?: string | undefined;
  readonly standbyPercent?: string | undefined;
  readonly commitWindow?: string | undefined;
  readonly revealWindow?: string | undefined;
  readonly offerWindow?: string | undefined;
  readonly acceptProbation?: boolean | undefined;
  readonly setVotes?: boolean | undefined;
};

/** Limits as they are typed. */
export type DraftLimits = {
  readonly fuelMillions: string;
  readonly memoryMiB: string;
  readonly outputKiB: string;
  readonly wallTimeS: string;
};

/** The form, files aside. */
export type RequestDraft = {
  readonly version: 1;
  readonly step: DraftStep;
  readonly source: ProgramSource;
  readonly example?: string | undefined;
  /** One a line. */
  readonly args: string;
  /** Name of a data file; empty for none. */
  readonly stdin: string;
  readonly label: string;
  readonly limits: DraftLimits;
  readonly terms: DraftTerms;
  /** Keys that the wallet can derive again, instead of random ones. */
  readonly derivedKeys: boolean;
  /** Content that was tried here and ran to its end, or that somebody sends without trying. */
  readonly tried?: { readonly key: string; readonly how: "ran" | "skipped" } | undefined;
  /** Set before the request of this form is made: nonce of the job, decimal. */
  readonly nonce?: string | undefined;
};

/** Files of the form. */
export type DraftFiles = { readonly program: DraftFile | undefined; readonly data: readonly DraftFile[] };

/** The form before anything was typed. */
export const emptyDraft: RequestDraft = {
  version: 1,
  step: 1,
  source: "example",
  args: "",
  stdin: "",
  label: "",
  limits: { fuelMillions: "1000", memoryMiB: "64", outputKiB: "256", wallTimeS: "20" },
  terms: {},
  derivedKeys: false,
};

/** No file yet. */
export const noFiles: DraftFiles = { program: undefined, data: [] };

/** What the editor begins with. */
export const BLANK_PROGRAM = `// Runs once, alike on every provider. What it returns is the result.
export default function ({ files, args }) {
  return { files: files.names(), args };
}
`;

const MIB = 1024 * 1024;

/** Engine of a program, by its name. */
export type EngineName = Manifest["engine"]["name"];

/**
 * Engine that runs a file.
 *
 * @param name - File name.
 * @returns Undefined when none does.
 */
export function engineOf(name: string): EngineName | undefined {
  if (/\.wasm$/i.test(name)) return "wasi-p1";
  return /\.m?js$/i.test(name) ? "quickjs" : undefined;
}

const WASM_MAGIC = [0x00, 0x61, 0x73, 0x6d];
/** Version field of a core module; that of a component differs. */
const CORE_MODULE = [0x01, 0x00, 0x00, 0x00];

/**
 * What is wrong with a file as the program, in words.
 *
 * @param file - Dropped or chosen.
 * @returns Undefined when nothing is.
 */
export function programProblem(file: DraftFile): string | undefined {
  const engine = engineOf(file.name);
  if (engine === undefined) {
    return `${file.name} is no program that can run here: take a .js file, or a .wasm file compiled for WASI preview 1.`;
  }
  const unsafe = fileNameProblem(file.name);
  if (unsafe !== undefined) return unsafe;
  if (engine === "quickjs") {
    return isText(file.bytes) ? undefined : `${file.name} is not text in UTF-8, so it cannot be JavaScript.`;
  }
  if (!WASM_MAGIC.every((byte, index) => file.bytes[index] === byte)) {
    return `${file.name} does not begin like WebAssembly. Compile the program to a module for WASI preview 1.`;
  }
  if (!CORE_MODULE.every((byte, index) => file.bytes[4 + index] === byte)) {
    return `${file.name} is a WebAssembly component. Compile the program to a module for WASI preview 1 (target wasm32-wasip1).`;
  }
  return undefined;
}

/**
 * What is wrong with a file name, in words.
 *
 * @param name - As the file is called.
 * @returns Undefined when nothing is.
 */
export function fileNameProblem(name: string): string | undefined {
  if (isSafeFileName(name)) return undefined;
  return `"${name}" cannot be used as a name in a package: take letters, digits, ".", "_" and "-" without accents or spaces, and begin with a letter, a digit or "_". Rename the file and drop it again.`;
}

/**
 * What is wrong with a data file beside the others, in words.
 *
 * @param file - New one.
 * @param files - What the package has already.
 */
export function dataProblem(file: DraftFile, files: DraftFiles): string | undefined {
  if (file.name === files.program?.name) return `${file.name} is the name of the program. Rename the file.`;
  return fileNameProblem(file.name);
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A package's parts, or what is wrong by field. */
export type BuiltParts =
  | { readonly manifest: Manifest; readonly files: ReadonlyMap<string, Uint8Array>; readonly problems?: undefined }
  | { readonly manifest?: undefined; readonly problems: PartProblems };

/** What is wrong with program, data and limits, in words. */
export type PartProblems = {
  readonly program?: string;
  readonly args?: string;
  readonly stdin?: string;
  readonly limits: { readonly [Field in keyof DraftLimits]?: string };
};

const LONGEST_ARGUMENT = 4_096;
const MOST_ARGUMENTS = 256;
const MOST_MEMORY_MIB = 4_096;
const MOST_FUEL_MILLIONS = 9_007_199_254;
const LONGEST_WALL_TIME_S = 604_800;

/**
 * Puts manifest and files together.
 *
 * @param draft - How the program is run, as typed.
 * @param files - Program and data.
 * @param engines - What this build can run, exact versions.
 */
export function buildParts(
  draft: Pick<RequestDraft, "args" | "stdin" | "limits">,
  files: DraftFiles,
  engines: readonly Manifest["engine"][],
): BuiltParts {
  const { program } = files;
  const engine = program === undefined ? undefined : engines.find(({ name }) => name === engineOf(program.name));
  const programWords =
    program === undefined
      ? "Choose a program: an example, a file of yours, or write one."
      : (programProblem(program) ??
        (engine === undefined ? `This version of the app has no engine for ${program.name}.` : undefined) ??
        (program.bytes.length === 0 ? "The program is empty." : undefined));
  const args = draft.args === "" ? [] : draft.args.replace(/\n$/, "").split("\n");
  const argsWords =
    args.length > MOST_ARGUMENTS
      ? `At most ${MOST_ARGUMENTS} arguments.`
      : args.some((arg) => arg.length > LONGEST_ARGUMENT)
        ? `An argument has at most ${LONGEST_ARGUMENT} characters.`
        : undefined;
  const stdinWords =
    draft.stdin !== "" && !files.data.some(({ name }) => name === draft.stdin)
      ? `${draft.stdin} is none of the data files.`
      : undefined;
  const { limits } = draft;
  const fuel = inRange(limits.fuelMillions, 1, MOST_FUEL_MILLIONS);
  const memory = inRange(limits.memoryMiB, 1, MOST_MEMORY_MIB);
  const output = inRange(limits.outputKiB, 1, MAX_OUTPUT_BYTES / 1024);
  const wall = inRange(limits.wallTimeS, 1, LONGEST_WALL_TIME_S);
  const limitWords = {
    ...whenWrong("fuelMillions", fuel),
    ...whenWrong("memoryMiB", memory),
    ...whenWrong("outputKiB", output),
    ...whenWrong("wallTimeS", wall),
  };
  if (
    program === undefined ||
    engine === undefined ||
    programWords !== undefined ||
    argsWords !== undefined ||
    stdinWords !== undefined ||
    typeof fuel === "string" ||
    typeof memory === "string" ||
    typeof output === "string" ||
    typeof wall === "string"
  ) {
    return {
      problems: {
        ...(programWords === undefined ? {} : { program: programWords }),
        ...(argsWords === undefined ? {} : { args: argsWords }),
        ...(stdinWords === undefined ? {} : { stdin: stdinWords }),
        limits: limitWords,
      },
    };
  }
  return {
    manifest: {
      version: 1,
      engine,
      program: program.name,
      args,
      env: {},
      ...(draft.stdin === "" ? {} : { stdin: draft.stdin }),
      limits: {
        fuel: fuel * 1_000_000,
        memoryBytes: memory * MIB,
        outputBytes: output * 1024,
        wallTimeMs: wall * 1000,
      },
    },
    files: new Map([[program.name, program.bytes], ...files.data.map(({ name, bytes }) => [name, bytes] as const)]),
  };
}

function inRange(text: string, least: number, most: number): number | string {
  const value = /^[0-9]{1,12}$/.test(text.trim()) ? Number(text.trim()) : Number.NaN;
  if (value >= least && value <= most) return value;
  return `Take a whole number from ${least.toLocaleString("en")} to ${most.toLocaleString("en")}.`;
}

function whenWrong<Field extends string>(field: Field, value: number | string): { readonly [Name in Field]?: string } {
  return (typeof value === "string" ? { [field]: value } : {}) as { readonly [Name in Field]?: string };
}

/**
 * Tells one content of the form from another, to know whether what was tried is what would be sent.
 *
 * @param parts - Manifest and files.
 */
export async function contentKey(parts: {
  readonly manifest: Manifest;
  readonly files: ReadonlyMap<string, Uint8Array>;
}): Promise<string> {
  const digests = await Promise.all(
    [...parts.files].map(async ([name, bytes]) => {
      const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
      return [name, [...new Uint8Array(digest).subarray(0, 12)].join(".")];
    }),
  );
  return JSON.stringify([parts.manifest, digests]);
}

/**
 * Reads a draft that an earlier version of the app may have stored.
 *
 * @param stored - From the database.
 */
export function readDraft(stored: unknown): RequestDraft {
  if (typeof stored !== "object" || stored === null || (stored as { version?: unknown }).version !== 1) {
    return emptyDraft;
  }
  const draft = stored as Partial<RequestDraft>;
  return {
    ...emptyDraft,
    ...draft,
    limits: { ...emptyDraft.limits, ...draft.limits },
    terms: { ...draft.terms },
  };
}
