export { sqliteStore } from "./store.ts";
export { afterCommit, inTransaction, onRollback } from "./transaction.ts";
