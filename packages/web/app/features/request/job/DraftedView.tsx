import { engines } from "@quorate/sandbox";
import type { JobRecord } from "@quorate/sdk";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { navigate } from "wouter/use-hash-location";
import { useRequester, useSession } from "../../../connection/index.ts";
import { jobStore } from "../../../data/stores.ts";
import { routes } from "../../../routes.ts";
import { Connect } from "../../../shell/Connect.tsx";
import { Button, Card, ErrorNote, Note, Wait } from "../../../ui/index.ts";
import { buildParts } from "../draft.ts";
import { publishAgain } from "../publish.ts";
import { deleteDraft, loadDraft } from "../useDraft.ts";

/** Keys are stored, nothing was published. */
export function DraftedView({ record }: { readonly record: JobRecord }): ReactNode {
  const { account, jobs } = useSession();
  const requester = useRequester();
  const [step, setStep] = useState<"packing" | "publishing">();
  const [failure, setFailure] = useState<unknown>();
  const nonce = record.request.nonce.toString();
  const draft = useQuery({ queryKey: ["draft-of", nonce], queryFn: loadDraft, gcTime: 0, staleTime: 0 });
  const built = draft.data?.draft.nonce === nonce ? buildParts(draft.data.draft, draft.data.files, engines) : undefined;
  const parts = built?.problems === undefined ? built : undefined;
  const isOwner = account?.address.toLowerCase() === record.request.requester.toLowerCase();

  const publish = async (): Promise<void> => {
    if (parts === undefined) return;
    setFailure(undefined);
    try {
      const via = account?.isContract === true ? "chain" : "relays";
      await publishAgain({ requester, parts, record, via, onStep: setStep });
      await deleteDraft();
    } catch (thrown) {
      setFailure(thrown);
    } finally {
      setStep(undefined);
    }
  };
  const discard = async (): Promise<void> => {
    try {
      await jobStore.delete(record.jobId);
      navigate(routes.request.slice(1));
    } catch (thrown) {
      setFailure(thrown);
    }
  };
  return (
    <Card title="Publish the request">
      <div className="stack">
        <p>
          The keys of this job were made and stored, and then something ended: the page was closed, the wallet declined,
          or no relay answered. Nothing was paid, and no provider can offer yet.
        </p>
        {draft.isPending ? <Wait>Looking for the form and its files</Wait> : undefined}
        {!draft.isPending && parts === undefined ? (
          <Note tone="warn">
            <p>
              The files of this job are no longer in this browser, so the package cannot be made again. Discard the job
              and fill in the form anew.
            </p>
          </Note>
        ) : undefined}
        {account !== undefined && !isOwner ? (
          <Note tone="warn">
            <p>The request was made by another account. Connect that one to publish it.</p>
          </Note>
        ) : undefined}
        {failure === undefined ? undefined : <ErrorNote error={failure} />}
        {step === undefined ? undefined : (
          <Wait>
            {step === "packing"
              ? "Encrypting program and data in this browser"
              : "Uploading the encrypted package, then waiting for your wallet to confirm the request"}
          </Wait>
        )}
        <div className="row">
          {parts === undefined ? undefined : account === undefined ? (
            <Connect kind="primary" />
          ) : (
            <Button
              kind="primary"
              isDisabled={step !== undefined || !isOwner || jobs.wallet === undefined}
              onPress={() => void publish()}
            >
              Publish the request
            </Button>
          )}
          <Button isDisabled={step !== undefined} onPress={() => void discard()}>
            Discard this job
          </Button>
        </div>
      </div>
    </Card>
  );
}
