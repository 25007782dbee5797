import { type Hex, keccak256 } from "viem";
import { z } from "zod";
import { utf8 } from "./bytes.ts";
import { canonicalJson } from "./canonical-json.ts";
import { FatalError } from "./errors.ts";

/** An engine that runs programs. */
export type Engine = {
  /** WASI preview 1 command module, or JavaScript in QuickJS. */
  readonly name: "wasi-p1" | "quickjs";
  /** Exact version: providers agree byte for byte only on the same one. */
  readonly version: string;
};

/** What a run may use. */
export type RunLimits = {
  /** Units of the named engine. */
  readonly fuel: number;
  /** Memory of the program, bytes. */
  readonly memoryBytes: number;
  /** Output, bytes. */
  readonly outputBytes: number;
  /** Milliseconds; only the host sees it, so running longer is a report, never a failure. */
  readonly wallTimeMs: number;
};

/** First entry of a package: how its program is run. */
export type Manifest = {
  readonly version: 1;
  readonly engine: Engine;
  /** Name of the file that is the program. */
  readonly program: string;
  /** Arguments after the program's name. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Name of the file that is standard input; empty input when absent. */
  readonly stdin?: string;
  readonly limits: RunLimits;
};

/** Public part of a manifest: what a provider prices before it can see the package. */
export type Requirements = {
  readonly version: 1;
  readonly engine: Engine;
  readonly limits: RunLimits;
};

/** Longest file name, bytes. */
export const MAX_FILE_NAME = 255;
/** Most memory that a manifest may ask: the address space of 32-bit wasm. */
export const MAX_MEMORY_BYTES: number = 2 ** 32;
/** Most output that a manifest may ask, bytes. */
export const MAX_OUTPUT_BYTES: number = 2 ** 26;
/** Longest wall time that a manifest may ask: seven days. */
export const MAX_WALL_TIME_MS = 604_800_000;

const NAME_SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$/;

/**
 * Tells whether a file name is safe on every system: relative, ASCII, no empty, hidden or parent segments.
 *
 * @param name Segments joined by `/`.
 */
export function isSafeFileName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_FILE_NAME && name.split("/").every((part) => NAME_SEGMENT.test(part));
}

const text = (length: number) =>
  z
    .string()
    .max(length)
    .refine((value) => value.isWellFormed() && !value.includes("\0"), "must be well-formed and without NUL");
const fileName = z.string().refine(isSafeFileName, "is no safe relative file name");
const count = (max: number) => z.int().min(1).max(max);

const engineSchema = z.strictObject({
  name: z.enum(["wasi-p1", "quickjs"]),
  version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$/),
});
const limitsSchema = z.strictObject({
  fuel: count(Number.MAX_SAFE_INTEGER),
  memoryBytes: count(MAX_MEMORY_BYTES),
  outputBytes: count(MAX_OUTPUT_BYTES),
  wallTimeMs: count(MAX_WALL_TIME_MS),
});

/** Schema of {@link Requirements}; unknown members are refused. */
export const requirementsSchema: z.ZodType<Requirements> = z.strictObject({
  version: z.literal(1),
  engine: engineSchema,
  limits: limitsSchema,
});

/** Schema of {@link Manifest}; unknown members are refused. */
export const manifestSchema: z.ZodType<Manifest> = z
  .strictObject({
    version: z.literal(1),
    engine: engineSchema,
    program: fileName,
    args: z.array(text(4_096)).max(256),
    env: z
      .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/), text(4_096))
      .refine((env) => Object.keys(env).length <= 256, "has more than 256 members"),
    stdin: z.exactOptional(fileName),
    limits: limitsSchema,
  })
  .readonly();

/**
 * Parses a manifest from outside.
 *
 * @param value JSON value.
 * @throws FatalError `MANIFEST_MALFORMED` naming the members that are wrong.
 */
export function parseManifest(value: unknown): Manifest {
  return parse(manifestSchema, value, "MANIFEST_MALFORMED", "manifest");
}

/**
 * Parses requirements from outside.
 *
 * @param value JSON value.
 * @throws FatalError `REQUIREMENTS_MALFORMED` naming the members that are wrong.
 */
export function parseRequirements(value: unknown): Requirements {
  return parse(requirementsSchema, value, "REQUIREMENTS_MALFORMED", "requirements");
}

function parse<T>(schema: z.ZodType<T>, value: unknown, code: string, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(({ path, message }) => `${path.join(".") || what}: ${message}`).join("; ");
  throw new FatalError(code, `The ${what} cannot be read: ${issues}.`, { cause: parsed.error });
}

/**
 * Requirements that a manifest stands for.
 *
 * @param manifest Manifest of a package.
 */
export function requirementsOf({ version, engine, limits }: Manifest): Requirements {
  return { version, engine, limits };
}

/**
 * `requirementsHash` of a request: `keccak256` of the canonical JSON.
 *
 * @param requirements Requirements document.
 */
export function hashRequirements(requirements: Requirements): Hex {
  return keccak256(utf8(canonicalJson(requirements)));
}
