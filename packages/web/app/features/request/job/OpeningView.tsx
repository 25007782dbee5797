import { escrowOf, isQuorateError, termsOf } from "@quorate/core";
import type { JobRecord } from "@quorate/sdk";
import { type ReactNode, useEffect, useRef } from "react";
import { Amount, useSession } from "../../../connection/index.ts";
import { Connect } from "../../../shell/Connect.tsx";
import { Button, Card, ErrorNote, Facts, Hash, Note, type Step, Stepper, Wait } from "../../../ui/index.ts";
import { type OpeningStep, openingSteps } from "./stage.ts";
import type { Opening } from "./useOpening.ts";

const titles: Readonly<Record<OpeningStep["id"], string>> = {
  allow: "Your wallet allows the payment",
  send: "Your wallet sends the transaction",
  confirm: "The chain confirms it",
};

const purposes = { approve: "Approval", deposit: "Deposit", open: "Opening" } as const;

/** An opening under way, or one that a page left half done. */
export function OpeningView({ record, opening }: { readonly record: JobRecord; readonly opening: Opening }): ReactNode {
  const { account, jobs } = useSession();
  const { request, selection, transactions, askedWalletAt } = record;
  const isOwner = account?.address.toLowerCase() === request.requester.toLowerCase();
  const canSend = isOwner && jobs.wallet !== undefined && account?.isContract !== undefined;
  const isUnanswered = askedWalletAt !== undefined && !opening.isRunning;
  const isUnknown = isQuorateError(opening.error, "TRANSACTION_UNKNOWN");
  const steps = openingSteps({ record, isOpen: false, hasFailed: opening.error !== undefined });
  // What was sent is only looked for, and nothing is sent anew: this needs nobody's word.
  const isSent = transactions.some(({ purpose }) => purpose === "open");
  const hasLooked = useRef(opening.isRunning);
  const { run } = opening;
  useEffect(() => {
    if (!isSent || !canSend || hasLooked.current || askedWalletAt !== undefined) return;
    hasLooked.current = true;
    void run();
  }, [isSent, canSend, askedWalletAt, run]);

  return (
    <Card title="Opening the job">
      <div className="stack">
        {selection === undefined ? undefined : (
          <Facts
            rows={[
              [
                "Escrow",
                <Amount
                  key="escrow"
                  value={escrowOf(termsOf(request, selection.spares, selection.offers))}
                  token={request.token}
                />,
              ],
              ...transactions.map(
                ({ purpose, hash }) =>
                  [
                    purposes[purpose],
                    <Hash key={hash} value={hash} label={`${purposes[purpose]} transaction`} />,
                  ] as const,
              ),
            ]}
          />
        )}
        <Stepper
          isVertical
          label="Steps of the opening"
          steps={steps.map(
            ({ id, state }): Step => ({
              title: titles[id],
              state,
              ...(state === "current" && opening.isRunning ? { note: "Waiting for it" } : {}),
            }),
          )}
        />
        {opening.isRunning ? (
          <Wait>
            {isSent ? "Waiting for the transaction to be mined" : "Waiting for your wallet; look for its window"}
          </Wait>
        ) : undefined}
        {opening.error === undefined || isUnknown ? undefined : <ErrorNote error={opening.error} />}
        {isUnanswered || isUnknown ? (
          <Note tone="warn">
            <p>
              <strong>Your wallet was asked to send, and its answer was lost.</strong> Whether it sent is not known
              here. Look at the wallet's own history: if a transaction is pending there, wait for it and go on; the job
              opens once, and is paid once.
            </p>
          </Note>
        ) : undefined}
        {opening.isRunning ? undefined : account === undefined ? (
          <Connect kind="primary" />
        ) : (
          <div className="row">
            <Button kind="primary" isDisabled={!canSend} onPress={() => void opening.run()}>
              Look again and go on
            </Button>
            {isUnanswered || isUnknown ? (
              <Button isDisabled={!canSend} onPress={() => void opening.run(undefined, { nothingIsPending: true })}>
                My wallet shows nothing pending: send again
              </Button>
            ) : undefined}
          </div>
        )}
        {account !== undefined && !isOwner ? (
          <p className="soft small">Connect the account that made the request to go on.</p>
        ) : undefined}
        <p className="soft small">You may close this page: what was sent stays sent, and this page finds it again.</p>
      </div>
    </Card>
  );
}
