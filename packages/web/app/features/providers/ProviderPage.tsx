import { PROBATION_ALIGNMENTS, PROBATION_SECONDS } from "@quorate/core";
import { type GetStandingReturnType, getQuarantine } from "@quorate/sdk";
import { type Profile, type ProfileUrlVerdict, verifyProfileUrl } from "@quorate/wire";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { type Address, getAddress, isAddress } from "viem";
import { useParams } from "wouter";
import { AddressName, Amount, useNames, useProfiles, useSession, useToken } from "../../connection/index.ts";
import { count, formatAmount, shortHex } from "../../lib/format.ts";
import { bucketFor, useChainTime, useMarket } from "../../market/index.ts";
import { Age, JobLink } from "../../parts/JobTable.tsx";
import { engineTitle } from "../../parts/online.ts";
import {
  bondWords,
  emptyRecord,
  incomeOf,
  lockedBonds,
  type ProviderSeat,
  providersOf,
  seatEndOf,
} from "../../parts/seats.ts";
import { type Series, TimeBars } from "../../parts/TimeBars.tsx";
import { routes } from "../../routes.ts";
import {
  Badge,
  Button,
  Card,
  type Column,
  Empty,
  ErrorNote,
  Facts,
  Hash,
  Moment,
  Note,
  Page,
  Stat,
  Table,
  Wait,
} from "../../ui/index.ts";
import { OnlineState } from "./ProvidersPage.tsx";
import { TrustBadge, TrustButtons } from "./TrustButtons.tsx";
import { useStanding } from "./useStandings.ts";

/** One provider: who it says it is, how it stands, what it did and earned. */
export default function ProviderPage(): ReactNode {
  const { address = "" } = useParams<{ address: string }>();
  if (!isAddress(address, { strict: false })) {
    return (
      <Page title="There is no such provider">
        <Empty>
          <p>
            What stands in the address is no account. <a href={routes.providers}>See all providers</a>.
          </p>
        </Empty>
      </Page>
    );
  }
  return <Provider key={address} provider={getAddress(address)} />;
}

function Provider({ provider }: { readonly provider: Address }): ReactNode {
  const { model, isCurrent } = useMarket();
  const { account, network } = useSession();
  const { profiles, isLoaded } = useProfiles();
  const { name } = useNames()(provider);
  const { standing, error } = useStanding(provider);
  const profile = profiles.get(provider.toLowerCase());
  const isOwn = account?.address.toLowerCase() === provider.toLowerCase();
  const record = useMemo(
    () => providersOf(model).get(provider.toLowerCase()) ?? emptyRecord(provider),
    [model, provider],
  );
  const title = isOwn ? "Your seats" : (profile?.profile.body.name ?? name ?? shortHex(provider));
  const seats = useMemo(() => [...record.seats].reverse(), [record]);
  return (
    <Page
      title={title}
      lead={<AddressName address={provider} isLinked={false} />}
      actions={
        <>
          <OnlineState profile={profile} />
          <TrustBadge provider={provider} />
        </>
      }
    >
      {isOwn ? undefined : <TrustButtons provider={provider} name={title} />}
      <div className="grid-2">
        <Card title="Who it says it is">
          {profile !== undefined ? (
            <ProfileFacts profile={profile.profile} />
          ) : isLoaded ? (
            <Empty>
              {isOwn
                ? "Your account has no signed profile on the relays. A provider's agent publishes one."
                : "This account has no signed profile on the relays."}
            </Empty>
          ) : (
            <Wait>Asking the relays for its profile</Wait>
          )}
        </Card>
        <Card title="Standing on chain">
          {error ? <ErrorNote error={error} /> : undefined}
          {standing === undefined ? (
            error ? undefined : (
              <Wait>Reading its standing from the chain</Wait>
            )
          ) : (
            <Standing provider={provider} standing={standing} />
          )}
        </Card>
      </div>
      <Money provider={provider} record={record} agents={profile?.profile.body.agents ?? []} standing={standing} />
      <Card
        title={isOwn ? "History of your seats" : "History of its seats"}
        aside={
          seats.length === 0 ? undefined : (
            <a href={`${routes.jobs}?provider=${provider}`}>
              Its {count(new Set(seats.map(({ job }) => job)).size, "job")}
            </a>
          )
        }
      >
        {seats.length === 0 ? (
          <Empty>
            {isCurrent
              ? `This account never had a seat on ${network.name}.`
              : "The history is still being read from the chain."}
          </Empty>
        ) : (
          <SeatHistory seats={seats} />
        )}
      </Card>
    </Page>
  );
}

function ProfileFacts({ profile }: { readonly profile: Profile }): ReactNode {
  const { body } = profile;
  return (
    <div className="stack">
      <Facts
        rows={[
          ["Name", <strong key="n">{body.name}</strong>],
          [
            "Signed",
            <span key="s">
              by this account, <Moment at={profile.createdAt} />
            </span>,
          ],
          [
            "Engines",
            body.engines.map(({ name, version }) => `${engineTitle(name)} (${name} ${version})`).join(", ") || "none",
          ],
          [
            "Asks from",
            (body.prices ?? []).length === 0
              ? "not said"
              : (body.prices ?? []).map(({ token, from }) => <Amount key={token} value={from} token={token} />),
          ],
          [
            "Agents",
            body.agents.length === 0
              ? "none"
              : body.agents.map((agent) => (
                  <div key={agent}>
                    <Hash value={agent} label="address of the agent" />
                  </div>
                )),
          ],
          ["Relays", body.endpoints.join(", ") || "not said"],
          ["Site", body.url ?? "not named"],
        ]}
      />
      {body.url === undefined ? undefined : <SiteProof profile={profile} />}
    </div>
  );
}

/** A profile may name any site: whether the site names the provider is asked there, and only when somebody wants to know. */
function SiteProof({ profile }: { readonly profile: Profile }): ReactNode {
  const { network, isLocal } = useSession();
  const [verdict, setVerdict] = useState<ProfileUrlVerdict>();
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const ask = async (): Promise<void> => {
    setAsking(true);
    setError(undefined);
    try {
      setVerdict(await verifyProfileUrl(profile, { chainId: network.chainId, allowLocal: isLocal }));
    } catch (thrown) {
      setError(thrown);
    } finally {
      setAsking(false);
    }
  };
  return (
    <div className="stack-tight">
      <p className="soft small">
        Anybody can write any site into a profile. The site can confirm it: this calls {profile.body.url}, which sees
        your network address.
      </p>
      <div className="row">
        <Button isSmall isDisabled={isAsking} onPress={() => void ask()}>
          Ask the site
        </Button>
        {isAsking ? <Wait>Waiting for {profile.body.url}</Wait> : undefined}
      </div>
      {verdict === undefined ? undefined : verdict.proved ? (
        <Note tone="good">
          <p>{verdict.origin} names this provider as its own.</p>
        </Note>
      ) : (
        <ErrorNote error={verdict.error} />
      )}
      {error ? <ErrorNote error={error} /> : undefined}
    </div>
  );
}

function Standing({
  provider,
  standing,
}: {
  readonly provider: Address;
  readonly standing: GetStandingReturnType;
}): ReactNode {
  const { model } = useMarket();
  const probations = model.probations.filter((entry) => entry.provider.toLowerCase() === provider.toLowerCase());
  return (
    <div className="stack">
      {standing.onProbation ? <ProbationNote standing={standing} /> : undefined}
      <div className="grid-3">
        <Stat label="Aligned" value={standing.aligned} note="answers that were accepted" />
        <Stat label="Faults" value={standing.faults} note="against the majority" />
        <Stat label="Late" value={standing.late} note="missed a deadline" />
        <Stat label="Reported" value={standing.reported} note="could not compute" />
        <Stat label="Declined" value={standing.declined} note="in time" />
        <Stat label="Undecided" value={standing.undecided} note="no quorum" />
      </div>
      <p className="soft small">
        Anybody can make jobs for itself and align with itself. Count on these numbers only together with who asked and
        who sat beside it.
      </p>
      {probations.length === 0 ? undefined : (
        <ul className="stack-tight small" aria-label="Probations">
          {probations.map(({ jobId, beganAt, ended }) => (
            <li key={`${jobId}${beganAt}`}>
              Probation began <Moment at={beganAt} /> with job <JobLink jobId={jobId} />,{" "}
              {ended === undefined ? (
                "no end was recorded"
              ) : (
                <>
                  ended {ended.well ? "well" : "with another fault"} <Moment at={ended.at} />
                </>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function ProbationNote({ standing }: { readonly standing: GetStandingReturnType }): ReactNode {
  const left = PROBATION_ALIGNMENTS - standing.alignedInRow;
  return (
    <Note tone="warn">
      <p>
        <strong>On probation</strong> since <Moment at={standing.probationSince} />: it is seated only where a request
        accepts that, or as a shadow, and its bond of the fault lies in quarantine.
      </p>
      <p>
        Way out: {count(left, "more aligned answer")} in a row, in jobs opened since then ({standing.alignedInRow} of{" "}
        {PROBATION_ALIGNMENTS} so far; a missed deadline begins the row anew), or no fault until{" "}
        <Moment at={standing.lastFaultAt + PROBATION_SECONDS} />. Then the bond can be claimed back. A fault in a job
        opened during the probation burns it and begins another one.
      </p>
    </Note>
  );
}

const incomeSeries: readonly Series<"jobs" | "answers" | "carrying">[] = [
  { id: "jobs", title: "for places in jobs", colour: "var(--chart-1)" },
  { id: "answers", title: "for answers", colour: "var(--chart-3)" },
  { id: "carrying", title: "for carrying settlements", colour: "var(--chart-5)" },
];

function Money({
  provider,
  record,
  agents,
  standing,
}: {
  readonly provider: Address;
  readonly record: ReturnType<typeof emptyRecord>;
  readonly agents: readonly Address[];
  readonly standing: GetStandingReturnType | undefined;
}): ReactNode {
  const { model } = useMarket();
  const { network, jobs, networkKey } = useSession();
  const now = useChainTime() ?? 0;
  const [token] = network.tokens;
  const unit = useToken(token?.address ?? network.market);
  const income = useMemo(() => incomeOf(model, record, agents), [model, record, agents]);
  const events = useMemo(
    () =>
      income
        .filter((entry) => entry.token.toLowerCase() === token?.address.toLowerCase())
        .map(({ at, series, amount }) => ({ at, series, value: Number(amount) / 10 ** unit.decimals })),
    [income, token, unit.decimals],
  );
  const bucket = useMemo(() => {
    const times = events.map(({ at }) => at);
    return bucketFor(Math.min(...times), Math.max(...times));
  }, [events]);
  const number = standing?.probation ?? 0;
  const quarantine = useQuery({
    queryKey: ["quarantine", networkKey, provider, token?.address, number, model.movements.length],
    enabled: number > 0 && token !== undefined,
    placeholderData: (before) => before,
    queryFn: async () => {
      let sum = 0n;
      for (let entry = 1; entry <= number; entry += 1)
        sum += (await getQuarantine(jobs, { provider, token: token?.address as Address, number: entry })).amount;
      return sum;
    },
  });
  if (token === undefined) return;
  const total = income
    .filter((entry) => entry.token.toLowerCase() === token.address.toLowerCase())
    .reduce((sum, { amount }) => sum + amount, 0n);
  return (
    <Card title="Income and bonds">
      <div className="stack">
        <div className="grid-3">
          <Stat
            label="Earned"
            value={<Amount value={total} token={token.address} />}
            note={count(events.length, "payment")}
          />
          <Stat
            label="Bonds locked now"
            value={
              <Amount value={lockedBonds(record, now).get(token.address.toLowerCase()) ?? 0n} token={token.address} />
            }
            note={`in ${count(record.open, "open place")}`}
          />
          <Stat
            label="In quarantine"
            value={
              number === 0 ? (
                <Amount value={0n} token={token.address} />
              ) : quarantine.data === undefined ? (
                "–"
              ) : (
                <Amount value={quarantine.data} token={token.address} />
              )
            }
            note={number === 0 ? "never on probation" : "bonds of faults"}
          />
        </div>
        {quarantine.error ? <ErrorNote error={quarantine.error} /> : undefined}
        {events.length === 0 ? (
          <Empty>Nothing was earned in {unit.symbol} yet.</Empty>
        ) : (
          <TimeBars
            events={events}
            series={incomeSeries}
            bucket={bucket}
            unit={unit.symbol}
            summary={`Income by ${bucket.name}: ${formatAmount(total, unit)} in ${count(events.length, "payment")}.`}
          />
        )}
      </div>
    </Card>
  );
}

const HISTORY_STEP = 20;

function SeatHistory({ seats }: { readonly seats: readonly ProviderSeat[] }): ReactNode {
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
