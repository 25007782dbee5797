export { type Agent, type AgentPorts, type AgentStatus, createAgent, type JobPhase } from "./internal/agent.ts";
export type { AnswerPhase, SandboxPort } from "./internal/answer.ts";
export { type Authorization, type ChainReader, createChainReader } from "./internal/chain-reader.ts";
export { type AgentConfig, agentConfigSchema } from "./internal/config.ts";
export {
  type Effect,
  type MarketCall,
  REDELIVERY_PAUSE_SECONDS,
  reportTime,
  wantedEffects,
} from "./internal/effects.ts";
export { examplePolicy } from "./internal/example-policy.ts";
export { type Explanation, explainJob } from "./internal/explain.ts";
export {
  type ChainFact,
  type CloseReason,
  decodeEntry,
  duties,
  type EntryKind,
  encodeEntry,
  type FactEventName,
  factEvents,
  type JournalEntry,
  journalSteps,
  type OfferRecord,
  stepOf,
  type TransactionDuty,
} from "./internal/journal-entry.ts";
export { judgePanel, type PanelJudgement } from "./internal/judge-panel.ts";
export {
  escrowBound,
  judgeRequest,
  longestLock,
  priceOf,
  type Reason,
  type RequestFacts,
  type RequestJudgement,
} from "./internal/judge-request.ts";
export type { WouldTake } from "./internal/offer-desk.ts";
export { judgeOnce, type KnownJob, listKnownJobs, readExplanation } from "./internal/offline.ts";
export { type Policy, type Prices, policySchema, type TokenPolicy } from "./internal/policy.ts";
export { applyMessage, type Message, reduce } from "./internal/reduce.ts";
export { type Duty, dutyOrder, turnOf } from "./internal/rotation.ts";
export { type RunAgentPorts, runAgent } from "./internal/run-agent.ts";
export type {
  AgentState,
  BlockRef,
  Horizons,
  JobState,
  PeerMessages,
  ReducerSettings,
  SetRecord,
  SignedSet,
  TransactionRecord,
  VoteRecord,
} from "./internal/state.ts";
export { emptyState, factsOf, placeOf } from "./internal/state.ts";
export { MAX_ATTEMPTS } from "./internal/view.ts";
export {
  type Answer,
  assertFixed,
  assertFixedSet,
  createVoteGuard,
  type FixedSet,
  type FixedVote,
  type VoteGuard,
} from "./internal/vote-guard.ts";
