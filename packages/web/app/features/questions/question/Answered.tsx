import { Check, X } from "lucide-react";
import type { ReactNode } from "react";
import type { OwnQuestion } from "../../../connection/asker.ts";
import { AddressName } from "../../../connection/index.ts";
import { Card, Wait } from "../../../ui/index.ts";
import styles from "../questions.module.css";
import { useAnswer } from "../useAnswer.ts";
import { answerSentence } from "../words.ts";
import { Receipt } from "./Receipt.tsx";

/** The answer, what it says and what not, and its receipt. */
export function Answered({ record, view }: OwnQuestion): ReactNode {
  const answer = useAnswer(view);
  if (answer === undefined) {
    return (
      <Card title="The answer">
        <Wait>Opening the answer with the key of this browser</Wait>
      </Card>
    );
  }
  return (
    <>
      <Card title="The answer">
        <div className={styles.answer}>
          <p className={styles.answerWords}>
            <span className={answer ? styles.yes : styles.no}>{answer ? "Yes" : "No"}</span>
            {answerSentence(answer, view.statement).replace(/^\w+/, "")}
          </p>
          <p className="soft">
            Proved in zero knowledge, and opened in this browser: on chain the answer is encrypted. As registered by{" "}
            <AddressName address={view.provider} />
          </p>
        </div>
      </Card>
      <Card title="What is known now">
        <div className="grid-2">
          <ul className={styles.bullets}>
            <Point isKnown>You know the answer, and that it follows from the provider's published data.</Point>
            <Point isKnown>
              {record.person === 0n
                ? "The record belongs to the key on the card; no papers were checked."
                : "The record belongs to the papers that you saw."}
            </Point>
            <Point isKnown>The chain shows that you asked this provider, and when.</Point>
          </ul>
          <ul className={styles.bullets}>
            <Point>You do not know the value on record, only on which side it lies.</Point>
            <Point>Nobody else knows question or answer, unless you show the receipt.</Point>
            <Point>The proof does not say that what was registered is true; that is the provider's word.</Point>
          </ul>
        </div>
      </Card>
      <Receipt record={record} />
    </>
  );
}

function Point({ isKnown = false, children }: { readonly isKnown?: boolean; readonly children: ReactNode }): ReactNode {
  return (
    <li>
      {isKnown ? <Check size={16} aria-hidden /> : <X size={16} aria-hidden />}
      <span>{children}</span>
    </li>
  );
}
