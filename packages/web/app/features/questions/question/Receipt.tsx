import { challengeMessage, type Receipt as ReceiptData, receiptToJson } from "@quorate/proofs";
import type { Asker, QueryRecord } from "@quorate/sdk/queries";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useAsker } from "../../../connection/asker.ts";
import { useSession } from "../../../connection/index.ts";
import { downloadJson, toLinkPart } from "../../../lib/share.ts";
import { routes } from "../../../routes.ts";
import { Button, Card, Disclosure, ErrorNote, TextField, Wait } from "../../../ui/index.ts";
import { CopyTextButton, SharedLink } from "../parts.tsx";
import { useIsAsker } from "./useIsAsker.tsx";

/** The receipt to hand on. */
export function Receipt({ record }: { readonly record: QueryRecord }): ReactNode {
  const asker = useAsker();
  const { networkKey } = useSession();
  const receipt = useQuery({
    queryKey: ["receipt", networkKey, record.queryId],
    enabled: asker !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => (asker as Asker).receipt(record.queryId),
  });
  return (
    <Card title="Receipt">
      <div className="stack">
        <p>
          Shows question and answer to whoever gets it, with the proof: anybody can check it without a wallet. It cannot
          be taken back.
        </p>
        {receipt.error === null ? undefined : (
          <ErrorNote error={receipt.error} onRetry={() => void receipt.refetch()} />
        )}
        {receipt.data === undefined ? (
          receipt.error === null ? (
            <Wait>Reading the proof from the chain</Wait>
          ) : undefined
        ) : (
          <>
            <SharedLink
              fragment={routes.receipt(toLinkPart(receiptToJson(receipt.data)))}
              label="Link to the receipt"
              copyLabel="Copy the link to the receipt"
            >
              <Button onPress={() => downloadJson("receipt.json", receiptToJson(receipt.data))}>
                Download the receipt
              </Button>
            </SharedLink>
            <Disclosure title="Show that the receipt is yours">
              <SignWords record={record} receipt={receipt.data} />
            </Disclosure>
          </>
        )}
      </div>
    </Card>
  );
}

/** Anybody can copy a receipt; who asked can sign words that nobody could know before. */
function SignWords({ record, receipt }: { readonly record: QueryRecord; readonly receipt: ReceiptData }): ReactNode {
  const { questions } = useSession();
  const { canSign, notice } = useIsAsker(record);
  const [text, setText] = useState("");
  const signing = useMutation({
    mutationFn: async (words: string) => {
      const wallet = questions?.wallet;
      if (wallet?.account === undefined) return;
      return wallet.signMessage({ account: wallet.account, message: challengeMessage(receipt, words) });
    },
  });
  return (
    <div className="stack">
      <p className="soft">
        Whoever checks the receipt may give you fresh words. Your wallet signs them together with the question, which
        shows that you are the one who asked.
      </p>
      <TextField
        label="Fresh words of the one who checks"
        value={text}
        onChange={(next) => {
          setText(next);
          signing.reset();
        }}
      />
      {notice}
      <div className="row">
        <Button isDisabled={text === "" || !canSign || signing.isPending} onPress={() => signing.mutate(text)}>
          Sign them
        </Button>
        {signing.isPending ? <Wait>Waiting for your wallet to sign</Wait> : undefined}
        {signing.data === undefined ? undefined : (
          <CopyTextButton text={signing.data} label="Copy the signature" done="Copied: now send it" />
        )}
      </div>
      {signing.error === null ? undefined : <ErrorNote error={signing.error} />}
    </div>
  );
}
