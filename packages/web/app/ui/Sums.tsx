import type { ReactNode } from "react";
import styles from "./Sums.module.css";

/** Names and amounts, one a row, the amounts at the end: fits a narrow column. */
export function Sums({ rows }: { readonly rows: readonly (readonly [name: string, amount: ReactNode])[] }): ReactNode {
  return (
    <dl className={styles.sums}>
      {rows.map(([name, amount]) => (
        <div key={name} className={styles.sum}>
          <dt>{name}</dt>
          <dd>{amount}</dd>
        </div>
      ))}
    </dl>
  );
}
