import { Check, Copy } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "react-aria-components";
import { shortHex } from "../lib/format.ts";
import styles from "./Hash.module.css";

const SHOWN_MS = 1_500;

/** Copies a text. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  return (
    <Button
      className={styles.copy ?? ""}
      aria-label={isCopied ? "Copied" : label}
      onPress={() => {
        void navigator.clipboard.writeText(text).then(() => {
          setCopied(true);
          setTimeout(() => setCopied(false), SHOWN_MS);
        });
      }}
    >
      {isCopied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
    </Button>
  );
}

/** Short form of an id, hash or address, with the whole one to copy. */
export function Hash({ value, label }: { readonly value: `0x${string}`; readonly label: string }): ReactNode {
  return (
    <span className={styles.hash}>
      <code title={value}>{shortHex(value)}</code>
      <CopyButton text={value} label={`Copy ${label}`} />
    </span>
  );
}
