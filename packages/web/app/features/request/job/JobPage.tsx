import { type ReactNode, useState } from "react";
import { type Hex, isHash } from "viem";
import { useParams } from "wouter";
import { useSession } from "../../../connection/index.ts";
import { shortHex } from "../../../lib/format.ts";
import { useMarket } from "../../../market/index.ts";
import { routes } from "../../../routes.ts";
import { Badge, Button, ButtonLink, Empty, ErrorNote, Hash, Note, Page, Wait } from "../../../ui/index.ts";
import { DraftedView } from "./DraftedView.tsx";
import { OffersView } from "./OffersView.tsx";
import { OpeningView } from "./OpeningView.tsx";
import type { JobStage } from "./stage.ts";
import { type KnownJob, useJobView, useKnownJob } from "./useJob.ts";
import { useOpening } from "./useOpening.ts";
import { WatchView } from "./WatchView.tsx";
import { statusWord, type Word } from "./words.ts";

/** One job, by its stage. */
export default function JobPage(): ReactNode {
  const { id = "" } = useParams<{ id: string }>();
  const jobId = id.toLowerCase();
  if (!isHash(jobId)) {
    return (
      <Page title="There is no such job" lead="The address of a job's page ends with its id: 0x and 64 hex digits.">
        <div>
          <ButtonLink href={routes.jobs}>See all jobs</ButtonLink>
        </div>
      </Page>
    );
  }
  return <Job key={jobId} jobId={jobId} />;
}

const leads: Readonly<Partial<Record<JobStage, string>>> = {
  drafted: "Its keys are stored in this browser. It is not published yet.",
  published: "Providers answer with offers. Choose whom you trust with your data, then open the job.",
  opening: "The job is being opened and paid for.",
};

function Job({ jobId }: { readonly jobId: Hex }): ReactNode {
  const known = useKnownJob(jobId);
  const { stage, record, error } = known;
  const title = record?.label ?? `Job ${shortHex(jobId)}`;
  const word = stageWord(known);
  return (
    <Page
      title={title}
      lead={leads[stage]}
      actions={
        <>
          {word === undefined ? undefined : <Badge tone={word.tone}>{word.text}</Badge>}
          <Hash value={jobId} label="job id" />
        </>
      }
    >
      {error === undefined || error === null ? undefined : <ErrorNote error={error} />}
      <Stage known={known} />
    </Page>
  );
}

function stageWord({ stage, job }: KnownJob): Word | undefined {
  switch (stage) {
    case "drafted":
      return { text: "not published", tone: "warn" };
    case "published":
      return { text: "collecting offers", tone: "info" };
    case "opening":
      return { text: "opening", tone: "info" };
    case "open":
      return { text: "open", tone: "info" };
    case "settled":
      return job?.facts.settled === undefined
        ? { text: "settled", tone: "neutral" }
        : statusWord(job.facts.settled.status);
    default:
      return undefined;
  }
}

function Stage({ known }: { readonly known: KnownJob }): ReactNode {
  const { jobId, stage, record } = known;
  const opening = useOpening(jobId);
  const { network } = useSession();
  switch (stage) {
    case "reading":
      return <Wait>Reading the job from the chain</Wait>;
    case "unknown":
      return <Unknown />;
    case "unread":
      return <Unread />;
    case "elsewhere":
      return (
        <Note tone="warn">
          <p>
            This job belongs to a market on chain id {record?.chainId}, and you are looking at {network.name} (chain id{" "}
            {network.chainId}). Choose its network in the settings.
          </p>
          <ButtonLink isSmall href={routes.settings}>
            Networks and settings
          </ButtonLink>
        </Note>
      );
    case "drafted":
      return record === undefined ? undefined : <DraftedView record={record} />;
    case "published":
      return record === undefined ? undefined : <OffersView record={record} opening={opening} />;
    case "opening":
      return record === undefined ? undefined : <OpeningView record={record} opening={opening} />;
    case "open":
    case "settled":
      return <Open known={known} />;
    default:
      return stage satisfies never;
  }
}

function Open({ known }: { readonly known: KnownJob }): ReactNode {
  const { account } = useSession();
  const [isHelping, setHelping] = useState<boolean>();
  // A burner signs by itself; another wallet would open a prompt out of the blue.
  const selfHelp = isHelping ?? account?.isBurner === true;
  const { view, error } = useJobView(known, selfHelp);
  return (
    <div className="stack-wide">
      {error === undefined ? undefined : <ErrorNote error={error} />}
      {view === undefined ? (
        <Wait>Reading the job's history from the chain</Wait>
      ) : (
        <WatchView known={known} view={view} selfHelp={selfHelp} onSelfHelp={setHelping} />
      )}
    </div>
  );
}

function Unknown(): ReactNode {
  return (
    <Empty>
      <p>
        No job with this id was opened in this market, and this browser holds no keys of one. A request that waits for
        offers is known to the browser that made it alone.
      </p>
      <ButtonLink href={routes.jobs}>See all jobs</ButtonLink>
    </Empty>
  );
}

function Unread(): ReactNode {
  const { readAll, isCurrent, since } = useMarket();
  if (!isCurrent) return <Wait>Reading the market's history from the chain</Wait>;
  return (
    <Empty>
      <p>
        The market knows this job, but it was opened before block {since ?? 0}, where this browser began to read.
        Reading all of the history may take a while.
      </p>
      <Button onPress={() => void readAll()}>Read all of it</Button>
    </Empty>
  );
}
