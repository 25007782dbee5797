import { bigEndian, concatBytes, equalBytes, fromUtf8, utf8 } from "./bytes.ts";
import { canonicalJson } from "./canonical-json.ts";
import { FatalError } from "./errors.ts";
import { isSafeFileName, type Manifest, parseManifest } from "./manifest.ts";

/** Function and data that travel together. */
export type Package = {
  readonly manifest: Manifest;
  /** By name. `manifest.program` is one of them; all others are read-only data under `/data/`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
};

/** Largest encoded package: with its length it fills the largest size class, 128 MiB. */
export const MAX_PACKAGE_BYTES: number = 2 ** 27 - 8;
/** Most files of a package. */
export const MAX_FILES = 1_024;
/** Longest encoded manifest, bytes. */
export const MAX_MANIFEST_BYTES = 65_536;

const MAGIC = utf8("QRTPKG\x01\n");

/**
 * Encodes a package; equal packages give equal bytes.
 *
 * `magic (8) ‖ manifest length (4) ‖ manifest (canonical JSON) ‖ file count (4) ‖ files`, each file
 * `name length (2) ‖ name ‖ size (4) ‖ bytes`, sorted by name, integers big-endian.
 *
 * @param pkg Manifest and files.
 * @throws FatalError `MANIFEST_MALFORMED`; `PACKAGE_MALFORMED` when program, standard input or names are wrong;
 * `PACKAGE_TOO_LARGE`.
 */
export function encodePackage(pkg: Package): Uint8Array {
  const manifest = utf8(canonicalJson(parseManifest(pkg.manifest)));
  const names = [...pkg.files.keys()].sort(byCodeUnit);
  checkFiles(pkg.manifest, names);
  if (manifest.length > MAX_MANIFEST_BYTES) throw tooLarge("manifest", manifest.length, MAX_MANIFEST_BYTES);
  const entries = names.flatMap((name) => {
    const bytes = pkg.files.get(name) as Uint8Array;
    return [bigEndian(name.length, 2), utf8(name), bigEndian(bytes.length, 4), bytes];
  });
  const size = entries.reduce((sum, part) => sum + part.length, MAGIC.length + 8 + manifest.length);
  if (size > MAX_PACKAGE_BYTES) throw tooLarge("package", size, MAX_PACKAGE_BYTES);
  return concatBytes(MAGIC, bigEndian(manifest.length, 4), manifest, bigEndian(names.length, 4), ...entries);
}

/**
 * Decodes a package from anywhere. Only what {@link encodePackage} gives is accepted, so that one package has one
 * encoding.
 *
 * @param bytes Encoded package.
 * @throws FatalError `PACKAGE_MALFORMED`.
 */
export function decodePackage(bytes: Uint8Array): Package {
  if (bytes.length > MAX_PACKAGE_BYTES) malformed(`it is larger than ${MAX_PACKAGE_BYTES} bytes`);
  const reader = new Reader(bytes);
  if (!equalBytes(reader.take(MAGIC.length), MAGIC)) malformed("it does not begin as a package of version 1");
  const manifest = decodeManifest(reader.take(reader.integer(4), MAX_MANIFEST_BYTES));
  const count = reader.integer(4);
  if (count > MAX_FILES) malformed(`it holds more than ${MAX_FILES} files`);
  const files = new Map<string, Uint8Array>();
  let previous = "";
  for (let index = 0; index < count; index++) {
    const name = decodeName(reader.take(reader.integer(2)));
    if (name <= previous) malformed("its files are not in order, or one is there twice");
    files.set(name, reader.take(reader.integer(4)).slice());
    previous = name;
  }
  if (!reader.isAtEnd()) malformed("bytes follow its last file");
  checkFiles(manifest, [...files.keys()]);
  return { manifest, files };
}

class Reader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(length: number, most: number = this.#bytes.length): Uint8Array {
    if (length > most || length > this.#bytes.length - this.#offset) malformed("it ends too early");
    const part = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return part;
  }

  integer(length: number): number {
    return this.take(length).reduce((value, byte) => value * 256 + byte, 0);
  }

  isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }
}

function decodeManifest(bytes: Uint8Array): Manifest {
  let manifest: Manifest;
  try {
    manifest = parseManifest(JSON.parse(fromUtf8(bytes)));
  } catch (cause) {
    return malformed("its manifest cannot be read", cause);
  }
  if (!equalBytes(utf8(canonicalJson(manifest)), bytes)) malformed("its manifest is not in canonical form");
  return manifest;
}

function decodeName(bytes: Uint8Array): string {
  const name = String.fromCharCode(...bytes.subarray(0, 256));
  if (bytes.length > 255 || !isSafeFileName(name)) malformed("the name of a file is not safe");
  return name;
}

function checkFiles(manifest: Manifest, names: readonly string[]): void {
  if (names.length > MAX_FILES) malformed(`it holds more than ${MAX_FILES} files`);
  const known = new Set(names);
  for (const name of names) {
    if (!isSafeFileName(name)) malformed(`"${name}" is no safe relative file name`);
    for (let slash = name.indexOf("/"); slash !== -1; slash = name.indexOf("/", slash + 1)) {
      if (known.has(name.slice(0, slash))) malformed(`"${name.slice(0, slash)}" is a file and a folder`);
    }
  }
  if (!known.has(manifest.program)) malformed(`the program "${manifest.program}" is none of its files`);
  if (manifest.stdin !== undefined && !known.has(manifest.stdin)) {
    malformed(`the standard input "${manifest.stdin}" is none of its files`);
  }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function malformed(why: string, cause?: unknown): never {
  throw new FatalError("PACKAGE_MALFORMED", `The package cannot be used: ${why}.`, { cause });
}

function tooLarge(what: string, size: number, most: number): FatalError {
  return new FatalError(
    "PACKAGE_TOO_LARGE",
    `The ${what} has ${size} bytes; at most ${most} can be sent. Make it smaller.`,
    {
      details: { size, most },
    },
  );
}
