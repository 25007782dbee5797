import { Check, X } from "lucide-react";
import type { ReactNode } from "react";
import styles from "./Stepper.module.css";

/** One step of something that takes several. */
export type Step = {
  readonly title: string;
  readonly state: "done" | "current" | "ahead" | "failed";
  /** What is being waited for, or what was done. */
  readonly note?: ReactNode;
};

const words = { done: "done", current: "now", ahead: "ahead", failed: "failed" } as const;

/** Where one stands among steps. */
export function Stepper({
  label,
  steps,
  isVertical = false,
}: {
  readonly label: string;
  readonly steps: readonly Step[];
  readonly isVertical?: boolean;
}): ReactNode {
  return (
    <ol className={isVertical ? styles.vertical : styles.steps} aria-label={label}>
      {steps.map(({ title, state, note }, index) => (
        <li
          key={title}
          className={`${styles.step} ${state === "ahead" ? "" : styles[state]}`}
          aria-current={state === "current" ? "step" : undefined}
        >
          <span className={styles.mark} aria-hidden="true">
            {state === "done" ? <Check size={14} /> : state === "failed" ? <X size={14} /> : index + 1}
          </span>
          <span>
            {title}
            <span className="visually-hidden"> ({words[state]})</span>
            {note === undefined ? undefined : <div className="soft small">{note}</div>}
          </span>
        </li>
      ))}
    </ol>
  );
}
