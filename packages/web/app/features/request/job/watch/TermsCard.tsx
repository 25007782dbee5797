import { type JobFacts, ZERO_ADDRESS } from "@quorate/core";
import type { JobView } from "@quorate/sdk";
import type { ReactNode } from "react";
import { AddressName, Amount } from "../../../../connection/index.ts";
import { formatDuration, shortHex } from "../../../../lib/format.ts";
import { Card, Facts, Moment } from "../../../../ui/index.ts";

/** What the requester laid down. */
export function TermsCard({
  view,
  facts,
}: {
  readonly view: JobView;
  readonly facts: JobFacts | undefined;
}): ReactNode {
  const { terms, openedAt } = view;
  if (terms === undefined) return;
  return (
    <Card title="Terms">
      <Facts
        rows={[
          ["Requester", <AddressName key="requester" address={terms.requester} />],
          ...(openedAt === undefined ? [] : [["Opened", <Moment key="opened" at={openedAt} />] as const]),
          ["Escrow", <Amount key="escrow" value={view.money.escrow} token={terms.token} />],
          ["Bond of each place", <Amount key="bond" value={terms.bond} token={terms.token} />],
          ["Fee for settling", <Amount key="fee" value={terms.carrierFee} token={terms.token} />],
          ["Call-out fee", `${terms.calloutBps / 100} % of the price`],
          ["Standby fee", `${terms.standbyBps / 100} % of the price`],
          ["Time for commitments", formatDuration(terms.commitWindow)],
          ["Time for openings", formatDuration(terms.revealWindow)],
          ...(terms.callback === ZERO_ADDRESS
            ? []
            : [["Contract that is told", <AddressName key="callback" address={terms.callback} />] as const]),
          ...(facts === undefined
            ? []
            : [["Package", <code key="package">{shortHex(facts.request.packageHash)}</code>] as const]),
        ]}
      />
    </Card>
  );
}
