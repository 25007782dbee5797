// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {Request, Terms, PlacedCommitment, Opening, JobStatus} from "../../contracts/types/Job.sol";

/// @notice Plays jobs at random for {InvariantsTest}. Calls never fail: what the market refuses is caught.
contract Handler is MarketTest {
    Case[] private _jobs;
    mapping(bytes32 jobId => bool) private _done;
    /// @dev The highest status seen of each job.
    mapping(bytes32 jobId => uint256) private _seen;
    bool public wentBack;
    bool public stuck;
    uint256 public settledJobs;
    /// @dev Escrow of open jobs.
    uint256 public escrow;

    constructor() {
        setUp();
    }

    /// @dev The runner may call it too: only the first call counts.
    function setUp() public override {
        if (address(market) == address(0)) super.setUp();
    }

    function openJob(uint256 seed) external {
        if (_jobs.length == 12) return;
        uint8 seats = uint8(2 + (seed % 3));
        Request memory request = requestFor(seats, seats / 2 + 1, uint8((seed >> 8) % 3), uint8((seed >> 16) % 3));
        request.flags = uint32((seed >> 24) % 2);
        request.bond = uint96((seed >> 32) % 2) * BOND;
        if ((seed >> 40) % 2 == 1) request.quorum = seats;
        Case memory job = caseOf(request);
        vm.prank(requester);
        try market.open(request, request.spares, job.offers) {
            escrow += escrowOf(job.terms);
            _store(job);
        } catch {}
    }

    function _store(Case memory job) private {
        Case storage slot = _jobs.push();
        (slot.request, slot.id) = (job.request, job.id);
        Terms memory t = job.terms;
        (slot.terms.requester, slot.terms.token, slot.terms.bond, slot.terms.carrierFee) = (
            t.requester,
            t.token,
            t.bond,
            t.carrierFee
        );
        (slot.terms.seats, slot.terms.quorum, slot.terms.spares) = (t.seats, t.quorum, t.spares);
        (slot.terms.calloutBps, slot.terms.standbyBps) = (t.calloutBps, t.standbyBps);
        (slot.terms.commitWindow, slot.terms.revealWindow) = (t.commitWindow, t.revealWindow);
        slot.terms.flags = t.flags;
        for (uint256 i; i < t.places.length; ++i) slot.terms.places.push(t.places[i]);
    }

    function _pick(uint256 seed) private view returns (bool found, Case memory job) {
        if (_jobs.length == 0) return (false, job);
        return (true, _jobs[seed % _jobs.length]);
    }

    function commitPlace(uint256 seed) external {
        (bool found, Case memory job) = _pick(seed);
        if (!found) return;
        uint8 place = uint8((seed >> 32) % job.terms.places.length);
        if ((market.jobState(job.id).committed >> place) & 1 != 0) return;
        uint8 outcome = uint8((seed >> 64) % 8);
        if (outcome > 3) outcome = 1;
        bytes32 hash =
            outcome == 3
                ? bytes32(0)
                : (seed >> 96) % 4 == 0
                    ? OTHER
                    : ANSWER;
        bytes32 commitment = voteFor(job, place, outcome, hash);
        vm.prank(provider(place));
        try market.commit(job.id, job.terms, place, commitment) {
            placed[job.id].push(PlacedCommitment({place: place, commitment: commitment}));
        } catch {}
        look();
    }

    function declinePlace(uint256 seed) external {
        (bool found, Case memory job) = _pick(seed);
        if (!found) return;
        uint8 place = uint8((seed >> 32) % job.terms.places.length);
        vm.prank(provider(place));
        try market.decline(job.id, job.terms, place) {} catch {}
        look();
    }

    function promoteSpares(uint256 seed) external {
        (bool found, Case memory job) = _pick(seed);
        if (!found) return;
        try market.promote(job.id, job.terms) {} catch {}
        look();
    }

    function revealSome(uint256 seed) external {
        (bool found, Case memory job) = _pick(seed);
        if (!found) return;
        PlacedCommitment[] memory landed = placed[job.id];
        Opening[] memory openings = new Opening[](landed.length);
        for (uint256 i; i < landed.length; ++i) {
            openings[i] = votes[job.id][landed[i].place];
            if (((seed >> 64) >> i) % 4 == 0) openings[i].salt = 0; // spoilt
        }
        vm.prank(carrier);
        try market.reveal(job.id, job.terms, landed, openings) {
            _after(job);
        } catch {}
        look();
    }

    function settleJob(uint256 seed) external {
        (bool found, Case memory job) = _pick(seed);
        if (!found) return;
        vm.prank(carrier);
        try market.settle(job.id, job.terms) {
            _after(job);
        } catch {
            // Liveness: a stranger can settle what is Settleable.
            if (status(job) == JobStatus.Settleable) stuck = true;
        }
        look();
    }

    function passTime(uint256 seed) external {
        skip(seed % (2 * WINDOW));
        look();
    }

    function claim(uint256 seed) external {
        try market.claimQuarantine(provider(seed % 8), address(token), uint32(1 + ((seed >> 8) % 4))) {} catch {}
    }

    function withdrawSome(uint256 seed) external {
        address owner = provider(seed % 8);
        vm.prank(owner);
        try market.withdraw(address(token), owner, uint96((seed >> 8) % 1000)) {} catch {}
    }

    function _after(Case memory job) private {
        JobStatus now_ = status(job);
        if ((now_ == JobStatus.Accepted || now_ == JobStatus.Inconclusive) && !_done[job.id]) {
            _done[job.id] = true;
            ++settledJobs;
            escrow -= escrowOf(job.terms);
        }
    }

    /// @notice Notes whether the status of any job went back.
    function look() public {
        for (uint256 i; i < _jobs.length; ++i) {
            Case memory job = _jobs[i];
            uint256 now_ = uint256(status(job));
            if (now_ < _seen[job.id]) wentBack = true;
            _seen[job.id] = now_;
        }
    }

    /// @notice free + locked of every account.
    function accounts() external view returns (uint256 sum) {
        sum = uint256(freeOf(requester)) + lockedOf(requester) + freeOf(carrier);
        for (uint256 i; i < 16; ++i) sum += uint256(freeOf(provider(i))) + lockedOf(provider(i));
    }

    /// @notice Quarantined bonds of every provider and number.
    function quarantine() external view returns (uint256 sum) {
        for (uint256 i; i < 16; ++i) {
            uint32 last = market.standingOf(provider(i)).probation;
            for (uint32 number = 1; number <= last; ++number) {
                (uint96 amount, ) = market.quarantineOf(provider(i), address(token), number);
                sum += amount;
            }
        }
    }

    function held() external view returns (uint256) {
        return market.held(address(token));
    }

    function burnt() external view returns (uint256) {
        return market.burnt(address(token));
    }

    function balance() external view returns (uint256) {
        return token.balanceOf(address(market));
    }

    /// @notice Whatever happened: after every deadline, a stranger settles every job. Returns how many stay open.
    function finishAll() external returns (uint256 open_) {
        skip(100 * WINDOW);
        for (uint256 i; i < _jobs.length; ++i) {
            Case memory job = _jobs[i];
            if (status(job) == JobStatus.Settleable) {
                vm.prank(carrier);
                market.settle(job.id, job.terms);
                _after(job);
            }
            if (!_done[job.id]) ++open_;
        }
    }

    /// @notice Locked money of all accounts.
    function locked() external view returns (uint256 sum) {
        for (uint256 i; i < 16; ++i) sum += lockedOf(provider(i));
    }
}

/// @notice What holds after any history. The numbers are those of README.md beside this file.
contract InvariantsTest {
    Handler private handler;

    error Broken(string claim, uint256 found, uint256 expected);

    function setUp() public {
        handler = new Handler();
    }

    /// @notice The only contract that the runner may call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// 1. Conservation, exactly.
    function invariant_1_MoneyIsConserved() public view {
        uint256 sum = handler.accounts() + handler.escrow() + handler.quarantine() + handler.burnt();
        if (sum != handler.held()) revert Broken("held is the sum of its parts", handler.held(), sum);
        if (handler.held() > handler.balance()) revert Broken("owned", handler.balance(), handler.held());
    }

    /// 2. The status of a job never goes back.
    function invariant_2_StatusNeverGoesBack() public view {
        if (handler.wentBack()) revert Broken("status went back", 1, 0);
    }

    /// 3. A stranger can settle every job after its deadlines, and nothing stays locked or escrowed.
    function invariant_3_EveryJobCanBeSettled() public {
        if (handler.stuck()) revert Broken("a settleable job could not be settled", 1, 0);
        uint256 open_ = handler.finishAll();
        if (open_ != 0) revert Broken("jobs stay open", open_, 0);
        if (handler.locked() != 0) revert Broken("bonds stay locked", handler.locked(), 0);
        if (handler.escrow() != 0) revert Broken("escrow stays", handler.escrow(), 0);
        invariant_1_MoneyIsConserved();
    }
}
