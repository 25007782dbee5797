import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** What a relay counts, for Prometheus. */
export type RelayMetrics = {
  /** A request was answered. */
  request(route: string, status: number, seconds: number): void;
  messages(what: "stored" | "duplicate"): void;
  blocks(what: "stored" | "duplicate"): void;
  readonly contentType: string;
  text(): Promise<string>;
};

/** What is held at present. */
export type RelayGauges = () => Readonly<
  Record<"messages" | "messageBytes" | "blocks" | "blockBytes" | "profiles" | "streams", number>
>;

/**
 * Makes the counters of a relay.
 *
 * @param gauges Read whenever the metrics are.
 */
export function createRelayMetrics(gauges: RelayGauges): RelayMetrics {
  const registry = new Registry();
  const named = (name: string, help: string): { name: string; help: string; registers: Registry[] } => ({
    name: `quorate_relay_${name}`,
    help,
    registers: [registry],
  });
  const requests = new Counter({ ...named("requests_total", "Requests answered"), labelNames: ["route", "status"] });
  const durations = new Histogram({ ...named("request_seconds", "Time to answer"), labelNames: ["route"] });
  const messages = new Counter({ ...named("messages_total", "Messages accepted"), labelNames: ["what"] });
  const blocks = new Counter({ ...named("blocks_total", "Blocks accepted"), labelNames: ["what"] });
  const held = new Gauge({ ...named("held", "What the relay holds: counts and bytes"), labelNames: ["what"] });
  return {
    request: (route, status, seconds) => {
      requests.inc({ route, status: String(status) });
      durations.observe({ route }, seconds);
    },
    messages: (what) => messages.inc({ what }),
    blocks: (what) => blocks.inc({ what }),
    contentType: registry.contentType,
    text: () => {
      for (const [what, value] of Object.entries(gauges())) held.set({ what }, value);
      return registry.metrics();
    },
  };
}
