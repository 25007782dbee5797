import { historyOf, type JobRecord } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import { AddressName, Amount, useNames, useProfiles, useToken, useTrust } from "../../../../connection/index.ts";
import { count, formatAmount, shortHex } from "../../../../lib/format.ts";
import { Badge, Button, Countdown, ErrorNote } from "../../../../ui/index.ts";
import styles from "../job.module.css";
import { reasonInUnits, roleWords, sentence } from "../words.ts";
import type { OfferRow } from "./offers.ts";

/** One offer: by whom, for how much, and why it is taken or not. */
export function OfferItem({
  row,
  record,
  now,
  isTrustLoaded,
}: {
  readonly row: OfferRow;
  readonly record: JobRecord;
  readonly now: number | undefined;
  readonly isTrustLoaded: boolean;
}): ReactNode {
  const { received, judgement, role, reasons, isPassedOver } = row;
  const { offer, facts } = received;
  const { request } = record;
  const trust = useTrust();
  const { profiles } = useProfiles();
  const name = useNames()(offer.provider).name ?? shortHex(offer.provider);
  const unit = useToken(request.token);
  const [failure, setFailure] = useState<unknown>();
  const history = historyOf(trust.history, offer.provider);
  const isAllowed = judgement.onAllowList;
  const isDenied = trust.policy.deny.some(({ provider }) => provider.toLowerCase() === offer.provider.toLowerCase());
  const organization = profiles.get(offer.provider.toLowerCase())?.profile.body.name;
  const act = (change: Promise<void>): void => {
    setFailure(undefined);
    change.catch(setFailure);
  };
  return (
    <article className={styles.offer} aria-label={`Offer of ${name}`}>
      <div className="row-apart">
        <div className="row">
          <strong>
            <AddressName address={offer.provider} />
          </strong>
          {role === undefined ? (
            <Badge tone={isPassedOver ? "neutral" : "warn"}>{isPassedOver ? "not needed" : "refused"}</Badge>
          ) : (
            <Badge tone="good">{role}</Badge>
          )}
          {facts.onProbation ? <Badge tone="bad">on probation</Badge> : undefined}
        </div>
        <strong>
          <Amount value={offer.price} token={request.token} />
        </strong>
      </div>
      <dl className={styles.offerFacts}>
        <div>
          <dt>Bond</dt>
          <dd>
            <Amount value={request.bond} token={request.token} /> of <Amount value={facts.free} token={request.token} />{" "}
            free
          </dd>
        </div>
        <div>
          <dt>Would be</dt>
          <dd>{roleWords(offer.roles)}</dd>
        </div>
        <div>
          <dt>History that counts</dt>
          <dd>
            {history.jobs === 0
              ? "none yet"
              : `agreed in ${history.aligned} of ${count(history.jobs, "job")}${history.missed === 0 ? "" : `, missed ${history.missed}`}${history.faults === 0 ? "" : `, ${count(history.faults, "fault")}`}`}
          </dd>
        </div>
        <div>
          <dt>Offer stands</dt>
          <dd>
            <Countdown until={offer.expiry} now={now} over="no longer" />
          </dd>
        </div>
      </dl>
      <p className="soft small">
        {reasons.map((reason) => sentence(reasonInUnits(reason, (amount) => formatAmount(amount, unit)))).join(" ")}
      </p>
      <div className="row">
        {isAllowed ? (
          <Button isSmall isDisabled={!isTrustLoaded} onPress={() => act(trust.forget(offer.provider))}>
            Take {name} off the trust list
          </Button>
        ) : (
          <Button isSmall isDisabled={!isTrustLoaded} onPress={() => act(trust.allow(offer.provider, organization))}>
            Trust {name}
          </Button>
        )}
        {isDenied ? (
          <span className="soft small">You do not trust it.</span>
        ) : (
          <Button isSmall kind="quiet" isDisabled={!isTrustLoaded} onPress={() => act(trust.deny(offer.provider))}>
            Do not trust {name}
          </Button>
        )}
      </div>
      {failure === undefined ? undefined : <ErrorNote error={failure} />}
    </article>
  );
}
