import { jobMarketAbi } from "@quorate/abi";
import { defaultWindowLimits, type WindowLimits } from "@quorate/core";
import { engines } from "@quorate/sandbox";
import type { JobRecord } from "@quorate/sdk";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { type Address, isAddress } from "viem";
import { navigate } from "wouter/use-hash-location";
import { useProfiles, useRequester, useSecret, useSession, useToken } from "../../connection/index.ts";
import { jobStore } from "../../data/stores.ts";
import { useChainTime } from "../../market/index.ts";
import { routes } from "../../routes.ts";
import { Connect } from "../../shell/Connect.tsx";
import { Button, ButtonLink, Checkbox, ErrorNote, Note, Page, Stepper, Wait } from "../../ui/index.ts";
import { buildParts, contentKey, type DraftStep } from "./draft.ts";
import { ProgramStep } from "./ProgramStep.tsx";
import { findByNonce, freshNonce, type Parts, publish } from "./publish.ts";
import { ReviewStep } from "./ReviewStep.tsx";
import styles from "./request.module.css";
import { TermsStep } from "./TermsStep.tsx";
import { TryStep } from "./TryStep.tsx";
import { askingPrices, readTerms, type TermsContext } from "./terms.ts";
import { deleteDraft, type StoredDraft, useDraft } from "./useDraft.ts";

const titles: Readonly<Record<DraftStep, string>> = {
  1: "Program and data",
  2: "Try it here",
  3: "Terms",
  4: "Review",
};
const steps: readonly DraftStep[] = [1, 2, 3, 4];

/** A job, from nothing to its publication. */
export default function RequestPage(): ReactNode {
  const stored = useDraft();
  const left = useLeftover(stored !== undefined, stored?.draft.nonce);
  const [stopped, setStopped] = useState<Stopped>();
  return (
    <Page
      title="Request a job"
      lead="Independent organizations run your program on your data. You pay for the answer that enough of them agree on."
    >
      {stored === undefined || left === undefined ? (
        <Wait>Looking for a form that you began before</Wait>
      ) : stopped !== undefined ? (
        <div className="stack">
          <ErrorNote error={stopped.error} />
          <Leftover stored={stored} record={stopped.record} onDiscarded={() => setStopped(undefined)} />
        </div>
      ) : left.record === undefined ? (
        <Form stored={stored} onStopped={setStopped} />
      ) : (
        <Leftover stored={stored} record={left.record} />
      )}
    </Page>
  );
}

/** A publication that ended between the keys and the relays. */
type Stopped = { readonly error: unknown; readonly record: JobRecord };

/** The job that was made of the stored form by a page that ended before it was done; looked for once. */
function useLeftover(
  isFormRead: boolean,
  nonce: string | undefined,
): { readonly record: JobRecord | undefined } | undefined {
  const [found, setFound] = useState<{ readonly nonce: string | undefined; readonly record: JobRecord | undefined }>();
  useEffect(() => {
    if (!isFormRead) return;
    let isHere = true;
    const settle = (record: JobRecord | undefined): void => {
      if (isHere) setFound((before) => before ?? { nonce, record });
    };
    if (nonce === undefined) settle(undefined);
    else findByNonce(nonce).then(settle, () => settle(undefined));
    return () => {
      isHere = false;
    };
  }, [isFormRead, nonce]);
  // The nonce of a form that is published from this page is no leftover.
  if (found === undefined) return undefined;
  return found.nonce === nonce ? found : { record: undefined };
}

function Leftover({
  stored,
  record,
  onDiscarded,
}: {
  readonly stored: StoredDraft;
  readonly record: JobRecord;
  readonly onDiscarded?: () => void;
}): ReactNode {
  const isPublished = record.publishedAt !== undefined;
  const [failure, setFailure] = useState<unknown>();
  const begin = async (): Promise<void> => {
    try {
      if (!isPublished) await jobStore.delete(record.jobId);
      if (isPublished) await stored.clear();
      else stored.change({ nonce: undefined });
      onDiscarded?.();
    } catch (thrown) {
      setFailure(thrown);
    }
  };
  return (
    <div className="stack">
      <Note tone={isPublished ? "good" : "warn"}>
        <p>
          {isPublished
            ? "The request that you filled in last was published: this page was closed before it could say so."
            : "The keys of the request that you filled in last are stored, but it was not published: this page was closed too early, or relays did not answer. Nothing was paid."}
        </p>
        <div className="row">
          <ButtonLink kind="primary" isSmall href={routes.job(record.jobId)}>
            {isPublished ? "Go to the job" : "Go on with it"}
          </ButtonLink>
          <Button isSmall onPress={() => void begin()}>
            {isPublished ? "Begin a new request" : "Discard its keys and change the form"}
          </Button>
        </div>
      </Note>
      {failure === undefined ? undefined : <ErrorNote error={failure} />}
    </div>
  );
}

function Form({
  stored,
  onStopped,
}: {
  readonly stored: StoredDraft;
  readonly onStopped: (stopped: Stopped) => void;
}): ReactNode {
  const { draft, files, change } = stored;
  const { network } = useSession();
  const [areProblemsShown, setProblemsShown] = useState(false);
  const { args, stdin, limits } = draft;
  const built = useMemo(() => buildParts({ args, stdin, limits }, files, engines), [args, stdin, limits, files]);
  const parts = built.problems === undefined ? built : undefined;
  const key = useContentKey(parts);
  const tried = key !== undefined && draft.tried?.key === key ? draft.tried.how : undefined;

  const token = draft.terms.token !== undefined && isAddress(draft.terms.token) ? draft.terms.token : undefined;
  const [firstToken] = network.tokens;
  const context = useTermsContext(token ?? (firstToken?.address as Address), parts);
  const terms = useMemo(
    () => (context === undefined ? undefined : readTerms(draft.terms, context)),
    [draft.terms, context],
  );

  // Whoever comes back to a later step with a form that does not reach it is led to the step that lacks something.
  const reachable: DraftStep =
    parts === undefined
      ? 1
      : key === undefined
        ? draft.step
        : tried === undefined
          ? 2
          : terms !== undefined && terms.wishes === undefined
            ? 3
            : 4;
  const step = Math.min(draft.step, reachable) as DraftStep;
  const panel = useRef<HTMLDivElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current === step) return;
    shown.current = step;
    panel.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  }, [step]);

  const go = (to: DraftStep): void => {
    setProblemsShown(false);
    change({ step: to });
  };
  return (
    <div className="stack-wide">
      <Stepper
        label="Steps of the request"
        steps={steps.map((number) => ({
          title: titles[number],
          state: number < step ? "done" : number === step ? "current" : "ahead",
        }))}
      />
      {stored.error === undefined ? undefined : <ErrorNote error={stored.error} />}
      <section className={styles.step} ref={panel} tabIndex={-1} aria-label={`Step ${step}: ${titles[step]}`}>
        {step === 1 ? (
          <ProgramStep stored={stored} problems={built.problems} areProblemsShown={areProblemsShown} />
        ) : undefined}
        {step === 2 && parts !== undefined ? (
          <TryStep
            parts={parts}
            hasRun={tried === "ran"}
            onRan={() => {
              if (key !== undefined) change({ tried: { key, how: "ran" } });
            }}
          />
        ) : undefined}
        {step === 3 && parts !== undefined ? (
          terms === undefined || context === undefined ? (
            <Wait>Reading what this market allows</Wait>
          ) : (
            <TermsStep
              terms={terms}
              context={context}
              typed={draft.terms}
              onChange={(changed) => change({ terms: { ...draft.terms, ...changed } })}
            />
          )
        ) : undefined}
        {step === 4 && parts !== undefined ? (
          terms?.wishes === undefined || context === undefined ? (
            <Wait>Reading what this market allows</Wait>
          ) : (
            <>
              <ReviewStep
                parts={parts}
                wishes={terms.wishes}
                token={context.token}
                label={draft.label}
                onLabel={(label) => change({ label })}
                hasRun={tried === "ran"}
                derivedKeys={draft.derivedKeys}
                onDerivedKeys={(derivedKeys) => change({ derivedKeys })}
              />
              <Publish stored={stored} parts={parts} wishes={terms.wishes} onBack={() => go(3)} onStopped={onStopped} />
            </>
          )
        ) : undefined}
      </section>
      {step === 1 ? (
        <div className={styles.nav}>
          <ClearButton stored={stored} />
          <Button
            kind="primary"
            onPress={() => {
              if (parts === undefined) setProblemsShown(true);
              else go(2);
            }}
          >
            Go on to trying it
          </Button>
        </div>
      ) : undefined}
      {step === 2 ? (
        <div className="stack">
          {tried === "ran" ? undefined : (
            <Checkbox
              isSelected={tried === "skipped"}
              isDisabled={key === undefined}
              onChange={(isSkipped) =>
                change({ tried: isSkipped && key !== undefined ? { key, how: "skipped" } : undefined })
              }
            >
              Send it without a run here.{" "}
              <span className="soft">I know that a program that fails is paid for like one that works.</span>
            </Checkbox>
          )}
          <div className={styles.nav}>
            <Button onPress={() => go(1)}>Back to program and data</Button>
            <Button
              kind={tried === undefined ? "secondary" : "primary"}
              isDisabled={tried === undefined}
              onPress={() => go(3)}
            >
              Go on to the terms
            </Button>
          </div>
          {tried === undefined ? (
            <p className="soft small">Run the program to its end, or say that you send it without.</p>
          ) : undefined}
        </div>
      ) : undefined}
      {step === 3 ? (
        <div className={styles.nav}>
          <Button onPress={() => go(2)}>Back to trying it</Button>
          <Button kind="primary" isDisabled={terms?.wishes === undefined} onPress={() => go(4)}>
            Go on to the review
          </Button>
        </div>
      ) : undefined}
    </div>
  );
}

function ClearButton({ stored }: { readonly stored: StoredDraft }): ReactNode {
  const { draft, files } = stored;
  const isEmpty = files.program === undefined && files.data.length === 0 && draft.args === "" && draft.label === "";
  if (isEmpty) return <span />;
  return (
    <Button kind="quiet" onPress={() => void stored.clear()}>
      Empty the form
    </Button>
  );
}

/** Key of what would be sent; undefined while it is computed. */
function useContentKey(parts: Parts | undefined): string | undefined {
  const [state, setState] = useState<{ readonly parts: Parts; readonly key: string }>();
  useEffect(() => {
    if (parts === undefined) return;
    let isHere = true;
    void contentKey(parts).then((key) => {
      if (isHere) setState({ parts, key });
    });
    return () => {
      isHere = false;
    };
  }, [parts]);
  return state !== undefined && state.parts === parts ? state.key : undefined;
}

/** Everything that the terms follow. */
function useTermsContext(token: Address, parts: Parts | undefined): TermsContext | undefined {
  const { isLocal, networkKey, publicClient, network } = useSession();
  const { symbol, decimals } = useToken(token);
  const { profiles, isLoaded } = useProfiles();
  const requester = useRequester();
  const now = useChainTime();
  const windows = useQuery({
    queryKey: ["windows", networkKey],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<WindowLimits> => {
      const contract = { address: network.market, abi: jobMarketAbi } as const;
      const [minWindow, maxWindow] = await Promise.all([
        publicClient.readContract({ ...contract, functionName: "minWindow" }),
        publicClient.readContract({ ...contract, functionName: "maxWindow" }),
      ]);
      return { minWindow, maxWindow };
    },
  });
  const minute = now === undefined ? undefined : Math.floor(now / 60) * 60;
  const limits = windows.data ?? (windows.isError ? defaultWindowLimits : undefined);
  return useMemo(() => {
    if (limits === undefined || !isLoaded || parts === undefined) return undefined;
    const plan = requester.plan();
    return {
      token,
      symbol,
      decimals,
      windows: limits,
      isLocal,
      // Without a history that counts, the plan only says that nothing is known.
      plan: plan.belowTarget ? { seats: 3, spares: 1 } : plan,
      asking: askingPrices(profiles.values(), parts.manifest.engine, token, minute ?? 0),
      wallTimeMs: parts.manifest.limits.wallTimeMs,
    };
  }, [limits, isLoaded, parts, requester, token, symbol, decimals, isLocal, profiles, minute]);
}

const stepWords = {
  packing: "Encrypting program and data in this browser",
  publishing: "Uploading the encrypted package, then waiting for your wallet to confirm the request",
} as const;

function Publish({
  stored,
  parts,
  wishes,
  onBack,
  onStopped,
}: {
  readonly stored: StoredDraft;
  readonly parts: Parts;
  readonly wishes: NonNullable<ReturnType<typeof readTerms>["wishes"]>;
  readonly onBack: () => void;
  readonly onStopped: (stopped: Stopped) => void;
}): ReactNode {
  const { draft } = stored;
  const { account, jobs } = useSession();
  const requester = useRequester();
  const secret = useSecret();
  const [step, setStep] = useState<keyof typeof stepWords>();
  const [failure, setFailure] = useState<unknown>();
  const isContract = account?.isContract === true;
  const needsSecret = draft.derivedKeys && !isContract && secret === undefined;

  const send = async (): Promise<void> => {
    setFailure(undefined);
    setStep("packing");
    // The nonce is known before the keys are made: whatever happens from here on, the form finds its job again.
    const nonce = freshNonce();
    try {
      stored.change({ nonce: nonce.toString() });
      await stored.flush();
      const jobId = await publish({
        requester,
        parts,
        wishes,
        nonce,
        via: isContract ? "chain" : "relays",
        label: draft.label,
        secret: draft.derivedKeys ? secret : undefined,
        domain: { chainId: jobs.chainId, market: jobs.market },
        onStep: setStep,
      });
      await deleteDraft();
      navigate(routes.job(jobId).slice(1));
    } catch (thrown) {
      const record = await findByNonce(nonce.toString()).catch(() => undefined);
      if (record === undefined) setFailure(thrown);
      else onStopped({ error: thrown, record });
    } finally {
      setStep(undefined);
    }
  };

  const isReady =
    account !== undefined && !account.isOnWrongNetwork && account.isContract !== undefined && jobs.wallet !== undefined;
  return (
    <div className="stack">
      {failure === undefined ? undefined : <ErrorNote error={failure} />}
      {step === undefined ? undefined : <Wait>{stepWords[step]}</Wait>}
      {needsSecret ? <p className="soft small">Derive the keys first, or use random ones.</p> : undefined}
      <div className={styles.nav}>
        <Button onPress={onBack} isDisabled={step !== undefined}>
          Back to the terms
        </Button>
        {account === undefined ? (
          <span className="row">
            <span className="soft">To publish, an account has to sign.</span>
            <Connect kind="primary" />
          </span>
        ) : (
          <Button kind="primary" isDisabled={!isReady || needsSecret || step !== undefined} onPress={() => void send()}>
            Publish the request
          </Button>
        )}
      </div>
    </div>
  );
}
