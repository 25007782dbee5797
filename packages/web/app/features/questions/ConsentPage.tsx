import {
  type ConsentRequest,
  type ConsentReview,
  consentRequestToJson,
  describeStatement,
  parseConsentRequest,
  queryOfQuestion,
} from "@quorate/proofs";
import { type ConsentFile, consentFileOf, type SubjectClient } from "@quorate/sdk/queries";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Check, Eye, EyeOff, X } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { isAddressEqual, numberToHex } from "viem";
import { useParams } from "wouter";
import { AddressName, useSession } from "../../connection/index.ts";
import { type SubjectDomain, useSubject, useSubjectDomains } from "../../connection/subject.ts";
import { useSetting, writeSetting } from "../../data/settings.ts";
import { explain } from "../../lib/explain.ts";
import { formatMoment } from "../../lib/format.ts";
import { downloadJson, readShared, toLinkPart } from "../../lib/share.ts";
import { routes } from "../../routes.ts";
import { Button, ButtonLink, Card, Disclosure, ErrorNote, Facts, Hash, Note, Page, Wait } from "../../ui/index.ts";
import { consentSetting } from "./consentFile.ts";
import { CopyTextButton, NeedsWallet, NoQueryMarket, TextOrFile, useCanSign } from "./parts.tsx";
import styles from "./questions.module.css";
import { refusalWords } from "./words.ts";

/** What the subject opens: what will and will not be learned, yes or no. */
export default function ConsentPage(): ReactNode {
  const { request: part } = useParams<{ request?: string }>();
  const { network } = useSession();
  return (
    <Page
      title="Somebody asks about you"
      lead="A question about your records is answered only if you consent to exactly this question. Read what it would tell, then say yes or no."
    >
      {network.queryMarket === undefined ? (
        <NoQueryMarket />
      ) : part === undefined ? (
        <Paste />
      ) : (
        <Shown key={part} part={part} />
      )}
    </Page>
  );
}

function requestOf(text: string): ConsentRequest {
  return parseConsentRequest(readShared(text, "a request for consent"));
}

/** A request that did not come as a link. */
function Paste(): ReactNode {
  const [text, setText] = useState("");
  const read = useMemo(() => {
    if (text.trim() === "") return {};
    try {
      return { part: toLinkPart(consentRequestToJson(requestOf(text))) };
    } catch (error) {
      return { problem: explain(error).message };
    }
  }, [text]);
  return (
    <Card title="The request">
      <div className="stack">
        <TextOrFile
          label="Request for consent"
          hint="The link or the text that the asker sent you."
          dropLabel="Or drop the file with the request here"
          value={text}
          onChange={setText}
          error={read.problem}
        />
        {read.part === undefined ? undefined : (
          <div className="row">
            <ButtonLink kind="primary" href={routes.consent(read.part)}>
              Look at the request
            </ButtonLink>
          </div>
        )}
      </div>
    </Card>
  );
}

function Shown({ part }: { readonly part: string }): ReactNode {
  const read = useMemo(() => {
    try {
      const request = requestOf(part);
      return { request, statement: describeStatement(request.statement), query: queryOfQuestion(request) };
    } catch (error) {
      return { error };
    }
  }, [part]);
  if (read.request === undefined) {
    return (
      <ErrorNote error={read.error}>
        <ButtonLink isSmall href={routes.consentEmpty}>
          Paste another request
        </ButtonLink>
      </ErrorNote>
    );
  }
  return <Request request={read.request} statement={read.statement} query={read.query} />;
}

function Request({
  request,
  statement,
  query,
}: {
  readonly request: ConsentRequest;
  readonly statement: string;
  readonly query: bigint;
}): ReactNode {
  const queryId = numberToHex(query, { size: 32 });
  const { network } = useSession();
  const { domains, isWaiting } = useSubjectDomains();
  const given = useSetting<ConsentFile>(consentSetting(queryId));
  const [hasDeclined, setDeclined] = useState(false);
  const domain = domains.find(({ provider }) => isAddressEqual(provider, request.provider));
  const isHere =
    request.chainId === network.chainId &&
    network.queryMarket !== undefined &&
    isAddressEqual(request.market, network.queryMarket);
  return (
    <>
      <Card title="The question">
        <div className="stack">
          <p className={styles.sentence}>Is it true that {statement}?</p>
          <Facts
            rows={[
              [
                "Asked by",
                <div key="a" className="stack-tight">
                  <AddressName address={request.asker} />
                  {request.askerName === undefined ? (
                    <span className="soft small">It gives no name.</span>
                  ) : (
                    <span>
                      It calls itself “{request.askerName}”.{" "}
                      <span className="soft small">Nobody has checked this name.</span>
                    </span>
                  )}
                </div>,
              ],
              ["Answered by", <AddressName key="p" address={request.provider} />],
              ["From the data set", request.definition.name],
              ["Question", <Hash key="q" value={queryId} label="question id" />],
            ]}
          />
        </div>
      </Card>
      {!isHere ? (
        <Refusal code="CONSENT_REFUSED_MARKET" message="" />
      ) : given.value !== undefined ? (
        <Given file={given.value} />
      ) : hasDeclined ? (
        <Note tone="good">
          <p>
            <strong>You did not consent.</strong> Nothing was signed and nothing was sent. The asker is not told; it can
            ask you again, and you can come back to this link.
          </p>
          <Button isSmall onPress={() => setDeclined(false)}>
            Look at it again
          </Button>
        </Note>
      ) : domain === undefined && isWaiting ? (
        <Wait>Waiting for the providers of this network to say who they are</Wait>
      ) : domain === undefined ? (
        <Note tone="warn">
          <p>
            <strong>This browser does not know the provider.</strong> The request says that it is reached at{" "}
            <code>{request.providerUrl}</code>, but a request's own address is not followed: whoever sent it could send
            you anywhere. Add the provider under My records, with address and URL from where you trust them, then open
            this link again.
          </p>
          <ButtonLink isSmall href={routes.records}>
            My records
          </ButtonLink>
        </Note>
      ) : (
        <Review request={request} domain={domain} onDecline={() => setDeclined(true)} />
      )}
    </>
  );
}

function Review({
  request,
  domain,
  onDecline,
}: {
  readonly request: ConsentRequest;
  readonly domain: SubjectDomain;
  readonly onDecline: () => void;
}): ReactNode {
  const { account } = useSession();
  const { subject, unlock } = useSubject(domain, request.dataset);
  const canSign = useCanSign();
  const unlocking = useMutation({ mutationFn: unlock });
  if (subject !== undefined) return <Reviewed request={request} subject={subject} onDecline={onDecline} />;
  return (
    <Card title="What it would tell">
      <div className="stack">
        <p>
          To see what is on record, what the answer would be and what is known already, this page needs your key for the
          provider. It follows from a signature of your wallet, which signs the same words twice. That is not a consent,
          and nothing is sent to the asker.
        </p>
        <NeedsWallet>Connect the wallet that your records are bound to.</NeedsWallet>
        {account === undefined ? undefined : (
          <div className="row">
            <Button kind="primary" isDisabled={!canSign || unlocking.isPending} onPress={() => unlocking.mutate()}>
              Show me what it would tell
            </Button>
            <Button onPress={onDecline}>No</Button>
            {unlocking.isPending ? <Wait>Waiting for {account.wallet} to sign, twice</Wait> : undefined}
          </div>
        )}
        {unlocking.error === null ? undefined : <ErrorNote error={unlocking.error} />}
      </div>
    </Card>
  );
}

function Reviewed({
  request,
  subject,
  onDecline,
}: {
  readonly request: ConsentRequest;
  readonly subject: SubjectClient;
  readonly onDecline: () => void;
}): ReactNode {
  const { networkKey } = useSession();
  const review = useQuery({
    queryKey: ["review", networkKey, subject.publicKey[0].toString(), toLinkPart(consentRequestToJson(request))],
    queryFn: () => subject.review(request),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    // What was reviewed is told by the object itself; nothing else is signed.
    structuralSharing: false,
  });
  const consenting = useMutation({
    mutationFn: async (reviewed: ConsentReview) => {
      const file = consentFileOf(await subject.consent(request, reviewed));
      await writeSetting(consentSetting(file.query), file);
    },
  });
  if (review.error !== null) {
    const { code, message } = explain(review.error);
    if (refusalWords(code) === undefined) {
      return <ErrorNote error={review.error} onRetry={() => void review.refetch()} />;
    }
    return <Refusal code={code} message={message} onRetry={() => void review.refetch()} />;
  }
  if (review.data === undefined) {
    return <Wait>Reading your record from the provider, and recomputing the question from its parts</Wait>;
  }
  const { words, warnings, answer } = review.data;
  return (
    <Card title="What it would tell">
      <div className="stack">
        <Facts
          rows={[
            ["On record", words.record],
            ["The answer will be", <strong key="a">{answer ? "Yes, it is true" : "No, it is not true"}</strong>],
            ["Known together", words.together],
          ]}
        />
        <div className="grid-2">
          <section className={styles.column} aria-labelledby="learned">
            <h3 id="learned" className="row">
              <Eye size={18} aria-hidden /> What the asker learns
            </h3>
            <ul className={styles.bullets}>
              <Bullet isLearned>{words.learns}</Bullet>
              <Bullet isLearned>{words.forever}</Bullet>
            </ul>
          </section>
          <section className={styles.column} aria-labelledby="not-learned">
            <h3 id="not-learned" className="row">
              <EyeOff size={18} aria-hidden /> What stays hidden
            </h3>
            <ul className={styles.bullets}>
              <Bullet>The value on record: the asker gets yes or no, nothing else.</Bullet>
              <Bullet>Your other records, and what others have asked about you.</Bullet>
              <Bullet>
                From everybody else: question and answer. The chain shows that this account asked this provider
                something, and when.
              </Bullet>
            </ul>
          </section>
        </div>
        {warnings.length === 0 ? undefined : (
          <Note tone="warn">
            <p>
              <strong>Think about this first.</strong>
            </p>
            {warnings.map(({ code, text }) => (
              <p key={code}>{text}</p>
            ))}
          </Note>
        )}
        <div className="row">
          <Button kind="primary" isDisabled={consenting.isPending} onPress={() => consenting.mutate(review.data)}>
            I consent
          </Button>
          <Button isDisabled={consenting.isPending} onPress={onDecline}>
            No
          </Button>
          {consenting.isPending ? <Wait>Signing with your key, and sealing it to the provider</Wait> : undefined}
        </div>
        {consenting.error === null ? undefined : <ErrorNote error={consenting.error} />}
      </div>
    </Card>
  );
}

function Bullet({
  isLearned = false,
  children,
}: {
  readonly isLearned?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <li>
      {isLearned ? <Check size={16} aria-hidden /> : <X size={16} aria-hidden />}
      <span>{children}</span>
    </li>
  );
}

/** Why this question is not one to consent to. */
function Refusal({
  code,
  message,
  onRetry,
}: {
  readonly code: string;
  readonly message: string;
  readonly onRetry?: () => void;
}): ReactNode {
  const words = refusalWords(code);
  return (
    <Note tone="bad">
      <p>
        <strong>{words?.title ?? "This question cannot be consented to"}.</strong> {words?.advice}
      </p>
      <p className="soft small">
        {message} <code>{code}</code>
      </p>
      <div className="row">
        {onRetry === undefined ? undefined : (
          <Button isSmall onPress={onRetry}>
            Look again
          </Button>
        )}
        <ButtonLink isSmall href={routes.records}>
          My records
        </ButtonLink>
      </div>
    </Note>
  );
}

function Given({ file }: { readonly file: ConsentFile }): ReactNode {
  const text = JSON.stringify(file);
  return (
    <Card title="You consented">
      <div className="stack">
        <Note tone="good">
          <p>
            Your consent to exactly this question is signed, and sealed to the provider: the asker carries it and cannot
            read it. The provider takes it until {formatMoment(file.notAfter)}.
          </p>
        </Note>
        <p>Send this text to the asker. If the asker uses this browser too, its page has it already.</p>
        <div className="row">
          <CopyTextButton text={text} label="Copy the consent" done="Copied: now send it" />
          <Button onPress={() => downloadJson("consent.json", file)}>Download as a file</Button>
          <ButtonLink kind="quiet" href={routes.records}>
            My records
          </ButtonLink>
        </div>
        <Disclosure title="Show the text">
          <pre className={styles.raw}>{text}</pre>
        </Disclosure>
      </div>
    </Card>
  );
}
