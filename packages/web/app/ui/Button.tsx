import type { ReactNode } from "react";
import { Button as AriaButton, type ButtonProps as AriaButtonProps } from "react-aria-components";
import styles from "./Button.module.css";

/** How loud a button is: one `primary` a view, `danger` where something is lost. */
export type ButtonKind = "primary" | "secondary" | "quiet" | "danger";

/** A button. What cannot be pressed says why beside it. */
export function Button({
  kind = "secondary",
  isSmall = false,
  ...props
}: Omit<AriaButtonProps, "className" | "style"> & {
  readonly kind?: ButtonKind;
  readonly isSmall?: boolean;
}): ReactNode {
  return <AriaButton {...props} className={classOf(kind, isSmall)} />;
}

/** A link that looks like a button, for what leads to another page. */
export function ButtonLink({
  kind = "secondary",
  isSmall = false,
  href,
  children,
}: {
  readonly kind?: ButtonKind;
  readonly isSmall?: boolean;
  readonly href: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <a className={classOf(kind, isSmall)} href={href}>
      {children}
    </a>
  );
}

function classOf(kind: ButtonKind, isSmall: boolean): string {
  return [styles.button, styles[kind], isSmall ? styles.small : ""].join(" ");
}
