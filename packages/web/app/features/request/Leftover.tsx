import type { JobRecord } from "@quorate/sdk";
import { type ReactNode, useState } from "react";
import { jobStore } from "../../data/stores.ts";
import { routes } from "../../routes.ts";
import { Button, ButtonLink, ErrorNote, Note } from "../../ui/index.ts";
import type { StoredDraft } from "./useDraft.ts";

/** Leads to the job that the stored form became, or gives the form back. */
export function Leftover({
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
