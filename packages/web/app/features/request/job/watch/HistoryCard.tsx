import type { ReactNode } from "react";
import { AddressName } from "../../../../connection/index.ts";
import { type MarketJob, useChainTime } from "../../../../market/index.ts";
import { Card, Hash, Relative } from "../../../../ui/index.ts";
import styles from "../job.module.css";
import { eventWords } from "../words.ts";

/** Every event of a job, newest first. */
export function HistoryCard({ job }: { readonly job: MarketJob }): ReactNode {
  const now = useChainTime();
  const events = job.events.map((moment, index) => ({ ...moment, id: String(index) })).reverse();
  return (
    <Card title="What happened">
      <ol className={styles.events} aria-label="Events, newest first">
        {events.map(({ event, block, transaction, id }) => {
          const { text, place } = eventWords(event);
          const provider = place === undefined ? undefined : job.facts.terms.places[place]?.provider;
          return (
            <li key={id} className={styles.event}>
              <span>
                {provider === undefined ? undefined : <AddressName address={provider} />} {text}
              </span>
              <span className={styles.eventPlace}>
                <span>
                  block {block}, <Relative at={event.timestamp} now={now} />
                </span>
                <Hash value={transaction} label="transaction" />
              </span>
            </li>
          );
        })}
      </ol>
    </Card>
  );
}
