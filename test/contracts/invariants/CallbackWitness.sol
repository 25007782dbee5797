// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IJobCallback} from "../../../contracts/interfaces/IJobCallback.sol";
import {JobMarket} from "../../../contracts/JobMarket.sol";
import {JobStatus} from "../../../contracts/types/Job.sol";

/// @notice Is told of settlements, behaves or not, and remembers what should never happen.
contract CallbackWitness is IJobCallback {
    enum Mood {
        Fine,
        Reenters,
        Reverts,
        BurnsGas,
        Bomb
    }

    JobMarket private immutable _market;
    Mood public mood;
    bytes[2] private _payloads; // calls that a re-entering callback makes
    mapping(bytes32 jobId => uint256) public told; // times that were not undone by a failure
    uint256 public lies; // times that the market said something else than the callback was told
    uint256 public intrusions; // times that a call from within was accepted
    uint256 public given; // gas of the last call

    error Moody();

    constructor(JobMarket market) {
        _market = market;
    }

    function set(Mood mood_, bytes calldata first, bytes calldata second) external {
        (mood, _payloads[0], _payloads[1]) = (mood_, first, second);
    }

    /// @inheritdoc IJobCallback
    function onJobSettled(bytes32 jobId, JobStatus status, uint8 outcome, bytes27 resultHash) external {
        uint256 left = gasleft();
        if (mood == Mood.Reverts) revert Moody();
        if (mood == Mood.BurnsGas) while (true) ++left;
        if (mood == Mood.Bomb) {
            assembly {
                revert(0, 100000)
            }
        }
        (given, told[jobId]) = (left, told[jobId] + 1);
        (JobStatus status_, uint8 outcome_, bytes27 resultHash_) = _market.resultOf(jobId);
        if (status != status_ || outcome != outcome_ || resultHash != resultHash_) ++lies;
        if (mood != Mood.Reenters) return;
        for (uint256 i; i < 2; ++i) {
            if (_payloads[i].length == 0) continue;
            (bool success, ) = address(_market).call(_payloads[i]);
            if (success) ++intrusions;
        }
    }
}
