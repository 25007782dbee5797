import { type ReactNode, useState } from "react";
import { Amount } from "../../../connection/index.ts";
import { useChainTime } from "../../../market/index.ts";
import { Age, JobLink } from "../../../parts/JobTable.tsx";
import { bondWords, type ProviderSeat, seatEndOf } from "../../../parts/seats.ts";
import { Badge, Button, type Column, Table } from "../../../ui/index.ts";

const HISTORY_STEP = 20;

/** The places that a provider had, newest first. */
export function SeatHistory({ seats }: { readonly seats: readonly ProviderSeat[] }): ReactNode {
  const [shown, setShown] = useState(HISTORY_STEP);
  return (
    <div className="stack">
      <Table
        label="History of seats"
        columns={seatColumns}
        rows={seats.slice(0, shown)}
        keyOf={({ job, place }) => `${job.facts.jobId}/${place}`}
      />
      {seats.length > shown ? (
        <div>
          <Button isSmall onPress={() => setShown(shown + HISTORY_STEP)}>
            Show {Math.min(HISTORY_STEP, seats.length - shown)} more of {seats.length}
          </Button>
        </div>
      ) : undefined}
    </div>
  );
}

const seatColumns: readonly Column<ProviderSeat>[] = [
  { title: "Job", cell: ({ job }) => <JobLink jobId={job.facts.jobId} /> },
  {
    title: "Place",
    cell: ({ role, place }) => (
      <span className="small">
        {role} {place + 1}
      </span>
    ),
  },
  { title: "How it went", cell: (seat) => <Verdict seat={seat} /> },
  {
    title: "Paid",
    isNumber: true,
    cell: ({ job: { facts }, place }) => {
      const result = facts.settled?.results[place];
      return result === undefined ? (
        <span className="soft">open</span>
      ) : (
        <Amount value={result.paid} token={facts.terms.token} />
      );
    },
  },
  { title: "Bond", isNumber: true, cell: (seat) => <Bond seat={seat} /> },
  { title: "When", cell: ({ job: { facts } }) => <Age at={facts.settled?.settledAt ?? facts.openedAt} /> },
];

function Verdict({ seat: { job, place } }: { readonly seat: ProviderSeat }): ReactNode {
  const now = useChainTime();
  const { title, tone, why } = seatEndOf(job.facts, place, now ?? job.facts.openedAt);
  return (
    <div className="stack-tight">
      <div>
        <Badge tone={tone}>{title}</Badge>
      </div>
      <span className="soft small">{why}</span>
    </div>
  );
}

function Bond({ seat: { job, place } }: { readonly seat: ProviderSeat }): ReactNode {
  const now = useChainTime();
  const { terms } = job.facts;
  const { bond } = seatEndOf(job.facts, place, now ?? job.facts.openedAt);
  return (
    <span className="small">
      <Amount value={terms.bond} token={terms.token} /> {bondWords[bond]}
    </span>
  );
}
