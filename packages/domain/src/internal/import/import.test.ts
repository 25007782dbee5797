import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { isQuorateError } from "@quorate/core";
import type { DatasetDefinition } from "@quorate/proofs";
import { assertCode } from "@quorate/testkit";
import { Client } from "pg";
import { type Postgres, startPostgres } from "../../testing/postgres.ts";
import { income, payroll, World } from "../../testing/world.ts";
import { openState } from "../context.ts";
import { domainStatus, importRecords } from "../offline.ts";
import { createRecords, type StoredRecord } from "../records.ts";
import { createSubjects } from "../subjects.ts";
import { createRowMapper, type ImportMapping, type RowProblem } from "./mapping.ts";
import { type ImportSource, type Row, readRows } from "./rows.ts";
import { ImportError } from "./run.ts";

const dir = mkdtempSync(join(tmpdir(), "quorate-import-"));
after(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

async function read(source: ImportSource): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const row of readRows(source)) rows.push(row);
  return rows;
}

const plain = (rows: readonly Row[]): unknown => rows.map(({ line, values }) => [line, Object.fromEntries(values)]);

/** Digits that no double holds. */
const many = "9007199254740993.10";

describe("rows", () => {
  let postgres: Postgres;
  before(async () => {
    postgres = await startPostgres();
  });
  after(() => postgres[Symbol.asyncDispose]());

  it("come from CSV with their lines: quotes, line breaks within, byte order mark, empty cells", async () => {
    const path = file("a.csv", `\ufeffid,name,value\nE1,"Ada, ""A""\nLovelace",${many}\n\nE2,,1\n`);
    assert.deepEqual(plain(await read({ format: "csv", path })), [
      [3, { id: "E1", name: 'Ada, "A"\nLovelace', value: many }],
      [5, { id: "E2", value: "1" }],
    ]);
    const semicolons = file("b.csv", "id;value\nE1;1,5\n");
    assert.deepEqual(plain(await read({ format: "csv", path: semicolons, delimiter: ";" })), [
      [2, { id: "E1", value: "1,5" }],
    ]);
  });

  it("come from JSON, as an array or line by line, and keep every digit of a number", async () => {
    const expected = [
      [1, { id: "E1", value: many, active: "true" }],
      [2, { id: "E2", value: "-0.5" }],
    ];
    const array = `[{"id":"E1","value":${many},"active":true}, {"id":"E2","value":-0.5,"name":null}]`;
    assert.deepEqual(plain(await read({ format: "json", path: file("a.json", array) })), expected);
    const lines = `{"id":"E1","value":${many},"active":true}\n{"id":"E2","value":-0.5,"name":null}\n`;
    assert.deepEqual(plain(await read({ format: "json", path: file("a.jsonl", lines) })), expected);
  });

  it("come from SQLite, and keep integers of 64 bits", async () => {
    const path = join(dir, "a.db");
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE t (id TEXT, value INTEGER, note TEXT)");
    db.exec("INSERT INTO t VALUES ('E1', 9007199254740993, NULL), ('E2', -1, 'x')");
    db.close();
    assert.deepEqual(plain(await read({ format: "sqlite", path, query: "SELECT * FROM t ORDER BY id" })), [
      [1, { id: "E1", value: "9007199254740993" }],
      [2, { id: "E2", value: "-1", note: "x" }],
    ]);
    await assertCode(read({ format: "sqlite", path, query: "DELETE FROM t" }), "SOURCE_UNREADABLE");
    await assertCode(read({ format: "sqlite", path, query: "SELECT nothing FROM t" }), "SOURCE_UNREADABLE");
  });

  it("come from a Postgres server, digits and dates as it writes them, and nothing there can be changed", async () => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query("CREATE TABLE t (id text, value numeric, day date, at timestamptz, note text)");
    await client.query(`INSERT INTO t VALUES ('E1', ${many}, '2026-03-01', '2026-03-01 12:00:00+02', NULL)`);
    await client.query("CREATE TABLE many AS SELECT n AS id FROM generate_series(1, 1203) AS n");
    const query = "SELECT * FROM t";
    assert.deepEqual(plain(await read({ format: "postgres", url: postgres.url, query })), [
      [1, { id: "E1", value: many, day: "2026-03-01", at: "2026-03-01 10:00:00+00" }],
    ]);
    const rows = await read({ format: "postgres", url: postgres.url, query: "SELECT id FROM many ORDER BY id" });
    assert.deepEqual(
      rows.map(({ line, values }) => [line, values.get("id")]),
      Array.from({ length: 1203 }, (_, n) => [n + 1, String(n + 1)]),
    );
    for (const wrong of ["DELETE FROM t RETURNING id", "SELECT * FROM nothing", "not SQL"])
      await assertCode(read({ format: "postgres", url: postgres.url, query: wrong }), "SOURCE_UNREADABLE");
    assert.equal((await client.query("SELECT count(*) AS n FROM t")).rows[0].n, "1");
    await client.end();
  });

  it("that cannot be read are refused without repeating what they hold", async () => {
    const sources: readonly ImportSource[] = [
      { format: "csv", path: file("bad.csv", "id,value\nSECRET,1,2\n") },
      { format: "csv", path: file("quote.csv", 'id,value\n"SECRET,1\n') },
      { format: "csv", path: file("twice.csv", "id,id\n1,2\n") },
      { format: "json", path: file("bad.json", '[{"id":"SECRET"},') },
      { format: "json", path: file("worse.json", '[{"id":SECRET}]') },
      { format: "json", path: file("flat.json", "[1,2]") },
      { format: "sqlite", path: file("bad.db", "SECRET"), query: "SELECT 1" },
      { format: "csv", path: join(dir, "missing.csv") },
    ];
    for (const source of sources) {
      const error = await assertCode(read(source), "SOURCE_UNREADABLE");
      assert.doesNotMatch(`${error.message}${String(error.cause)}`, /SECRET/);
    }
    await assertCode(
      read({ format: "postgres", url: "postgres://u:hunter2@127.0.0.1:1/x", query: "SELECT 1" }),
      "SOURCE_UNREADABLE",
    ).then(({ message }) => assert.doesNotMatch(message, /hunter2/));
  });
});

const mapping: ImportMapping = {
  version: 1,
  subject: { column: "id" },
  papers: { name: { column: "name" }, birthDate: { column: "born" }, documentNumber: { column: "passport" } },
  records: [
    {
      attribute: "income",
      unit: "EUR",
      scale: 2,
      signed: false,
      value: { column: "income" },
      validFrom: { column: "from" },
      validUntil: { column: "until" },
      budget: { column: "budget" },
    },
    {
      scorecard: "credit",
      values: { debt: { column: "debt" }, score: { column: "score" } },
      validFrom: "2026-01-01",
      validUntil: "2026-12-31T12:00:00Z",
      budget: 5,
    },
  ],
};
const good = {
  id: "E1",
  name: "Ada Lovelace",
  born: "1985-12-10",
  passport: "X1",
  income: "52000.5",
  from: "2026-01-01",
  until: "2026-03-01",
  budget: "20",
  debt: "100",
  score: "-3",
};
const rowOf = (changes: Record<string, string | undefined>): Row => ({
  line: 7,
  values: new Map(
    Object.entries({ ...good, ...changes }).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
  ),
});

describe("a mapping", () => {
  const map = createRowMapper(mapping, payroll);

  it("makes records: scaled values, first and last seconds of days, fields in their order", () => {
    const mapped = map(rowOf({}));
    assert.ok("records" in mapped);
    assert.equal(mapped.reference, "E1");
    assert.deepEqual(
      mapped.records.map(({ values, validFrom, validUntil, budget }) => [
        values,
        new Date(validFrom * 1000).toISOString(),
        new Date(validUntil * 1000).toISOString(),
        budget,
      ]),
      [
        [[5_200_050n], "2026-01-01T00:00:00.000Z", "2026-03-01T23:59:59.000Z", 20],
        [[100n, (1n << 63n) - 3n, 0n, 0n, 0n, 0n, 0n, 0n], "2026-01-01T00:00:00.000Z", "2026-12-31T12:00:00.000Z", 5],
      ],
    );
  });

  it("makes no record of what is empty", () => {
    const mapped = map(rowOf({ income: undefined, debt: undefined, score: undefined }));
    assert.ok("records" in mapped);
    assert.deepEqual(mapped.records, []);
  });

  it("names line and rule of whatever is wrong, without the value", () => {
    const cases: readonly (readonly [Record<string, string | undefined>, string])[] = [
      [{ id: undefined }, "SUBJECT_MISSING"],
      [{ id: "x".repeat(201) }, "SUBJECT_MISSING"],
      [{ income: "12,5" }, "VALUE_INVALID"],
      [{ income: "1.234" }, "VALUE_INVALID"],
      [{ income: "-1" }, "VALUE_INVALID"],
      [{ income: "1e3" }, "VALUE_INVALID"],
      [{ income: "184467440737095516.16" }, "VALUE_INVALID"],
      [{ income: "5 USD" }, "VALUE_INVALID"],
      [{ from: "2026-02-30" }, "DATE_INVALID"],
      [{ from: "01.03.2026" }, "DATE_INVALID"],
      [{ from: "2026-01-01T00:00:00" }, "DATE_INVALID"],
      [{ until: undefined }, "DATE_MISSING"],
      [{ from: "2026-03-02" }, "VALIDITY_EMPTY"],
      [{ budget: "0" }, "BUDGET_INVALID"],
      [{ budget: "65536" }, "BUDGET_INVALID"],
      [{ budget: "1.5" }, "BUDGET_INVALID"],
      [{ score: undefined }, "VALUE_MISSING"],
      [{ born: "10.12.1985" }, "PAPERS_INVALID"],
      [{ passport: undefined }, "PAPERS_INVALID"],
    ];
    for (const [changes, rule] of cases) {
      const mapped = map(rowOf(changes));
      assert.ok("problems" in mapped, JSON.stringify(changes));
      assert.deepEqual(
        mapped.problems.map((problem: RowProblem) => [problem.line, problem.rule]),
        [[7, rule]],
        JSON.stringify(changes),
      );
      for (const value of Object.values(changes))
        if (value !== undefined && value.length > 3) assert.ok(!mapped.problems[0]?.message.includes(value), value);
    }
  });

  it("that does not fit the dataset is refused before a row is read", async () => {
    const twice: DatasetDefinition = { ...payroll, attributes: [income, { ...income, unit: "USD" }] };
    const [first, second] = mapping.records;
    const wrong: readonly (readonly [unknown, DatasetDefinition])[] = [
      [{ ...first, attribute: "age" }, payroll],
      [{ ...first, unit: "USD" }, payroll],
      [{ ...first, scale: 3 }, payroll],
      [{ ...first, unit: undefined }, twice],
      [{ ...second, values: { debt: { column: "debt" } } }, payroll],
      [{ ...second, scorecard: "x" }, payroll],
    ];
    for (const [record, definition] of wrong)
      await assertCode(
        () => createRowMapper({ ...mapping, records: [record as never] }, definition),
        "MAPPING_INVALID",
      );
  });
});

describe("an import", () => {
  const header = "id,income,from,until,budget";
  const simple = {
    version: 1,
    subject: { column: "id" },
    records: [{ ...mapping.records[0] }],
  };

  async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
    using world = new World();
    await world.init();
    await work(world);
  }
  const load = (world: World, rows: readonly string[], mode: "add" | "correct" = "add") =>
    importRecords({
      dataDir: world.dataDir,
      account: world.account,
      dataset: "payroll",
      source: { format: "csv", path: file("load.csv", [header, ...rows, ""].join("\n")) },
      mapping: JSON.stringify(simple),
      mode,
    });
  const refusedFor = async (promise: Promise<unknown>): Promise<readonly (readonly [number, string])[]> => {
    try {
      await promise;
    } catch (error) {
      assert.ok(error instanceof ImportError && isQuorateError(error, "IMPORT_REFUSED"));
      return error.problems.map(({ line, rule }) => [line, rule]);
    }
    return assert.fail("it was imported");
  };
  const recordsOf = (world: World, reference: string): readonly StoredRecord[] => {
    const state = openState(world.dataDir, world.account);
    try {
      const subject = createSubjects(state).byReference(reference);
      return subject === undefined ? [] : createRecords(state).of(subject.id, 1);
    } finally {
      state.close();
    }
  };

  it("takes everything or nothing: one bad row of many, at the end, and nothing is there", async () => {
    await withWorld(async (world) => {
      const rows = Array.from({ length: 1_200 }, (_, n) => `E${n},${n},2026-01-01,2026-12-31,5`);
      const problems = await refusedFor(load(world, [...rows, "E9999,x,2026-01-01,2026-12-31,5"]));
      assert.deepEqual(problems, [[1_202, "VALUE_INVALID"]]);
      const nothing = await domainStatus({ dataDir: world.dataDir, account: world.account });
      assert.deepEqual([nothing.subjects, nothing.datasets[0]?.records], [0, 0]);
      assert.deepEqual(await load(world, rows), {
        rows: 1_200,
        subjects: 1_200,
        added: 1_200,
        corrected: 0,
        unchanged: 0,
      });
      const all = await domainStatus({ dataDir: world.dataDir, account: world.account });
      assert.deepEqual([all.subjects, all.datasets[0]?.records, all.datasets[0]?.pending], [1_200, 1_200, 0]);
    });
  });

  it("refuses overlapping validity of one subject and attribute, within a file and with what is there", async () => {
    await withWorld(async (world) => {
      assert.deepEqual(
        await refusedFor(load(world, ["E1,1,2026-01-01,2026-06-30,5", "E1,2,2026-06-30,2026-12-31,5"])),
        [[3, "VALIDITY_OVERLAPS"]],
      );
      await load(world, [
        "E1,1,2026-01-01,2026-06-29,5",
        "E1,2,2026-06-30,2026-12-31,5",
        "E2,1,2026-01-01,2026-12-31,5",
      ]);
      assert.deepEqual(
        await refusedFor(load(world, ["E3,1,2026-01-01,2026-06-30,5", "E2,2,2026-12-31,2027-12-31,5"])),
        [[3, "VALIDITY_OVERLAPS"]],
      );
      assert.deepEqual(recordsOf(world, "E3"), [], "the good row of a refused import is not there");
    });
  });

  it("that corrects ends what it overlaps, leaves alone what is the same, and can be repeated", async () => {
    await withWorld(async (world) => {
      const original = "E1,1,2026-01-01,2026-12-31,5";
      await load(world, [original]);
      const change = "E1,2,2026-07-01,2026-12-31,5";
      const report = await load(world, [change], "correct");
      assert.deepEqual([report.added, report.corrected, report.unchanged], [1, 1, 0]);
      const again = await load(world, [change], "correct");
      assert.deepEqual([again.added, again.corrected, again.unchanged], [0, 0, 1]);
      assert.deepEqual(
        recordsOf(world, "E1").map(({ body }) => [
          body.values[0],
          new Date(body.validFrom * 1000).toISOString().slice(0, 10),
          new Date(body.validUntil * 1000).toISOString().slice(0, 10),
        ]),
        [
          [100n, "2026-01-01", "2026-06-30"],
          [200n, "2026-07-01", "2026-12-31"],
        ],
      );
      await load(world, [original.replace(",1,", ",3,")], "correct");
      assert.deepEqual(
        recordsOf(world, "E1").map(({ body, leaf }) => [body.values[0], leaf]),
        [
          [100n, 0n],
          [200n, 0n],
          [300n, undefined],
        ],
        "one that begins earlier replaces both",
      );
    });
  });

  it("refuses papers that are not those of the subject", async () => {
    await withWorld(async (world) => {
      await world.register("E1", { name: "Ada", birthDate: "1985-12-10", documentNumber: "X1" });
      const source = {
        format: "csv" as const,
        path: file("papers.csv", `${Object.keys(good).join(",")}\n${Object.values(good).join(",")}\n`),
      };
      const promise = importRecords({ dataDir: world.dataDir, account: world.account, source, mapping });
      assert.deepEqual(await refusedFor(promise), [[2, "PAPERS_DIFFER"]]);
    });
  });

  it("that is ended imports nothing", async () => {
    await withWorld(async (world) => {
      const rows = Array.from({ length: 1_200 }, (_, n) => `E${n},${n},2026-01-01,2026-12-31,5`);
      const stop = new AbortController();
      const promise = importRecords(
        {
          dataDir: world.dataDir,
          account: world.account,
          source: { format: "csv", path: file("ended.csv", [header, ...rows].join("\n")) },
          mapping: simple,
        },
        stop.signal,
      );
      stop.abort(new Error("enough"));
      await assert.rejects(promise, /enough/);
      const status = await domainStatus({ dataDir: world.dataDir, account: world.account });
      assert.deepEqual([status.subjects, status.datasets[0]?.records], [0, 0]);
    });
  });
});
