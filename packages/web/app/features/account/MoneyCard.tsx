import { isQuorateError } from "@quorate/core";
import { approveToken, deposit, depositWithPermit, type MarketClient, withdraw } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import type { Address, Hex } from "viem";
import { fundFromFaucet } from "../../connection/burner.ts";
import { Amount, type ConnectedAccount, useBalances, useSession, useToken } from "../../connection/index.ts";
import { formatAmount, parseAmount } from "../../lib/format.ts";
import { spending } from "../../market/index.ts";
import { Button, Card, Choices, ErrorNote, Hash, Note, Stat, TextField, Wait } from "../../ui/index.ts";

type MarketName = "jobs" | "questions";
type Action = "deposit" | "withdraw";

/** Money of one token: in the wallet and in both markets, and how it moves between them. */
export function MoneyCard({
  token,
  account,
}: {
  readonly token: Address;
  readonly account: ConnectedAccount;
}): ReactNode {
  const unit = useToken(token);
  const { questions } = useSession();
  const { balances, error } = useBalances(account.address, token);
  return (
    <Card
      title={`${unit.symbol}`}
      aside={unit.isConfigured ? undefined : <span className="soft small">not of this app's list</span>}
    >
      <div className="stack-wide">
        {error ? <ErrorNote error={error} /> : undefined}
        {balances === undefined ? (
          error ? undefined : (
            <Wait>Reading your balances from the chain</Wait>
          )
        ) : (
          <div className="grid-3">
            <Stat label="In your wallet" value={<Amount value={balances.wallet} token={token} />} />
            <Stat
              label="In the job market"
              value={<Amount value={balances.jobs.free} token={token} />}
              note={
                <>
                  free; <Amount value={balances.jobs.locked} token={token} /> locked in bonds
                </>
              }
            />
            {balances.questions === undefined ? undefined : (
              <Stat
                label="In the query market"
                value={<Amount value={balances.questions.free} token={token} />}
                note={
                  <>
                    free; <Amount value={balances.questions.locked} token={token} /> locked in bonds
                  </>
                }
              />
            )}
          </div>
        )}
        <p className="soft small">
          Nothing has to be deposited before: a job or a question takes what is missing from the wallet when it is
          opened. What comes back lies free in the market, until you withdraw it.
        </p>
        <Transfer token={token} account={account} hasQuestions={questions !== undefined} />
        <Faucet token={token} account={account} />
      </div>
    </Card>
  );
}

type Done = { readonly words: string; readonly hash: Hex };

function Transfer({
  token,
  account,
  hasQuestions,
}: {
  readonly token: Address;
  readonly account: ConnectedAccount;
  readonly hasQuestions: boolean;
}): ReactNode {
  const unit = useToken(token);
  const { jobs, questions } = useSession();
  const { balances, refetch } = useBalances(account.address, token);
  const [action, setAction] = useState<Action>("deposit");
  const [market, setMarket] = useState<MarketName>("jobs");
  const [text, setText] = useState("");
  const [step, setStep] = useState<string>();
  const [error, setError] = useState<unknown>();
  const [done, setDone] = useState<Done>();
  const most =
    action === "deposit" ? balances?.wallet : (market === "jobs" ? balances?.jobs : balances?.questions)?.free;
  const amount = text.trim() === "" ? undefined : parseAmount(text, unit.decimals);
  const problem = problemOf(text, amount, most, (value) => formatAmount(value, unit), action);
  const client = market === "jobs" ? jobs : questions;
  const place = market === "jobs" ? "job market" : "query market";
  const isReady = amount !== undefined && problem === undefined && client?.wallet !== undefined;

  const send = async (target: MarketClient, value: bigint): Promise<void> => {
    setError(undefined);
    setDone(undefined);
    try {
      const hash = await spending(`account-${target.market}`, () =>
        action === "deposit"
          ? pay(target, token, value, setStep)
          : take(target, token, account.address, value, setStep),
      );
      const moved = action === "deposit" ? `are in the ${place} now` : "are in your wallet now";
      setDone({ words: `${formatAmount(value, unit)} ${moved}.`, hash });
      setText("");
      refetch();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setStep(undefined);
    }
  };

  return (
    <div className="stack">
      <Choices
        label="What to do"
        value={action}
        onChange={setAction}
        options={[
          { id: "deposit", title: "Deposit", note: "from your wallet into a market" },
          { id: "withdraw", title: "Withdraw", note: "what is free in a market, to your wallet" },
        ]}
      />
      {hasQuestions ? (
        <Choices
          label="Market"
          value={market}
          onChange={setMarket}
          options={[
            { id: "jobs", title: "Job market", note: "pays for jobs, holds bonds of providers" },
            { id: "questions", title: "Query market", note: "pays for answers, holds bonds of domain providers" },
          ]}
        />
      ) : undefined}
      <TextField
        label={action === "deposit" ? "Amount to deposit" : "Amount to withdraw"}
        value={text}
        onChange={setText}
        unit={unit.symbol}
        inputMode="decimal"
        error={problem}
        hint={most === undefined ? undefined : `At most ${formatAmount(most, unit)}.`}
      />
      <div className="row">
        <Button
          kind="primary"
          isDisabled={!isReady || step !== undefined}
          onPress={() => {
            if (client !== undefined && amount !== undefined) void send(client, amount);
          }}
        >
          {action === "deposit" ? `Deposit into the ${place}` : `Withdraw from the ${place}`}
        </Button>
        <Button
          isDisabled={most === undefined || most === 0n || step !== undefined}
          onPress={() => setText(exact(most ?? 0n, unit.decimals))}
        >
          Take all of it
        </Button>
        {account.isOnWrongNetwork ? (
          <span className="soft small">Your wallet is on another network: switch it first.</span>
        ) : client?.wallet === undefined ? (
          <span className="soft small">Waiting for your wallet to be ready.</span>
        ) : amount === undefined ? (
          <span className="soft small">Type an amount first.</span>
        ) : undefined}
      </div>
      {step === undefined ? undefined : <Wait>{step}</Wait>}
      {error ? <ErrorNote error={error} /> : undefined}
      {done === undefined ? undefined : (
        <Note tone="good">
          <p>{done.words}</p>
          <span className="soft small">
            Transaction <Hash value={done.hash} label="transaction hash" />
          </span>
        </Note>
      )}
    </div>
  );
}

/** A decimal without separators, as the field takes it. */
function exact(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, "0");
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

function problemOf(
  text: string,
  amount: bigint | undefined,
  most: bigint | undefined,
  words: (value: bigint) => string,
  action: Action,
): string | undefined {
  if (text.trim() === "") return undefined;
  if (amount === undefined) return "Write a number, with no more digits than the token has.";
  if (amount === 0n) return "Write more than zero.";
  if (most !== undefined && amount > most) {
    return action === "deposit"
      ? `Your wallet has ${words(most)}.`
      : `Only ${words(most)} are free; bonds stay locked.`;
  }
  return undefined;
}

async function pay(client: MarketClient, token: Address, amount: bigint, say: (step: string) => void): Promise<Hex> {
  say("Waiting for your wallet: first a signature that lets the market take this amount, then the transaction");
  try {
    const { hash } = await depositWithPermit(client, { token, amount });
    return hash;
  } catch (error) {
    if (!isQuorateError(error, "PERMIT_UNSUPPORTED")) throw error;
  }
  say("Waiting for your wallet: this token needs two transactions, first the approval");
  await approveToken(client, { token, amount });
  say("Waiting for your wallet: the deposit itself");
  const { hash } = await deposit(client, { token, amount });
  return hash;
}

async function take(
  client: MarketClient,
  token: Address,
  to: Address,
  amount: bigint,
  say: (step: string) => void,
): Promise<Hex> {
  say("Waiting for your wallet to confirm the withdrawal, then for the block");
  const { hash } = await withdraw(client, { token, to, amount });
  return hash;
}

function Faucet({ token, account }: { readonly token: Address; readonly account: ConnectedAccount }): ReactNode {
  const { isLocal, network, publicClient } = useSession();
  const { refetch } = useBalances(account.address, token);
  const [isAsking, setAsking] = useState(false);
  const [error, setError] = useState<unknown>();
  const configured = network.tokens.find(({ address }) => address === token);
  if (!isLocal || configured === undefined) return;
  const ask = async (): Promise<void> => {
    setAsking(true);
    setError(undefined);
    try {
      await fundFromFaucet(publicClient, account.address, token, configured.decimals);
      refetch();
    } catch (thrown) {
      setError(thrown);
    } finally {
      setAsking(false);
    }
  };
  return (
    <div className="stack-tight">
      <div className="row">
        <Button isSmall isDisabled={isAsking} onPress={() => void ask()}>
          Get test tokens
        </Button>
        {isAsking ? (
          <Wait>Waiting for the local chain to send gas money and test tokens</Wait>
        ) : (
          <span className="soft small">
            5,000 {configured.symbol} and gas money of this local chain, worth nothing.
          </span>
        )}
      </div>
      {error ? <ErrorNote error={error} /> : undefined}
    </div>
  );
}
