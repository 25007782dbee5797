// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    JobStatus,
    Opening,
    PlacedCommitment,
    Request,
    SignedOffer,
    Terms,
    Verdict
} from "../../../contracts/types/Job.sol";
import {JobState, Promotion} from "../../../contracts/types/JobState.sol";
import {QuarantineState, Standing} from "../../../contracts/types/Standing.sol";
import {JobActions} from "./JobActions.sol";
import {Course, History, JobModel, Probation} from "./JobModel.sol";

/// @notice Compares the market with the books, and shows from any state what must always be possible. What these functions change is
/// never kept: the runner forgets what an invariant does.
abstract contract JobClaims is JobActions {
    using JobModel for History;

    error Broken(string claim, uint256 found, uint256 expected);

    function _is(string memory claim, uint256 found, uint256 expected) internal pure {
        if (found != expected) revert Broken(claim, found, expected);
    }

    function checkBreach(Breach breach, string calldata claim) external view {
        _is(claim, breaches[breach], 0);
    }

    // Money

    function checkConservation() external view {
        for (uint256 t; t < 2; ++t) {
            address token_ = address(tokens[t]);
            uint256 sum = _wealth(token_) + market.burnt(token_);
            for (uint256 i; i < LIVE; ++i) sum += _escrowOf(live[i], token_);
            for (uint256 i; i < PROVIDERS; ++i) {
                uint32 last = market.standingOf(providers[i]).probation;
                for (uint32 number = 1; number <= last; ++number) {
                    (uint96 amount, ) = market.quarantineOf(providers[i], token_, number);
                    sum += amount;
                }
            }
            _is("held is the sum of its parts", market.held(token_), sum);
        }
    }

    function _escrowOf(Live storage job, address token_) private view returns (uint256) {
        if (job.id == 0) return 0;
        Terms memory terms = abi.decode(job.terms, (Terms));
        return terms.token == token_ ? JobModel.escrowOf(terms) : 0;
    }

    function checkOwned() external view {
        for (uint256 t; t < 2; ++t) {
            uint256 found = tokens[t].balanceOf(address(market));
            _is("owned", found, market.held(address(tokens[t])) + fed[address(tokens[t])]);
        }
    }

    function checkHeld() external view {
        for (uint256 t; t < 2; ++t) _is("held", market.held(address(tokens[t])), held[address(tokens[t])]);
    }

    function checkFree() external view {
        for (uint256 t; t < 2; ++t) {
            for (uint256 i; i < accounts.length; ++i) {
                (uint96 found, ) = market.accountOf(address(tokens[t]), accounts[i]);
                _is("free", found, free[address(tokens[t])][accounts[i]]);
            }
        }
    }

    /// @dev From the jobs that are open, not from the books of accounts.
    function checkLocked() external view {
        uint256[2][PROVIDERS] memory bonds;
        for (uint256 i; i < LIVE; ++i) {
            if (live[i].id == 0) continue;
            Terms memory terms = abi.decode(live[i].terms, (Terms));
            uint256 t = terms.token == address(tokens[0]) ? 0 : 1;
            for (uint256 place; place < terms.places.length; ++place) {
                bool isFree = live[i].places[place].declinedAt != 0 && terms.flags & 2 == 0;
                if (!isFree) bonds[_indexOf(terms.places[place].provider)][t] += terms.bond;
            }
        }
        for (uint256 t; t < 2; ++t) {
            for (uint256 i; i < accounts.length; ++i) {
                (, uint96 found) = market.accountOf(address(tokens[t]), accounts[i]);
                _is("locked", found, i < PROVIDERS ? bonds[i][t] : 0);
            }
        }
    }

    function _indexOf(address account) private view returns (uint256 index) {
        while (providers[index] != account) ++index;
    }

    function checkBurnt() external view {
        for (uint256 t; t < 2; ++t) _is("burnt", market.burnt(address(tokens[t])), burnt[address(tokens[t])]);
    }

    function checkLimits() external view {
        for (uint256 t; t < 2; ++t) {
            for (uint256 i; i < PROVIDERS; ++i) {
                (uint96 bond, uint32 window, uint40 until) = market.authorizationOf(
                    providers[i],
                    agent,
                    address(tokens[t])
                );
                Limits memory mine = limits[providers[i]][address(tokens[t])];
                _is("highest bond", bond, mine.maxBond);
                _is("shortest window", window, mine.minWindow);
                _is("valid until", until, mine.validUntil);
            }
        }
    }

    // Jobs

    function checkStatus() external view {
        for (uint256 i; i < LIVE; ++i) {
            if (live[i].id == 0) continue;
            History memory history = _history(live[i]);
            (JobStatus found, uint40 start, uint40 end) = market.statusOf(live[i].id, history.terms);
            _is("status", uint256(found), uint256(history.statusAt(clock)));
            _is("R", start, history.revealAt());
            _is("end of revealing", end, history.revealAt() + history.terms.revealWindow);
        }
    }

    function checkFacts() external view {
        for (uint256 i; i < LIVE; ++i) {
            if (live[i].id == 0) continue;
            JobState memory state = market.jobState(live[i].id);
            _is("phase", uint256(state.phase), 1);
            _is("by a set", state.bySet ? 1 : 0, live[i].setFrom == 0 ? 0 : 1);
            _is("opened at", state.openedAt, live[i].openedAt);
            Course[] memory places = live[i].places;
            for (uint256 place; place < 16; ++place) {
                Course memory course;
                if (place < places.length) course = places[place];
                _is("committed", (state.committed >> place) & 1, course.committedAt == 0 ? 0 : 1);
                _is("declined", (state.declined >> place) & 1, course.declinedAt == 0 ? 0 : 1);
                _is("opened", (state.opened >> place) & 1, course.isOpen ? 1 : 0);
                _is("used", (state.used >> place) & 1, course.promotedAt == 0 ? 0 : 1);
                if (course.isOpen) _is("class", (state.classes >> (2 * place)) & 3, _classOf(course));
            }
        }
    }

    function _classOf(Course memory vote) private pure returns (uint256) {
        if (JobModel.isComputed(vote)) return vote.outcome - 1;
        return JobModel.isReport(vote) ? 2 : 3;
    }

    /// @dev From what the market says alone.
    function checkFates() external view {
        for (uint256 i; i < LIVE; ++i) {
            if (live[i].id == 0) continue;
            JobState memory state = market.jobState(live[i].id);
            Terms memory terms = abi.decode(live[i].terms, (Terms));
            uint256 all = (1 << terms.places.length) - 1;
            uint256 spares = ((1 << terms.spares) - 1) << terms.seats;
            _is("committed and declined", state.committed & state.declined, 0);
            _is("opened without commitment", state.opened & ~state.committed, 0);
            _is("promoted, no spare", state.used & ~spares, 0);
            _is("beyond the panel", (state.committed | state.declined) & ~all, 0);
            _is("committed on standby", state.committed & spares & ~state.used, 0);
        }
    }

    /// @dev From what the market says alone.
    function checkOneCommitmentASeat() external view {
        for (uint256 i; i < LIVE; ++i) {
            if (live[i].id == 0) continue;
            JobState memory state = market.jobState(live[i].id);
            Terms memory terms = abi.decode(live[i].terms, (Terms));
            uint256 seen;
            for (uint256 place; place < uint256(terms.seats) + terms.spares; ++place) {
                if ((state.committed >> place) & 1 == 0) continue;
                uint256 seat = place < terms.seats ? place : market.promotionOf(live[i].id, uint8(place)).seat;
                _is("second commitment of a seat", (seen >> seat) & 1, 0);
                seen |= 1 << seat;
            }
        }
    }

    function checkPromotions() external view {
        for (uint256 i; i < LIVE; ++i) {
            for (uint256 place; place < live[i].places.length; ++place) {
                // A set undoes promotions, and leaves their words.
                if (live[i].places[place].promotedAt == 0 && live[i].setFrom != 0) continue;
                Promotion memory found = market.promotionOf(live[i].id, uint8(place));
                _is("promoted at", found.promotedAt, live[i].places[place].promotedAt);
                _is("seat of a spare", found.seat, live[i].places[place].seat);
            }
        }
    }

    function checkChains() external view {
        for (uint256 i; i < LIVE; ++i) {
            bytes32 chain = live[i].id;
            if (chain == 0) continue;
            PlacedCommitment[] memory landed = live[i].landed;
            for (uint256 j; j < landed.length; ++j) {
                chain = keccak256(abi.encode(chain, uint256(landed[j].place), landed[j].commitment));
            }
            _is("chain", uint256(market.commitmentChainOf(live[i].id, keccak256(live[i].terms))), uint256(chain));
        }
        if (settledJobs.length == 0) return;
        Settled memory last = settledJobs[settledJobs.length - 1];
        _is("chain of a settled job", uint256(market.commitmentChainOf(last.id, last.termsHash)), 0);
    }

    /// @dev The job that was settled last.
    function checkLastResult() external view {
        if (settledJobs.length != 0) _checkResult(settledJobs[settledJobs.length - 1]);
    }

    /// @dev Each job that was settled, in turn.
    function checkOldResult() external view {
        if (settledJobs.length != 0) _checkResult(settledJobs[actions % settledJobs.length]);
    }

    function _checkResult(Settled memory job) private view {
        (JobStatus found, uint8 outcome, bytes27 resultHash) = market.resultOf(job.id);
        _is("status", uint256(found), job.status);
        _is("outcome", outcome, job.outcome);
        _is("result", uint256(bytes32(resultHash)), uint256(bytes32(bytes27(job.resultHash))));
        JobState memory state = market.jobState(job.id);
        _is("agreeing", state.agreeing, job.agreeing);
        _is("seats", state.seats, job.seats);
        _is("quorum", state.quorum, job.quorum);
    }

    /// @dev From what the market says alone.
    function checkQuorums() external view {
        if (settledJobs.length == 0) return;
        JobState memory state = market.jobState(settledJobs[actions % settledJobs.length].id);
        bool accepted = uint256(state.phase) == 2;
        _is("accepted without a quorum", accepted && state.agreeing < state.quorum ? 1 : 0, 0);
        _is("a quorum that was not accepted", !accepted && state.agreeing >= state.quorum ? 1 : 0, 0);
        _is("a quorum without a majority", 2 * uint256(state.quorum) <= state.seats ? 1 : 0, 0);
        _is("more votes than seats", state.agreeing > state.seats ? 1 : 0, 0);
    }

    /// @dev The job that was settled last, and each other one in turn.
    function checkCallbacks() external view {
        uint256 count = settledJobs.length;
        if (count == 0) return;
        _checkCallback(settledJobs[count - 1]);
        _checkCallback(settledJobs[actions % count]);
    }

    function _checkCallback(Settled memory job) private view {
        _is("callback pending", market.jobState(job.id).callbackPending ? 1 : 0, job.isPending ? 1 : 0);
        bool isTold = spent[job.request].callback != address(0) && !job.isPending;
        _is("told", witness.told(job.id), isTold ? 1 : 0);
    }

    function checkWitness() external view {
        _is("told what is not so", witness.lies(), 0);
        _is("a call for the same job from within its callback was accepted", witness.intrusions(), 0);
    }

    /// @dev Open jobs have told nobody.
    function checkSilence() external view {
        for (uint256 i; i < LIVE; ++i) {
            if (live[i].id != 0) _is("told too early", witness.told(live[i].id), 0);
        }
    }

    // Standing

    function checkCounters() external view {
        for (uint256 i; i < PROVIDERS; ++i) {
            Standing memory found = market.standingOf(providers[i]);
            mapping(Verdict => uint256) storage mine = verdicts[providers[i]];
            _is("aligned", found.aligned, mine[Verdict.Aligned]);
            _is("late", found.late, mine[Verdict.Late]);
            _is("reported", found.reported, mine[Verdict.Reported]);
            _is("undecided", found.undecided, mine[Verdict.Undecided]);
            _is("declined", found.declined, mine[Verdict.Declined]);
            _is("faults", found.faults, mine[Verdict.Fault]);
        }
    }

    function checkProbations() external view {
        for (uint256 i; i < PROVIDERS; ++i) {
            Standing memory found = market.standingOf(providers[i]);
            Probation memory mine = probations[providers[i]];
            _is("probation", found.probation, mine.number);
            _is("since", found.probationSince, mine.since);
            _is("last fault", found.lastFaultAt, mine.lastFaultAt);
            _is("aligned in a row", found.alignedInRow, mine.alignedInRow);
            _is("on probation", market.onProbation(providers[i]) ? 1 : 0, onProbation(providers[i]) ? 1 : 0);
        }
    }

    function checkQuarantine() external view {
        for (uint256 i; i < PROVIDERS; ++i) {
            address account = providers[i];
            uint32 last = probations[account].number;
            for (uint32 number = 1; number <= last; ++number) {
                for (uint256 t; t < 2; ++t) {
                    (uint96 found, QuarantineState state) = market.quarantineOf(account, address(tokens[t]), number);
                    _is("quarantined", found, quarantine[account][address(tokens[t])][number]);
                    QuarantineState mine = QuarantineState.Returnable;
                    if (found == 0) mine = QuarantineState.None;
                    else if (condemned[account][number]) mine = QuarantineState.Burnable;
                    else if (number == last && onProbation(account)) mine = QuarantineState.Held;
                    _is("state of an entry", uint256(state), uint256(mine));
                }
            }
        }
    }

    /// @dev From what the market says alone: no probation without a fault, none that outlives its time.
    function checkCauses() external view {
        for (uint256 i; i < PROVIDERS; ++i) {
            Standing memory found = market.standingOf(providers[i]);
            _is("more probations than faults", found.probation > found.faults ? 1 : 0, 0);
            _is("a fault without a probation", found.faults != 0 && found.probation == 0 ? 1 : 0, 0);
            _is("a row beyond three", found.alignedInRow > 3 ? 1 : 0, 0);
            if (!market.onProbation(providers[i])) continue;
            _is("a probation that outlives its time", clock >= uint256(found.lastFaultAt) + 180 days ? 1 : 0, 0);
            _is("a probation after three alignments", found.alignedInRow == 3 ? 1 : 0, 0);
        }
    }

    // What must always be possible

    /// @dev After every deadline a stranger settles every job.
    function finishAll() public {
        goTo(clock + 100 days);
        for (uint256 i; i < LIVE; ++i) {
            if (live[i].id == 0) continue;
            Terms memory terms = abi.decode(live[i].terms, (Terms));
            _prime(live[i].id, live[i].terms, spent[live[i].request]);
            vm.prank(stranger);
            market.settle(live[i].id, terms);
            (JobStatus found, , ) = market.statusOf(live[i].id, terms);
            _is("settled", uint256(found) >= uint256(JobStatus.Accepted) ? 1 : 0, 1);
        }
    }

    /// @dev Then no bond is locked and nothing is escrowed.
    function finishAllAndCount() external {
        finishAll();
        for (uint256 t; t < 2; ++t) {
            address token_ = address(tokens[t]);
            uint256 sum = market.burnt(token_);
            for (uint256 i; i < accounts.length; ++i) {
                (uint96 free_, uint96 locked_) = market.accountOf(token_, accounts[i]);
                _is("locked for nothing", locked_, 0);
                sum += free_;
            }
            for (uint256 i; i < PROVIDERS; ++i) {
                uint32 last = market.standingOf(providers[i]).probation;
                for (uint32 number = 1; number <= last; ++number) {
                    (uint96 amount, ) = market.quarantineOf(providers[i], token_, number);
                    sum += amount;
                }
            }
            _is("escrowed for nothing", market.held(token_), sum);
        }
    }

    /// @dev An owner, each in turn, takes out whatever is free.
    function emptyAccount() external {
        address account = accounts[actions % accounts.length];
        for (uint256 t; t < 2; ++t) {
            (uint96 free_, ) = market.accountOf(address(tokens[t]), account);
            uint256 before = tokens[t].balanceOf(address(0xFEE));
            vm.prank(account);
            market.withdraw(address(tokens[t]), address(0xFEE), free_);
            _is("withdrawn", tokens[t].balanceOf(address(0xFEE)) - before, free_);
        }
    }

    /// @dev Entries whose probation has ended are moved by a stranger, to where they belong.
    function claimAll() public {
        for (uint256 i; i < PROVIDERS; ++i) {
            uint32 last = market.standingOf(providers[i]).probation;
            for (uint32 number = 1; number <= last; ++number) {
                for (uint256 t; t < 2; ++t) _claimOne(providers[i], address(tokens[t]), number);
            }
        }
    }

    function _claimOne(address account, address token_, uint32 number) private {
        (uint96 amount, QuarantineState state) = market.quarantineOf(account, token_, number);
        if (state != QuarantineState.Returnable && state != QuarantineState.Burnable) return;
        (uint96 before, ) = market.accountOf(token_, account);
        uint256 burntBefore = market.burnt(token_);
        vm.prank(stranger);
        market.claimQuarantine(account, token_, number);
        (uint96 after_, ) = market.accountOf(token_, account);
        bool burns = state == QuarantineState.Burnable;
        _is("returned", after_ - before, burns ? 0 : amount);
        _is("burnt", market.burnt(token_) - burntBefore, burns ? amount : 0);
    }

    /// @dev 180 days later nobody is on probation, nothing is held back, and who was on probation, each in turn, has a seat.
    function waitAndReturn() external {
        address[] memory marked = _marked();
        if (marked.length == 0) return;
        goTo(clock + 180 days);
        for (uint256 i; i < marked.length; ++i) _is("on probation", market.onProbation(marked[i]) ? 1 : 0, 0);
        claimAll();
        _seat(marked[actions % marked.length]);
        for (uint256 i; i < marked.length; ++i) {
            uint32 number = market.standingOf(marked[i]).probation;
            for (uint256 t; t < 2; ++t) {
                (uint96 amount, ) = market.quarantineOf(marked[i], address(tokens[t]), number);
                _is("held back", amount, 0);
            }
        }
    }

    /// @dev Three alignments as a shadow end the probation of whoever was judged last; then it has a seat.
    function alignAndReturn() external {
        if (!justFaulted) return;
        address[] memory marked = _marked();
        for (uint256 i; i < marked.length; ++i) {
            if (probations[marked[i]].lastFaultAt != clock) continue;
            for (uint256 round; round < 3; ++round) {
                _is("on probation", market.onProbation(marked[i]) ? 1 : 0, 1);
                goTo(clock + 1); // a job counts when it is opened after the beginning
                _align(marked[i]);
            }
            _is("on probation", market.onProbation(marked[i]) ? 1 : 0, 0);
            _seat(marked[i]);
        }
    }

    function _marked() private view returns (address[] memory marked) {
        marked = new address[](PROVIDERS);
        uint256 count;
        for (uint256 i; i < PROVIDERS; ++i) if (onProbation(providers[i])) marked[count++] = providers[i];
        assembly {
            mstore(marked, count)
        }
    }

    /// @dev Opens a job with the provider on its first seat.
    function _seat(address account) private {
        _openWith(account, 0);
    }

    /// @dev A whole job in which the provider is a shadow and answers as the seats do.
    function _align(address account) private {
        Draft memory draft = _openWith(account, 2);
        PlacedCommitment[] memory landed = new PlacedCommitment[](3);
        Opening[] memory openings = new Opening[](3);
        // The shadow first: revealing begins with the last seat.
        for (uint256 i; i < 3; ++i) {
            uint8 place = uint8((i + 2) % 3);
            address member = draft.terms.places[place].provider;
            openings[i] = Opening({place: place, outcome: 1, resultHash: ANSWER, salt: bytes32(i)});
            landed[i] = PlacedCommitment({place: place, commitment: commitmentOf(draft.id, member, openings[i])});
            vm.prank(member);
            market.commit(draft.id, draft.terms, place, landed[i].commitment);
        }
        market.reveal(draft.id, draft.terms, landed, openings);
        _is("aligned", uint256(uint8(_statusOf(draft))), uint256(JobStatus.Accepted));
    }

    function _statusOf(Draft memory draft) private view returns (JobStatus found) {
        (found, , ) = market.statusOf(draft.id, draft.terms);
    }

    /// @dev Opens a job without bonds and of two seats and a shadow, with the provider at a place and fresh accounts at the others.
    function _openWith(address account, uint256 index) private returns (Draft memory draft) {
        Request memory request = requestFor(2, 2, 0, 1);
        (request.token, request.bond, request.carrierFee, request.priceCeiling) = (address(tokens[0]), 0, 0, 1);
        request.requester = address(0xF0);
        vm.prank(bank);
        market.deposit(address(tokens[0]), request.requester, 3);
        (draft.request, draft.id) = (request, requestDigest(request));
        draft.offers = new SignedOffer[](3);
        for (uint256 i; i < 3; ++i) {
            SignedOffer memory offer = draft.offers[i];
            uint256 key =
                i == index && account == providers[0]
                    ? keyOf(0)
                    : i == index
                        ? keyOf(1)
                        : 0xF000 + i;
            offer.provider = i == index ? account : vm.addr(key);
            offer.price = 1;
            offer.encryptionKey = bytes32(uint256(1));
            offer.roles = 7;
            offer.expiry = uint40(clock + 1);
            offer.signature = signature(key, offerDigest(draft.id, offer));
        }
        fillTerms(draft, 0);
        vm.prank(request.requester);
        market.open(request, 0, draft.offers);
    }
}
