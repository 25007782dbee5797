import type { JobView } from "@quorate/sdk";
import type { ReactNode } from "react";
import { count } from "../../../../lib/format.ts";
import { Badge, Card, Hash } from "../../../../ui/index.ts";
import { outcomeWords } from "../words.ts";

/** Equal answers so far. */
export function TallyCard({ view }: { readonly view: JobView }): ReactNode {
  const { tally, terms } = view;
  if (terms === undefined || tally.length === 0) return;
  return (
    <Card title="Tally" aside={<span className="soft small">{terms.quorum} equal answers decide</span>}>
      <ul className="stack-tight">
        {tally.map(({ outcome, resultHash, votes }) => (
          <li key={`${outcome}${resultHash}`} className="row">
            <Badge tone={votes >= terms.quorum ? "good" : "neutral"}>{count(votes, "vote")}</Badge>
            <span>{outcomeWords(outcome)}</span>
            <Hash value={resultHash} label="hash of the answer" />
          </li>
        ))}
      </ul>
    </Card>
  );
}
