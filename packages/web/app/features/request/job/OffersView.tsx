import { escrowOf, termsOf } from "@quorate/core";
import {
  escrowBoundOf,
  historyOf,
  type JobRecord,
  type OfferDiagnosis,
  type ReceivedOffer,
  type Selection,
} from "@quorate/sdk";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import {
  AddressName,
  Amount,
  promptsInWords,
  useBalances,
  useNames,
  useProfiles,
  useRequester,
  useSession,
  useToken,
  useTrust,
} from "../../../connection/index.ts";
import { count, formatAmount, shortHex } from "../../../lib/format.ts";
import { useChainTime } from "../../../market/index.ts";
import { routes } from "../../../routes.ts";
import { Connect } from "../../../shell/Connect.tsx";
import {
  Badge,
  Button,
  ButtonLink,
  Card,
  Countdown,
  Disclosure,
  ErrorNote,
  Note,
  Sums,
  Wait,
} from "../../../ui/index.ts";
import { askingPrices } from "../terms.ts";
import { diagnosisWords } from "./diagnosis.ts";
import styles from "./job.module.css";
import { addOffer, type OfferRow, type OffersState, offersState, samePanel } from "./offers.ts";
import type { Opening } from "./useOpening.ts";
import { reasonInUnits, roleWords, sentence } from "./words.ts";

const DIAGNOSE_MS = 5_000;

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
      <PanelCard record={record} state={state} opening={opening} isExpired={isExpired} />
    </div>
  );
}

/** Collects as long as the page shows offers. A changed trust policy judges again, and asks nobody again. */
function useOffers(record: JobRecord): {
  readonly received: readonly ReceivedOffer[];
  readonly error: unknown;
  readonly isListening: boolean;
} {
  const requester = useRequester();
  const { relays, publicClient } = useSession();
  const [received, setReceived] = useState<readonly ReceivedOffer[]>([]);
  const [error, setError] = useState<unknown>();
  const [isListening, setListening] = useState(true);
  const latest = useRef(requester);
  latest.current = requester;
  const { jobId } = record;
  // biome-ignore lint/correctness/useExhaustiveDependencies: other relays or another chain are other offers
  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    setListening(true);
    const collect = async (): Promise<void> => {
      for await (const offer of latest.current.collectOffers(jobId, { signal })) {
        if (signal.aborted) return;
        setReceived((before) => addOffer(before, offer));
      }
    };
    collect()
      .catch((thrown: unknown) => {
        if (!signal.aborted) setError(thrown);
      })
      .finally(() => {
        if (!signal.aborted) setListening(false);
      });
    return () => controller.abort();
  }, [jobId, relays, publicClient]);
  return { received, error, isListening };
}

function Diagnoses({
  record,
  received,
}: {
  readonly record: JobRecord;
  readonly received: readonly ReceivedOffer[];
}): ReactNode {
  const requester = useRequester();
  const { network } = useSession();
  const { profiles } = useProfiles();
  const now = useChainTime();
  const { request, requirements, jobId } = record;
  const unit = useToken(request.token);
  const { balances } = useBalances(request.requester, request.token);
  const latest = useRef(received);
  latest.current = received;
  const refused = received.filter((item) => item.kind === "offer" && !item.judgement.accepted).length;
  const query = useQuery<readonly OfferDiagnosis[]>({
    queryKey: ["diagnosis", jobId, received.length, refused],
    refetchInterval: DIAGNOSE_MS,
    placeholderData: keepPreviousData,
    gcTime: 10_000,
    queryFn: ({ signal }) => requester.diagnoseOffers(jobId, latest.current, { signal }),
  });
  const [lowestAsked] = askingPrices(profiles.values(), requirements.engine, request.token, now ?? 0);
  const words = (query.data ?? []).map((diagnosis) =>
    diagnosisWords(diagnosis, {
      record,
      lowestAsked,
      needed: escrowBoundOf(request),
      available: balances === undefined ? undefined : balances.wallet + balances.jobs.free,
      relays: network.relays.length,
      refused,
      format: (amount) => formatAmount(amount, unit),
    }),
  );
  if (words.length === 0) return;
  return (
    <div className="stack-tight">
      {words.map(({ code, title, text, isWait }) => (
        <Note key={code} tone={isWait ? "info" : "warn"}>
          <p>
            <strong>{title}.</strong> {text}
          </p>
          {code === "PRICE_TOO_LOW" || code === "REQUEST_EXPIRED" ? (
            <ButtonLink isSmall href={routes.request}>
              Request again
            </ButtonLink>
          ) : undefined}
        </Note>
      ))}
    </div>
  );
}

function OfferItem({
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

function PanelCard({
  record,
  state,
  opening,
  isExpired,
}: {
  readonly record: JobRecord;
  readonly state: OffersState;
  readonly opening: Opening;
  readonly isExpired: boolean;
}): ReactNode {
  const { request, jobId } = record;
  const { account, jobs } = useSession();
  const requester = useRequester();
  const { balances } = useBalances(request.requester, request.token);
  const [isLooking, setLooking] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const [hasChanged, setChanged] = useState(false);
  const { selection } = state;
  const escrow = selection.complete
    ? escrowOf(
        termsOf(
          request,
          selection.spares,
          selection.chosen.map(({ offer }) => offer),
        ),
      )
    : undefined;
  const free = balances?.jobs.free;
  const missing = escrow === undefined || free === undefined ? undefined : escrow > free ? escrow - free : 0n;
  const isOwner = account?.address.toLowerCase() === request.requester.toLowerCase();
  const isBusy = isLooking || opening.isRunning;

  const open = async (): Promise<void> => {
    setFailure(undefined);
    setChanged(false);
    setLooking(true);
    let now: Selection;
    try {
      now = await requester.selectOffers(jobId, state.judged);
    } catch (thrown) {
      setFailure(thrown);
      return;
    } finally {
      setLooking(false);
    }
    // What is opened is what was shown: a balance that changed since then may not seat somebody else unseen.
    if (!samePanel(now, selection)) {
      setChanged(true);
      return;
    }
    await opening.run(now);
  };

  return (
    <aside className={styles.side} aria-label="Panel">
      <Card title="The panel">
        <div className="stack">
          {selection.chosen.length === 0 ? (
            <p className="soft">
              Nobody has a place yet. {request.seats} seats have to be filled, each by a provider that you trust.
            </p>
          ) : (
            <>
              <ul className="stack-tight" aria-label="Panel that would be opened">
                {selection.chosen.map(({ offer, role }) => (
                  <li key={offer.signature} className={styles.place}>
                    <Badge tone={role === "seat" ? "good" : "neutral"}>{role}</Badge>
                    <AddressName address={offer.provider} />
                    <span className={styles.placePrice}>
                      <Amount value={offer.price} token={request.token} />
                    </span>
                  </li>
                ))}
              </ul>
              <Note>
                <p>
                  <strong>{count(selection.chosen.length, "party", "parties")} will be able to read your data:</strong>{" "}
                  <Names providers={selection.chosen.map(({ offer }) => offer.provider)} />. Nobody else.
                </p>
              </Note>
            </>
          )}
          {selection.missing.length === 0 || isExpired ? undefined : (
            <ul className="stack-tight soft small">
              {selection.missing.map((words) => (
                <li key={words}>{sentence(words)}</li>
              ))}
            </ul>
          )}
          {escrow === undefined ? undefined : (
            <Sums
              rows={[
                ["Escrow", <Amount key="escrow" value={escrow} token={request.token} />],
                ...(free === undefined
                  ? []
                  : [
                      [
                        "From your balance in the market",
                        <Amount
                          key="free"
                          value={missing === undefined ? 0n : escrow - missing}
                          token={request.token}
                        />,
                      ] as const,
                    ]),
                ...(missing === undefined
                  ? []
                  : [["From your wallet", <Amount key="missing" value={missing} token={request.token} />] as const]),
              ]}
            />
          )}
          {escrow !== undefined && missing !== undefined && !isExpired ? (
            <p className="soft small">
              Your wallet will ask {promptsInWords(account, missing, "open the job")}. What is not paid out returns to
              your balance in the market.
            </p>
          ) : undefined}
          {hasChanged ? (
            <Note tone="warn">
              <p>
                The chain says something else now than when these offers came: another panel would be opened. Nothing
                was sent. Look again, and open when it is right.
              </p>
            </Note>
          ) : undefined}
          {failure === undefined ? undefined : <ErrorNote error={failure} />}
          {opening.error === undefined ? undefined : <ErrorNote error={opening.error} />}
          {isLooking ? <Wait>Asking the chain about these offers once more</Wait> : undefined}
          {opening.isRunning ? <Wait>Waiting for your wallet to confirm</Wait> : undefined}
          {account !== undefined && !isOwner ? (
            <Note tone="warn">
              <p>
                The request was made by <AddressName address={request.requester} />. Connect that account to open the
                job.
              </p>
            </Note>
          ) : undefined}
          {isExpired ? (
            <ButtonLink href={routes.request}>Request again</ButtonLink>
          ) : account === undefined ? (
            <Connect kind="primary" />
          ) : (
            <Button
              kind="primary"
              isDisabled={
                !selection.complete ||
                !isOwner ||
                isBusy ||
                jobs.wallet === undefined ||
                account.isContract === undefined
              }
              onPress={() => void open()}
            >
              Open the job
            </Button>
          )}
          {selection.complete || isExpired ? undefined : (
            <p className="soft small">The job can be opened once every seat is filled.</p>
          )}
        </div>
      </Card>
    </aside>
  );
}

function Names({ providers }: { readonly providers: readonly `0x${string}`[] }): ReactNode {
  const nameOf = useNames();
  return providers.map((provider) => nameOf(provider).name ?? shortHex(provider)).join(", ");
}
