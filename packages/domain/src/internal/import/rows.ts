import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { pipeline } from "node:stream";
import { FatalError } from "@quorate/core";
import { parse } from "csv-parse";
import { Client } from "pg";
import Cursor from "pg-cursor";
import { streamArray } from "stream-json/streamers/stream-array.js";
import { streamValues } from "stream-json/streamers/stream-values.js";

/** Where records come from. */
export type ImportSource =
  | { readonly format: "csv"; readonly path: string /** One character, `,` by default. */; readonly delimiter?: string }
  /** An array of objects, or one object a line. */
  | { readonly format: "json"; readonly path: string }
  | { readonly format: "sqlite"; readonly path: string /** A `SELECT`. */; readonly query: string }
  | {
      readonly format: "postgres";
      /** `postgres://user:password@host/database` */
      readonly url: string;
      /** A `SELECT`. */
      readonly query: string;
    };

/** A row: every value as its text, digits untouched; absent when it is null. */
export type Row = {
  /** Line of a CSV file; number of the object or row otherwise, from 1. */
  readonly line: number;
  readonly values: ReadonlyMap<string, string>;
};

/** Rows of Postgres that are fetched at once. */
const FETCH_ROWS = 500;

/**
 * Reads rows one after the other; a source may be larger than memory.
 *
 * @param source Where from.
 * @throws FatalError `SOURCE_UNREADABLE`; the message never holds a value.
 */
export async function* readRows(source: ImportSource): AsyncGenerator<Row, void> {
  const rows = readers[source.format](source as never);
  try {
    for (;;) {
      let next: IteratorResult<Row, void>;
      try {
        next = await rows.next();
      } catch (error) {
        throw unreadable(source, error);
      }
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await rows.return();
  }
}

type Reader<F> = (source: Extract<ImportSource, { format: F }>) => AsyncGenerator<Row, void>;
const readers: { readonly [F in ImportSource["format"]]: Reader<F> } = {
  csv: readCsv,
  json: readJson,
  sqlite: readSqlite,
  postgres: readPostgres,
};

async function* readCsv({
  path,
  delimiter = ",",
}: Extract<ImportSource, { format: "csv" }>): AsyncGenerator<Row, void> {
  const parser = parse({ bom: true, delimiter, info: true, skip_empty_lines: true, relax_column_count: false });
  // Errors of either end surface at the reader below.
  const stream = pipeline(createReadStream(path), parser, () => {});
  let header: readonly string[] | undefined;
  for await (const { record, info } of stream as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    if (header === undefined) {
      header = record;
      if (new Set(header).size !== header.length) throw plain("a column is named twice");
      continue;
    }
    const names = header;
    yield {
      line: info.lines,
      values: new Map(record.flatMap((text, n) => (text === "" ? [] : [[names[n] ?? "", text] as const]))),
    };
  }
}

async function* readJson({ path }: Extract<ImportSource, { format: "json" }>): AsyncGenerator<Row, void> {
  const isArray = (await firstCharacter(path)) === "[";
  // Numbers stay text: a double would lose digits without a word.
  const assembler = isArray
    ? streamArray.withParserAsStream({ numberAsString: true })
    : streamValues.withParserAsStream({ numberAsString: true, jsonStreaming: true });
  const stream = pipeline(createReadStream(path, "utf8"), assembler, () => {});
  let line = 0;
  for await (const { value } of stream as unknown as AsyncIterable<{ value: unknown }>) {
    line += 1;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw plain(`number ${line} is no object`);
    yield {
      line,
      values: new Map(
        Object.entries(value).flatMap(([name, content]): [string, string][] => {
          if (content === null) return [];
          if (typeof content === "object") return [[name, JSON.stringify(content)]];
          return [[name, String(content)]];
        }),
      ),
    };
  }
}

async function firstCharacter(path: string): Promise<string | undefined> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4_096), 0, 4_096, 0);
    return buffer
      .toString("utf8", 0, bytesRead)
      .replace(/^\ufeff/, "")
      .trimStart()[0];
  } finally {
    await file.close();
  }
}

async function* readSqlite({ path, query }: Extract<ImportSource, { format: "sqlite" }>): AsyncGenerator<Row, void> {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const statement = db.prepare(query);
    // Integers of 64 bits do not fit a double.
    statement.setReadBigInts(true);
    let line = 0;
    for (const row of statement.iterate()) {
      line += 1;
      yield {
        line,
        values: new Map(
          Object.entries(row).flatMap(([name, value]): [string, string][] => {
            if (value === null) return [];
            if (value instanceof Uint8Array) throw plain(`row ${line} has bytes where a text or number is expected`);
            return [[name, String(value)]];
          }),
        ),
      };
    }
  } finally {
    db.close();
  }
}

async function* readPostgres({ url, query }: Extract<ImportSource, { format: "postgres" }>): AsyncGenerator<Row, void> {
  const client = new Client({
    connectionString: url,
    application_name: "quorate-import",
    connectionTimeoutMillis: 15_000,
    // Every value as the text that the server wrote.
    types: { getTypeParser: () => (text: string) => text },
  });
  // A connection that breaks between two reads: the next read tells.
  client.on("error", () => {});
  await client.connect();
  try {
    // One state of the data from the first row to the last, and no way to change any of it.
    await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await client.query("SET LOCAL datestyle = 'ISO'; SET LOCAL timezone = 'UTC'");
    const cursor = client.query(new Cursor<Record<string, string | null>>(query));
    let line = 0;
    for (;;) {
      const rows = await cursor.read(FETCH_ROWS);
      if (rows.length === 0) return;
      for (const row of rows) {
        line += 1;
        yield {
          line,
          values: new Map(
            Object.entries(row).flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]])),
          ),
        };
      }
    }
  } finally {
    await client.end().catch(() => {});
  }
}

/** What is wrong, in words that hold no value of a row. */
function plain(message: string): FatalError {
  return new FatalError("SOURCE_UNREADABLE", message);
}

function unreadable(source: ImportSource, error: unknown): FatalError {
  const where = source.format === "postgres" ? `the database at ${new URL(source.url).host}` : source.path;
  const { code, message, lines } = error as { code?: string; message?: string; lines?: number };
  // A parser's message repeats the text that it could not read; only its kind and place go on.
  let why: string;
  if (error instanceof FatalError) why = error.message;
  else if (code?.startsWith("CSV_") === true) why = `${code} in line ${lines ?? "?"}`;
  else if (source.format === "postgres" || code?.startsWith("E") === true) why = message ?? String(code);
  else if (source.format === "sqlite") why = message ?? "SQLite cannot read it";
  else why = "it is not well-formed";
  return new FatalError("SOURCE_UNREADABLE", `Records cannot be read from ${where}: ${why}.`, {
    docsPath: "guides/domain.md",
  });
}
