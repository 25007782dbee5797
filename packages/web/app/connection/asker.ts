import type { KnownVerifiers } from "@quorate/proofs";
import { type Asker, createAsker, type QueryRecord, type QueryView } from "@quorate/sdk/queries";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { Hex } from "viem";
import type { NetworkConfig } from "../../src/config.ts";
import { onChange } from "../data/db.ts";
import { queryStore } from "../data/queryStores.ts";
import { useMarket } from "../market/index.ts";
import { useSession } from "./SessionProvider.tsx";

/**
 * Code hashes of the verifiers whose word is taken on a network, by circuit.
 *
 * @param network - Settings.
 */
export function knownVerifiers(network: Pick<NetworkConfig, "verifiers">): KnownVerifiers {
  return {
    "sealed-answer": network.verifiers?.["sealed-answer"] ?? [],
    scorecard: network.verifiers?.scorecard ?? [],
  };
}

/** The asker's client; undefined where the network has no query market. Without a wallet it reads, and sends nothing. */
export function useAsker(): Asker | undefined {
  const { questions, network } = useSession();
  return useMemo(
    () =>
      questions === undefined
        ? undefined
        : createAsker({
            client: questions,
            store: queryStore,
            verifiers: knownVerifiers(network),
            confirmations: network.confirmations,
          }),
    [questions, network],
  );
}

/** A question of this browser: its record, and where it stands by record and chain. */
export type OwnQuestion = { readonly record: QueryRecord; readonly view: QueryView };

/** Counts changes of the records of questions, in all tabs. */
export function useQuestionChanges(): number {
  const [changes, setChanges] = useState(0);
  useEffect(
    () =>
      onChange(({ store }) => {
        if (store === "queries") setChanges((count) => count + 1);
      }),
    [],
  );
  return changes;
}

/** Questions of this browser on this network, newest first; read anew with each block and each change. */
export function useOwnQuestions(): {
  readonly questions: readonly OwnQuestion[] | undefined;
  readonly error: unknown;
} {
  const asker = useAsker();
  const { network, networkKey } = useSession();
  const { head } = useMarket();
  const changes = useQuestionChanges();
  const query = useQuery({
    queryKey: ["questions", networkKey, head?.number, changes],
    enabled: asker !== undefined,
    placeholderData: (before) => before,
    gcTime: 10_000,
    queryFn: async (): Promise<readonly OwnQuestion[]> => {
      const records = (await (asker as Asker).list()).filter(
        ({ chainId, market }) =>
          chainId === network.chainId && market.toLowerCase() === network.queryMarket?.toLowerCase(),
      );
      const questions = await Promise.all(
        records.map(async (record) => ({ record, view: await (asker as Asker).resume(record.queryId) })),
      );
      return questions.reverse();
    },
  });
  return { questions: query.data, error: query.error };
}

/**
 * One question of this browser.
 *
 * @param queryId - Its id.
 */
export function useOwnQuestion(queryId: Hex): {
  /** Undefined until it was read, and when this browser has none of this id. */
  readonly question: OwnQuestion | undefined;
  readonly isLoaded: boolean;
  readonly error: unknown;
} {
  const asker = useAsker();
  const { networkKey } = useSession();
  const { head } = useMarket();
  const changes = useQuestionChanges();
  const query = useQuery({
    queryKey: ["question", networkKey, queryId, head?.number, changes],
    enabled: asker !== undefined,
    placeholderData: (before) => before,
    gcTime: 10_000,
    queryFn: async (): Promise<OwnQuestion | null> => {
      const record = await queryStore.get(queryId);
      if (record === undefined) return null;
      return { record, view: await (asker as Asker).resume(queryId) };
    },
  });
  return { question: query.data ?? undefined, isLoaded: query.isFetched, error: query.error };
}
