import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { ProgressBar } from "react-aria-components";
import { explain } from "../lib/explain.ts";
import { Button } from "./Button.tsx";
import styles from "./Note.module.css";

/** What a note is about. */
export type Tone = "info" | "good" | "warn" | "bad";

const icons = { info: Info, good: CircleCheck, warn: TriangleAlert, bad: CircleAlert } as const;

/** Something that a person should read where it stands. */
export function Note({ tone = "info", children }: { readonly tone?: Tone; readonly children: ReactNode }): ReactNode {
  const Icon = icons[tone];
  return (
    <div className={`${styles.note} ${styles[tone]}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon size={18} aria-hidden />
      <div className={styles.body}>{children}</div>
    </div>
  );
}

/** An error in words, with its code and the way out. */
export function ErrorNote({
  error,
  onRetry,
  retryLabel = "Try again",
  children,
}: {
  readonly error: unknown;
  readonly onRetry?: () => void;
  readonly retryLabel?: string;
  /** Other ways out. */
  readonly children?: ReactNode;
}): ReactNode {
  const { code, message, isRejection } = explain(error);
  return (
    <Note tone={isRejection ? "warn" : "bad"}>
      <p>{message}</p>
      {isRejection ? undefined : <code className="soft small">{code}</code>}
      <div className="row">
        {onRetry === undefined ? undefined : (
          <Button isSmall onPress={onRetry}>
            {retryLabel}
          </Button>
        )}
        {children}
      </div>
    </Note>
  );
}

/** A state in one or two words. */
export function Badge({
  tone = "neutral",
  children,
}: {
  readonly tone?: Tone | "neutral";
  readonly children: ReactNode;
}): ReactNode {
  return <span className={`${styles.badge} ${styles[tone]}`}>{children}</span>;
}

/** A wait that says what it waits for. */
export function Wait({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <div className={styles.wait} role="status">
      <span className={styles.spinner} aria-hidden="true" />
      <span>{children}</span>
    </div>
  );
}

/** A wait whose end is known. */
export function Progress({
  label,
  value,
  max,
  note,
}: {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  /** In the place of the percentage. */
  readonly note?: string;
}): ReactNode {
  const bounded = Math.min(Math.max(value, 0), max);
  return (
    <ProgressBar aria-label={label} value={bounded} maxValue={max} className={styles.bar ?? ""}>
      {({ percentage = 0, valueText }) => (
        <>
          <div className={styles.barLabel}>
            <span>{label}</span>
            <span className="numeric">{note ?? valueText}</span>
          </div>
          <div className={styles.track}>
            <div className={styles.fill} style={{ width: `${percentage}%` }} />
          </div>
        </>
      )}
    </ProgressBar>
  );
}

/** Nothing is here yet, and what would bring something. */
export function Empty({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className={styles.empty}>{children}</div>;
}
