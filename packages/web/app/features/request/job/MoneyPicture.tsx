import type { JobFacts } from "@quorate/core";
import type { JobView } from "@quorate/sdk";
import type { ReactNode } from "react";
import { AddressName, Amount, useNames, useToken } from "../../../connection/index.ts";
import { formatAmount } from "../../../lib/format.ts";
import { Card } from "../../../ui/index.ts";
import styles from "./job.module.css";
import { type MoneyPart, moneyOf } from "./money.ts";

/** Where the money of a settled job went: one bar for the escrow, one for the bonds. */
export function MoneyPicture({
  view,
  facts,
}: {
  readonly view: JobView;
  readonly facts: JobFacts | undefined;
}): ReactNode {
  const nameOf = useNames();
  const { terms } = view;
  if (terms === undefined) return;
  const money = moneyOf(view, facts?.settled?.carrier);
  return (
    <Card title="Where the money went">
      <div className="stack-wide">
        <Bar
          title="Escrow"
          total={view.money.escrow}
          parts={money.escrow}
          token={terms.token}
          nameOf={(address) => nameOf(address).name}
        />
        {terms.bond === 0n ? undefined : (
          <Bar
            title="Bonds"
            total={terms.bond * BigInt(terms.places.length)}
            parts={money.bonds}
            token={terms.token}
            nameOf={(address) => nameOf(address).name}
          />
        )}
      </div>
    </Card>
  );
}

const WIDTH = 1_000;
const HEIGHT = 28;
const GAP = 3;

function Bar({
  title,
  total,
  parts,
  token,
  nameOf,
}: {
  readonly title: string;
  readonly total: bigint;
  readonly parts: readonly MoneyPart[];
  readonly token: `0x${string}`;
  readonly nameOf: (address: `0x${string}`) => string | undefined;
}): ReactNode {
  const unit = useToken(token);
  const words = parts
    .map((part) => {
      const name = part.account === undefined ? undefined : (nameOf(part.account) ?? part.account);
      return `${formatAmount(part.amount, unit)} ${part.text}${name === undefined ? "" : ` ${name}`}`;
    })
    .join(", ");
  let offset = 0;
  const pieces = parts.map((part) => {
    // Amounts are beyond the precision of numbers, widths are not.
    const width = total === 0n ? 0 : Number((part.amount * BigInt(WIDTH)) / total);
    const piece = { part, x: offset, width };
    offset += width;
    return piece;
  });
  return (
    <figure className="stack-tight" aria-label={`${title}: ${formatAmount(total, unit)}`}>
      <div className="row-apart">
        <h3>{title}</h3>
        <strong>
          <Amount value={total} token={token} />
        </strong>
      </div>
      <svg
        className={styles.moneyBar}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${words}`}
      >
        {pieces.map(({ part, x, width }, index) =>
          width === 0 ? undefined : (
            <rect
              key={part.id}
              className={styles[part.kind]}
              x={x}
              y={0}
              width={Math.max(width - (index === pieces.length - 1 ? 0 : GAP), 2)}
              height={HEIGHT}
            />
          ),
        )}
      </svg>
      <ul className="stack-tight">
        {parts.map((part) => (
          <li key={part.id} className={styles.moneyRow}>
            <span className={`${styles.swatch} ${styles[part.kind]}`} aria-hidden="true" />
            <span>
              {part.text} {part.account === undefined ? undefined : <AddressName address={part.account} />}
            </span>
            <span className={styles.moneyAmount}>
              <Amount value={part.amount} token={token} />
            </span>
          </li>
        ))}
      </ul>
    </figure>
  );
}
