export type { AskedQuery, AskQueryOptions, RefundedQuery, SendQueryOptions } from "./askQuery.ts";
export * from "./createAsker.ts";
export * from "./createSubject.ts";
export { type FetchDatasetParameters, type FetchedDataset, fetchDataset } from "./fetchDataset.ts";
export type { QueryStage, QueryView, WaitForQueryOptions } from "./followQuery.ts";
export * from "./handover.ts";
export type { OwnRecordView } from "./ownRecords.ts";
export type { PreparedQuery, PrepareQueryParameters } from "./prepareQuery.ts";
export {
  decodeQueryRecord,
  encodeQueryRecord,
  type FoundAnswer,
  type QueryPurpose,
  type QueryRecord,
} from "./record.ts";
export { memoryQueryStore, type QueryStore } from "./store.ts";
export {
  decodeSubjectState,
  encodeSubjectState,
  type GivenConsent,
  memorySubjectStore,
  type SeenRecord,
  type SubjectState,
  type SubjectStore,
  subjectStateId,
} from "./subjectStore.ts";
