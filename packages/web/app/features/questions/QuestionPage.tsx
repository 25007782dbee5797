import type { ReactNode } from "react";
import { type Hex, isHex } from "viem";
import { useParams } from "wouter";
import { type OwnQuestion, useOwnQuestion } from "../../connection/asker.ts";
import { useSession } from "../../connection/index.ts";
import { routes } from "../../routes.ts";
import { Badge, ButtonLink, Card, Empty, ErrorNote, Page, Stepper, Wait } from "../../ui/index.ts";
import { NoQueryMarket } from "./parts.tsx";
import { About } from "./question/About.tsx";
import { Again } from "./question/Again.tsx";
import { Answered } from "./question/Answered.tsx";
import { Consent } from "./question/Consent.tsx";
import { Pay } from "./question/Pay.tsx";
import { Proving } from "./question/Proving.tsx";
import { Expired, Overdue } from "./question/Refund.tsx";
import { SendAgain } from "./question/SendAgain.tsx";
import styles from "./questions.module.css";
import { questionSteps, stageWords } from "./words.ts";

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
