import type { Asker } from "@quorate/sdk/queries";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type OwnQuestion, useAsker } from "../../../connection/asker.ts";
import { Amount, promptsInWords, useBalances, useSession } from "../../../connection/index.ts";
import { explain } from "../../../lib/explain.ts";
import { formatDuration } from "../../../lib/format.ts";
import { spending, useChainTime } from "../../../market/index.ts";
import { Button, Card, Checkbox, Countdown, ErrorNote, Facts, Note, Wait } from "../../../ui/index.ts";
import { useIsAsker } from "./useIsAsker.tsx";

/** The provider's price, and the button that pays it. */
export function Pay({ record, view }: OwnQuestion): ReactNode {
  const asker = useAsker();
  const now = useChainTime();
  const { account } = useSession();
  const { canSign, notice } = useIsAsker(record);
  const [nothingIsPending, setNothingIsPending] = useState(false);
  const { price = 0n, bond = 0n } = view;
  const { token } = record.offer;
  const { balances } = useBalances(record.asker, token);
  const free = balances?.questions?.free ?? 0n;
  const missing = price > free ? price - free : 0n;
  const isShort = balances !== undefined && missing > balances.wallet;
  const paying = useMutation({
    mutationFn: async () => {
      await spending(record.queryId, () =>
        (asker as Asker).ask(record.queryId, nothingIsPending ? { nothingIsPending } : {}),
      );
    },
  });
  const isLost = paying.error !== null && explain(paying.error).code === "TRANSACTION_UNKNOWN";
  return (
    <Card
      title="The provider's price"
      aside={
        view.deadline === undefined ? undefined : (
          <span className="soft small">
            Quote: <Countdown until={view.deadline} now={now} over="its time is over" />
          </span>
        )
      }
    >
      <div className="stack">
        <Facts
          rows={[
            [
              "You pay",
              <strong key="p">
                <Amount value={price} token={token} />
              </strong>,
            ],
            [
              "If it stays silent",
              <span key="b">
                you get <Amount value={price + bond} token={token} /> back: your price, and the provider's bond
              </span>,
            ],
            ["Time to answer", formatDuration(record.quote?.quote.window ?? record.offer.window)],
            [
              "Paid from",
              balances === undefined ? (
                "reading your balances"
              ) : missing === 0n ? (
                "your free balance in the query market"
              ) : (
                <span key="f">
                  {free === 0n ? undefined : (
                    <>
                      <Amount value={free} token={token} /> of your free balance in the query market, and{" "}
                    </>
                  )}
                  <Amount value={missing} token={token} /> of your wallet, which has{" "}
                  <Amount value={balances.wallet} token={token} />
                </span>
              ),
            ],
            ["Your wallet asks you", promptsInWords(account, missing, "ask")],
          ]}
        />
        {isShort ? (
          <Note tone="warn">
            <p>
              Your wallet has too little of the token: <Amount value={missing} token={token} /> are needed. Get some,
              then pay here; the quote stands for a while.
            </p>
          </Note>
        ) : undefined}
        {notice}
        <div className="row">
          <Button
            kind="primary"
            isDisabled={!canSign || isShort || balances === undefined || paying.isPending}
            onPress={() => paying.mutate()}
          >
            {view.stage === "asking" ? "Go on" : "Pay and ask"}
          </Button>
          {paying.isPending ? (
            <Wait>Waiting for your wallet to sign, then for the chain to take the transaction</Wait>
          ) : undefined}
        </div>
        {isLost || record.askedWalletAt !== undefined ? (
          <Checkbox isSelected={nothingIsPending} onChange={setNothingIsPending} isDisabled={paying.isPending}>
            I looked at my wallet's history: no transaction of this question is there, sent or waiting.
          </Checkbox>
        ) : undefined}
        {paying.error === null ? undefined : <ErrorNote error={paying.error} />}
      </div>
    </Card>
  );
}
