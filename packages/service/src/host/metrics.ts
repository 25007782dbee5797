import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

/** A registry of metrics and what makes them. */
export type Metrics = {
  readonly registry: Registry;
  /** A number that only grows. The same name gives the same counter. */
  counter(name: string, help: string, labels?: readonly string[]): Counter<string>;
  /** A number that goes up and down; `read` is called at each collection. */
  gauge(name: string, help: string, labels?: readonly string[], read?: () => number): Gauge<string>;
  /** A distribution; buckets in the unit of the name. */
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram<string>;
  /** Everything in Prometheus' text format. */
  text(): Promise<string>;
  readonly contentType: string;
};

/**
 * Makes a registry of its own, so that two services in one process do not mix.
 *
 * @param options Prefix of all names, `quorate_` by default; with `defaults` also memory, CPU and event loop of the process.
 */
export function createMetrics(options: { readonly prefix?: string; readonly defaults?: boolean } = {}): Metrics {
  const prefix = options.prefix ?? "quorate_";
  const registry = new Registry();
  if (options.defaults === true) collectDefaultMetrics({ register: registry, prefix });
  const reuse = <T>(name: string, make: () => T): T =>
    (registry.getSingleMetric(prefix + name) as T | undefined) ?? make();
  return {
    registry,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    counter: (name, help, labels = []) =>
      reuse(name, () => new Counter({ name: prefix + name, help, labelNames: [...labels], registers: [registry] })),
    gauge: (name, help, labels = [], read) =>
      reuse(
        name,
        () =>
          new Gauge({
            name: prefix + name,
            help,
            labelNames: [...labels],
            registers: [registry],
            ...(read === undefined
              ? {}
              : {
                  collect() {
                    this.set(read());
                  },
                }),
          }),
      ),
    histogram: (name, help, labels = [], buckets) =>
      reuse(
        name,
        () =>
          new Histogram({
            name: prefix + name,
            help,
            labelNames: [...labels],
            registers: [registry],
            ...(buckets === undefined ? {} : { buckets: [...buckets] }),
          }),
      ),
  };
}
