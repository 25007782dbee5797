import { personOf } from "@quorate/proofs";
import type { Asker, FetchedDataset, SubjectCard } from "@quorate/sdk/queries";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useDeferredValue, useEffect, useMemo, useState } from "react";
import { type Address, isAddressEqual } from "viem";
import { useParams } from "wouter";
import { navigate } from "wouter/use-hash-location";
import { useAsker } from "../../connection/asker.ts";
import { AddressName, Amount, useDomains, useSession } from "../../connection/index.ts";
import { explain } from "../../lib/explain.ts";
import { formatDuration } from "../../lib/format.ts";
import { routes } from "../../routes.ts";
import {
  Button,
  ButtonLink,
  Card,
  Choices,
  ErrorNote,
  Facts,
  Note,
  Page,
  Stepper,
  TextField,
  Wait,
} from "../../ui/index.ts";
import { type AskDraft, type DraftedStatement, draftedStatement, topicsOf } from "./askDraft.ts";
import { readCard } from "./card.ts";
import { ProviderChoice } from "./ProviderChoice.tsx";
import { NeedsWallet, NoQueryMarket, PapersFields, TextOrFile, useCanSign } from "./parts.tsx";
import styles from "./questions.module.css";
import { StatementForm } from "./StatementForm.tsx";
import { useAskDraft } from "./useAskDraft.ts";
import { useDataset } from "./useDataset.ts";
import { questionSteps } from "./words.ts";

/** A new question: what, about whom, then the request for consent. */
export default function AskPage(): ReactNode {
  const { network } = useSession();
  const { card } = useParams<{ card?: string }>();
  const { draft, update, discard } = useAskDraft();
  const isRead = draft !== undefined;
  useEffect(() => {
    if (card === undefined || !isRead) return;
    // From here on the draft keeps the card: the address may lead back to an empty form.
    update({ card });
    navigate("/ask", { replace: true });
  }, [card, isRead, update]);
  return (
    <Page
      title="Ask a question"
      lead="Say what you want to know and about whom. Nothing is sent before that person has consented, and nothing is paid before you have seen the price and paid it."
    >
      {network.queryMarket === undefined ? (
        <NoQueryMarket />
      ) : draft === undefined ? (
        <Wait>Reading your draft from this browser</Wait>
      ) : (
        <Form draft={draft} update={update} discard={discard} />
      )}
    </Page>
  );
}

type CardState = { readonly card?: SubjectCard; readonly problem?: string };

function useCard(text: string): CardState {
  const { network } = useSession();
  const { chainId, queryMarket } = network;
  return useMemo(() => {
    if (text.trim() === "" || queryMarket === undefined) return {};
    try {
      return { card: readCard(text, { chainId, market: queryMarket }) };
    } catch (error) {
      return { problem: explain(error).message };
    }
  }, [text, chainId, queryMarket]);
}

function Form({
  draft,
  update,
  discard,
}: {
  readonly draft: AskDraft;
  readonly update: (change: Partial<AskDraft>) => void;
  readonly discard: () => Promise<void>;
}): ReactNode {
  const domains = useDomains();
  const { card, problem: cardProblem } = useCard(draft.card);
  // A card says where its records are; until the asker chooses, that provider is asked, else the first one.
  const ofCard =
    card === undefined
      ? undefined
      : (domains.find(({ info }) => info !== undefined && isAddressEqual(info.provider, card.provider))?.url ??
        card.providerUrl);
  const providerUrl = draft.providerUrl === "" ? (ofCard ?? domains[0]?.url ?? "") : draft.providerUrl;
  const dataset = useDataset(providerUrl, draft.dataset);
  // Putting a scorecard into numbers takes a while: what is being typed shows first.
  const shown = useDeferredValue(draft);
  const drafted = useMemo(
    () => (dataset.data === undefined ? undefined : draftedOf(shown, dataset.data)),
    [shown, dataset.data],
  );
  return (
    <>
      <Stepper label="The way of a question" steps={questionSteps(undefined)} />
      <Card title="1. What do you want to know?">
        <div className="stack-wide">
          <ProviderChoice
            domains={domains}
            url={providerUrl}
            dataset={draft.dataset}
            onChange={(change) => update({ ...change, topic: "", clauses: [], cutoff: "" })}
          />
          {dataset.isFetching && dataset.data === undefined ? (
            <Wait>Waiting for the provider to say what it answers about</Wait>
          ) : undefined}
          {dataset.error === null ? undefined : (
            <ErrorNote error={dataset.error} onRetry={() => void dataset.refetch()} />
          )}
          {dataset.data === undefined ? undefined : (
            <StatementForm draft={draft} update={update} dataset={dataset.data} drafted={drafted} />
          )}
        </div>
      </Card>
      <Card title="2. About whom?">
        <Subject draft={draft} update={update} card={card} problem={cardProblem} dataset={dataset.data} />
      </Card>
      <Card title="3. Ask for consent">
        <Prepare
          draft={draft}
          update={update}
          discard={discard}
          providerUrl={providerUrl}
          card={card}
          dataset={dataset.data}
          drafted={drafted}
        />
      </Card>
    </>
  );
}

/** What the draft says now: today is the day on which it is asked, not the one on which it was written. */
function draftedOf(draft: AskDraft, { definition }: FetchedDataset): DraftedStatement | undefined {
  const topics = topicsOf(definition);
  const topic = topics.find(({ id }) => id === draft.topic) ?? topics[0];
  if (topic === undefined) return;
  const now = Math.floor(Date.now() / 1000);
  return draftedStatement(draft, topic, { now, history: definition.history });
}

function Subject({
  draft,
  update,
  card,
  problem,
  dataset,
}: {
  readonly draft: AskDraft;
  readonly update: (change: Partial<AskDraft>) => void;
  readonly card: SubjectCard | undefined;
  readonly problem: string | undefined;
  readonly dataset: FetchedDataset | undefined;
}): ReactNode {
  const isElsewhere =
    card !== undefined &&
    dataset !== undefined &&
    (!isAddressEqual(card.provider, dataset.provider) || card.dataset !== dataset.dataset);
  return (
    <div className="stack-wide">
      {card === undefined ? (
        <TextOrFile
          label="The person's card"
          hint="A link or a text from its page My records. It says where its records are, and nothing about them."
          dropLabel="Or drop the file card.json here"
          value={draft.card}
          onChange={(text) => update({ card: text })}
          error={problem}
        />
      ) : (
        <div className="stack">
          <Facts
            rows={[
              ["Card", "A person's key, and where its records are"],
              ["Records at", <AddressName key="p" address={card.provider} />],
            ]}
          />
          {isElsewhere ? (
            <Note tone="warn">
              <p>The card is for records at another provider or data set than you chose above.</p>
              <Button
                isSmall
                onPress={() => update({ providerUrl: "", dataset: card.dataset, topic: "", clauses: [], cutoff: "" })}
              >
                Ask where the card points
              </Button>
            </Note>
          ) : undefined}
          <div className="row">
            <Button isSmall onPress={() => update({ card: "" })}>
              Use another card
            </Button>
          </div>
        </div>
      )}
      <Choices
        label="Whose papers belong to the record?"
        value={draft.identity}
        onChange={(identity) => update({ identity })}
        options={[
          ...(draft.person === ""
            ? []
            : [
                {
                  id: "same" as const,
                  title: "The person of your earlier question",
                  note: "The papers that you saw then; this browser kept their fingerprint alone.",
                },
              ]),
          {
            id: "papers",
            title: "Of papers that I saw",
            note: "A record of anybody else's papers cannot be proved. The papers stay here: only their fingerprint is used.",
          },
          { id: "nobody", title: "Of nobody's papers", note: "The provider registered the record without papers." },
        ]}
      />
      {draft.identity === "papers" ? (
        <PapersFields
          papers={{ name: draft.name, birthDate: draft.birthDate, documentNumber: draft.documentNumber }}
          onChange={update}
        />
      ) : undefined}
    </div>
  );
}

const MAX_LABEL = 200;

/** What is missing before a question can be prepared, in words. */
function missingOf(
  draft: AskDraft,
  card: SubjectCard | undefined,
  dataset: FetchedDataset | undefined,
  drafted: DraftedStatement | undefined,
): string | undefined {
  if (dataset === undefined || drafted === undefined) return "Choose a provider that answers.";
  if (drafted.statement === undefined) return drafted.problem;
  if (card === undefined) return "Add the card of the person that the question is about.";
  if (!isAddressEqual(card.provider, dataset.provider) || card.dataset !== dataset.dataset) {
    return "The card is for another provider or data set.";
  }
  if (draft.askerName.length > MAX_LABEL || draft.label.length > MAX_LABEL) {
    return `Names have at most ${MAX_LABEL} characters.`;
  }
  if (draft.identity !== "papers") return;
  try {
    personOf(draft);
    return;
  } catch (error) {
    return explain(error).message;
  }
}

function Prepare({
  draft,
  update,
  discard,
  providerUrl,
  card,
  dataset,
  drafted,
}: {
  readonly draft: AskDraft;
  readonly update: (change: Partial<AskDraft>) => void;
  readonly discard: () => Promise<void>;
  readonly providerUrl: string;
  readonly card: SubjectCard | undefined;
  readonly dataset: FetchedDataset | undefined;
  readonly drafted: DraftedStatement | undefined;
}): ReactNode {
  const { account } = useSession();
  const asker = useAsker();
  const canSign = useCanSign();
  const [isAsked, setAsked] = useState(false);
  const missing = missingOf(draft, card, dataset, drafted);
  const circuit = drafted?.statement?.kind === "scorecard" ? "scorecard" : "sealed-answer";
  const offer = dataset?.offers
    .filter((one) => one.circuit === circuit)
    .reduce<FetchedDataset["offers"][number] | undefined>(
      (best, one) => (best === undefined || one.price < best.price ? one : best),
      undefined,
    );
  const preparing = useMutation({
    mutationFn: async () => {
      if (card === undefined || dataset === undefined) return;
      const statement = draftedOf(draft, dataset)?.statement;
      if (statement === undefined) return;
      const identity =
        draft.identity === "papers"
          ? { papers: { name: draft.name, birthDate: draft.birthDate, documentNumber: draft.documentNumber } }
          : draft.identity === "same"
            ? { person: BigInt(draft.person) }
            : {};
      const { queryId } = await (asker as Asker).prepare({
        providerUrl,
        dataset: dataset.dataset,
        statement,
        subjectKey: card.subjectKey,
        ...identity,
        ...(offer === undefined ? {} : { maxPrice: offer.price }),
        ...(draft.askerName.trim() === "" ? {} : { askerName: draft.askerName.trim() }),
        ...(draft.label.trim() === "" ? {} : { label: draft.label.trim() }),
      });
      await discard();
      navigate(`/questions/${queryId}`);
    },
  });
  return (
    <div className="stack-wide">
      <div className="grid-2">
        <TextField
          label="What you call yourself"
          hint="Shown to the person, who is told that nobody has checked it. May be empty."
          value={draft.askerName}
          onChange={(askerName) => update({ askerName })}
        />
        <TextField
          label="Your own name for this question"
          hint="Stays in this browser. May be empty."
          value={draft.label}
          onChange={(label) => update({ label })}
        />
      </div>
      {drafted?.statement === undefined ? undefined : (
        <p className={styles.sentence}>Is it true that {drafted.words}?</p>
      )}
      {offer === undefined ? undefined : (
        <Facts
          rows={[
            ["Price of an answer", <Amount key="p" value={offer.price} token={offer.token as Address} />],
            [
              "The provider pays if it stays silent",
              <span key="b">
                your price back, and <Amount value={offer.bond} token={offer.token as Address} /> of its own
              </span>,
            ],
            ["Time to answer", `${formatDuration(offer.window)} after you paid`],
          ]}
        />
      )}
      <NeedsWallet>Connect the wallet that asks and pays. Preparing a question costs nothing.</NeedsWallet>
      {account === undefined ? undefined : (
        <>
          <div className="row">
            <Button
              kind="primary"
              isDisabled={!canSign || preparing.isPending}
              onPress={() => {
                setAsked(true);
                if (missing === undefined) preparing.mutate();
              }}
            >
              Prepare the question
            </Button>
            <Button kind="quiet" isDisabled={preparing.isPending} onPress={() => void discard()}>
              Empty the form
            </Button>
            {preparing.isPending ? (
              <Wait>Comparing the provider's data set with the chain, and getting a one-time key from it</Wait>
            ) : undefined}
          </div>
          {isAsked && missing !== undefined ? (
            <Note tone="warn">
              <p>{missing}</p>
            </Note>
          ) : (
            <p className="soft small">
              Keys are drawn and kept in this browser; then you get a link for the person. Nothing is paid yet.
            </p>
          )}
        </>
      )}
      {preparing.error === null ? undefined : (
        <ErrorNote error={preparing.error}>
          <ButtonLink isSmall href={routes.questions}>
            Your questions
          </ButtonLink>
        </ErrorNote>
      )}
    </div>
  );
}
