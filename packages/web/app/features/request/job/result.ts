/** A value of JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Rows with the same fields. */
export type ResultTable = {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly [name: string]: Json }[];
  /** Values beside the rows, where the result is an object around them. */
  readonly beside: readonly (readonly [name: string, value: Json])[];
  /** What the rows are called in that object. */
  readonly title: string | undefined;
};

/** A result, by what it can be shown as. */
export type ShownResult =
  | { readonly kind: "empty" }
  | { readonly kind: "image"; readonly type: string }
  | { readonly kind: "json"; readonly value: Json; readonly text: string; readonly table: ResultTable | undefined }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "binary" };

/** First bytes of image formats that every browser shows. SVG is none of them: it can carry script. */
const images: readonly (readonly [type: string, magic: readonly (number | undefined)[]])[] = [
  ["image/png", [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["image/gif", [0x47, 0x49, 0x46, 0x38]],
  ["image/webp", [0x52, 0x49, 0x46, 0x46, undefined, undefined, undefined, undefined, 0x57, 0x45, 0x42, 0x50]],
  ["image/bmp", [0x42, 0x4d]],
];

/** JSON above this size is shown as text: a tree of millions of values helps nobody, and to read it holds up the page. */
const MOST_JSON_BYTES = 1024 * 1024;

/** Rows above this number are cut in the table. */
export const MOST_ROWS = 500;

/** Characters above this number are cut in the text. */
export const MOST_CHARACTERS = 100_000;

/**
 * Finds out what a result can be shown as, from its bytes alone.
 *
 * @param bytes - The result.
 */
export function classifyResult(bytes: Uint8Array): ShownResult {
  if (bytes.length === 0) return { kind: "empty" };
  const image = images.find(([, magic]) => magic.every((byte, index) => byte === undefined || bytes[index] === byte));
  if (image !== undefined && !(image[0] === "image/bmp" && isText(bytes))) return { kind: "image", type: image[0] };
  const text = decode(bytes);
  if (text === undefined || hasControls(text)) return { kind: "binary" };
  if (bytes.length <= MOST_JSON_BYTES && /^\s*[[{]/.test(text)) {
    try {
      const value = JSON.parse(text) as Json;
      return { kind: "json", value, text: JSON.stringify(value, null, 2), table: tableOf(value) };
    } catch {
      // Text that begins like JSON.
    }
  }
  return { kind: "text", text };
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isText(bytes: Uint8Array): boolean {
  const text = decode(bytes);
  return text !== undefined && !hasControls(text);
}

/** Control characters that no text has: all but tab, line ends and form feed. */
function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0c && code !== 0x0d) return true;
  }
  return false;
}

/**
 * Rows of a JSON value: a list of objects, or the one list of objects in an object.
 *
 * @param value - The result.
 * @returns Undefined when it is no table.
 */
export function tableOf(value: Json): ResultTable | undefined {
  if (isList(value)) return rowsOf(value, undefined, []);
  if (!isRecord(value)) return undefined;
  const lists = Object.entries(value).filter(([, part]) => isList(part) && rowsOf(part, undefined, []) !== undefined);
  const [only] = lists;
  if (lists.length !== 1 || only === undefined) return undefined;
  const [title, list] = only;
  return rowsOf(
    list as readonly Json[],
    title,
    Object.entries(value).filter(([name]) => name !== title),
  );
}

function rowsOf(
  list: readonly Json[],
  title: string | undefined,
  beside: readonly (readonly [string, Json])[],
): ResultTable | undefined {
  if (list.length === 0 || !list.every(isRecord)) return undefined;
  const columns = [...new Set(list.flatMap((row) => Object.keys(row)))];
  if (columns.length === 0 || columns.length > 24) return undefined;
  return { columns, rows: list, beside, title };
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isRecord(value: Json): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What can be drawn of a table. */
export type Drawable = {
  /** Column with the name of each row; undefined where rows are numbered. */
  readonly label: string | undefined;
  /** Columns of numbers. */
  readonly numbers: readonly string[];
};

/** More bars than this cannot be read. */
const MOST_BARS = 60;

/**
 * What a chart can show of a table.
 *
 * @param table - Rows.
 * @returns Undefined when there are no numbers, one row, or too many.
 */
export function drawableOf({ columns, rows }: ResultTable): Drawable | undefined {
  if (rows.length < 2 || rows.length > MOST_BARS) return undefined;
  const numbers = columns.filter((column) => rows.every((row) => typeof row[column] === "number"));
  if (numbers.length === 0) return undefined;
  const label = columns.find((column) => {
    const names = new Set(rows.map((row) => row[column]));
    return names.size === rows.length && rows.every((row) => typeof row[column] === "string");
  });
  return { label, numbers };
}

/**
 * A field's name as words: `yearlyVolatility` becomes "yearly volatility".
 *
 * @param name - From the result.
 */
export function fieldWords(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/[_-]+/g, " ")
    .toLowerCase();
}

/**
 * A value in a cell.
 *
 * @param value - From the result.
 */
export function cellText(value: Json | undefined): string {
  if (value === undefined || value === null) return "–";
  if (typeof value === "number") return value.toLocaleString("en", { maximumFractionDigits: 6 });
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * Ending of the file that a result is downloaded as.
 *
 * @param shown - What it is.
 */
export function endingOf(shown: ShownResult): string {
  switch (shown.kind) {
    case "image":
      return shown.type.slice("image/".length).replace("jpeg", "jpg");
    case "json":
      return "json";
    case "text":
      return "txt";
    case "empty":
    case "binary":
      return "bin";
    default:
      return shown satisfies never;
  }
}
