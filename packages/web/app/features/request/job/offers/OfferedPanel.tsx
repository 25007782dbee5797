import { escrowOf, termsOf } from "@quorate/core";
import type { JobRecord, Selection } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import {
  AddressName,
  Amount,
  promptsInWords,
  useBalances,
  useNames,
  useRequester,
  useSession,
} from "../../../../connection/index.ts";
import { count, shortHex } from "../../../../lib/format.ts";
import { routes } from "../../../../routes.ts";
import { Connect } from "../../../../shell/Connect.tsx";
import { Badge, Button, ButtonLink, Card, ErrorNote, Note, Sums, Wait } from "../../../../ui/index.ts";
import styles from "../job.module.css";
import type { Opening } from "../useOpening.ts";
import { sentence } from "../words.ts";
import { type OffersState, samePanel } from "./offers.ts";

/** The panel that the offers give, its money, and the button that opens the job. */
export function OfferedPanel({
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
