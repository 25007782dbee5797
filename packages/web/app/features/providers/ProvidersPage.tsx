import type { GetStandingReturnType } from "@quorate/sdk";
import type { ProfileRecord } from "@quorate/wire";
import { type ReactNode, useMemo } from "react";
import type { Address } from "viem";
import { AddressName, Amount, type KnownDomain, useDomains, useProfiles, useSession } from "../../connection/index.ts";
import { count } from "../../lib/format.ts";
import { useMarket } from "../../market/index.ts";
import { engineTitle } from "../../parts/online.ts";
import { emptyRecord, type ProviderRecord, providersOf } from "../../parts/seats.ts";
import { routes } from "../../routes.ts";
import { Badge, ButtonLink, Card, type Column, Empty, ErrorNote, Hash, Page, Table, Wait } from "../../ui/index.ts";
import { OnlineState } from "./OnlineState.tsx";
import styles from "./Providers.module.css";
import { datasetWords } from "./statements.ts";
import { TrustBadge } from "./TrustButtons.tsx";
import { useStandings } from "./useStandings.ts";

type Row = {
  readonly provider: Address;
  readonly profile: ProfileRecord | undefined;
  readonly record: ProviderRecord;
  readonly standing: GetStandingReturnType | undefined;
};

/** Who computes and who answers. */
export default function ProvidersPage(): ReactNode {
  const { model } = useMarket();
  const { profiles, isLoaded, error } = useProfiles();
  const records = useMemo(() => providersOf(model), [model]);
  const providers = useMemo(() => {
    const all = new Map<string, Address>();
    for (const [key, { profile }] of profiles) all.set(key, profile.provider);
    for (const [key, { provider }] of records) all.set(key, provider);
    return [...all.values()];
  }, [profiles, records]);
  const standings = useStandings(providers);
  const rows = providers
    .map((provider, index): Row => {
      const key = provider.toLowerCase();
      return {
        provider,
        profile: profiles.get(key),
        record: records.get(key) ?? emptyRecord(provider),
        standing: standings[index],
      };
    })
    .sort((a, b) => b.record.aligned - a.record.aligned || (a.provider < b.provider ? -1 : 1));
  return (
    <Page
      title="Providers"
      lead="Who computes jobs and who answers questions here: by their signed profiles, and by what the chain shows of them."
      actions={<ButtonLink href={routes.trust}>Whom you trust</ButtonLink>}
    >
      {error ? <ErrorNote error={error} /> : undefined}
      <Card title="They compute jobs">
        {rows.length > 0 ? (
          <Table label="Providers that compute jobs" columns={columns} rows={rows} keyOf={({ provider }) => provider} />
        ) : isLoaded ? (
          <Empty>No provider has a profile on the relays, and nobody ever had a seat.</Empty>
        ) : (
          <Wait>Asking the relays for profiles</Wait>
        )}
      </Card>
      <Domains />
    </Page>
  );
}

const columns: readonly Column<Row>[] = [
  { title: "Provider", cell: ({ provider }) => <ProviderName provider={provider} /> },
  { title: "State", cell: ({ profile }) => <OnlineState profile={profile} /> },
  {
    title: "Runs",
    cell: ({ profile }) =>
      profile === undefined ? (
        <span className="soft small">unknown</span>
      ) : (
        <span className="small">{profile.profile.body.engines.map(({ name }) => engineTitle(name)).join(", ")}</span>
      ),
  },
  { title: "Asks from", cell: ({ profile }) => <Prices profile={profile} /> },
  {
    title: "History",
    cell: ({ record, standing }) => (
      <span className="small">
        {record.seats.length === 0
          ? "no seat yet"
          : `${record.aligned} aligned, ${record.faults} at fault, ${record.late} late of ${count(record.seats.length, "place")}`}
        {standing?.onProbation ? (
          <>
            {" "}
            <Badge tone="bad">On probation</Badge>
          </>
        ) : undefined}
      </span>
    ),
  },
  { title: "Your list", cell: ({ provider }) => <TrustBadge provider={provider} /> },
];

/** A provider's name that always leads to its page. */
function ProviderName({ provider }: { readonly provider: Address }): ReactNode {
  return (
    <div className="stack-tight">
      <AddressName address={provider} />
      <a className="small" href={routes.provider(provider)}>
        Standing and history
      </a>
    </div>
  );
}

function Prices({ profile }: { readonly profile: ProfileRecord | undefined }): ReactNode {
  const prices = profile?.profile.body.prices ?? [];
  if (prices.length === 0) return <span className="soft small">not said</span>;
  return prices.map(({ token, from }) => (
    <div key={token} className={styles.prices}>
      <Amount value={from} token={token} />
    </div>
  ));
}

function Domains(): ReactNode {
  const domains = useDomains();
  const { network } = useSession();
  return (
    <Card title="They answer questions" aside={<a href={routes.ask}>Ask a question</a>}>
      {network.queryMarket === undefined ? (
        <Empty>This network has no market for questions.</Empty>
      ) : domains.length === 0 ? (
        <Empty>
          <p>
            No domain provider is known here. Add the address of one in <a href={routes.settings}>settings</a>.
          </p>
        </Empty>
      ) : (
        <div className="stack">
          {domains.map((domain) => (
            <Domain key={domain.url} domain={domain} />
          ))}
        </div>
      )}
    </Card>
  );
}

function Domain({ domain: { url, info, error } }: { readonly domain: KnownDomain }): ReactNode {
  const { model } = useMarket();
  if (info === undefined) {
    return error ? (
      <ErrorNote error={error}>
        <span className="soft small">{url}</span>
      </ErrorNote>
    ) : (
      <Wait>Asking {url} what it answers</Wait>
    );
  }
  const questions = [...model.questions.values()].filter(
    ({ provider }) => provider.toLowerCase() === info.provider.toLowerCase(),
  );
  const answered = questions.filter(({ end }) => end?.kind === "answered").length;
  return (
    <section className={styles.dataset} aria-label={info.name}>
      <div className="row-apart">
        <h3>
          <AddressName address={info.provider} />
        </h3>
        <span className="soft small">
          {answered} answered of {count(questions.length, "question")}
        </span>
      </div>
      {info.datasets.map((dataset) => {
        const registered = model.datasets.get(dataset.dataset);
        const words = datasetWords(dataset, registered);
        return (
          <div key={dataset.dataset} className="stack-tight">
            <div className="row">
              <strong>{words?.name ?? "Data that this version cannot describe"}</strong>
              <Hash value={dataset.dataset} label="dataset id" />
              {words?.isOnChain ? (
                <Badge tone="good">Registered on chain</Badge>
              ) : (
                <Badge tone="warn">Not as registered on chain</Badge>
              )}
              {registered === undefined ? undefined : (
                <span className="soft small">{count(registered.roots, "published state")}</span>
              )}
            </div>
            <ul className="stack-tight small">
              {words?.questions.map((question) => (
                <li key={question}>{question}</li>
              ))}
            </ul>
            {dataset.offers.map((offer) => (
              <span key={offer.circuit} className="small">
                <Amount value={offer.price} token={offer.token} /> an answer, with{" "}
                <Amount value={offer.bond} token={offer.token} /> at stake if it is not proved within {offer.window} s
              </span>
            ))}
          </div>
        );
      })}
    </section>
  );
}
