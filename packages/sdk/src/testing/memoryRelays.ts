import { type MarketDomain, RetryableError, verifyBlock } from "@quorate/core";
import {
  type Envelope,
  type ProfileRecord,
  type PublishReport,
  type RelayClient,
  relayError,
  type SubscribeOptions,
  type Subscription,
  verifyEnvelope,
} from "@quorate/wire";
import type { Hex } from "viem";
import { Pulse } from "../internal/pulse.ts";

/** What a test does to the relays. */
export type RelayFaults = {
  /** Messages that relays accept and never show. */
  withhold?: (envelope: Envelope) => boolean;
  /** Blocks that relays accept and never give. */
  loseBlock?: (cid: string) => boolean;
  /** Nothing answers. */
  down?: boolean;
};

/** Relays in memory behind the port of the relay client, with faults that a test switches on. */
export function memoryRelays(
  domain: MarketDomain,
  faults: RelayFaults = {},
): RelayClient & { readonly faults: RelayFaults; readonly profiles: ProfileRecord[]; readonly messages: Envelope[] } {
  const url = "http://relay.test";
  const messages: Envelope[] = [];
  const blocks = new Map<string, Uint8Array>();
  const profiles: ProfileRecord[] = [];
  const pulses = new Set<Pulse>();
  const accepted: PublishReport = { accepted: [url], failed: [] };
  const requireUp = (): void => {
    if (faults.down === true) throw new RetryableError("RELAYS_UNREACHABLE", "No relay answered. Try again.");
  };
  const shown = (topic: Hex): Envelope[] =>
    faults.down === true
      ? []
      : messages.filter((envelope) => envelope.topic === topic && faults.withhold?.(envelope) !== true);

  async function* follow(topic: Hex, options: SubscribeOptions): AsyncGenerator<Envelope> {
    const signal = options.signal ?? new AbortController().signal;
    const pulse = new Pulse();
    pulses.add(pulse);
    const seen = new Set<Envelope>();
    try {
      do {
        for (const envelope of shown(topic)) {
          if (signal.aborted) return;
          if (seen.has(envelope)) continue;
          seen.add(envelope);
          yield envelope;
        }
      } while (await pulse.wait(signal));
    } finally {
      pulses.delete(pulse);
    }
  }

  return {
    urls: [url],
    domain,
    faults,
    profiles,
    messages,
    async publish(envelope) {
      requireUp();
      if (!(await verifyEnvelope(envelope, domain)))
        throw relayError("BAD_SIGNATURE", "It is not signed by its sender.");
      messages.push(envelope);
      for (const pulse of pulses) pulse.fire();
      return accepted;
    },
    subscribe(topic, options = {}): Subscription {
      const items = follow(topic, options);
      return { [Symbol.asyncIterator]: () => items, cursors: () => ({}) };
    },
    async list(topic) {
      requireUp();
      return shown(topic);
    },
    async putBlock(cid, bytes) {
      requireUp();
      if (!verifyBlock(cid, bytes)) throw relayError("BLOCK_MISMATCH", "These are not the bytes of the CID.");
      blocks.set(cid, bytes);
      return accepted;
    },
    async getBlock(cid) {
      requireUp();
      const bytes = faults.loseBlock?.(cid) === true ? undefined : blocks.get(cid);
      if (bytes === undefined) throw relayError("BLOCK_NOT_FOUND", "No relay has it.");
      return bytes;
    },
    async putProfile() {
      return accepted;
    },
    async putPresence() {
      return accepted;
    },
    async listProfiles() {
      requireUp();
      return profiles;
    },
    async getProfile(provider) {
      return profiles.find(({ profile }) => profile.provider === provider);
    },
    async status() {
      return [{ url }];
    },
  };
}
