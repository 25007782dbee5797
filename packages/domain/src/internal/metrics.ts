import type { Metrics } from "@quorate/service";
import type { DomainStatus } from "./domain.ts";

/** What the agent measures as it happens. */
export type DomainMeters = {
  proved(durationMs: number): void;
  request(route: string, status: number, seconds: number): void;
};

/**
 * Registers the agent's metrics.
 *
 * @param metrics Registry.
 * @param status Where the agent stands; read when somebody collects.
 */
export function registerDomainMetrics(metrics: Metrics, status: () => DomainStatus): DomainMeters {
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
      for (const [value, number] of read()) gauge.set({ [label]: value }, number);
    };
  };
  labelled("domain_questions", "Questions by phase", "phase", () => Object.entries(status().questions));
  labelled("domain_records", "Records by dataset", "dataset", () =>
    status().datasets.map(({ name, records }) => [name, records] as const),
  );
  labelled("domain_records_pending", "Records whose leaf is in no tree yet, by dataset", "dataset", () =>
    status().datasets.map(({ name, pending }) => [name, pending] as const),
  );
  metrics.gauge("domain_subjects", "Registered subjects", [], () => status().subjects.subjects);
  metrics.gauge("domain_subjects_enrolled", "Subjects with a key", [], () => status().subjects.enrolled);
  const proofs = metrics.histogram(
    "domain_proof_seconds",
    "Time of a proof",
    [],
    [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128],
  );
  const requests = metrics.histogram("domain_request_seconds", "Time of a request by route and status", [
    "route",
    "status",
  ]);
  return {
    proved: (durationMs) => proofs.observe(durationMs / 1000),
    request: (route, code, seconds) => requests.observe({ route, status: String(code) }, seconds),
  };
}
