import type { ReactNode } from "react";
import { useMarket } from "../../market/index.ts";
import { Page, Stat } from "../../ui/index.ts";

export default function MarketPage(): ReactNode {
  const { model, head } = useMarket();
  return (
    <Page title="The market" lead="Jobs, providers and questions on this chain.">
      <Stat label="Jobs" value={model.jobs.size} />
      <Stat label="Block" value={head?.number ?? "–"} />
    </Page>
  );
}
