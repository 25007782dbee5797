// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobStatus, Terms, Verdict} from "../../../contracts/types/Job.sol";

/// @notice What happened at a place of a job. Times are zero where a thing has not happened.
struct Course {
    uint40 committedAt;
    uint40 declinedAt;
    uint40 promotedAt; // of a spare
    uint8 seat; // that the spare took
    bool isOpen; // the commitment was opened
    bool isVoid; // a member of a set declined or committed to something else
    uint8 outcome; // behind the commitment
    bytes32 resultHash; // likewise
}

/// @notice Everything that decides what becomes of a job.
struct History {
    Terms terms;
    uint256 openedAt;
    uint256 setFrom; // when revealing began by a set, zero without one
    Course[] places;
}

/// @notice What a set says about a place.
struct Member {
    bool isIn;
    bool differs; // from what the place committed to on chain
    uint8 outcome;
    bytes32 resultHash;
}

/// @notice How a job ends: rows M1 to M12.
struct Ending {
    bool accepted;
    uint8 outcome; // accepted
    bytes32 resultHash; // accepted
    uint256 agreeing; // equal weighted votes for an answer of more than half of the seats
    Verdict[] verdicts;
    uint256[] paid; // compensation by place
    bool[] quarantined; // by place
    bool[] burnt; // late bond, by place
    uint256 refund;
}

/// @notice What the standing of a provider consists of, without counters.
struct Probation {
    uint32 number;
    uint40 since; // zero when alignments ended the last one
    uint40 lastFaultAt;
    uint8 alignedInRow;
}

/// @title The life of a job as docs/protocol/lifecycle.md tells it
/// @notice Written from the page, by place and with plain loops, as a witness of the contract: no bitmaps, no packed words, no
/// candidate counting. The vectors of test/vectors hold it against `core`.
library JobModel {
    uint256 private constant BPS = 10_000;
    uint256 private constant PROBATION = 180 days;

    // Places

    function isSeat(History memory job, uint256 place) internal pure returns (bool) {
        return place < job.terms.seats;
    }

    function isShadow(History memory job, uint256 place) internal pure returns (bool) {
        return place >= uint256(job.terms.seats) + job.terms.spares;
    }

    function isStandby(History memory job, uint256 place) internal pure returns (bool) {
        return !isSeat(job, place) && !isShadow(job, place) && job.places[place].promotedAt == 0;
    }

    /// @notice The place that sits on a seat: its own, or the spare last promoted to it.
    function occupantOf(History memory job, uint256 seat) internal pure returns (uint256 occupant) {
        occupant = seat;
        uint256 latest;
        for (uint256 place = job.terms.seats; place < job.places.length; ++place) {
            Course memory course = job.places[place];
            if (course.promotedAt == 0 || course.seat != seat || course.promotedAt < latest) continue;
            (occupant, latest) = (place, course.promotedAt);
        }
    }

    function windowOf(History memory job, uint256 place) internal pure returns (uint256 start) {
        start = job.places[place].promotedAt;
        if (start == 0) start = job.openedAt;
    }

    function deadlineOf(History memory job, uint256 place) internal pure returns (uint256) {
        return windowOf(job, place) + job.terms.commitWindow;
    }

    function isLeft(History memory job, uint256 spare) internal pure returns (bool) {
        return isStandby(job, spare) && job.places[spare].declinedAt == 0;
    }

    function sparesLeft(History memory job) internal pure returns (uint256 left) {
        uint256 end = uint256(job.terms.seats) + job.terms.spares;
        for (uint256 place = job.terms.seats; place < end; ++place) if (isLeft(job, place)) ++left;
    }

    function isVacant(History memory job, uint256 seat, uint256 time) internal pure returns (bool) {
        uint256 occupant = occupantOf(job, seat);
        Course memory course = job.places[occupant];
        if (course.declinedAt != 0) return true;
        return course.committedAt == 0 && time >= deadlineOf(job, occupant);
    }

    // Status, S0 to S4

    /// @notice Rows R0 to R3.
    function revealAt(History memory job) internal pure returns (uint256 start) {
        if (job.setFrom != 0) return job.setFrom; // R0
        bool all = true;
        uint256 lastDeadline; // of any weighted seat
        uint256 undecided; // latest deadline of an undecided seat
        uint256 lastCommit;
        uint256 lastDecline;
        for (uint256 place; place < job.places.length && !isShadow(job, place); ++place) {
            lastCommit = max(lastCommit, job.places[place].committedAt);
            lastDecline = max(lastDecline, job.places[place].declinedAt);
        }
        for (uint256 seat; seat < job.terms.seats; ++seat) {
            uint256 occupant = occupantOf(job, seat);
            uint256 deadline = deadlineOf(job, occupant);
            lastDeadline = max(lastDeadline, deadline);
            if (job.places[occupant].committedAt != 0) continue;
            all = false;
            if (job.places[occupant].declinedAt == 0) undecided = max(undecided, deadline);
        }
        if (all) return lastCommit; // R1
        if (sparesLeft(job) == 0) return max(max(lastDecline, lastCommit), undecided); // R2
        return lastDeadline + job.terms.commitWindow / 2; // R3
    }

    function statusAt(History memory job, uint256 time) internal pure returns (JobStatus) {
        uint256 start = revealAt(job);
        if (time < start) return JobStatus.Committing;
        return time < start + job.terms.revealWindow ? JobStatus.Revealing : JobStatus.Settleable;
    }

    // Who may do what, A3 to A6

    function mayCommit(History memory job, uint256 place, uint256 time) internal pure returns (bool) {
        if (place >= job.places.length) return false;
        Course memory course = job.places[place];
        if (course.committedAt != 0 || course.declinedAt != 0 || isStandby(job, place)) return false;
        if (isShadow(job, place)) return statusAt(job, time) == JobStatus.Committing;
        return time < deadlineOf(job, place);
    }

    function mayDecline(History memory job, uint256 place, uint256 time) internal pure returns (bool) {
        if (place >= job.places.length) return false;
        Course memory course = job.places[place];
        if (course.committedAt != 0 || course.declinedAt != 0) return false;
        return time < windowOf(job, place) + job.terms.commitWindow / 4;
    }

    function mayPromote(History memory job, uint256 time) internal pure returns (bool) {
        if (statusAt(job, time) != JobStatus.Committing || sparesLeft(job) == 0) return false;
        for (uint256 seat; seat < job.terms.seats; ++seat) if (isVacant(job, seat, time)) return true;
        return false;
    }

    /// @notice Every vacant seat, lowest first, gets the lowest spare left. Changes the history.
    function promote(History memory job, uint256 time) internal pure {
        uint256 spare = job.terms.seats;
        for (uint256 seat; seat < job.terms.seats; ++seat) {
            if (!isVacant(job, seat, time)) continue;
            while (spare < job.places.length && !isLeft(job, spare)) ++spare;
            if (spare == job.places.length) return;
            (job.places[spare].promotedAt, job.places[spare].seat) = (uint40(time), uint8(seat));
        }
    }

    // A11

    function maySet(History memory job, uint256 time) internal pure returns (bool) {
        if (job.setFrom != 0 || job.terms.flags & 2 == 0) return false;
        return statusAt(job, time) != JobStatus.Settleable && time < job.openedAt + job.terms.commitWindow;
    }

    /// @notice A set takes the place of what was committed on chain. Changes the history.
    function placeSet(History memory job, Member[] memory set, uint256 time) internal pure {
        uint256 start = revealAt(job);
        job.setFrom = time < start ? time : start;
        for (uint256 place; place < job.places.length; ++place) {
            Course memory course = job.places[place];
            if (!set[place].isIn) {
                // A spare again, or a shadow that takes no part, whatever it did; one that declined has declined.
                job.places[place] = Course(0, course.declinedAt, 0, 0, false, false, 0, 0);
            } else if (course.declinedAt != 0 || (course.committedAt != 0 && set[place].differs)) {
                job.places[place] = Course(uint40(time), 0, 0, 0, false, true, 0, 0);
            } else {
                if (course.committedAt == 0) course.committedAt = uint40(time);
                (course.outcome, course.resultHash) = (set[place].outcome, set[place].resultHash);
            }
        }
    }

    /// @notice Whether every commitment is open, and there is one.
    function isComplete(History memory job) internal pure returns (bool any) {
        for (uint256 place; place < job.places.length; ++place) {
            if (job.places[place].committedAt == 0) continue;
            if (!job.places[place].isOpen) return false;
            any = true;
        }
    }

    // Votes

    function isComputed(Course memory vote) internal pure returns (bool) {
        return (vote.outcome == 1 || vote.outcome == 2) && vote.resultHash != 0;
    }

    function isReport(Course memory vote) internal pure returns (bool) {
        return vote.outcome == 3 && vote.resultHash == 0;
    }

    function areEqual(Course memory a, Course memory b) internal pure returns (bool) {
        return a.outcome == b.outcome && a.resultHash == b.resultHash;
    }

    /// @notice Weighted seats that opened the same vote.
    function support(History memory job, Course memory vote) internal pure returns (uint256 votes) {
        for (uint256 seat; seat < job.terms.seats; ++seat) {
            Course memory other = job.places[occupantOf(job, seat)];
            if (other.isOpen && areEqual(vote, other)) ++votes;
        }
    }

    // Money, M1 to M12

    function share(uint256 amount, uint256 bps) internal pure returns (uint256) {
        return (amount * bps) / BPS;
    }

    function escrowOf(Terms memory terms) internal pure returns (uint256 escrow) {
        uint256 highest;
        for (uint256 place; place < terms.places.length; ++place) {
            uint256 price = terms.places[place].price;
            if (place >= uint256(terms.seats) + terms.spares) {
                escrow += price;
                continue;
            }
            highest = max(highest, price);
            if (place >= terms.seats) escrow += share(price, terms.standbyBps);
        }
        escrow += highest * terms.seats + terms.carrierFee;
    }

    function endingOf(History memory job) internal pure returns (Ending memory ending) {
        uint256 count = job.places.length;
        (ending.verdicts, ending.paid) = (new Verdict[](count), new uint256[](count));
        (ending.quarantined, ending.burnt) = (new bool[](count), new bool[](count));

        Course memory majority; // the answer of more than half of the seats, if there is one
        bool anyOpen;
        for (uint256 place; place < count; ++place) anyOpen = anyOpen || job.places[place].isOpen;
        for (uint256 seat; seat < job.terms.seats; ++seat) {
            Course memory vote = job.places[occupantOf(job, seat)];
            if (!vote.isOpen || (!isComputed(vote) && !isReport(vote))) continue;
            uint256 votes = support(job, vote);
            if (2 * votes <= job.terms.seats) continue;
            (majority, ending.agreeing) = (vote, votes);
        }
        ending.accepted = ending.agreeing >= job.terms.quorum;
        if (ending.accepted) (ending.outcome, ending.resultHash) = (majority.outcome, majority.resultHash);

        ending.refund = escrowOf(job.terms) - job.terms.carrierFee;
        for (uint256 place; place < count; ++place) {
            _judge(job, ending, majority, anyOpen, place);
            ending.refund -= ending.paid[place];
        }
    }

    function _judge(
        History memory job,
        Ending memory ending,
        Course memory majority,
        bool anyOpen,
        uint256 place
    ) private pure {
        Course memory course = job.places[place];
        uint256 callout = share(job.terms.places[place].price, job.terms.calloutBps);
        bool forReport = ending.accepted && isReport(majority);
        if (course.declinedAt != 0) {
            ending.verdicts[place] = Verdict.Declined; // M9
        } else if (isStandby(job, place)) {
            ending.verdicts[place] = Verdict.Standby; // M11
            ending.paid[place] = share(job.terms.places[place].price, job.terms.standbyBps);
        } else if (isShadow(job, place) && course.committedAt == 0) {
            ending.verdicts[place] = Verdict.None; // M12
        } else if (!course.isOpen) {
            ending.verdicts[place] = Verdict.Late; // M10
            ending.burnt[place] = anyOpen;
        } else if (isReport(course)) {
            ending.verdicts[place] = Verdict.Reported; // M2, M4, M8
            if (forReport) ending.paid[place] = callout;
        } else if (!isComputed(course)) {
            ending.verdicts[place] = Verdict.Reported; // M8
        } else if (ending.accepted && areEqual(course, majority)) {
            ending.verdicts[place] = Verdict.Aligned; // M1
            ending.paid[place] = job.terms.places[place].price;
        } else if (job.terms.bond != 0 && isComputed(majority) && !areEqual(course, majority)) {
            ending.verdicts[place] = Verdict.Fault; // M5
            ending.quarantined[place] = true;
        } else if (ending.accepted && isComputed(majority)) {
            ending.verdicts[place] = Verdict.Dissent; // M6
        } else {
            ending.verdicts[place] = forReport ? Verdict.Overruled : Verdict.Undecided; // M3, M7
            ending.paid[place] = callout;
        }
    }

    // Standing, T1 to T7

    function lasts(Probation memory probation, uint256 time) internal pure returns (bool) {
        return probation.since != 0 && time < probation.lastFaultAt + PROBATION;
    }

    /// @notice The standing after a verdict.
    /// @return after_ the standing
    /// @return condemned number of the probation whose entries are burnt from now on, zero if none
    function afterVerdict(
        Probation memory before,
        Verdict verdict,
        uint256 openedAt,
        uint256 time
    ) internal pure returns (Probation memory after_, uint32 condemned) {
        after_ = Probation(before.number, before.since, before.lastFaultAt, before.alignedInRow);
        bool counts = lasts(before, time) && openedAt > before.since;
        if (verdict == Verdict.Aligned && counts) {
            if (++after_.alignedInRow == 3) after_.since = 0; // T1
        } else if (verdict == Verdict.Late && counts) {
            after_.alignedInRow = 0; // T2
        } else if (verdict == Verdict.Fault) {
            after_.lastFaultAt = uint40(time); // T5, T6, T7
            if (lasts(before, time) && !counts) return (after_, 0); // T6
            if (counts) condemned = before.number; // T7
            (after_.number, after_.since, after_.alignedInRow) = (before.number + 1, uint40(time), 0);
        }
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }
}
