import type { ReactNode } from "react";
import type { Address } from "viem";
import type { OwnQuestion } from "../../../connection/asker.ts";
import { AddressName, Amount } from "../../../connection/index.ts";
import { count, formatDuration, formatMoment } from "../../../lib/format.ts";
import { useMarket } from "../../../market/index.ts";
import { Card, Facts, Hash, Moment } from "../../../ui/index.ts";

/** What is stored and what the chain says about a question. */
export function About({ record, view }: OwnQuestion): ReactNode {
  const { model } = useMarket();
  const onChain = view.questionId === undefined ? undefined : model.questions.get(view.questionId);
  const rows: (readonly [string, ReactNode])[] = [
    ["Provider", <AddressName key="p" address={record.provider as Address} />],
    ["Asker", <AddressName key="a" address={record.asker} />],
    ["Papers", record.person === 0n ? "none: a record of nobody's papers" : "those that you saw, by their fingerprint"],
    ["Prepared", <Moment key="c" at={Math.floor(view.createdAt / 1000)} />],
    ["Question", <Hash key="q" value={view.queryId} label="question id" />],
  ];
  if (view.label !== undefined) rows.unshift(["Your name for it", view.label]);
  if (record.quote !== undefined) {
    rows.push(
      ["Price", <Amount key="pr" value={record.quote.quote.price} token={record.offer.token} />],
      ["Bond of the provider", <Amount key="b" value={record.quote.quote.bond} token={record.offer.token} />],
    );
  }
  if (onChain !== undefined) {
    rows.push(
      ["Asked", <Moment key="m" at={onChain.askedAt} />],
      ["Asked in transaction", <Hash key="t" value={onChain.askedIn} label="transaction" />],
    );
    if (onChain.end !== undefined) {
      const { kind, at, transaction } = onChain.end;
      rows.push(
        [
          kind === "answered" ? "Answered" : "Ended",
          `${formatMoment(at)}, after ${formatDuration(at - onChain.askedAt)}`,
        ],
        [
          kind === "answered" ? "Answered in transaction" : "Ended in transaction",
          <Hash key="e" value={transaction} label="transaction" />,
        ],
      );
    }
  }
  const sent = record.transactions.length;
  if (sent > 0) rows.push(["Sent from this browser", count(sent, "transaction")]);
  return (
    <Card title="About this question">
      <Facts rows={rows} />
    </Card>
  );
}
