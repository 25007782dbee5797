import type { Asker, QueryRecord } from "@quorate/sdk/queries";
import { type UseMutationResult, useMutation } from "@tanstack/react-query";
import { useAsker } from "../../../connection/asker.ts";
import { spending } from "../../../market/index.ts";

/** Sends a question with the person's consent, and fetches the provider's price; without a consent the same bytes once more. */
export function useQuoting(record: QueryRecord): UseMutationResult<void, Error, string | undefined> {
  const asker = useAsker();
  return useMutation({
    mutationFn: async (consent: string | undefined) => {
      await spending(record.queryId, () => (asker as Asker).quote(record.queryId, consent));
    },
  });
}
