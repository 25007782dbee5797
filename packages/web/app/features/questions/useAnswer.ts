import type { Asker, QueryView } from "@quorate/sdk/queries";
import { useQuery } from "@tanstack/react-query";
import { useAsker } from "../../connection/asker.ts";
import { useSession } from "../../connection/index.ts";

/**
 * The answer of a question, opened here with its key.
 *
 * @param view - Of a question of this browser.
 * @returns Undefined while there is none.
 */
export function useAnswer({ queryId, stage }: Pick<QueryView, "queryId" | "stage">): boolean | undefined {
  const asker = useAsker();
  const { networkKey } = useSession();
  const { data } = useQuery({
    queryKey: ["answer", networkKey, queryId],
    enabled: asker !== undefined && stage === "answered",
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => (await (asker as Asker).answer(queryId)).answer,
  });
  return stage === "answered" ? data : undefined;
}
