import type { SubjectClient, SubjectState } from "@quorate/sdk/queries";
import type { SubjectAuditEntry } from "@quorate/wire";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Address, numberToHex } from "viem";
import { AddressName, useSession } from "../../../connection/index.ts";
import { count } from "../../../lib/format.ts";
import { Badge, Card, type Column, Empty, ErrorNote, Hash, Moment, Table, type Tone, Wait } from "../../../ui/index.ts";
import { statementOf } from "../statements.ts";
import { LOOK_AGAIN_MS, ReadAgain } from "./ReadAgain.tsx";

/** A question about the subject: by its own consents, by the provider's log, or by both. */
type LogRow = {
  readonly query: bigint;
  readonly asker: Address;
  readonly statement: string | undefined;
  /** Unix s. */
  readonly at: number;
  readonly outcome: SubjectAuditEntry["outcome"] | undefined;
  readonly reason: string | undefined;
};

const outcomes: Readonly<Record<SubjectAuditEntry["outcome"], readonly [string, Tone | "neutral"]>> = {
  quoted: ["Quoted, not asked yet", "info"],
  lapsed: ["Never asked", "neutral"],
  asked: ["Asked, not answered yet", "info"],
  answered: ["Answered", "good"],
  expired: ["Not answered in time", "warn"],
  refused: ["Refused by the provider", "warn"],
};

const logColumns: readonly Column<LogRow>[] = [
  { title: "When", cell: ({ at }) => <Moment at={at} /> },
  { title: "Asker", cell: ({ asker }) => <AddressName address={asker} /> },
  {
    title: "What",
    cell: ({ statement, query }) => (
      <div className="stack-tight">
        <span>{statement ?? "You gave this consent elsewhere: this browser does not know the words."}</span>
        <span className="soft small">
          Question <Hash value={numberToHex(query, { size: 32 })} label="question id" />
        </span>
      </div>
    ),
  },
  {
    title: "How it ended",
    cell: ({ outcome, reason }) => {
      const [title, tone] = outcome === undefined ? (["Consent not used yet", "neutral"] as const) : outcomes[outcome];
      return (
        <div className="stack-tight">
          <Badge tone={tone}>{title}</Badge>
          {reason === undefined ? undefined : <code className="soft small">{reason}</code>}
        </div>
      );
    },
  },
];

/** Who asked about the subject, and what became of it. */
export function Log({
  subject,
  state,
}: {
  readonly subject: SubjectClient;
  readonly state: SubjectState | undefined;
}): ReactNode {
  const { networkKey } = useSession();
  const query = useQuery({
    queryKey: ["audit", networkKey, subject.publicKey[0].toString()],
    retry: false,
    queryFn: () => subject.audit(),
    // An answer under way comes within the provider's time, and its log hears of it a block later than the asker.
    refetchInterval: ({ state: { data } }) =>
      data?.some(({ outcome }) => outcome === "asked") ? LOOK_AGAIN_MS : false,
  });
  const consents = state?.consents ?? [];
  const seen = new Set((query.data ?? []).map((entry) => entry.query));
  const rows: readonly LogRow[] = [
    ...(query.data ?? []).map((entry): LogRow => {
      const given = consents.find((consent) => consent.query === entry.query);
      return {
        query: entry.query,
        asker: entry.asker,
        statement: given === undefined ? undefined : statementOf(given.statement),
        at: entry.quotedAt,
        outcome: entry.outcome,
        reason: entry.reason,
      };
    }),
    ...consents
      .filter((given) => !seen.has(given.query))
      .map(
        (given): LogRow => ({
          query: given.query,
          asker: given.asker,
          statement: statementOf(given.statement),
          at: Math.floor(given.givenAt / 1000),
          outcome: undefined,
          reason: undefined,
        }),
      ),
  ].sort((a, b) => b.at - a.at);
  return (
    <Card title="Who asked what" aside={<ReadAgain query={query} />}>
      <div className="stack">
        <p className="soft">
          By the provider's log and the consents of this browser; {count(consents.length, "consent")} given here.
        </p>
        {query.isPending ? <Wait>Waiting for the provider's log, encrypted to you</Wait> : undefined}
        {query.error === null ? undefined : <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
        {rows.length === 0 && query.isFetched ? (
          <Empty>Nobody has asked about you yet.</Empty>
        ) : rows.length > 0 ? (
          <Table label="Questions about you" columns={logColumns} rows={rows} keyOf={(row) => row.query.toString()} />
        ) : undefined}
      </div>
    </Card>
  );
}
