import { JobStatus } from "@quorate/core";
import type { JobView } from "@quorate/sdk";
import type { ReactNode } from "react";
import { count } from "../../../../lib/format.ts";
import { useChainTime } from "../../../../market/index.ts";
import { Card, Countdown, Relative, type Step, Stepper } from "../../../../ui/index.ts";

/** How far an open job is. */
export function Progression({ view }: { readonly view: JobView }): ReactNode {
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
