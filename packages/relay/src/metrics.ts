import { createMetrics } from "@quorate/service";

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
  const metrics = createMetrics({ prefix: "quorate_relay_" });
  const requests = metrics.counter("requests_total", "Requests answered", ["route", "status"]);
  const durations = metrics.histogram("request_seconds", "Time to answer", ["route"]);
  const messages = metrics.counter("messages_total", "Messages accepted", ["what"]);
  const blocks = metrics.counter("blocks_total", "Blocks accepted", ["what"]);
  const held = metrics.gauge("held", "What the relay holds: counts and bytes", ["what"]);
  return {
    request: (route, status, seconds) => {
      requests.inc({ route, status: String(status) });
      durations.observe({ route }, seconds);
    },
    messages: (what) => messages.inc({ what }),
    blocks: (what) => blocks.inc({ what }),
    contentType: metrics.contentType,
    text: () => {
      for (const [what, value] of Object.entries(gauges())) held.set({ what }, value);
      return metrics.text();
    },
  };
}
