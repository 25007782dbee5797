import type { JobRecord } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import { navigate } from "wouter/use-hash-location";
import { useRequester, useSecret, useSession } from "../../connection/index.ts";
import { routes } from "../../routes.ts";
import { Connect } from "../../shell/Connect.tsx";
import { Button, ErrorNote, Wait } from "../../ui/index.ts";
import { findByNonce, freshNonce, type Parts, publish } from "./publish.ts";
import styles from "./request.module.css";
import type { readTerms } from "./terms.ts";
import { deleteDraft, type StoredDraft } from "./useDraft.ts";

/** A publication that ended between the keys and the relays. */
export type Stopped = { readonly error: unknown; readonly record: JobRecord };

const stepWords = {
  packing: "Encrypting program and data in this browser",
  publishing: "Uploading the encrypted package, then waiting for your wallet to confirm the request",
} as const;

/** Makes the keys of a job and publishes its request. */
export function PublishButton({
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
