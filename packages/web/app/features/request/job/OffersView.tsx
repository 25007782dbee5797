import type { JobRecord } from "@quorate/sdk";
import { type ReactNode, useMemo } from "react";
import { AddressName, useTrust } from "../../../connection/index.ts";
import { count } from "../../../lib/format.ts";
import { useChainTime } from "../../../market/index.ts";
import { Card, Countdown, Disclosure, ErrorNote, Wait } from "../../../ui/index.ts";
import styles from "./job.module.css";
import { Diagnoses } from "./offers/Diagnoses.tsx";
import { OfferedPanel } from "./offers/OfferedPanel.tsx";
import { OfferItem } from "./offers/OfferItem.tsx";
import { offersState } from "./offers/offers.ts";
import { useOffers } from "./offers/useOffers.ts";
import type { Opening } from "./useOpening.ts";

/** Offers as they come, the panel that they would give, and the button that opens the job. */
export function OffersView({ record, opening }: { readonly record: JobRecord; readonly opening: Opening }): ReactNode {
  const { jobId, request } = record;
  const now = useChainTime();
  const { policy, history, isLoaded } = useTrust();
  const { received, error, isListening } = useOffers(record);
  const state = useMemo(
    () => offersState({ jobId, request, policy, history, received, now: now ?? 0 }),
    [jobId, request, policy, history, received, now],
  );
  const isExpired = now !== undefined && now >= request.expiry;
  return (
    <div className={styles.sides}>
      <div className="stack-wide">
        {error === undefined ? undefined : <ErrorNote error={error} />}
        {state.selection.complete || isExpired ? undefined : <Diagnoses record={record} received={state.judged} />}
        <Card
          title={`${state.rows.length === 0 ? "Offers" : count(state.rows.length, "offer")}`}
          aside={
            <span className="soft small">
              {isExpired ? "The request has expired" : <Countdown until={request.expiry} now={now} over="expired" />}
            </span>
          }
        >
          {state.rows.length === 0 ? (
            isExpired || !isListening ? (
              <p className="soft">No offer came.</p>
            ) : (
              <Wait>Waiting for providers to answer; their offers appear here as they come</Wait>
            )
          ) : (
            <ul className="stack" aria-label="Offers">
              {state.rows.map((row) => (
                <li key={row.received.offer.signature}>
                  <OfferItem row={row} record={record} now={now} isTrustLoaded={isLoaded} />
                </li>
              ))}
            </ul>
          )}
        </Card>
        {state.unusable.length === 0 ? undefined : (
          <Card>
            <Disclosure title={`${count(state.unusable.length, "message")} that could not be used`}>
              <ul className="stack-tight">
                {state.unusable.map(({ sender, code, reason }) => (
                  <li key={`${sender}${code}${reason}`}>
                    <AddressName address={sender} /> <span className="soft">{reason}</span>
                  </li>
                ))}
              </ul>
            </Disclosure>
          </Card>
        )}
      </div>
      <OfferedPanel record={record} state={state} opening={opening} isExpired={isExpired} />
    </div>
  );
}
