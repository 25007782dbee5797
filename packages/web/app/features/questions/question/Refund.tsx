import type { Asker } from "@quorate/sdk/queries";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type OwnQuestion, useAsker } from "../../../connection/asker.ts";
import { Amount } from "../../../connection/index.ts";
import { spending } from "../../../market/index.ts";
import { routes } from "../../../routes.ts";
import { Button, ButtonLink, Card, ErrorNote, Note, Wait } from "../../../ui/index.ts";
import { Again } from "./Again.tsx";
import { useIsAsker } from "./useIsAsker.tsx";

/** The provider's time is over: the money is the asker's again. */
export function Overdue({ record, view }: OwnQuestion): ReactNode {
  const asker = useAsker();
  const { canSign, notice } = useIsAsker(record);
  const refunding = useMutation({
    mutationFn: async () => {
      await spending(record.queryId, () => (asker as Asker).refund(record.queryId));
    },
  });
  const { price = 0n, bond = 0n } = view;
  const { token } = record.offer;
  return (
    <Card title="The provider stayed silent">
      <div className="stack">
        <p>
          Its time is over. <Amount value={price + bond} token={token} /> are yours: the price that you paid, and the
          provider's bond of <Amount value={bond} token={token} />. They come to your free balance in the query market.
        </p>
        {notice}
        <div className="row">
          <Button kind="primary" isDisabled={!canSign || refunding.isPending} onPress={() => refunding.mutate()}>
            Take the money back
          </Button>
          {refunding.isPending ? (
            <Wait>Waiting for your wallet, then for the chain to take the transaction</Wait>
          ) : undefined}
        </div>
        {refunding.error === null ? undefined : <ErrorNote error={refunding.error} />}
      </div>
    </Card>
  );
}

/** The money came back. */
export function Expired({ record, view }: OwnQuestion): ReactNode {
  const { price = 0n, bond = 0n } = view;
  return (
    <>
      <Note>
        <p>
          The provider did not answer, and paid for it: <Amount value={price + bond} token={record.offer.token} /> came
          to your free balance in the query market. Withdraw it on the page Account, or ask another question with it.
        </p>
        <ButtonLink isSmall href={routes.account}>
          Account
        </ButtonLink>
      </Note>
      <Again record={record} />
    </>
  );
}
