// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Request, JobStatus, MAX_CALLBACK_GAS} from "../types/Job.sol";
import {JobWord} from "../types/JobState.sol";
import {IJobCallback} from "../interfaces/IJobCallback.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {Jobs} from "./Jobs.sol";
import {SignedOffers} from "./SignedOffers.sol";

/// @title Telling a contract of a settlement
/// @notice The callback that a request names: called after everything else, with the gas that it was promised, and never in the way of a
/// settlement.
abstract contract Callbacks is Jobs, SignedOffers {
    /// @dev What this contract spends around a callback: access to a cold account, the mark of a failure, the event.
    uint256 private constant CALLBACK_OVERHEAD = 15_000;

    /// @inheritdoc IJobMarket
    function retryCallback(Request calldata request_) external {
        // Check:
        (Request memory request, bytes32 jobId) = _read(request_);
        JobWord state = _states[jobId];
        if (!state.isCallbackPending()) revert NoCallbackPending(jobId);
        // Effect: before the call, so that it cannot be made twice.
        _states[jobId] = state.withoutCallbackPending();
        emit CallbackCalled({jobId: jobId, callback: request.callback, success: true});
        // Interaction:
        if (!_call(jobId, state, request.callback, request.callbackGas)) revert CallbackFailed(jobId, request.callback);
    }

    /// @dev Calls back, if the request asked for it, and marks the job if that fails. Requires that all else is done.
    function _callBack(bytes32 jobId, JobWord state, address callback, uint256 callbackGas) internal {
        if (callback == address(0)) return;
        // Interaction: last.
        bool success = _call(jobId, state, callback, callbackGas);
        // Effect: of the interaction's failure alone.
        if (!success) _states[jobId] = state.withCallbackPending();
        emit CallbackCalled({jobId: jobId, callback: callback, success: success});
    }

    /// @dev What can be said of a callback at any time.
    function _requireCallback(address callback, uint32 callbackGas) internal pure {
        if (callbackGas > (callback == address(0) ? 0 : MAX_CALLBACK_GAS)) {
            revert BadCallbackGas(callback, callbackGas, MAX_CALLBACK_GAS);
        }
    }

    /// @dev Calls with exactly `callbackGas`, and copies nothing of what comes back.
    function _call(bytes32 jobId, JobWord state, address callback, uint256 callbackGas) private returns (bool success) {
        // A call gets at most 63/64 of what is left (EIP-150). With less than it was promised, its failure would be the caller's doing.
        uint256 required = callbackGas + callbackGas / 63 + CALLBACK_OVERHEAD;
        uint256 found = gasleft();
        if (found < required) revert CallbackNeedsGas(jobId, found, required);
        (JobStatus status, uint8 outcome, bytes27 resultHash) = _resultOf(state);
        bytes memory data = abi.encodeCall(IJobCallback.onJobSettled, (jobId, status, outcome, resultHash));
        // solhint-disable-next-line no-inline-assembly
        assembly ("memory-safe") {
            success := call(callbackGas, callback, 0, add(data, 0x20), mload(data), 0x00, 0x00)
        }
    }
}
