// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobStatus} from "../../../contracts/types/Job.sol";
import {IJobCallback} from "../../../contracts/interfaces/IJobCallback.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";

/// @title A callback that can be told to misbehave
contract FickleCallback is IJobCallback {
    /// @notice How the callback answers.
    enum Manner {
        Accepts,
        Reverts,
        BurnsGas,
        ReturnsBomb,
        Reenters // withdraws one unit of its money
    }

    ILedger public immutable market;
    address public immutable token;
    Manner public manner;

    event Told(bytes32 indexed jobId, JobStatus status, uint8 outcome, bytes27 resultHash);

    error Fickle();

    constructor(ILedger market_, address token_) {
        (market, token) = (market_, token_);
    }

    /// @notice From now on the callback answers in this manner.
    function behave(Manner manner_) external {
        manner = manner_;
    }

    /// @inheritdoc IJobCallback
    function onJobSettled(bytes32 jobId, JobStatus status, uint8 outcome, bytes27 resultHash) external {
        Manner manner_ = manner;
        if (manner_ == Manner.Reverts) revert Fickle();
        if (manner_ == Manner.BurnsGas) while (gasleft() > 0) {}
        emit Told(jobId, status, outcome, resultHash);
        if (manner_ == Manner.Reenters) market.withdraw(token, address(this), 1);
        // solhint-disable-next-line no-inline-assembly -- only assembly can return this much
        if (manner_ == Manner.ReturnsBomb)
            assembly {
                return(0, 100000)
            }
    }
}
