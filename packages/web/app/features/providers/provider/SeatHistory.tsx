import type { ReactNode } from "react";
import { Amount } from "../../../connection/index.ts";
import { useChainTime } from "../../../market/index.ts";
import { Age, JobLink } from "../../../parts/JobTable.tsx";
import { bondWords, type ProviderSeat, seatEndOf } from "../../../parts/seats.ts";
import { Badge, type Column, LongTable } from "../../../ui/index.ts";

/** The places that a provider had, newest first. */
export function SeatHistory({ seats }: { readonly seats: readonly ProviderSeat[] }): ReactNode {
  return (
    <LongTable
      label="History of seats"
      columns={seatColumns}
      rows={seats}
      keyOf={({ job, place }) => `${job.facts.jobId}/${place}`}
      moreLabel={(next, all) => `Show ${next} more of ${all}`}
    />
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
