import { describeValue, type Papers, personOf, toJson } from "@quorate/proofs";
import { type OwnRecordView, type SubjectClient, type SubjectState, subjectStateId } from "@quorate/sdk/queries";
import type { SubjectAuditEntry } from "@quorate/wire";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Address, isAddressEqual, numberToHex } from "viem";
import { AddressName, useNames, useSession } from "../../connection/index.ts";
import { type SubjectDomain, useSubject, useSubjectDomains } from "../../connection/subject.ts";
import { subjectStore } from "../../data/queryStores.ts";
import { count, formatDay } from "../../lib/format.ts";
import { downloadJson, toLinkPart } from "../../lib/share.ts";
import { routes } from "../../routes.ts";
import {
  Badge,
  Button,
  Card,
  type Column,
  Disclosure,
  Empty,
  ErrorNote,
  Facts,
  Hash,
  Moment,
  Note,
  Page,
  Select,
  Table,
  TextField,
  type Tone,
  Wait,
} from "../../ui/index.ts";
import { NeedsWallet, NoQueryMarket, PapersFields, SharedLink, useCanSign } from "./parts.tsx";
import { statementOf } from "./statements.ts";
import { useDataset } from "./useDataset.ts";

const LOOK_AGAIN_MS = 4_000;
const OTHER = "other";

/** The subject's own records: enrolling, what is on record, who asked. */
export default function RecordsPage(): ReactNode {
  const { network } = useSession();
  const { domains, isWaiting } = useSubjectDomains();
  const nameOf = useNames();
  const [chosen, setChosen] = useState<string>();
  const first = domains[0]?.provider.toLowerCase();
  const selected = chosen ?? first ?? OTHER;
  const domain = domains.find(({ provider }) => provider.toLowerCase() === selected);
  return (
    <Page
      title="My records"
      lead="A domain provider, such as an employer's payroll, holds records about you. Here you bind them to a key of yours, see what they say, and see who asked about them. Nobody learns anything without your consent to exactly that question."
    >
      {network.queryMarket === undefined ? (
        <NoQueryMarket />
      ) : domains.length === 0 && isWaiting ? (
        <Wait>Waiting for the providers of this network to say who they are</Wait>
      ) : (
        <>
          <Card title="Provider">
            <div className="stack">
              <Select
                label="Who holds the records"
                value={selected}
                onChange={setChosen}
                options={[
                  ...domains.map(({ provider, url }) => ({
                    id: provider.toLowerCase(),
                    label: nameOf(provider).name ?? provider,
                    note: url,
                  })),
                  { id: OTHER, label: "Another provider", note: "by its address and URL" },
                ]}
              />
              {domain === undefined ? <AddProvider onAdded={setChosen} /> : <DomainFacts domain={domain} />}
            </div>
          </Card>
          {domain === undefined ? undefined : <AtProvider key={domain.provider} domain={domain} />}
        </>
      )}
    </Page>
  );
}

function DomainFacts({ domain }: { readonly domain: SubjectDomain }): ReactNode {
  return (
    <Facts
      rows={[
        ["Account", <AddressName key="a" address={domain.provider} />],
        ["Reached at", <code key="u">{domain.url}</code>],
      ]}
    />
  );
}

/** A URL alone proves nothing: the address comes from where the person trusts it. */
function AddProvider({ onAdded }: { readonly onAdded: (provider: string) => void }): ReactNode {
  const { remember } = useSubjectDomains();
  const [url, setUrl] = useState("");
  const [provider, setProvider] = useState("");
  const [asked, setAsked] = useState("");
  const dataset = useDataset(asked);
  const isAddress = /^0x[0-9a-fA-F]{40}$/.test(provider);
  const other =
    dataset.data !== undefined && isAddress && !isAddressEqual(dataset.data.provider, provider as Address)
      ? dataset.data.provider
      : undefined;
  return (
    <div className="stack">
      <div className="grid-2">
        <TextField
          label="Address of the provider"
          hint="From a place that you trust, for example a letter of the provider: a URL alone proves nothing."
          value={provider}
          onChange={setProvider}
          placeholder="0x…"
        />
        <TextField label="URL of its agent" value={url} onChange={setUrl} inputMode="url" placeholder="https://…" />
      </div>
      <div className="row">
        <Button isDisabled={!isAddress || url.trim() === "" || dataset.isFetching} onPress={() => setAsked(url.trim())}>
          Look at this provider
        </Button>
        {!isAddress && provider !== "" ? (
          <span className="soft small">An address is 0x and 40 digits.</span>
        ) : undefined}
      </div>
      {dataset.isFetching ? <Wait>Waiting for {asked} to say what it holds</Wait> : undefined}
      {dataset.error === null || asked === "" ? undefined : <ErrorNote error={dataset.error} />}
      {other === undefined ? undefined : (
        <Note tone="bad">
          <p>
            {asked} answers for <code>{other}</code>, not for the address that you gave. Ask the provider which is
            right.
          </p>
        </Note>
      )}
      {dataset.data === undefined || other !== undefined || !isAddress ? undefined : (
        <Note tone="good">
          <p>It answers for this address, with the data set “{dataset.data.definition.name}”.</p>
          <Button
            isSmall
            onPress={() => {
              void remember({ provider: provider as Address, url: asked }).then(() => onAdded(provider.toLowerCase()));
            }}
          >
            Use this provider
          </Button>
        </Note>
      )}
    </div>
  );
}

function AtProvider({ domain }: { readonly domain: SubjectDomain }): ReactNode {
  const { account } = useSession();
  const { subject, unlock } = useSubject(domain);
  const canSign = useCanSign();
  const unlocking = useMutation({ mutationFn: unlock });
  if (subject === undefined) {
    return (
      <Card title="Your key">
        <div className="stack">
          <p>
            Your key for this provider follows from a signature of your wallet, so the same wallet finds the same
            records again on any machine. The wallet signs the same words twice, to make sure that it always signs them
            alike. Nothing is sent.
          </p>
          <NeedsWallet>Connect the wallet that your records are, or shall be, bound to.</NeedsWallet>
          {account === undefined ? undefined : (
            <div className="row">
              <Button kind="primary" isDisabled={!canSign || unlocking.isPending} onPress={() => unlocking.mutate()}>
                Unlock my records
              </Button>
              {unlocking.isPending ? <Wait>Waiting for {account.wallet} to sign, twice</Wait> : undefined}
            </div>
          )}
          {unlocking.error === null ? undefined : <ErrorNote error={unlocking.error} />}
        </div>
      </Card>
    );
  }
  return <Unlocked domain={domain} subject={subject} />;
}

function Unlocked({ domain, subject }: { readonly domain: SubjectDomain; readonly subject: SubjectClient }): ReactNode {
  const { network, networkKey } = useSession();
  const { chainId, queryMarket } = network;
  const key = subject.publicKey[0].toString();
  const state = useQuery({
    queryKey: ["subject", networkKey, domain.provider, key],
    queryFn: async (): Promise<SubjectState | null> =>
      (await subjectStore.get(
        subjectStateId({
          chainId,
          market: queryMarket as Address,
          provider: domain.provider,
          subjectKey: subject.publicKey,
        }),
      )) ?? null,
  });
  const isEnrolled = Object.keys(state.data?.persons ?? {}).length > 0;
  if (!state.isFetched) return <Wait>Reading what this browser knows of your records</Wait>;
  if (!isEnrolled) {
    return (
      <Card title="Enrol">
        <Enrol subject={subject} onEnrolled={() => void state.refetch()} />
      </Card>
    );
  }
  return (
    <>
      <Records subject={subject} onRead={() => void state.refetch()} />
      <OwnCard subject={subject} />
      <Log subject={subject} state={state.data ?? undefined} />
      <Card>
        <Disclosure title="Enrol with another code">
          <Enrol subject={subject} onEnrolled={() => void state.refetch()} />
        </Disclosure>
      </Card>
    </>
  );
}

const noPapers: Papers = { name: "", birthDate: "", documentNumber: "" };

function Enrol({
  subject,
  onEnrolled,
}: {
  readonly subject: SubjectClient;
  readonly onEnrolled: () => void;
}): ReactNode {
  const [code, setCode] = useState("");
  const [papers, setPapers] = useState(noPapers);
  const hasPapers = Object.values(papers).some((text) => text !== "");
  const problem = hasPapers ? problemOf(papers) : undefined;
  const enrolling = useMutation({
    mutationFn: () => subject.enrol({ code: code.trim().toUpperCase(), ...(hasPapers ? { papers } : {}) }),
    onSuccess: onEnrolled,
  });
  return (
    <div className="stack">
      <p>
        The provider gave you a code when it registered you. Code and papers go to it encrypted; it binds the records
        behind the code to your key.
      </p>
      <TextField
        label="Code of the provider"
        value={code}
        onChange={setCode}
        placeholder="XXXX-XXXX-XXXX-XXXX"
        hint="It works once."
      />
      <PapersFields papers={papers} onChange={setPapers} />
      <p className="soft small">Leave the papers empty only if the provider registered you without papers. {problem}</p>
      <div className="row">
        <Button
          kind="primary"
          isDisabled={code.trim().length < 8 || problem !== undefined || enrolling.isPending}
          onPress={() => enrolling.mutate()}
        >
          Enrol
        </Button>
        {enrolling.isPending ? <Wait>Waiting for the provider to bind your records to your key</Wait> : undefined}
      </div>
      {enrolling.error === null ? undefined : <ErrorNote error={enrolling.error} />}
    </div>
  );
}

function problemOf(papers: Papers): string | undefined {
  try {
    personOf(papers);
    return;
  } catch (error) {
    return (error as Error).message;
  }
}

const states: Readonly<Record<OwnRecordView["state"], readonly [title: string, tone: Tone, words: string]>> = {
  published: ["Published", "good", "Recomputed with your key, and found in the data that the provider has published."],
  unpublished: ["Not published yet", "warn", "Nothing can be asked about it before the provider publishes its data."],
  foreign: ["Not yours", "bad", "Your key makes something else of it. Do not consent to anything; ask the provider."],
  changed: ["Changed", "bad", "It is not what it was when you first saw it. Do not consent; ask the provider."],
};

function Records({ subject, onRead }: { readonly subject: SubjectClient; readonly onRead: () => void }): ReactNode {
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
    <Card
      title="On record"
      aside={
        <Button isSmall kind="quiet" isDisabled={query.isFetching} onPress={() => void query.refetch()}>
          Read again
        </Button>
      }
    >
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

function OwnCard({ subject }: { readonly subject: SubjectClient }): ReactNode {
  const { networkKey } = useSession();
  const query = useQuery({
    queryKey: ["card", networkKey, subject.publicKey[0].toString()],
    queryFn: () => subject.card(),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const json = query.data === undefined ? undefined : toJson(query.data);
  return (
    <Card title="Your card">
      <div className="stack">
        <p>
          Give this to whoever may ask about you. It says where your records are and under which key, and nothing about
          them.
        </p>
        {query.error === null ? undefined : <ErrorNote error={query.error} onRetry={() => void query.refetch()} />}
        {json === undefined ? (
          query.error === null ? (
            <Wait>Waiting for the provider to name its data set</Wait>
          ) : undefined
        ) : (
          <SharedLink
            fragment={routes.askAbout(toLinkPart(json))}
            label="Link that asks about you"
            copyLabel="Copy the link to your card"
          >
            <Button onPress={() => downloadJson("card.json", json)}>Download as a file</Button>
          </SharedLink>
        )}
      </div>
    </Card>
  );
}

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

function Log({
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
    <Card
      title="Who asked what"
      aside={
        <Button isSmall kind="quiet" isDisabled={query.isFetching} onPress={() => void query.refetch()}>
          Read again
        </Button>
      }
    >
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
