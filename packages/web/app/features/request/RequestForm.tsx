import { engines } from "@quorate/sandbox";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { type Address, isAddress } from "viem";
import { useSession } from "../../connection/index.ts";
import { Button, Checkbox, ErrorNote, Stepper, Wait } from "../../ui/index.ts";
import { buildParts, type DraftStep } from "./draft.ts";
import { ProgramStep } from "./ProgramStep.tsx";
import { PublishButton, type Stopped } from "./PublishButton.tsx";
import { ReviewStep } from "./ReviewStep.tsx";
import styles from "./request.module.css";
import { TermsStep } from "./TermsStep.tsx";
import { TryStep } from "./TryStep.tsx";
import { readTerms } from "./terms.ts";
import { useContentKey } from "./useContentKey.ts";
import type { StoredDraft } from "./useDraft.ts";
import { useTermsContext } from "./useTermsContext.ts";

const titles: Readonly<Record<DraftStep, string>> = {
  1: "Program and data",
  2: "Try it here",
  3: "Terms",
  4: "Review",
};

const steps: readonly DraftStep[] = [1, 2, 3, 4];

/** The four steps of a request, with the way from one to the next. */
export function RequestForm({
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
              <PublishButton
                stored={stored}
                parts={parts}
                wishes={terms.wishes}
                onBack={() => go(3)}
                onStopped={onStopped}
              />
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
