import type { Metrics } from "@quorate/service";
import type { AgentStatus } from "./agent.ts";

/**
 * Registers the agent's metrics; all are read from its status when somebody collects them.
 *
 * @param metrics Registry.
 * @param status Where the agent stands.
 * @param now Local time, milliseconds since the epoch.
 */
export function registerAgentMetrics(metrics: Metrics, status: () => AgentStatus, now: () => number): void {
  const labelled = (
    name: string,
    help: string,
    label: string,
    read: () => Iterable<readonly [string, number]>,
  ): void => {
    const gauge = metrics.gauge(name, help, [label]);
    // prom-client calls `collect` of the metric at each collection; a labelled one has more than one value to set.
    (gauge as unknown as { collect: () => void }).collect = () => {
      gauge.reset();
      for (const [value, count] of read()) gauge.set({ [label]: value }, count);
    };
  };
  labelled("agent_jobs", "Jobs by phase", "phase", () => Object.entries(status().jobs));
  labelled("agent_effects", "Effects that run or wait to be tried again, by type", "type", () => {
    const counts = new Map<string, number>();
    for (const { type } of status().effects) counts.set(type, (counts.get(type) ?? 0) + 1);
    return counts;
  });
  labelled("agent_failures_total", "Failures of effects since the start, by code", "code", () =>
    Object.entries(status().failures),
  );
  labelled("agent_income_base_units", "Paid in jobs that settled since the start, by token", "token", () =>
    Object.entries(status().income).map(([token, amount]) => [token, Number(amount)] as const),
  );
  metrics.gauge("agent_journal_entries", "Lines of the journal", [], () => status().entries);
  metrics.gauge("agent_head_block", "Newest block that the agent has acted on", [], () => status().head?.number ?? 0);
  metrics.gauge("agent_final_block", "Newest block that is final by the policy", [], () => status().final?.number ?? 0);
  metrics.gauge("agent_last_block_age_seconds", "Local time since a block arrived; -1 before the first", [], () => {
    const { lastBlockAt } = status();
    return lastBlockAt === undefined ? -1 : (now() - lastBlockAt) / 1000;
  });
}
