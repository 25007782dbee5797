export type * from "./outbox/types.ts";
