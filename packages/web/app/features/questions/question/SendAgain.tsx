import type { QueryRecord } from "@quorate/sdk/queries";
import type { ReactNode } from "react";
import { Button, Card, ErrorNote, Wait } from "../../../ui/index.ts";
import { useIsAsker } from "./useIsAsker.tsx";
import { useQuoting } from "./useQuoting.ts";

/** For a question that left, and of which nothing is known since. */
export function SendAgain({ record }: { readonly record: QueryRecord }): ReactNode {
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
