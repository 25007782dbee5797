import type { ReactNode } from "react";
import { type OwnQuestion, useOwnQuestions } from "../../connection/asker.ts";
import { AddressName, Amount, useSession } from "../../connection/index.ts";
import { useChainTime, useMarket } from "../../market/index.ts";
import { routes } from "../../routes.ts";
import { Badge, ButtonLink, Card, Countdown, Empty, ErrorNote, Page, Relative, Wait } from "../../ui/index.ts";
import { NoQueryMarket } from "./parts.tsx";
import styles from "./questions.module.css";
import { useAnswer } from "./useAnswer.ts";
import { stageWords } from "./words.ts";

/** The visitor's questions. */
export default function QuestionsPage(): ReactNode {
  const { network } = useSession();
  return (
    <Page
      title="Questions"
      lead="Ask a provider that holds somebody's records a question with the answer yes or no, such as “is the yearly income at least 100,000?”. With the person's consent you learn this one answer, with a proof that you can show to others, and nothing else."
      actions={
        network.queryMarket === undefined ? undefined : (
          <ButtonLink kind="primary" href={routes.ask}>
            Ask a question
          </ButtonLink>
        )
      }
    >
      {network.queryMarket === undefined ? (
        <NoQueryMarket />
      ) : (
        <>
          <Own />
          <div className="grid-2">
            <Card title="Is a question about you?">
              <div className="stack">
                <p className="soft">
                  Bind your records at a provider to your key, see what they say and who asked, and decide about each
                  question.
                </p>
                <div className="row">
                  <ButtonLink href={routes.records}>My records</ButtonLink>
                  <ButtonLink kind="quiet" href={routes.consentEmpty}>
                    I was sent a request
                  </ButtonLink>
                </div>
              </div>
            </Card>
            <Card title="Were you shown an answer?">
              <div className="stack">
                <p className="soft">A receipt proves an answer to anybody. Check it here, without a wallet.</p>
                <div className="row">
                  <ButtonLink href={routes.check}>Check a proof</ButtonLink>
                </div>
              </div>
            </Card>
          </div>
        </>
      )}
    </Page>
  );
}

function Own(): ReactNode {
  const { questions, error } = useOwnQuestions();
  const { head } = useMarket();
  if (questions === undefined) {
    if (error !== null && error !== undefined) return <ErrorNote error={error} />;
    return (
      <Wait>{head === undefined ? "Waiting for the first block" : "Reading your questions from this browser"}</Wait>
    );
  }
  return (
    <Card title="Your questions">
      {questions.length === 0 ? (
        <Empty>
          <p>
            You have asked nothing from this browser. A question needs the card of the person that it is about, and its
            consent.
          </p>
        </Empty>
      ) : (
        <ul className={styles.questions}>
          {questions.map((question) => (
            <Row key={question.view.queryId} question={question} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Row({ question: { record, view } }: { readonly question: OwnQuestion }): ReactNode {
  const now = useChainTime();
  const { title, tone } = stageWords(view.stage);
  const answer = useAnswer(view);
  return (
    <li>
      <div className="row-apart">
        <a href={routes.question(view.queryId)}>Is it true that {view.statement}?</a>
        {answer === undefined ? (
          <Badge tone={tone}>{title}</Badge>
        ) : (
          <Badge tone={answer ? "good" : "bad"}>{answer ? "Yes" : "No"}</Badge>
        )}
      </div>
      <div className="row soft small">
        {view.label === undefined ? undefined : <strong>{view.label}</strong>}
        <AddressName address={view.provider} />
        {view.price === undefined ? undefined : <Amount value={view.price} token={record.offer.token} />}
        <Relative at={Math.floor(view.createdAt / 1000)} now={now} />
        {view.deadline === undefined ? undefined : <Countdown until={view.deadline} now={now} over="time is over" />}
      </div>
    </li>
  );
}
