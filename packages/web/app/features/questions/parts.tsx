import type { Papers } from "@quorate/proofs";
import { type ReactNode, useState } from "react";
import { useSession } from "../../connection/index.ts";
import { addressOf } from "../../lib/share.ts";
import { Connect } from "../../shell/Connect.tsx";
import { Button, type ButtonKind, FileDrop, Note, TextField } from "../../ui/index.ts";
import styles from "./questions.module.css";

/** Papers as they are typed. */
export function PapersFields({
  papers,
  onChange,
}: {
  readonly papers: Papers;
  readonly onChange: (papers: Papers) => void;
}): ReactNode {
  return (
    <div className="grid-3">
      <TextField
        label="Name"
        hint="As it stands in the papers."
        value={papers.name}
        onChange={(name) => onChange({ ...papers, name })}
      />
      <TextField
        label="Birth date"
        hint="Day, month and year."
        type="date"
        value={papers.birthDate}
        onChange={(birthDate) => onChange({ ...papers, birthDate })}
      />
      <TextField
        label="Document number"
        hint="Passport or identity card."
        value={papers.documentNumber}
        onChange={(documentNumber) => onChange({ ...papers, documentNumber })}
      />
    </div>
  );
}

/** Asks for a wallet, and says what for; nothing once one is connected on this network. */
export function NeedsWallet({ children }: { readonly children: ReactNode }): ReactNode {
  const { account } = useSession();
  if (account !== undefined) {
    if (!account.isOnWrongNetwork) return;
    return (
      <Note tone="warn">
        <p>Your wallet is on another network; switch it above, then go on here.</p>
      </Note>
    );
  }
  return (
    <Note>
      <p>{children}</p>
      <Connect kind="primary" />
    </Note>
  );
}

/** Says that this network has no market for questions. */
export function NoQueryMarket(): ReactNode {
  const { network } = useSession();
  return (
    <Note tone="warn">
      <p>
        {network.name} has no query market, so no questions are asked there. Choose another network in the settings.
      </p>
    </Note>
  );
}

/** Whether the wallet can sign on this network now. */
export function useCanSign(): boolean {
  const { questions } = useSession();
  return questions?.wallet !== undefined;
}

/** Copies a text, in words: it is what has to be done next. */
export function CopyTextButton({
  text,
  label,
  done,
  kind = "primary",
}: {
  readonly text: string;
  readonly label: string;
  /** Said once it is copied. */
  readonly done: string;
  readonly kind?: ButtonKind;
}): ReactNode {
  const [isCopied, setCopied] = useState(false);
  return (
    <Button
      kind={kind}
      onPress={() => {
        void navigator.clipboard.writeText(text).then(() => setCopied(true));
      }}
    >
      <span aria-live="polite">{isCopied ? done : label}</span>
    </Button>
  );
}

/** A link to hand to somebody, short, with the whole of it to copy. */
export function SharedLink({
  fragment,
  label,
  copyLabel,
  children,
}: {
  /** As `#/consent/…`. */
  readonly fragment: string;
  readonly label: string;
  readonly copyLabel: string;
  /** Other ways to hand it over. */
  readonly children?: ReactNode;
}): ReactNode {
  const address = addressOf(fragment);
  return (
    <>
      <div className={styles.shared}>
        <a href={fragment}>{label}</a>
        <code className={styles.sharedAddress}>{address}</code>
      </div>
      <div className="row">
        <CopyTextButton text={address} label={copyLabel} done="Copied: now send it" />
        {children}
      </div>
    </>
  );
}

/** Takes a text by paste or as a file. */
export function TextOrFile({
  label,
  hint,
  dropLabel,
  value,
  onChange,
  error,
  rows = 4,
}: {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly dropLabel: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
  readonly error?: string | undefined;
  readonly rows?: number;
}): ReactNode {
  return (
    <div className={styles.textOrFile}>
      <TextField label={label} hint={hint} rows={rows} value={value} onChange={onChange} error={error} />
      <FileDrop
        label={dropLabel}
        button="Choose a file"
        accept={[".json", "application/json"]}
        onFiles={([file]) => {
          if (file !== undefined) void file.text().then(onChange);
        }}
      />
    </div>
  );
}
