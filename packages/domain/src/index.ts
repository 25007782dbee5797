export type { AnswerStep, ProverPort } from "./internal/answerer.ts";
export type { ChainDataset } from "./internal/chain-reader.ts";
export {
  type DomainConfig,
  type DomainLimits,
  type DomainOfferConfig,
  defaultDomainLimits,
  domainConfigSchema,
  parseDomainConfig,
} from "./internal/config.ts";
export type { Dataset, Identity } from "./internal/context.ts";
export type { Domain, DomainStatus, DomainStep } from "./internal/domain.ts";
export { type ImportMapping, importMappingSchema, type RowProblem } from "./internal/import/mapping.ts";
export type { ImportSource } from "./internal/import/rows.ts";
export { ImportError, type ImportMode, type ImportReport } from "./internal/import/run.ts";
export {
  auditLog,
  domainStatus,
  type ImportRecordsOptions,
  type InitDomainOptions,
  importRecords,
  initDomain,
  type PublishedRoot,
  parseImportMapping,
  publishOnce,
  type RegisterSubjectOptions,
  registerSubject,
  type StateAccess,
} from "./internal/offline.ts";
export type { AuditLogEntry, RegisteredSubject, StateSummary } from "./internal/operations.ts";
export { signDomainProfile } from "./internal/profile.ts";
export type { QuestionPhase } from "./internal/questions.ts";
export { type RunDomainPorts, runDomain } from "./internal/run-domain.ts";
