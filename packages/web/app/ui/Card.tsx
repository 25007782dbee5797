import { type ReactNode, useId } from "react";
import styles from "./Card.module.css";

/** A part of a page with a heading of its own. */
export function Card({
  title,
  aside,
  children,
}: {
  readonly title?: ReactNode;
  /** Beside the heading: a link or a badge. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  const id = useId();
  if (title === undefined) return <div className={styles.card}>{children}</div>;
  return (
    <section className={styles.card} aria-labelledby={id}>
      <div className={styles.head}>
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

/** A page: its heading, what it is for, what can be done. */
export function Page({
  title,
  lead,
  actions,
  children,
}: {
  readonly title: ReactNode;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={styles.page}>
      <header className="row-apart">
        <div>
          <h1>{title}</h1>
          {lead === undefined ? undefined : <p className={styles.lead}>{lead}</p>}
        </div>
        {actions === undefined ? undefined : <div className="row">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** One number with what it counts. */
export function Stat({
  label,
  value,
  note,
}: {
  readonly label: string;
  readonly value: ReactNode;
  readonly note?: ReactNode;
}): ReactNode {
  return (
    <div className={styles.stat}>
      <span className="soft small">{label}</span>
      <span className={styles.statValue}>{value}</span>
      {note === undefined ? undefined : <span className="soft small">{note}</span>}
    </div>
  );
}

/** Names and values, one a row. */
export function Facts({ rows }: { readonly rows: readonly (readonly [name: string, value: ReactNode])[] }): ReactNode {
  return (
    <dl className={styles.facts}>
      {rows.map(([name, value]) => (
        <Fact key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: ReactNode }): ReactNode {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
