import { claimQuarantine, getQuarantine, getStanding } from "@quorate/sdk";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import type { Address } from "viem";
import { AddressName, Amount, type ConnectedAccount, useSession } from "../../connection/index.ts";
import { count } from "../../lib/format.ts";
import { type Movement, spending, useMarket } from "../../market/index.ts";
import { Age, JobLink } from "../../parts/JobTable.tsx";
import { routes } from "../../routes.ts";
import { Connect } from "../../shell/Connect.tsx";
import {
  Button,
  ButtonLink,
  Card,
  type Column,
  Empty,
  ErrorNote,
  Hash,
  LongTable,
  Note,
  Page,
  Stat,
  Wait,
} from "../../ui/index.ts";
import { BurnerCard } from "./BurnerCard.tsx";
import { KeysCard } from "./KeysCard.tsx";
import { MoneyCard } from "./MoneyCard.tsx";

/** Money, keys and history of who is connected. */
export default function AccountPage(): ReactNode {
  const { account } = useSession();
  return (
    <Page
      title="Account"
      lead={
        account === undefined ? (
          "Your money in the markets, and the keys that this browser keeps."
        ) : (
          <AddressName address={account.address} isLinked={false} />
        )
      }
      actions={
        <>
          <ButtonLink href={routes.trust}>Whom you trust</ButtonLink>
          <ButtonLink href={routes.settings}>Settings</ButtonLink>
        </>
      }
    >
      {account === undefined ? (
        <Empty>
          <p>Connect a wallet to see and move its money.</p>
          <Connect kind="primary" />
        </Empty>
      ) : (
        <Owner account={account} />
      )}
      <KeysCard />
      {account?.isBurner ? <BurnerCard /> : undefined}
    </Page>
  );
}

function Owner({ account }: { readonly account: ConnectedAccount }): ReactNode {
  const { model } = useMarket();
  const { network } = useSession();
  const own = account.address.toLowerCase();
  const movements = useMemo(
    () => model.movements.filter((entry) => entry.account.toLowerCase() === own).reverse(),
    [model.movements, own],
  );
  const tokens = useMemo(() => {
    const all = [...network.tokens.map(({ address }) => address), ...movements.map(({ token }) => token)];
    return [...new Map(all.map((token) => [token.toLowerCase(), token])).values()];
  }, [network, movements]);
  const jobs = [...model.jobs.values()].filter(({ facts }) => facts.request.requester.toLowerCase() === own);
  const seats = [...model.jobs.values()].filter(({ facts }) =>
    facts.terms.places.some(({ provider }) => provider.toLowerCase() === own),
  );
  const questions = [...model.questions.values()].filter(({ asker }) => asker.toLowerCase() === own);
  return (
    <>
      {tokens.map((token) => (
        <MoneyCard key={token} token={token} account={account} />
      ))}
      {tokens.map((token) => (
        <Quarantine key={token} token={token} account={account} />
      ))}
      <Card title="What you did here">
        <div className="grid-3">
          <Stat
            label="Jobs you requested"
            value={jobs.length}
            note={<a href={`${routes.jobs}?mine=yes`}>See them</a>}
          />
          <Stat label="Questions you asked" value={questions.length} note={<a href={routes.questions}>See them</a>} />
          <Stat
            label="Jobs in which you had a seat"
            value={seats.length}
            note={<a href={routes.provider(account.address)}>Your seats</a>}
          />
        </div>
      </Card>
      <Card title="Money in and out">
        {movements.length === 0 ? (
          <Empty>Nothing was deposited or withdrawn by this account yet.</Empty>
        ) : (
          <LongTable
            label="Money in and out"
            columns={movementColumns}
            rows={movements}
            keyOf={({ transaction, logIndex }) => `${transaction}/${logIndex}`}
            moreLabel={(_, all) => `Show more of ${count(all, "movement")}`}
          />
        )}
      </Card>
    </>
  );
}

const kinds: Readonly<Record<Movement["kind"], string>> = {
  deposited: "Deposited",
  withdrawn: "Withdrawn",
  quarantined: "Bond put in quarantine",
  claimed: "Bond claimed back",
  burnt: "Bond burnt",
};

const movementColumns: readonly Column<Movement>[] = [
  { title: "What", cell: ({ kind }) => kinds[kind] },
  { title: "Amount", isNumber: true, cell: ({ amount, token }) => <Amount value={amount} token={token} /> },
  { title: "Market", cell: ({ market }) => (market === "jobs" ? "Job market" : "Query market") },
  {
    title: "Job",
    cell: ({ jobId }) => (jobId === undefined ? <span className="soft">none</span> : <JobLink jobId={jobId} />),
  },
  { title: "When", cell: ({ at }) => <Age at={at} /> },
  { title: "Transaction", cell: ({ transaction }) => <Hash value={transaction} label="transaction hash" /> },
];

/** Bonds of faults, once their probation has ended. */
function Quarantine({ token, account }: { readonly token: Address; readonly account: ConnectedAccount }): ReactNode {
  const { jobs, networkKey } = useSession();
  const { model } = useMarket();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const provider = account.address;
  const faults = model.movements.filter(
    ({ kind, account: owner }) => kind === "quarantined" && owner.toLowerCase() === provider.toLowerCase(),
  ).length;
  const { data, refetch } = useQuery({
    queryKey: ["quarantine-entries", networkKey, provider, token, model.movements.length],
    enabled: faults > 0,
    queryFn: async () => {
      const { probation } = await getStanding(jobs, { provider });
      const numbers = Array.from({ length: probation }, (_, index) => index + 1);
      const entries = await Promise.all(
        numbers.map(async (number) => ({ number, ...(await getQuarantine(jobs, { provider, token, number })) })),
      );
      return entries.filter(({ amount }) => amount > 0n);
    },
  });
  if (data === undefined || data.length === 0) return;
  const claim = async (number: number): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await spending(`quarantine-${provider}-${number}`, () => claimQuarantine(jobs, { provider, token, number }));
      await refetch();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Card title="Bonds in quarantine">
      <ul className="stack-tight" aria-label="Bonds in quarantine">
        {data.map(({ number, amount, state }) => (
          <li key={number} className="row-apart">
            <span>
              <Amount value={amount} token={token} /> of probation {number}:{" "}
              {state === "held"
                ? "held until the probation ends"
                : state === "returnable"
                  ? "the probation ended well, it is yours again"
                  : "another fault followed: it can only be burnt"}
            </span>
            {state === "returnable" ? (
              <Button isSmall isDisabled={isBusy || jobs.wallet === undefined} onPress={() => void claim(number)}>
                Claim it back
              </Button>
            ) : undefined}
          </li>
        ))}
      </ul>
      {isBusy ? <Wait>Waiting for your wallet to confirm the claim, then for the block</Wait> : undefined}
      {error ? <ErrorNote error={error} /> : undefined}
      <Note>
        <p>
          How a probation ends: <a href={routes.provider(provider)}>your standing</a>.
        </p>
      </Note>
    </Card>
  );
}
