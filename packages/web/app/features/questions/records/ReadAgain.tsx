import type { ReactNode } from "react";
import { Button } from "../../../ui/index.ts";

/** Pause before a provider is asked again by itself, while something of what it said will pass, milliseconds. */
export const LOOK_AGAIN_MS = 4_000;

/** Asks a provider once more. */
export function ReadAgain({
  query,
}: {
  readonly query: { readonly isFetching: boolean; readonly refetch: () => unknown };
}): ReactNode {
  return (
    <Button isSmall kind="quiet" isDisabled={query.isFetching} onPress={() => void query.refetch()}>
      Read again
    </Button>
  );
}
