import { describeValue } from "@quorate/proofs";
import type { OwnRecordView, SubjectClient } from "@quorate/sdk/queries";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSession } from "../../../connection/index.ts";
import { formatDay } from "../../../lib/format.ts";
import { Badge, Card, Empty, ErrorNote, Facts, type Tone, Wait } from "../../../ui/index.ts";
import { LOOK_AGAIN_MS, ReadAgain } from "./ReadAgain.tsx";

const states: Readonly<Record<OwnRecordView["state"], readonly [title: string, tone: Tone, words: string]>> = {
  published: ["Published", "good", "Recomputed with your key, and found in the data that the provider has published."],
  unpublished: ["Not published yet", "warn", "Nothing can be asked about it before the provider publishes its data."],
  foreign: ["Not yours", "bad", "Your key makes something else of it. Do not consent to anything; ask the provider."],
  changed: ["Changed", "bad", "It is not what it was when you first saw it. Do not consent; ask the provider."],
};

/** What the provider has on record, checked with the subject's key. */
export function Records({
  subject,
  onRead,
}: {
  readonly subject: SubjectClient;
  readonly onRead: () => void;
}): ReactNode {
  const { networkKey } = useSession();
  const query = useQuery({
    queryKey: ["records", networkKey, subject.publicKey[0].toString()],
    retry: false,
    queryFn: async () => {
      const records = await subject.records();
      onRead();
      return records;
    },
    refetchInterval: ({ state }) =>
      state.data?.some((record) => record.state === "unpublished") === true ? LOOK_AGAIN_MS : false,
  });
  return (
    <Card title="On record" aside={<ReadAgain query={query} />}>
      <div className="stack">
        {query.isPending ? <Wait>Waiting for the provider to show your records, encrypted to you</Wait> : undefined}
        {query.error === null ? undefined : <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
        {query.data?.length === 0 ? <Empty>The provider holds no record of you.</Empty> : undefined}
        {(query.data ?? []).map((view) => (
          <OneRecord key={`${view.name}/${view.leaf}`} view={view} />
        ))}
      </div>
    </Card>
  );
}

function OneRecord({ view }: { readonly view: OwnRecordView }): ReactNode {
  const { name, record, used, state } = view;
  const [title, tone, words] = states[state];
  const values: readonly (readonly [string, string])[] =
    record.kind === "attribute"
      ? [[record.attribute.name, describeValue(record.value, record.attribute)]]
      : record.scorecard.fields.map((field, n) => [field.name, describeValue(record.values[n] ?? 0n, field)]);
  return (
    <section className="stack-tight" aria-label={name}>
      <div className="row">
        <h3>{name}</h3>
        <Badge tone={tone}>{title}</Badge>
      </div>
      <Facts
        rows={[
          ...values.map(([label, value]): readonly [string, ReactNode] => [label, <strong key="v">{value}</strong>]),
          ["Valid", `${formatDay(record.validFrom)} to ${formatDay(record.validUntil)}`],
          ["Answers", `${used} of ${record.budget} used or promised`],
        ]}
      />
      <p className="soft small">{words}</p>
    </section>
  );
}
