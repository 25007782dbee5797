import { type ReactNode, useMemo } from "react";
import type { Address } from "viem";
import { useNames, useSession } from "../../connection/index.ts";
import { count, shortHex } from "../../lib/format.ts";
import { useAddressQuery } from "../../lib/location.ts";
import { useMarket } from "../../market/index.ts";
import { Age, JobLink, JobTable } from "../../parts/JobTable.tsx";
import { providersOf } from "../../parts/seats.ts";
import { routes } from "../../routes.ts";
import { Button, ButtonLink, Card, Checkbox, Empty, ErrorNote, Page, Select, TextField, Wait } from "../../ui/index.ts";
import styles from "./Jobs.module.css";
import { filterJobs, type JobFilter, PAGE_SIZE, readFilter, type StatusFilter, writeFilter } from "./jobList.ts";
import { useOwnRequests } from "./useOwnRequests.ts";

const statusOptions: readonly { readonly id: StatusFilter; readonly label: string }[] = [
  { id: "all", label: "Any status" },
  { id: "open", label: "Open" },
  { id: "accepted", label: "Accepted" },
  { id: "inconclusive", label: "Inconclusive" },
];

/** All jobs of the market, with filters that live in the address. */
export default function JobsPage(): ReactNode {
  const { model, isCurrent } = useMarket();
  const { account } = useSession();
  const [query, setQuery] = useAddressQuery();
  const filter = readFilter(query);
  const jobs = useMemo(
    () => filterJobs(model.jobs.values(), readFilter(query), account?.address),
    [model.jobs, query, account?.address],
  );
  const pages = Math.max(1, Math.ceil(jobs.length / PAGE_SIZE));
  const page = Math.min(filter.page, pages);
  const change = (changes: Partial<JobFilter>): void => setQuery(writeFilter({ ...filter, page: 1, ...changes }));
  const isFiltered = writeFilter({ ...filter, page: 1 }).size > 0;
  return (
    <Page
      title="Jobs"
      lead="Every job of this market, as the chain tells it: who asked, who computed, what was agreed."
      actions={
        <ButtonLink kind="primary" href={routes.request}>
          Request a job
        </ButtonLink>
      }
    >
      <OwnRequests />
      <Card>
        <div className="stack">
          <Filters filter={filter} onChange={change} />
          <div className="row-apart">
            <span className="soft small" role="status">
              {count(jobs.length, "job")}
              {isFiltered ? ` of ${model.jobs.size} match` : " in all"}
            </span>
            {isFiltered ? (
              <Button kind="quiet" isSmall onPress={() => setQuery(new URLSearchParams())}>
                Show all jobs
              </Button>
            ) : undefined}
          </div>
          {jobs.length > 0 ? (
            <JobTable label="Jobs" jobs={jobs.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)} />
          ) : isFiltered ? (
            <Empty>No job matches these filters.</Empty>
          ) : isCurrent ? (
            <Empty>No job was opened on this market yet.</Empty>
          ) : (
            <Wait>Reading the jobs from the chain</Wait>
          )}
          {pages > 1 ? (
            <nav className="row-apart" aria-label="Pages of the list">
              <Button isSmall isDisabled={page === 1} onPress={() => change({ page: page - 1 })}>
                Newer jobs
              </Button>
              <span className="soft small">
                Page {page} of {pages}
              </span>
              <Button isSmall isDisabled={page === pages} onPress={() => change({ page: page + 1 })}>
                Older jobs
              </Button>
            </nav>
          ) : undefined}
        </div>
      </Card>
    </Page>
  );
}

const ANY = "any";

function Filters({
  filter,
  onChange,
}: {
  readonly filter: JobFilter;
  readonly onChange: (changes: Partial<JobFilter>) => void;
}): ReactNode {
  const { model } = useMarket();
  const { account, network } = useSession();
  const nameOf = useNames();
  const providers = useMemo(() => [...providersOf(model).values()].map(({ provider }) => provider), [model]);
  const tokens = useMemo(() => {
    const seen = [...model.jobs.values()].map(({ facts }) => facts.terms.token);
    return distinct([...network.tokens.map(({ address }) => address), ...seen]);
  }, [model, network]);
  const label = (address: Address): string => {
    const { name } = nameOf(address);
    return name === undefined ? shortHex(address) : `${name} (${shortHex(address)})`;
  };
  return (
    <div className={styles.filters}>
      <TextField label="Id contains" value={filter.text} onChange={(text) => onChange({ text })} placeholder="0x…" />
      <Select
        label="Status"
        value={filter.status}
        onChange={(status) => onChange({ status })}
        options={statusOptions}
      />
      <Select
        label="Provider"
        value={filter.provider?.toLowerCase() ?? ANY}
        onChange={(id) => onChange({ provider: id === ANY ? undefined : (id as Address) })}
        options={[
          { id: ANY, label: "Any provider" },
          ...distinct([...providers, ...(filter.provider === undefined ? [] : [filter.provider])]).map((address) => ({
            id: address.toLowerCase(),
            label: label(address),
          })),
        ]}
      />
      {tokens.length > 1 ? (
        <Select
          label="Token"
          value={filter.token?.toLowerCase() ?? ANY}
          onChange={(id) => onChange({ token: id === ANY ? undefined : (id as Address) })}
          options={[
            { id: ANY, label: "Any token" },
            ...tokens.map((address) => ({ id: address.toLowerCase(), label: label(address) })),
          ]}
        />
      ) : undefined}
      <div className={styles.mine}>
        <Checkbox isSelected={filter.isMine} onChange={(isMine) => onChange({ isMine })}>
          {account === undefined ? "Mine (connect a wallet to see them)" : "Only those that I requested"}
        </Checkbox>
      </div>
    </div>
  );
}

function distinct(addresses: readonly Address[]): readonly Address[] {
  return [...new Map(addresses.map((address) => [address.toLowerCase(), address])).values()];
}

/** What this browser asked for and the chain does not know yet. */
function OwnRequests(): ReactNode {
  const { requests, error } = useOwnRequests();
  if (error) return <ErrorNote error={error} />;
  if (requests.length === 0) return;
  return (
    <Card title="Your requests that are not open yet">
      <ul className="stack-tight" aria-label="Your requests that are not open yet">
        {requests.map(({ jobId, label, createdAt, publishedAt, request }) => (
          <li key={jobId} className="row-apart">
            <span className="row">
              <JobLink jobId={jobId} />
              {label === undefined ? undefined : <span>{label}</span>}
            </span>
            <span className="soft small">
              {publishedAt === undefined ? "stored here, not published" : "published, waits for offers"};{" "}
              {count(request.seats, "seat")}; made <Age at={Math.floor(createdAt / 1000)} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
