import { type GetStandingReturnType, getQuarantine } from "@quorate/sdk";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import type { Address } from "viem";
import { Amount, useSession, useToken } from "../../../connection/index.ts";
import { count, formatAmount } from "../../../lib/format.ts";
import { bucketFor, useChainTime, useMarket } from "../../../market/index.ts";
import { type emptyRecord, incomeOf, lockedBonds } from "../../../parts/seats.ts";
import { type Series, TimeBars } from "../../../parts/TimeBars.tsx";
import { Card, Empty, ErrorNote, Stat } from "../../../ui/index.ts";

const incomeSeries: readonly Series<"jobs" | "answers" | "carrying">[] = [
  { id: "jobs", title: "for places in jobs", colour: "var(--chart-1)" },
  { id: "answers", title: "for answers", colour: "var(--chart-3)" },
  { id: "carrying", title: "for carrying settlements", colour: "var(--chart-5)" },
];

/** What a provider earned, and what it has at stake. */
export function Money({
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
