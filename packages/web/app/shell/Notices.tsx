import type { ReactNode } from "react";
import { useSwitchChain } from "wagmi";
import { useProfiles, useSession } from "../connection/index.ts";
import { count } from "../lib/format.ts";
import { useMarket } from "../market/index.ts";
import { routes } from "../routes.ts";
import { Button, ButtonLink, Moment, Note, Progress } from "../ui/index.ts";

/** What everybody has to know before doing anything: a chain that is gone, a wallet elsewhere, how far the reading is. */
export function Notices(): ReactNode {
  return (
    <>
      <ChainNotice />
      <RelayNotice />
      <WalletNotice />
      <ReadingNotice />
      <IndexNotice />
    </>
  );
}

function ChainNotice(): ReactNode {
  const { problem, restart } = useMarket();
  const { network, isLocal } = useSession();
  if (problem === undefined) return;
  if (problem.code === "CHAIN_RESET") {
    return (
      <Note tone="warn">
        <p>
          <strong>The chain began anew.</strong> {network.name} is not the chain that this browser has read before
          {isLocal ? "; a local chain forgets everything when it is started again" : ""}. What was read of the old one
          can be forgotten: keys of your jobs and questions stay.
        </p>
        <Button isSmall onPress={() => void restart()}>
          Forget the old chain and read the new one
        </Button>
      </Note>
    );
  }
  return (
    <Note tone="bad">
      <p>
        <strong>The chain cannot be read</strong> since <Moment at={Math.floor(problem.since / 1000)} />. What you see
        is as old as that. It is tried again by itself. Endpoints: {network.rpc.join(", ")}.
      </p>
      <p className="soft small">
        {problem.message} <code>{problem.code}</code>
      </p>
      <div className="row">
        <ButtonLink isSmall href={routes.settings}>
          Use another endpoint
        </ButtonLink>
      </div>
    </Note>
  );
}

/** All of them: while one answers, everything goes on. */
function RelayNotice(): ReactNode {
  const { network } = useSession();
  const { error } = useProfiles();
  if (!error || network.relays.length === 0) return;
  return (
    <Note tone="warn">
      <p>
        <strong>No relay answers.</strong> Offers, packages and profiles wait until one does; money is not affected, and
        jobs that are open go on by the chain. It is tried again by itself. Relays: {network.relays.join(", ")}.
      </p>
      <ButtonLink isSmall href={routes.settings}>
        Use another relay
      </ButtonLink>
    </Note>
  );
}

function WalletNotice(): ReactNode {
  const { account, network } = useSession();
  const { mutate: switchChain, isPending, error } = useSwitchChain();
  if (account === undefined || !account.isOnWrongNetwork) return;
  return (
    <Note tone="warn">
      <p>
        <strong>Your wallet is on another network.</strong> {account.wallet} has to be on {network.name} (chain id{" "}
        {network.chainId}); until then nothing can be signed here.
        {error === null ? "" : " The wallet did not switch; do it in the wallet itself."}
      </p>
      <Button isSmall isDisabled={isPending} onPress={() => switchChain({ chainId: network.chainId })}>
        {isPending ? "Waiting for the wallet" : `Switch to ${network.name}`}
      </Button>
    </Note>
  );
}

/** Older history from an index: how far it is, or why it is not used. */
function IndexNotice(): ReactNode {
  const { index } = useMarket();
  const { network } = useSession();
  if (index === undefined) return;
  if (index.kind === "used") {
    const { step, done, of } = index.progress;
    return (
      <Progress
        label={
          step === "reading"
            ? `Reading older history from the index at ${index.host}`
            : `Checking the older history of ${index.host} against the chain`
        }
        value={done}
        max={of}
        note={`${count(done, "block")} of ${of}`}
      />
    );
  }
  return (
    <Note tone="warn">
      <p>
        <strong>The index for older history is not used.</strong> {index.message} What you see is read from the chain:
        the newest {count(network.firstVisitBlocks, "block")}, and all that follows.
      </p>
      <p className="soft small">
        {index.host} <code>{index.code}</code>
      </p>
      <ButtonLink isSmall href={routes.settings}>
        Use another index, or none
      </ButtonLink>
    </Note>
  );
}

/** Fewer blocks than this are read in a moment. */
const WORTH_SAYING = 200;

function ReadingNotice(): ReactNode {
  const { head, cursor, since, isCurrent, problem } = useMarket();
  if (isCurrent || problem !== undefined || head === undefined || head.number - cursor < WORTH_SAYING) return;
  const from = since ?? 0;
  return (
    <Progress
      label="Reading the history of the market from the chain"
      value={Math.max(cursor - from, 0)}
      max={Math.max(head.number - from, 1)}
      note={`block ${Math.max(cursor, from)} of ${head.number}`}
    />
  );
}
