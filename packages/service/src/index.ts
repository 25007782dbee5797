export { afterCommit, inTransaction, onRollback } from "@quorate/chain/sqlite";
export { lockState, type OpenDatabaseOptions, openDatabase, StateDatabase } from "./database/open.ts";
export { decodeState, encodeState } from "./journal/codec.ts";
export { createJournal, type Journal, type JournalOptions, type JournalRecord } from "./journal/journal.ts";
export { type Fees, planFees } from "./outbox/fees.ts";
export { createOutbox } from "./outbox/outbox.ts";
export { outboxSteps } from "./outbox/steps.ts";
export type * from "./outbox/types.ts";
