import { type ReactNode, useState } from "react";
import { ErrorNote, Page, Wait } from "../../ui/index.ts";
import { Leftover } from "./Leftover.tsx";
import type { Stopped } from "./PublishButton.tsx";
import { RequestForm } from "./RequestForm.tsx";
import { useDraft } from "./useDraft.ts";
import { useLeftover } from "./useLeftover.ts";

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
        <RequestForm stored={stored} onStopped={setStopped} />
      ) : (
        <Leftover stored={stored} record={left.record} />
      )}
    </Page>
  );
}
