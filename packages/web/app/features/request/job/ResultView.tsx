import { Download } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import { count, formatBytes } from "../../../lib/format.ts";
import { Button, Chart, Facts, Note, type Plot, Select, Table, Tabs } from "../../../ui/index.ts";
import styles from "./job.module.css";
import {
  cellText,
  classifyResult,
  type Drawable,
  drawableOf,
  endingOf,
  fieldWords,
  MOST_CHARACTERS,
  MOST_ROWS,
  type ResultTable,
  type ShownResult,
} from "./result.ts";

/** A result as what it is: table, chart, text, image. Never as a page: whatever a program wrote stays text. */
export function ResultView({
  bytes,
  name,
}: {
  readonly bytes: Uint8Array;
  /** Of the file that it is downloaded as, without ending. */
  readonly name: string;
}): ReactNode {
  const shown = useMemo(() => classifyResult(bytes), [bytes]);
  return (
    <div className="stack">
      <Shown bytes={bytes} shown={shown} />
      <div className="row">
        <DownloadButton bytes={bytes} name={`${name}.${endingOf(shown)}`} />
        <span className="soft small numeric">{formatBytes(bytes.length)}</span>
      </div>
    </div>
  );
}

function Shown({ bytes, shown }: { readonly bytes: Uint8Array; readonly shown: ShownResult }): ReactNode {
  switch (shown.kind) {
    case "empty":
      return (
        <Note>
          <p>The program wrote nothing: its result is empty.</p>
        </Note>
      );
    case "image":
      return <ImageView bytes={bytes} type={shown.type} />;
    case "json":
      return shown.table === undefined ? (
        <TextView text={shown.text} />
      ) : (
        <Tabular table={shown.table} text={shown.text} />
      );
    case "text":
      return <TextView text={shown.text} />;
    case "binary":
      return (
        <Note>
          <p>The result is neither text nor an image. Download it to look at it with a program of its own.</p>
        </Note>
      );
    default:
      return shown satisfies never;
  }
}

type TableRow = { readonly row: ResultTable["rows"][number]; readonly key: string };

function Tabular({ table, text }: { readonly table: ResultTable; readonly text: string }): ReactNode {
  const drawable = useMemo(() => drawableOf(table), [table]);
  const isCut = table.rows.length > MOST_ROWS;
  const rows = useMemo(
    () => table.rows.slice(0, MOST_ROWS).map((row, index): TableRow => ({ row, key: String(index) })),
    [table],
  );
  return (
    <div className="stack">
      {table.beside.length === 0 ? undefined : (
        <Facts rows={table.beside.map(([field, value]) => [fieldWords(field), cellText(value)] as const)} />
      )}
      <Tabs
        label="Ways to look at the result"
        tabs={[
          {
            id: "table",
            title: "Table",
            content: (
              <div className="stack-tight">
                <Table
                  label={table.title === undefined ? "Result" : `Result: ${fieldWords(table.title)}`}
                  rows={rows}
                  keyOf={({ key }) => key}
                  columns={table.columns.map((column) => ({
                    title: fieldWords(column),
                    isNumber: table.rows.every((row) => typeof row[column] === "number"),
                    cell: ({ row }: TableRow) => cellText(row[column]),
                  }))}
                />
                {isCut ? (
                  <p className="soft small">
                    The first {MOST_ROWS} of {count(table.rows.length, "row")}; the download has all.
                  </p>
                ) : undefined}
              </div>
            ),
          },
          ...(drawable === undefined
            ? []
            : [{ id: "chart", title: "Chart", content: <Bars table={table} drawable={drawable} /> }]),
          { id: "text", title: "Text", content: <TextView text={text} /> },
        ]}
      />
    </div>
  );
}

function Bars({ table, drawable }: { readonly table: ResultTable; readonly drawable: Drawable }): ReactNode {
  const [column, setColumn] = useState(drawable.numbers.at(-1) ?? "");
  const { label } = drawable;
  const draw = useCallback(
    (plot: Plot) => {
      const rows = table.rows.map((row, index) => ({
        name: label === undefined ? String(index + 1) : String(row[label]),
        value: Number(row[column]),
      }));
      return {
        height: 320,
        marginLeft: 56,
        marginBottom: 40,
        x: { label: null, domain: rows.map(({ name }) => name) },
        y: { label: fieldWords(column), grid: true },
        marks: [
          plot.barY(rows, { x: "name", y: "value", fill: "var(--chart-1)", rx: 3 }),
          plot.ruleY([0], { stroke: "var(--line-strong)" }),
        ],
      };
    },
    [table, label, column],
  );
  const summary = `${fieldWords(column)}: ${table.rows
    .map((row, index) => `${label === undefined ? index + 1 : cellText(row[label])} ${cellText(row[column])}`)
    .join(", ")}`;
  return (
    <div className="stack">
      {drawable.numbers.length === 1 ? undefined : (
        <Select
          label="Column"
          value={column}
          onChange={setColumn}
          options={drawable.numbers.map((id) => ({ id, label: fieldWords(id) }))}
        />
      )}
      <Chart summary={summary} draw={draw} />
    </div>
  );
}

function TextView({ text }: { readonly text: string }): ReactNode {
  const isCut = text.length > MOST_CHARACTERS;
  return (
    <div className="stack-tight">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={styles.text} aria-label="Result as text" tabIndex={0}>
        <pre>{isCut ? text.slice(0, MOST_CHARACTERS) : text}</pre>
      </section>
      {isCut ? (
        <p className="soft small">
          The first {count(MOST_CHARACTERS, "character")} of {count(text.length, "character")}; the download has all.
        </p>
      ) : undefined}
    </div>
  );
}

function ImageView({ bytes, type }: { readonly bytes: Uint8Array; readonly type: string }): ReactNode {
  const [url, setUrl] = useState<string>();
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  if (isBroken) {
    return (
      <Note tone="warn">
        <p>The result begins like an image, but this browser cannot show it. Download it instead.</p>
      </Note>
    );
  }
  return url === undefined ? undefined : (
    <img className={styles.image} src={url} alt="Result of the job" onError={() => setBroken(true)} />
  );
}

/** Saves bytes as a file. */
export function DownloadButton({ bytes, name }: { readonly bytes: Uint8Array; readonly name: string }): ReactNode {
  return (
    <Button
      isSmall
      onPress={() => {
        // As bytes without a type of their own: what a program wrote is never opened as a page.
        const url = URL.createObjectURL(
          new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }),
        );
        const link = document.createElement("a");
        link.href = url;
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(url), 10_000);
      }}
    >
      <Download size={16} aria-hidden />
      Download {name}
    </Button>
  );
}
