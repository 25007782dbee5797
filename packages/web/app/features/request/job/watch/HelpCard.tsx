import { JobStatus } from "@quorate/core";
import { type JobView, settleJob } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import { useSession } from "../../../../connection/index.ts";
import { Badge, Button, Card, Checkbox, ErrorNote, Hash, Wait } from "../../../../ui/index.ts";
import type { KnownJob } from "../useJob.ts";

const helpWords = {
  "carry-commitments": "brought commitments to the chain",
  promote: "promoted a spare",
  "carry-openings": "brought openings to the chain",
  settle: "settled the job",
} as const;

/** What anybody may do if others are late. */
export function HelpCard({
  known,
  view,
  selfHelp,
  onSelfHelp,
}: {
  readonly known: KnownJob;
  readonly view: JobView;
  readonly selfHelp: boolean;
  readonly onSelfHelp: (on: boolean) => void;
}): ReactNode {
  const { jobs, account } = useSession();
  const [isSettling, setSettling] = useState(false);
  const [failure, setFailure] = useState<unknown>();
  const { terms, jobId, help } = view;
  const isSettleable = view.status === JobStatus.Settleable;
  const canSend = account !== undefined && jobs.wallet !== undefined;
  const settle = async (): Promise<void> => {
    if (terms === undefined) return;
    setSettling(true);
    setFailure(undefined);
    try {
      await settleJob(jobs, { jobId, terms });
    } catch (thrown) {
      setFailure(thrown);
    } finally {
      setSettling(false);
    }
  };
  if (known.record === undefined && !isSettleable) return;
  return (
    <Card title="If others are late">
      <div className="stack">
        <p className="soft">
          Providers bring commitments and openings to the chain, since they are paid for it. If they do not, anybody
          may.
        </p>
        {known.record === undefined ? undefined : (
          <Checkbox isSelected={selfHelp && canSend} isDisabled={!canSend} onChange={onSelfHelp}>
            Send from my wallet what is late.{" "}
            <span className="soft">
              Once half of a window is over, this page carries signed messages from the relays, promotes spares and
              settles; your wallet asks each time, and you pay the gas.
            </span>
          </Checkbox>
        )}
        {help.length === 0 ? undefined : (
          <ul className="stack-tight" aria-label="What this page did">
            {help.map((item, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the list only grows at its end
              <li key={index} className="row">
                <Badge tone={item.state === "sent" ? "good" : "warn"}>
                  {item.state === "sent" ? "sent" : "failed"}
                </Badge>
                <span>
                  This page {item.state === "sent" ? "" : "tried what others are late with: "}
                  {helpWords[item.action]}.
                </span>
                {item.hash === undefined ? (
                  <span className="soft small">{item.reason}</span>
                ) : (
                  <Hash value={item.hash} label="transaction" />
                )}
              </li>
            ))}
          </ul>
        )}
        {isSettleable ? (
          <div className="row">
            <Button isDisabled={!canSend || isSettling} onPress={() => void settle()}>
              Settle it now
            </Button>
            {isSettling ? <Wait>Waiting for your wallet and the chain</Wait> : undefined}
            {canSend ? undefined : (
              <span className="soft small">Connect a wallet to settle; the fee is yours then.</span>
            )}
          </div>
        ) : undefined}
        {failure === undefined ? undefined : <ErrorNote error={failure} />}
      </div>
    </Card>
  );
}
