import {
  type AttributeStatement,
  challengeMessage,
  consentRequestToJson,
  encodeStatement,
  parseStatement,
  type Receipt as ReceiptData,
  receiptToJson,
  type Statement,
  toJson,
} from "@quorate/proofs";
import type { Asker, QueryRecord } from "@quorate/sdk/queries";
import { type UseMutationResult, useMutation, useQuery } from "@tanstack/react-query";
import { Check, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type Address, type Hex, isAddressEqual, isHex } from "viem";
import { useParams } from "wouter";
import { navigate } from "wouter/use-hash-location";
import { type OwnQuestion, useAsker, useOwnQuestion } from "../../connection/asker.ts";
import { AddressName, Amount, promptsInWords, useBalances, useSession } from "../../connection/index.ts";
import { useSetting } from "../../data/settings.ts";
import { explain } from "../../lib/explain.ts";
import { count, formatDuration, formatMoment } from "../../lib/format.ts";
import { downloadJson, toLinkPart } from "../../lib/share.ts";
import { spending, useChainTime, useMarket } from "../../market/index.ts";
import { routes } from "../../routes.ts";
import {
  Badge,
  Button,
  ButtonLink,
  Card,
  Checkbox,
  Countdown,
  Disclosure,
  Empty,
  ErrorNote,
  Facts,
  Hash,
  Moment,
  Note,
  Page,
  Progress,
  Stepper,
  TextField,
  Wait,
} from "../../ui/index.ts";
import { emptyDraft } from "./askDraft.ts";
import { type ConsentFile, consentSetting, readConsentFile } from "./consentFile.ts";
import { CopyTextButton, NeedsWallet, NoQueryMarket, SharedLink, TextOrFile } from "./parts.tsx";
import styles from "./questions.module.css";
import { useAnswer } from "./useAnswer.ts";
import { writeAskDraft } from "./useAskDraft.ts";
import { answerSentence, questionSteps, stageWords } from "./words.ts";

/** One question of the visitor: from the request for consent to the receipt. */
export default function QuestionPage(): ReactNode {
  const { id = "" } = useParams<{ id: string }>();
  const { network } = useSession();
  const isId = isHex(id) && id.length === 66;
  return (
    <Page
      title="Your question"
      actions={
        <ButtonLink isSmall kind="quiet" href={routes.questions}>
          All questions
        </ButtonLink>
      }
    >
      {network.queryMarket === undefined ? (
        <NoQueryMarket />
      ) : isId ? (
        <Loaded queryId={id.toLowerCase() as Hex} />
      ) : (
        <Unknown />
      )}
    </Page>
  );
}

function Unknown(): ReactNode {
  return (
    <Empty>
      <p>
        This browser has no such question. Questions stay with the key that opens their answer, in the browser that
        prepared them.
      </p>
      <ButtonLink href={routes.questions}>Your questions</ButtonLink>
    </Empty>
  );
}

function Loaded({ queryId }: { readonly queryId: Hex }): ReactNode {
  const { question, isLoaded, error } = useOwnQuestion(queryId);
  if (question === undefined) {
    if (error !== null && error !== undefined) return <ErrorNote error={error} />;
    return isLoaded ? <Unknown /> : <Wait>Reading the question from this browser, and the chain</Wait>;
  }
  return <Question question={question} />;
}

function Question({ question: { record, view } }: { readonly question: OwnQuestion }): ReactNode {
  const { title, tone, next } = stageWords(view.stage);
  return (
    <>
      <Card>
        <div className="stack">
          <div className="row-apart">
            <p className={styles.sentence}>Is it true that {view.statement}?</p>
            <Badge tone={tone}>{title}</Badge>
          </div>
          <Stepper label="The way of this question" steps={questionSteps(view.stage, record.quote !== undefined)} />
          <p className="soft">{next}</p>
        </div>
      </Card>
      <Stage record={record} view={view} />
      <About record={record} view={view} />
    </>
  );
}

function Stage({ record, view }: OwnQuestion): ReactNode {
  switch (view.stage) {
    case "prepared":
      return <Consent record={record} view={view} />;
    case "sent":
      return <SendAgain record={record} />;
    case "quoted":
    case "asking":
      return <Pay record={record} view={view} />;
    case "pending":
      return <Proving record={record} view={view} />;
    case "overdue":
      return <Overdue record={record} view={view} />;
    case "answered":
      return <Answered record={record} view={view} />;
    case "expired":
      return <Expired record={record} view={view} />;
    case "refused":
    case "lapsed":
      return <Again record={record} />;
    default:
      return view.stage satisfies never;
  }
}

/** Whether the connected wallet is the one that asks; says so if it is not. */
function useIsAsker(record: QueryRecord): { readonly canSign: boolean; readonly notice: ReactNode } {
  const { account, questions } = useSession();
  if (account === undefined || account.isOnWrongNetwork) {
    return {
      canSign: false,
      notice: <NeedsWallet>Connect the wallet that prepared this question: it signs and pays.</NeedsWallet>,
    };
  }
  if (!isAddressEqual(account.address, record.asker)) {
    return {
      canSign: false,
      notice: (
        <Note tone="warn">
          <p>
            Another wallet prepared this question. Choose its account in your wallet:{" "}
            <AddressName address={record.asker} />
          </p>
        </Note>
      ),
    };
  }
  return { canSign: questions?.wallet !== undefined, notice: undefined };
}

function useQuoting(record: QueryRecord): UseMutationResult<void, Error, string | undefined> {
  const asker = useAsker();
  return useMutation({
    mutationFn: async (consent: string | undefined) => {
      await spending(record.queryId, () => (asker as Asker).quote(record.queryId, consent));
    },
  });
}

const QUOTING = "Waiting for your wallet to sign the sealed question, then for the provider's price";

function Consent({ record, view }: OwnQuestion): ReactNode {
  const { queryId } = record;
  const asker = useAsker();
  const now = useChainTime();
  const arrived = useSetting<ConsentFile>(consentSetting(queryId));
  const [text, setText] = useState("");
  const { canSign, notice } = useIsAsker(record);
  const quoting = useQuoting(record);
  const request = useQuery({
    queryKey: ["consent-request", queryId],
    enabled: asker !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => consentRequestToJson(await (asker as Asker).consentRequest(queryId)),
  });
  const pasted = readPasted(text, queryId);
  const consent = pasted.file ?? arrived.value;
  return (
    <>
      <Card
        title="Get the person's consent"
        aside={
          view.deadline === undefined ? undefined : (
            <span className="soft small">
              <Countdown until={view.deadline} now={now} over="the time is over" />
            </span>
          )
        }
      >
        <div className="stack">
          <p>
            Send this link to the person that the question is about. It opens a page that says what you would learn and
            what not, and asks for a yes or no. The link holds the question: whoever sees it knows what you ask.
          </p>
          {request.data === undefined ? (
            <Wait>Writing the request</Wait>
          ) : (
            <SharedLink
              fragment={routes.consent(toLinkPart(request.data))}
              label="Link to the request for consent"
              copyLabel="Copy the link for the person"
            >
              <Button onPress={() => downloadJson("request.json", request.data)}>Download as a file</Button>
            </SharedLink>
          )}
        </div>
      </Card>
      <Card title="The consent">
        <div className="stack">
          {arrived.value !== undefined && pasted.file === undefined ? (
            <Note tone="good">
              <p>The consent has arrived: it was given in this browser. It is sealed to the provider.</p>
            </Note>
          ) : (
            <TextOrFile
              label="Consent that came back"
              hint="You cannot read it: it is sealed to the provider. If the person uses this browser, it arrives by itself."
              dropLabel="Or drop the file consent.json here"
              value={text}
              onChange={setText}
              error={pasted.problem}
            />
          )}
          {notice}
          <div className="row">
            <Button
              kind="primary"
              isDisabled={consent === undefined || !canSign || quoting.isPending}
              onPress={() => quoting.mutate(consent?.consent)}
            >
              Send the question
            </Button>
            {quoting.isPending ? (
              <Wait>{QUOTING}</Wait>
            ) : (
              <span className="soft small">
                {consent === undefined
                  ? "Waits for the consent."
                  : "Sealed to the provider, which answers with its price. Nothing is paid yet."}
              </span>
            )}
          </div>
          {quoting.error === null ? undefined : <ErrorNote error={quoting.error} />}
        </div>
      </Card>
    </>
  );
}

function readPasted(text: string, queryId: Hex): { readonly file?: ConsentFile; readonly problem?: string } {
  if (text.trim() === "") return {};
  try {
    return { file: readConsentFile(text, queryId) };
  } catch (error) {
    return { problem: explain(error).message };
  }
}

function SendAgain({ record }: { readonly record: QueryRecord }): ReactNode {
  const { canSign, notice } = useIsAsker(record);
  const quoting = useQuoting(record);
  return (
    <Card title="Send it again">
      <div className="stack">
        <p>
          The question left this browser, and no reply came. It is sent again as it was; the provider takes it once.
        </p>
        {notice}
        <div className="row">
          <Button kind="primary" isDisabled={!canSign || quoting.isPending} onPress={() => quoting.mutate(undefined)}>
            Send the question again
          </Button>
          {quoting.isPending ? <Wait>Waiting for the provider's price</Wait> : undefined}
        </div>
        {quoting.error === null ? undefined : <ErrorNote error={quoting.error} />}
      </div>
    </Card>
  );
}

function Pay({ record, view }: OwnQuestion): ReactNode {
  const asker = useAsker();
  const now = useChainTime();
  const { account } = useSession();
  const { canSign, notice } = useIsAsker(record);
  const [nothingIsPending, setNothingIsPending] = useState(false);
  const { price = 0n, bond = 0n } = view;
  const { token } = record.offer;
  const { balances } = useBalances(record.asker, token);
  const free = balances?.questions?.free ?? 0n;
  const missing = price > free ? price - free : 0n;
  const isShort = balances !== undefined && missing > balances.wallet;
  const paying = useMutation({
    mutationFn: async () => {
      await spending(record.queryId, () =>
        (asker as Asker).ask(record.queryId, nothingIsPending ? { nothingIsPending } : {}),
      );
    },
  });
  const isLost = paying.error !== null && explain(paying.error).code === "TRANSACTION_UNKNOWN";
  return (
    <Card
      title="The provider's price"
      aside={
        view.deadline === undefined ? undefined : (
          <span className="soft small">
            Quote: <Countdown until={view.deadline} now={now} over="its time is over" />
          </span>
        )
      }
    >
      <div className="stack">
        <Facts
          rows={[
            [
              "You pay",
              <strong key="p">
                <Amount value={price} token={token} />
              </strong>,
            ],
            [
              "If it stays silent",
              <span key="b">
                you get <Amount value={price + bond} token={token} /> back: your price, and the provider's bond
              </span>,
            ],
            ["Time to answer", formatDuration(record.quote?.quote.window ?? record.offer.window)],
            [
              "Paid from",
              balances === undefined ? (
                "reading your balances"
              ) : missing === 0n ? (
                "your free balance in the query market"
              ) : (
                <span key="f">
                  {free === 0n ? undefined : (
                    <>
                      <Amount value={free} token={token} /> of your free balance in the query market, and{" "}
                    </>
                  )}
                  <Amount value={missing} token={token} /> of your wallet, which has{" "}
                  <Amount value={balances.wallet} token={token} />
                </span>
              ),
            ],
            ["Your wallet asks you", promptsInWords(account, missing, "ask")],
          ]}
        />
        {isShort ? (
          <Note tone="warn">
            <p>
              Your wallet has too little of the token: <Amount value={missing} token={token} /> are needed. Get some,
              then pay here; the quote stands for a while.
            </p>
          </Note>
        ) : undefined}
        {notice}
        <div className="row">
          <Button
            kind="primary"
            isDisabled={!canSign || isShort || balances === undefined || paying.isPending}
            onPress={() => paying.mutate()}
          >
            {view.stage === "asking" ? "Go on" : "Pay and ask"}
          </Button>
          {paying.isPending ? (
            <Wait>Waiting for your wallet to sign, then for the chain to take the transaction</Wait>
          ) : undefined}
        </div>
        {isLost || record.askedWalletAt !== undefined ? (
          <Checkbox isSelected={nothingIsPending} onChange={setNothingIsPending} isDisabled={paying.isPending}>
            I looked at my wallet's history: no transaction of this question is there, sent or waiting.
          </Checkbox>
        ) : undefined}
        {paying.error === null ? undefined : <ErrorNote error={paying.error} />}
      </div>
    </Card>
  );
}

function Proving({ record, view }: OwnQuestion): ReactNode {
  const now = useChainTime();
  const window = record.quote?.quote.window ?? record.offer.window;
  const left = view.deadline === undefined || now === undefined ? undefined : Math.max(view.deadline - now, 0);
  return (
    <Card title="The answer is being proved">
      <div className="stack">
        <Progress
          label="The provider's time"
          value={left === undefined ? 0 : window - left}
          max={window}
          note={left === undefined ? "reading the chain" : `${formatDuration(left)} left`}
        />
        <p className="soft">
          You may leave this page: the answer lands on chain, encrypted to a key that only this browser has. If none
          comes in time, you take back your price and the provider's bond.
        </p>
      </div>
    </Card>
  );
}

function Overdue({ record, view }: OwnQuestion): ReactNode {
  const asker = useAsker();
  const { canSign, notice } = useIsAsker(record);
  const refunding = useMutation({
    mutationFn: async () => {
      await spending(record.queryId, () => (asker as Asker).refund(record.queryId));
    },
  });
  const { price = 0n, bond = 0n } = view;
  const { token } = record.offer;
  return (
    <Card title="The provider stayed silent">
      <div className="stack">
        <p>
          Its time is over. <Amount value={price + bond} token={token} /> are yours: the price that you paid, and the
          provider's bond of <Amount value={bond} token={token} />. They come to your free balance in the query market.
        </p>
        {notice}
        <div className="row">
          <Button kind="primary" isDisabled={!canSign || refunding.isPending} onPress={() => refunding.mutate()}>
            Take the money back
          </Button>
          {refunding.isPending ? (
            <Wait>Waiting for your wallet, then for the chain to take the transaction</Wait>
          ) : undefined}
        </div>
        {refunding.error === null ? undefined : <ErrorNote error={refunding.error} />}
      </div>
    </Card>
  );
}

function Expired({ record, view }: OwnQuestion): ReactNode {
  const { price = 0n, bond = 0n } = view;
  return (
    <>
      <Note>
        <p>
          The provider did not answer, and paid for it: <Amount value={price + bond} token={record.offer.token} /> came
          to your free balance in the query market. Withdraw it on the page Account, or ask another question with it.
        </p>
        <ButtonLink isSmall href={routes.account}>
          Account
        </ButtonLink>
      </Note>
      <Again record={record} />
    </>
  );
}

/** Writes the same question anew; the person has to consent again. */
function Again({ record }: { readonly record: QueryRecord }): ReactNode {
  const again = useMutation({
    mutationFn: async () => {
      const { chainId, market, provider, providerUrl, dataset, subjectKey, person } = record;
      const card = { version: 1, chainId, market, provider, providerUrl, dataset, subjectKey };
      await writeAskDraft({
        ...emptyDraft,
        ...draftOfStatement(parseStatement(record.statement)),
        providerUrl,
        dataset,
        card: JSON.stringify(toJson(card)),
        identity: person === 0n ? "nobody" : "same",
        person: person === 0n ? "" : person.toString(),
        askerName: record.askerName ?? "",
        label: record.label ?? "",
      });
      navigate("/ask");
    },
  });
  return (
    <Card title="Ask again">
      <div className="stack">
        <p>The same question can be prepared anew, about today. It needs a new consent.</p>
        <div className="row">
          <Button isDisabled={again.isPending} onPress={() => again.mutate()}>
            Write it again
          </Button>
        </div>
        {again.error === null ? undefined : <ErrorNote error={again.error} />}
      </div>
    </Card>
  );
}

function draftOfStatement(statement: Statement): Partial<typeof emptyDraft> {
  const topic = encodeStatement(statement).nullifierTopic.toString();
  if (statement.kind === "scorecard") {
    return {
      topic,
      clauses: statement.clauses.map(({ coefficients, atLeast, weight }) => ({
        coefficients,
        atLeast,
        weight: String(weight),
      })),
      cutoff: String(statement.cutoff),
    };
  }
  const values = statement satisfies AttributeStatement;
  return "low" in values
    ? { topic, relation: values.relation, value: values.low, high: values.high }
    : { topic, relation: values.relation, value: values.value };
}

function Answered({ record, view }: OwnQuestion): ReactNode {
  const answer = useAnswer(view);
  if (answer === undefined) {
    return (
      <Card title="The answer">
        <Wait>Opening the answer with the key of this browser</Wait>
      </Card>
    );
  }
  return (
    <>
      <Card title="The answer">
        <div className={styles.answer}>
          <p className={styles.answerWords}>
            <span className={answer ? styles.yes : styles.no}>{answer ? "Yes" : "No"}</span>
            {answerSentence(answer, view.statement).replace(/^\w+/, "")}
          </p>
          <p className="soft">
            Proved in zero knowledge, and opened in this browser: on chain the answer is encrypted. As registered by{" "}
            <AddressName address={view.provider} />
          </p>
        </div>
      </Card>
      <Card title="What is known now">
        <div className="grid-2">
          <ul className={styles.bullets}>
            <Point isKnown>You know the answer, and that it follows from the provider's published data.</Point>
            <Point isKnown>
              {record.person === 0n
                ? "The record belongs to the key on the card; no papers were checked."
                : "The record belongs to the papers that you saw."}
            </Point>
            <Point isKnown>The chain shows that you asked this provider, and when.</Point>
          </ul>
          <ul className={styles.bullets}>
            <Point>You do not know the value on record, only on which side it lies.</Point>
            <Point>Nobody else knows question or answer, unless you show the receipt.</Point>
            <Point>The proof does not say that what was registered is true; that is the provider's word.</Point>
          </ul>
        </div>
      </Card>
      <Receipt record={record} />
    </>
  );
}

function Point({ isKnown = false, children }: { readonly isKnown?: boolean; readonly children: ReactNode }): ReactNode {
  return (
    <li>
      {isKnown ? <Check size={16} aria-hidden /> : <X size={16} aria-hidden />}
      <span>{children}</span>
    </li>
  );
}

function Receipt({ record }: { readonly record: QueryRecord }): ReactNode {
  const asker = useAsker();
  const { networkKey } = useSession();
  const receipt = useQuery({
    queryKey: ["receipt", networkKey, record.queryId],
    enabled: asker !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => (asker as Asker).receipt(record.queryId),
  });
  return (
    <Card title="Receipt">
      <div className="stack">
        <p>
          Shows question and answer to whoever gets it, with the proof: anybody can check it without a wallet. It cannot
          be taken back.
        </p>
        {receipt.error === null ? undefined : (
          <ErrorNote error={receipt.error} onRetry={() => void receipt.refetch()} />
        )}
        {receipt.data === undefined ? (
          receipt.error === null ? (
            <Wait>Reading the proof from the chain</Wait>
          ) : undefined
        ) : (
          <>
            <SharedLink
              fragment={routes.receipt(toLinkPart(receiptToJson(receipt.data)))}
              label="Link to the receipt"
              copyLabel="Copy the link to the receipt"
            >
              <Button onPress={() => downloadJson("receipt.json", receiptToJson(receipt.data))}>
                Download the receipt
              </Button>
            </SharedLink>
            <Disclosure title="Show that the receipt is yours">
              <SignWords record={record} receipt={receipt.data} />
            </Disclosure>
          </>
        )}
      </div>
    </Card>
  );
}

/** Anybody can copy a receipt; who asked can sign words that nobody could know before. */
function SignWords({ record, receipt }: { readonly record: QueryRecord; readonly receipt: ReceiptData }): ReactNode {
  const { questions } = useSession();
  const { canSign, notice } = useIsAsker(record);
  const [text, setText] = useState("");
  const signing = useMutation({
    mutationFn: async (words: string) => {
      const wallet = questions?.wallet;
      if (wallet?.account === undefined) return;
      return wallet.signMessage({ account: wallet.account, message: challengeMessage(receipt, words) });
    },
  });
  return (
    <div className="stack">
      <p className="soft">
        Whoever checks the receipt may give you fresh words. Your wallet signs them together with the question, which
        shows that you are the one who asked.
      </p>
      <TextField
        label="Fresh words of the one who checks"
        value={text}
        onChange={(next) => {
          setText(next);
          signing.reset();
        }}
      />
      {notice}
      <div className="row">
        <Button isDisabled={text === "" || !canSign || signing.isPending} onPress={() => signing.mutate(text)}>
          Sign them
        </Button>
        {signing.isPending ? <Wait>Waiting for your wallet to sign</Wait> : undefined}
        {signing.data === undefined ? undefined : (
          <CopyTextButton text={signing.data} label="Copy the signature" done="Copied: now send it" />
        )}
      </div>
      {signing.error === null ? undefined : <ErrorNote error={signing.error} />}
    </div>
  );
}

function About({ record, view }: OwnQuestion): ReactNode {
  const { model } = useMarket();
  const onChain = view.questionId === undefined ? undefined : model.questions.get(view.questionId);
  const rows: (readonly [string, ReactNode])[] = [
    ["Provider", <AddressName key="p" address={record.provider as Address} />],
    ["Asker", <AddressName key="a" address={record.asker} />],
    ["Papers", record.person === 0n ? "none: a record of nobody's papers" : "those that you saw, by their fingerprint"],
    ["Prepared", <Moment key="c" at={Math.floor(view.createdAt / 1000)} />],
    ["Question", <Hash key="q" value={view.queryId} label="question id" />],
  ];
  if (view.label !== undefined) rows.unshift(["Your name for it", view.label]);
  if (record.quote !== undefined) {
    rows.push(
      ["Price", <Amount key="pr" value={record.quote.quote.price} token={record.offer.token} />],
      ["Bond of the provider", <Amount key="b" value={record.quote.quote.bond} token={record.offer.token} />],
    );
  }
  if (onChain !== undefined) {
    rows.push(
      ["Asked", <Moment key="m" at={onChain.askedAt} />],
      ["Asked in transaction", <Hash key="t" value={onChain.askedIn} label="transaction" />],
    );
    if (onChain.end !== undefined) {
      const { kind, at, transaction } = onChain.end;
      rows.push(
        [
          kind === "answered" ? "Answered" : "Ended",
          `${formatMoment(at)}, after ${formatDuration(at - onChain.askedAt)}`,
        ],
        [
          kind === "answered" ? "Answered in transaction" : "Ended in transaction",
          <Hash key="e" value={transaction} label="transaction" />,
        ],
      );
    }
  }
  const sent = record.transactions.length;
  if (sent > 0) rows.push(["Sent from this browser", count(sent, "transaction")]);
  return (
    <Card title="About this question">
      <Facts rows={rows} />
    </Card>
  );
}
