import { type ReactNode, useState } from "react";
import { Button } from "./Button.tsx";
import { type Column, Table } from "./Table.tsx";

/** Rows at first, and with each further step. */
const STEP = 20;

/** A table that shows its first rows, and more of them when somebody asks. */
export function LongTable<Row>({
  moreLabel,
  rows,
  ...table
}: {
  /** What the rows are, for those who hear the page. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** Words of the button; it is told how many rows come next, and how many there are. */
  readonly moreLabel: (next: number, all: number) => string;
}): ReactNode {
  const [shown, setShown] = useState(STEP);
  return (
    <div className="stack">
      <Table {...table} rows={rows.slice(0, shown)} />
      {rows.length > shown ? (
        <div>
          <Button isSmall onPress={() => setShown(shown + STEP)}>
            {moreLabel(Math.min(STEP, rows.length - shown), rows.length)}
          </Button>
        </div>
      ) : undefined}
    </div>
  );
}
