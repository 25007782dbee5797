import { Cpu, MessageCircleQuestionMark, SearchCheck } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import type { Address } from "viem";
import { AddressName, Amount, useProfiles, useSession, useToken } from "../../connection/index.ts";
import { count, formatAmount, formatNumber } from "../../lib/format.ts";
import {
  bucketFor,
  figuresOf,
  type JobOutcome,
  jobOutcomes,
  moneyOf,
  payments,
  useChainTime,
  useMarket,
} from "../../market/index.ts";
import { JobTable } from "../../parts/JobTable.tsx";
import { engineTitle, isOnline } from "../../parts/online.ts";
import { type Series, TimeBars } from "../../parts/TimeBars.tsx";
import { routes } from "../../routes.ts";
import { Badge, ButtonLink, Card, Empty, ErrorNote, Page, Stat, Wait } from "../../ui/index.ts";
import styles from "./Market.module.css";

const NEWEST_JOBS = 6;
const SHOWN_PROVIDERS = 8;

/** The first screen: what this is, the ways in, and what the market does right now. */
export default function MarketPage(): ReactNode {
  const { model, head, isCurrent, problem } = useMarket();
  const { network } = useSession();
  const isEmpty = model.jobs.size === 0 && model.questions.size === 0;
  const [token] = network.tokens;
  return (
    <Page
      title="Computing and answers that you need not trust anybody for"
      lead="Quorate is a market: independent providers run your program and are paid when they agree, or prove an answer about private records without showing them. The contract holds the money."
    >
      <nav className={styles.ways} aria-label="What you can do here">
        <Way href={routes.request} icon={<Cpu size={26} aria-hidden />} title="Request a job">
          A program and its data, encrypted here, computed by a panel that you choose.
        </Way>
        <Way href={routes.ask} icon={<MessageCircleQuestionMark size={26} aria-hidden />} title="Ask a question">
          Yes or no about a record that you never see, with the consent of whom it is about.
        </Way>
        <Way href={routes.check} icon={<SearchCheck size={26} aria-hidden />} title="Check a proof">
          Somebody shows you a receipt: verify it here, and once more on chain.
        </Way>
      </nav>
      {head === undefined && problem === undefined ? (
        <Wait>Waiting for the first block of {network.name}</Wait>
      ) : undefined}
      {token === undefined ? undefined : <Figures token={token.address} />}
      {isEmpty ? (
        isCurrent && (
          <Empty>
            <p>
              Nothing has happened on this market yet: no job was opened and no question was asked. The first one can be
              yours.
            </p>
            <ButtonLink href={routes.request}>Request the first job</ButtonLink>
          </Empty>
        )
      ) : (
        <>
          {token === undefined ? undefined : <Charts token={token.address} />}
          <div className={styles.sides}>
            <Card title="Newest jobs" aside={<a href={routes.jobs}>All {count(model.jobs.size, "job")}</a>}>
              {model.jobs.size === 0 ? (
                <Empty>No job was opened yet.</Empty>
              ) : (
                <JobTable isShort label="Newest jobs" jobs={[...model.jobs.values()].slice(-NEWEST_JOBS).reverse()} />
              )}
            </Card>
            <Online />
          </div>
        </>
      )}
    </Page>
  );
}

function Way({
  href,
  icon,
  title,
  children,
}: {
  readonly href: string;
  readonly icon: ReactNode;
  readonly title: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <a className={styles.way} href={href}>
      {icon}
      <span className={styles.wayTitle}>{title}</span>
      <span className="soft">{children}</span>
    </a>
  );
}

function Figures({ token }: { readonly token: Address }): ReactNode {
  const { model } = useMarket();
  const { profiles, isLoaded } = useProfiles();
  // Signs of life run out while nothing else changes.
  useChainTime();
  const figures = useMemo(() => figuresOf(model), [model]);
  const money = useMemo(() => moneyOf(model, token), [model, token]);
  const { jobs, questions } = figures;
  const settled = jobs.accepted + jobs.inconclusive;
  const online = [...profiles.values()].filter((record) => isOnline(record, Date.now() / 1000)).length;
  const others = new Set([...model.jobs.values()].map(({ facts }) => facts.terms.token.toLowerCase()));
  others.delete(token.toLowerCase());
  return (
    <Card title="So far">
      <div className="stack">
        <div className={styles.figures}>
          <Stat label="Jobs settled" value={settled} note={`${jobs.open} open`} />
          <Stat
            label="Accepted"
            value={settled === 0 ? "–" : percent.format(jobs.accepted / settled)}
            note={settled === 0 ? "no job settled yet" : `${jobs.accepted} of ${count(settled, "settled job")}`}
          />
          <Stat
            label="Paid to providers"
            value={<Amount value={money.paidForJobs + money.paidForAnswers} token={token} />}
            note={
              <>
                <Amount value={money.paidForAnswers} token={token} /> of it for answers
              </>
            }
          />
          <Stat
            label="In escrow now"
            value={<Amount value={money.inEscrow} token={token} />}
            note={
              <>
                and <Amount value={money.inBonds} token={token} /> in bonds
              </>
            }
          />
          <Stat label="Questions answered" value={questions.answered} note={`${questions.asked} asked`} />
          <Stat
            label="Providers online"
            value={isLoaded ? online : "–"}
            note={isLoaded ? `${profiles.size} with a signed profile` : "asking the relays"}
          />
        </div>
        {others.size === 0 ? undefined : (
          <p className="soft small">
            Money in {count(others.size, "other token")} is not added up here: it has no common unit.
          </p>
        )}
      </div>
    </Card>
  );
}

const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

const outcomeSeries: readonly Series<JobOutcome>[] = [
  { id: "accepted", title: "accepted", colour: "var(--chart-1)" },
  { id: "inconclusive", title: "inconclusive", colour: "var(--chart-2)" },
  { id: "open", title: "still open", colour: "var(--chart-3)" },
];
const paymentSeries: readonly Series<"jobs" | "answers">[] = [
  { id: "jobs", title: "for jobs", colour: "var(--chart-1)" },
  { id: "answers", title: "for answers", colour: "var(--chart-3)" },
];

function Charts({ token }: { readonly token: Address }): ReactNode {
  const { model } = useMarket();
  const unit = useToken(token);
  const outcomes = useMemo(() => jobOutcomes(model), [model]);
  const paid = useMemo(() => payments(model, token, unit.decimals), [model, token, unit.decimals]);
  const bucket = useMemo(() => {
    const times = [...outcomes, ...paid].map(({ at }) => at);
    return bucketFor(Math.min(...times), Math.max(...times));
  }, [outcomes, paid]);
  const { jobs } = useMemo(() => figuresOf(model), [model]);
  const money = useMemo(() => moneyOf(model, token), [model, token]);
  return (
    <div className="grid-2">
      <Card title="Jobs over time">
        {outcomes.length === 0 ? (
          <Empty>No job was opened yet.</Empty>
        ) : (
          <TimeBars
            events={outcomes}
            series={outcomeSeries}
            bucket={bucket}
            unit="jobs"
            summary={`Jobs opened by ${bucket.name}: ${jobs.accepted} accepted, ${jobs.inconclusive} inconclusive, ${jobs.open} still open.`}
          />
        )}
      </Card>
      <Card title="Paid over time">
        {paid.length === 0 ? (
          <Empty>Nothing was paid in {unit.symbol} yet.</Empty>
        ) : (
          <TimeBars
            events={paid}
            series={paymentSeries}
            bucket={bucket}
            unit={unit.symbol}
            summary={`Paid by ${bucket.name}: ${formatAmount(money.paidForJobs, unit)} for jobs, ${formatNumber(money.paidForAnswers, unit.decimals)} ${unit.symbol} for answers.`}
          />
        )}
      </Card>
    </div>
  );
}

function Online(): ReactNode {
  const { profiles, isLoaded, error } = useProfiles();
  useChainTime();
  const online = [...profiles.values()].filter((record) => isOnline(record, Date.now() / 1000));
  return (
    <Card title="Providers online" aside={<a href={routes.providers}>All providers</a>}>
      {error ? (
        <ErrorNote error={error} />
      ) : !isLoaded ? (
        <Wait>Asking the relays who is online</Wait>
      ) : online.length === 0 ? (
        <Empty>No provider says that it is online.</Empty>
      ) : (
        <ul className={styles.providers} aria-label="Providers online">
          {online.slice(0, SHOWN_PROVIDERS).map(({ profile }) => (
            <li key={profile.provider} className={styles.provider}>
              <AddressName address={profile.provider} />
              <span className="row">
                {profile.body.engines.map(({ name, version }) => (
                  <Badge key={`${name} ${version}`}>{engineTitle(name)}</Badge>
                ))}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
