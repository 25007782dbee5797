import type { JobView, SeatView } from "@quorate/sdk";
import type { ReactNode } from "react";
import { AddressName, Amount } from "../../../../connection/index.ts";
import { count } from "../../../../lib/format.ts";
import { useChainTime } from "../../../../market/index.ts";
import { Badge, Card, Countdown, Table } from "../../../../ui/index.ts";
import styles from "../job.module.css";
import { bondFates, bondWords, outcomeWords, seatWord, verdictWord } from "../words.ts";

/** Who has a place, and how it goes or went. */
export function JobPanel({ view, isSettled }: { readonly view: JobView; readonly isSettled: boolean }): ReactNode {
  const now = useChainTime();
  const { terms, panel, messages } = view;
  if (terms === undefined) return;
  const fates = bondFates(panel);
  const common = [
    {
      title: "Provider",
      cell: ({ provider }: SeatView) => <AddressName address={provider} />,
    },
    {
      title: "Place",
      cell: ({ role, seat, place }: SeatView) =>
        role === "spare" && seat !== undefined
          ? `spare in seat ${seat + 1}`
          : role === "seat"
            ? `seat ${place + 1}`
            : role,
    },
  ];
  return (
    <Card
      title="The panel"
      aside={
        <span className="soft small">
          {terms.quorum} of {count(terms.seats, "seat")} have to agree
        </span>
      }
    >
      {isSettled ? (
        <Table
          label="Panel and verdicts"
          rows={panel}
          keyOf={({ place }) => String(place)}
          columns={[
            ...common,
            {
              title: "Verdict",
              cell: ({ verdict = 0 }) => {
                const { text, tone, note } = verdictWord(verdict);
                return (
                  <div className={styles.verdict}>
                    <Badge tone={tone}>{text}</Badge>
                    <span className="soft small">{note}</span>
                  </div>
                );
              },
            },
            {
              title: "Bond",
              cell: ({ place }) => {
                const fate = bondWords[fates[place] ?? "returned"];
                return fate.tone === "neutral" ? (
                  <span className="soft">{fate.text}</span>
                ) : (
                  <Badge tone={fate.tone}>{fate.text}</Badge>
                );
              },
            },
            {
              title: "Price",
              isNumber: true,
              cell: ({ price }) => <Amount value={price} token={terms.token} />,
            },
            {
              title: "Paid",
              isNumber: true,
              cell: ({ paid = 0n }) => (
                <strong>
                  <Amount value={paid} token={terms.token} />
                </strong>
              ),
            },
          ]}
        />
      ) : (
        <Table
          label="Panel and where each place stands"
          rows={panel}
          keyOf={({ place }) => String(place)}
          columns={[
            ...common,
            {
              title: "State",
              cell: ({ state, outcome, place }) => (
                <div className="stack-tight">
                  <span>
                    <Badge tone={seatWord(state).tone}>{seatWord(state).text}</Badge>
                  </span>
                  {outcome === undefined ? undefined : (
                    <span className="soft small">answer: {outcomeWords(outcome)}</span>
                  )}
                  {state === "waiting" && messages.commitments.includes(place) ? (
                    <span className="soft small">its signed commitment lies on a relay</span>
                  ) : undefined}
                  {state === "committed" && messages.openings.includes(place) ? (
                    <span className="soft small">its opening lies on a relay</span>
                  ) : undefined}
                </div>
              ),
            },
            {
              title: "Time",
              cell: ({ state, deadline }) =>
                state === "waiting" && deadline !== undefined ? (
                  <Countdown until={deadline} now={now} over="over" />
                ) : (
                  <span className="soft">–</span>
                ),
            },
            {
              title: "Price",
              isNumber: true,
              cell: ({ price }) => <Amount value={price} token={terms.token} />,
            },
          ]}
        />
      )}
    </Card>
  );
}
