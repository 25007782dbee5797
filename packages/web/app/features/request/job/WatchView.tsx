import { type JobFacts, JobStatus, ZERO_ADDRESS } from "@quorate/core";
import { type JobView, type SeatView, settleJob } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import { AddressName, Amount, useSession } from "../../../connection/index.ts";
import { count, formatDuration, shortHex } from "../../../lib/format.ts";
import { type MarketJob, useChainTime } from "../../../market/index.ts";
import {
  Badge,
  Button,
  Card,
  Checkbox,
  Countdown,
  ErrorNote,
  Facts,
  Hash,
  Moment,
  Note,
  Relative,
  type Step,
  Stepper,
  Table,
  Wait,
} from "../../../ui/index.ts";
import styles from "./job.module.css";
import { MoneyPicture } from "./MoneyPicture.tsx";
import { ResultCard } from "./ResultCard.tsx";
import type { KnownJob } from "./useJob.ts";
import { bondFates, bondWords, eventWords, outcomeWords, seatWord, verdictWord } from "./words.ts";

/** A job that is open or settled, for anybody. */
export function WatchView({
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
  const { record, job } = known;
  const isSettled = view.status === JobStatus.Accepted || view.status === JobStatus.Inconclusive;
  return (
    <div className="stack-wide">
      {isSettled ? <VerdictNote view={view} /> : <Progression view={view} />}
      {isSettled && record !== undefined ? <ResultCard record={record} view={view} /> : undefined}
      {isSettled && record === undefined ? (
        <Note>
          <p>
            The result is sealed to the requester. This browser does not hold the keys of this job, so it cannot open
            it.
          </p>
        </Note>
      ) : undefined}
      <PanelCard view={view} isSettled={isSettled} />
      {isSettled ? <MoneyPicture view={view} facts={job?.facts} /> : <TallyCard view={view} />}
      {isSettled ? undefined : <HelpCard known={known} view={view} selfHelp={selfHelp} onSelfHelp={onSelfHelp} />}
      {job === undefined ? undefined : <HistoryCard job={job} />}
      {view.terms === undefined ? undefined : <TermsCard view={view} facts={job?.facts} />}
    </div>
  );
}

function VerdictNote({ view }: { readonly view: JobView }): ReactNode {
  const { quorum = 0, seats = 0 } = view.terms ?? {};
  const [leading] = view.tally;
  if (view.status === JobStatus.Accepted) {
    return (
      <Note tone="good">
        <p>
          <strong>Accepted.</strong>{" "}
          {leading === undefined
            ? ""
            : `${leading.votes} of ${seats} seats gave the same answer: ${outcomeWords(leading.outcome)}. `}
          {quorum} had to agree.
        </p>
      </Note>
    );
  }
  return (
    <Note tone="warn">
      <p>
        <strong>No answer reached the quorum.</strong> {quorum} of {seats} seats had to agree
        {leading === undefined ? ", and nobody answered" : `, and at most ${leading.votes} did`}. What was not paid
        returned to the requester's balance in the market.
      </p>
    </Note>
  );
}

function Progression({ view }: { readonly view: JobView }): ReactNode {
  const now = useChainTime();
  const { status, openedAt = 0, revealAt = 0, revealDeadline = 0, terms, panel } = view;
  const committed = panel.filter(
    ({ seat, state }) => seat !== undefined && (state === "committed" || state === "opened"),
  ).length;
  const opened = panel.filter(({ seat, state }) => seat !== undefined && state === "opened").length;
  const seats = terms?.seats ?? 0;
  const rank = status === JobStatus.Committing ? 1 : status === JobStatus.Revealing ? 2 : 3;
  const state = (at: number): Step["state"] => (at < rank ? "done" : at === rank ? "current" : "ahead");
  return (
    <Card title="Where it stands">
      <div className="stack">
        <Stepper
          isVertical
          label="Course of the job"
          steps={[
            { title: "Opened", state: "done", note: <Relative at={openedAt} now={now} /> },
            {
              title: "Seats compute and commit",
              state: state(1),
              note:
                rank === 1 ? (
                  <>
                    {committed} of {count(seats, "seat")} committed,{" "}
                    <Countdown until={revealAt} now={now} over="revealing begins" />
                  </>
                ) : (
                  `${committed} of ${count(seats, "seat")} committed`
                ),
            },
            {
              title: "Seats open their commitments",
              state: state(2),
              note:
                rank === 2 ? (
                  <>
                    {opened} of {count(committed, "commitment")} opened,{" "}
                    <Countdown until={revealDeadline} now={now} over="the time is over" />
                  </>
                ) : rank === 1 ? (
                  "Until everybody has committed, nobody sees another's answer"
                ) : (
                  `${opened} of ${count(committed, "commitment")} opened`
                ),
            },
            {
              title: "Settled",
              state: state(3),
              note:
                rank === 3
                  ? "Anybody may settle now, and earns the fee for it"
                  : "Whoever settles earns the fee for it",
            },
          ]}
        />
        <p className="soft small">You may leave: the job ends without this page, and the result waits for you.</p>
      </div>
    </Card>
  );
}

function PanelCard({ view, isSettled }: { readonly view: JobView; readonly isSettled: boolean }): ReactNode {
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

function TallyCard({ view }: { readonly view: JobView }): ReactNode {
  const { tally, terms } = view;
  if (terms === undefined || tally.length === 0) return;
  return (
    <Card title="Tally" aside={<span className="soft small">{terms.quorum} equal answers decide</span>}>
      <ul className="stack-tight">
        {tally.map(({ outcome, resultHash, votes }) => (
          <li key={`${outcome}${resultHash}`} className="row">
            <Badge tone={votes >= terms.quorum ? "good" : "neutral"}>{count(votes, "vote")}</Badge>
            <span>{outcomeWords(outcome)}</span>
            <Hash value={resultHash} label="hash of the answer" />
          </li>
        ))}
      </ul>
    </Card>
  );
}

const helpWords = {
  "carry-commitments": "brought commitments to the chain",
  promote: "promoted a spare",
  "carry-openings": "brought openings to the chain",
  settle: "settled the job",
} as const;

function HelpCard({
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

function HistoryCard({ job }: { readonly job: MarketJob }): ReactNode {
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

function TermsCard({ view, facts }: { readonly view: JobView; readonly facts: JobFacts | undefined }): ReactNode {
  const { terms, openedAt } = view;
  if (terms === undefined) return;
  return (
    <Card title="Terms">
      <Facts
        rows={[
          ["Requester", <AddressName key="requester" address={terms.requester} />],
          ...(openedAt === undefined ? [] : [["Opened", <Moment key="opened" at={openedAt} />] as const]),
          ["Escrow", <Amount key="escrow" value={view.money.escrow} token={terms.token} />],
          ["Bond of each place", <Amount key="bond" value={terms.bond} token={terms.token} />],
          ["Fee for settling", <Amount key="fee" value={terms.carrierFee} token={terms.token} />],
          ["Call-out fee", `${terms.calloutBps / 100} % of the price`],
          ["Standby fee", `${terms.standbyBps / 100} % of the price`],
          ["Time for commitments", formatDuration(terms.commitWindow)],
          ["Time for openings", formatDuration(terms.revealWindow)],
          ...(terms.callback === ZERO_ADDRESS
            ? []
            : [["Contract that is told", <AddressName key="callback" address={terms.callback} />] as const]),
          ...(facts === undefined
            ? []
            : [["Package", <code key="package">{shortHex(facts.request.packageHash)}</code>] as const]),
        ]}
      />
    </Card>
  );
}
