import { escrowOf } from "@quorate/core";
import type { ReactNode } from "react";
import { AddressName, Amount } from "../connection/index.ts";
import { count, shortHex } from "../lib/format.ts";
import { type MarketJob, stageOf, useChainTime } from "../market/index.ts";
import { routes } from "../routes.ts";
import { Badge, type Column, CopyButton, Countdown, Relative, Table } from "../ui/index.ts";
import styles from "./JobTable.module.css";

/** Where a job stands, with the time that is left. */
export function JobStatusCell({ job }: { readonly job: MarketJob }): ReactNode {
  const now = useChainTime();
  const { title, tone, until, waitsFor } = stageOf(job.facts, now ?? job.facts.openedAt);
  return (
    <div className="stack-tight">
      <div>
        <Badge tone={tone}>{title}</Badge>
      </div>
      {until === undefined ? undefined : (
        <span className="soft small">
          <Countdown until={until} now={now} over="time is over" /> {waitsFor}
        </span>
      )}
    </div>
  );
}

/** How long ago, by the chain. */
export function Age({ at }: { readonly at: number }): ReactNode {
  return <Relative at={at} now={useChainTime()} />;
}

/** Link to a job by its short id. */
export function JobLink({ jobId }: { readonly jobId: `0x${string}` }): ReactNode {
  return (
    <span className={styles.job}>
      <a href={routes.job(jobId)}>
        <code>{shortHex(jobId)}</code>
      </a>
      <CopyButton text={jobId} label={`Copy job id ${shortHex(jobId)}`} />
    </span>
  );
}

const columns: readonly Column<MarketJob>[] = [
  { title: "Job", cell: ({ facts }) => <JobLink jobId={facts.jobId} /> },
  { title: "Requester", cell: ({ facts }) => <AddressName address={facts.request.requester} /> },
  { title: "Status", cell: (job) => <JobStatusCell job={job} /> },
  {
    title: "Panel",
    cell: ({ facts: { terms } }) => (
      <span className="small">
        {terms.quorum} of {count(terms.seats, "seat")}
        {terms.spares === 0 ? "" : `, ${count(terms.spares, "spare")}`}
      </span>
    ),
  },
  {
    title: "Escrow",
    isNumber: true,
    cell: ({ facts: { terms } }) => <Amount value={escrowOf(terms)} token={terms.token} />,
  },
  { title: "Opened", cell: ({ facts }) => <Age at={facts.openedAt} /> },
];

/** Jobs, one a row. */
export function JobTable({
  label,
  jobs,
  isShort = false,
}: {
  readonly label: string;
  readonly jobs: readonly MarketJob[];
  /** Leaves the panel out. */
  readonly isShort?: boolean;
}): ReactNode {
  const shown = isShort ? columns.filter(({ title }) => title !== "Panel") : columns;
  return <Table label={label} columns={shown} rows={jobs} keyOf={({ facts }) => facts.jobId} />;
}
