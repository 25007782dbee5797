import type { ReactNode } from "react";
import type { OwnQuestion } from "../../../connection/asker.ts";
import { formatDuration } from "../../../lib/format.ts";
import { useChainTime } from "../../../market/index.ts";
import { Card, Progress } from "../../../ui/index.ts";

/** The time in which the provider proves. */
export function Proving({ record, view }: OwnQuestion): ReactNode {
  const now = useChainTime();
  const window = record.quote?.quote.window ?? record.offer.window;
  const left = view.deadline === undefined || now === undefined ? undefined : Math.max(view.deadline - now, 0);
  return (
    <Card title="The answer is being proved">
      <div className="stack">
        <Progress
          label="The provider's time"
          value={left === undefined ? 0 : window - left}
          max={window}
          note={left === undefined ? "reading the chain" : `${formatDuration(left)} left`}
        />
        <p className="soft">
          You may leave this page: the answer lands on chain, encrypted to a key that only this browser has. If none
          comes in time, you take back your price and the provider's bond.
        </p>
      </div>
    </Card>
  );
}
