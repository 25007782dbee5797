export {
  defaultLimits,
  parseRelayConfig,
  type RelayConfig,
  type RelayConfigInput,
  type RelayLimits,
  relayConfigSchema,
} from "./config.ts";
export { type RunningRelay, runRelay, type StartRelayOptions, startRelay } from "./relay.ts";
