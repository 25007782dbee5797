// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobStatus} from "../types/Job.sol";

/// @title What a contract implements to be told of settlements
/// @notice Named as `callback` in a request, it is called once the job is settled and everything is paid.
interface IJobCallback {
    /// @notice The job `jobId` is settled.
    /// @dev The caller is the market, with the gas that the request names; a failure changes nothing and may be retried by anybody, see
    /// {IJobMarket-retryCallback}. It may come again only after a failure.
    ///
    /// Warning: anybody may name any contract as callback of a job with any panel. Check that the caller is the market you know, and act
    /// only on job ids that come from a source that you trust, as {IJobMarket-verifyResult} says.
    /// @param jobId the job
    /// @param status Accepted or Inconclusive
    /// @param outcome accepted outcome, zero when inconclusive
    /// @param resultHash first 27 bytes of the accepted result hash, zero for reports and when inconclusive
    function onJobSettled(bytes32 jobId, JobStatus status, uint8 outcome, bytes27 resultHash) external;
}
