// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobStatus, Terms, Verdict} from "../../../contracts/types/Job.sol";
import {Ending, History, JobModel, Probation} from "./JobModel.sol";

/// @notice The door through which test/integration/contracts holds the model of the invariants against `core`. No test of its own.
contract JobModelDoor {
    using JobModel for History;

    function statusAt(
        History memory job,
        uint256 time
    ) external pure returns (JobStatus status, uint256 start, uint256[] memory occupants, bool[] memory vacant) {
        (occupants, vacant) = (new uint256[](job.terms.seats), new bool[](job.terms.seats));
        for (uint256 seat; seat < job.terms.seats; ++seat) {
            (occupants[seat], vacant[seat]) = (job.occupantOf(seat), job.isVacant(seat, time));
        }
        return (job.statusAt(time), job.revealAt(), occupants, vacant);
    }

    function endingOf(History memory job) external pure returns (Ending memory) {
        return job.endingOf();
    }

    function escrowOf(Terms memory terms) external pure returns (uint256) {
        return JobModel.escrowOf(terms);
    }

    function afterVerdict(
        Probation memory before,
        Verdict verdict,
        uint256 openedAt,
        uint256 time
    ) external pure returns (Probation memory after_, uint32 condemned, bool lasts) {
        (after_, condemned) = JobModel.afterVerdict(before, verdict, openedAt, time);
        lasts = JobModel.lasts(after_, time);
    }
}
