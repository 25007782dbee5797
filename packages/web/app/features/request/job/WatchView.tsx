import { JobStatus } from "@quorate/core";
import type { JobView } from "@quorate/sdk";
import type { ReactNode } from "react";
import { Note } from "../../../ui/index.ts";
import { MoneyPicture } from "./MoneyPicture.tsx";
import { ResultCard } from "./ResultCard.tsx";
import type { KnownJob } from "./useJob.ts";
import { HelpCard } from "./watch/HelpCard.tsx";
import { HistoryCard } from "./watch/HistoryCard.tsx";
import { JobPanel } from "./watch/JobPanel.tsx";
import { Progression } from "./watch/Progression.tsx";
import { TallyCard } from "./watch/TallyCard.tsx";
import { TermsCard } from "./watch/TermsCard.tsx";
import { outcomeWords } from "./words.ts";

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
      <JobPanel view={view} isSettled={isSettled} />
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
