export * from "./actions/announceJob.ts";
export * from "./actions/answer.ts";
export * from "./actions/answerBatch.ts";
export * from "./actions/approveToken.ts";
export * from "./actions/ask.ts";
export * from "./actions/askWithPermit.ts";
export * from "./actions/authorizeAgent.ts";
export * from "./actions/checkOffers.ts";
export * from "./actions/claimQuarantine.ts";
export * from "./actions/commitJob.ts";
export * from "./actions/commitJobBySig.ts";
export * from "./actions/declineSeat.ts";
export {
  type DepositErrorType,
  type DepositParameters,
  type DepositReturnType,
  deposit,
  encodeDeposit,
} from "./actions/deposit.ts";
export * from "./actions/depositWithPermit.ts";
export * from "./actions/expire.ts";
export * from "./actions/getAccount.ts";
export * from "./actions/getAuthorization.ts";
export * from "./actions/getJob.ts";
export * from "./actions/getQuarantine.ts";
export * from "./actions/getStanding.ts";
export * from "./actions/openJob.ts";
export * from "./actions/openJobWithPermit.ts";
export * from "./actions/promoteSpares.ts";
export * from "./actions/publishRoot.ts";
export * from "./actions/readAnswer.ts";
export * from "./actions/readDataset.ts";
export * from "./actions/readQueryRecord.ts";
export * from "./actions/readQuestion.ts";
export * from "./actions/readRoot.ts";
export * from "./actions/registerDataset.ts";
export * from "./actions/retryCallback.ts";
export * from "./actions/revealJob.ts";
export * from "./actions/revealSet.ts";
export * from "./actions/revokeAgent.ts";
export * from "./actions/revokeRoot.ts";
export * from "./actions/setPublisher.ts";
export * from "./actions/settleJob.ts";
export * from "./actions/signPermit.ts";
export type * from "./actions/types.ts";
export * from "./actions/verifyResult.ts";
export * from "./actions/withdraw.ts";
export * from "./client.ts";
export { type ContractErrorRow, contractErrors, tokenErrors } from "./contractErrors.ts";
export {
  type ContractErrorArguments,
  ContractRefused,
  decodeContractError,
  offerFaultName,
  type RefusedOffer,
  revertDataOf,
  toContractError,
} from "./errors.ts";
export { canBatchCalls } from "./internal/sendBatch.ts";
export type { EncodedCall, SignedTransaction } from "./internal/sendCall.ts";
export { isContractAccount } from "./isContractAccount.ts";
export { queryContractErrors } from "./queryContractErrors.ts";
export { decodeQueryMarketLog, type QueryMarketEvent } from "./queryLogs.ts";
export * from "./requester/buildRequest.ts";
export type { CollectOffersOptions, OfferDiagnosis } from "./requester/collectOffers.ts";
export type { SelfHelp } from "./requester/context.ts";
export * from "./requester/createRequester.ts";
export * from "./requester/deriveJobKeys.ts";
export type { ProviderFacts, ReceivedOffer } from "./requester/examineOffer.ts";
export type { DeliveryProblem, FetchResultOptions, JobResult } from "./requester/fetchResult.ts";
export {
  type HelpView,
  type JobView,
  jobViewOf,
  type MessageView,
  type SeatState,
  type SeatView,
  statusNames,
} from "./requester/jobView.ts";
export { memoryKeyStore, type RequesterKeyStore } from "./requester/keyStore.ts";
export * from "./requester/makePackage.ts";
export * from "./requester/openResult.ts";
export type { OpenedJob, OpenSelectedJobOptions } from "./requester/openSelectedJob.ts";
export * from "./requester/previewPackage.ts";
export type { PublishVia } from "./requester/publish.ts";
export { type ReadJobsParameters, readJobs } from "./requester/readJobs.ts";
export {
  decodeJobRecord,
  encodeJobRecord,
  type JobRecord,
  type SentTransaction,
  type StoredSelection,
} from "./requester/record.ts";
export type { RequestedJob, RequestJobParameters } from "./requester/requestJob.ts";
export type { WatchJobOptions } from "./requester/watchJob.ts";
export * from "./trust/history.ts";
export * from "./trust/judgeOffer.ts";
export * from "./trust/planReplication.ts";
export * from "./trust/policy.ts";
export * from "./trust/selectOffers.ts";
