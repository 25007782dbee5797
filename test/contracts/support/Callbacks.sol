// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// Test doubles of one interface.
// solhint-disable one-contract-per-file

import {JobMarket} from "../../../contracts/JobMarket.sol";
import {JobStatus, Request} from "../../../contracts/types/Job.sol";
import {IJobCallback} from "../../../contracts/interfaces/IJobCallback.sol";

/// @notice Remembers what it was told, and does as it is set.
contract MoodyCallback is IJobCallback {
    enum Mood {
        Fine,
        Reverts,
        BurnsGas,
        ReturnBomb,
        Reenters
    }

    Mood public mood;
    uint256 public calls;
    bytes32 public jobId;
    JobStatus public status;
    uint8 public outcome;
    bytes27 public resultHash;
    uint256 public gasGiven;
    /// @dev What a call back into the market came to.
    bytes public refusal;
    JobMarket private _market;
    Request private _request;

    function set(Mood mood_) external {
        mood = mood_;
    }

    function reenter(JobMarket market, Request calldata request) external {
        (_market, _request) = (market, request);
        mood = Mood.Reenters;
    }

    function onJobSettled(bytes32 jobId_, JobStatus status_, uint8 outcome_, bytes27 resultHash_) external {
        uint256 left = gasleft();
        if (mood == Mood.Reverts) revert("no");
        if (mood == Mood.BurnsGas) while (true) ++left;
        if (mood == Mood.ReturnBomb) {
            assembly {
                revert(0, 100000)
            }
        }
        ++calls;
        (jobId, status, outcome, resultHash, gasGiven) = (jobId_, status_, outcome_, resultHash_, left);
        if (mood == Mood.Reenters) {
            // Once: a market that lets it in would let it in until the gas is gone.
            mood = Mood.Fine;
            try _market.retryCallback(_request) {} catch (bytes memory reason) {
                refusal = reason;
            }
        }
    }
}

/// @notice Makes one call that it was prepared for, when a settlement is told to it or when tokens arrive.
contract ReenteringAccount is IJobCallback {
    address private _target;
    bytes private _payload;
    /// @dev Whether the call was made, whether it succeeded, and what came back.
    bool public called;
    bool public succeeded;
    bytes public answer;

    function prepare(address target, bytes calldata payload) external {
        (_target, _payload) = (target, payload);
    }

    function onJobSettled(bytes32, JobStatus, uint8, bytes27) external {
        _act();
    }

    /// @notice The hook of a token.
    function tokensReceived(uint256) external {
        _act();
    }

    function _act() private {
        if (called || _target == address(0)) return;
        called = true;
        // What it comes to is the test's to judge.
        // solhint-disable-next-line avoid-low-level-calls
        (succeeded, answer) = _target.call(_payload);
    }
}
