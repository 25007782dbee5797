// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobStatus, PlacedCommitment, Request, Terms, Verdict} from "../../../contracts/types/Job.sol";
import {Wallet} from "../support/Wallets.sol";
import {MarketTest} from "../support/MarketTest.sol";
import {TestToken} from "../tokens/TestToken.sol";
import {CallbackWitness} from "./CallbackWitness.sol";
import {Course, Ending, History, JobModel, Probation} from "./JobModel.sol";

/// @notice The parties of {JobActions}, and the books that are kept of what should have happened to their money, standing and jobs.
/// Nothing in these books is read from the market: they follow docs/protocol/lifecycle.md.
abstract contract JobWorld is MarketTest {
    using JobModel for History;

    /// @notice What a call of the actions can show to be wrong at once. Everything else is seen by comparing books with the market.
    enum Breach {
        Open, // an opening was accepted or refused against A2
        Commit, // A3
        CarriedCommit, // A4
        Decline, // A5
        Promote, // A6
        Reveal, // A7
        Settle, // A8
        Withdraw, // A9
        Claim, // A10
        Deposit,
        SecondOpening,
        OtherTerms,
        OtherCommitments,
        CommitAfterReveal,
        PromotionAfterReveal,
        StatusWentBack,
        RevealMoved,
        PenaltyEnriched,
        AgentBeyondLimits,
        ProbationSeated,
        StrangersMoney,
        BurntFell,
        RevealSet, // A11
        SecondSet,
        SetUnasked,
        LateSet,
        EquivocatorGained,
        RetryCallback, // A12
        CallbackMovedMoney,
        CallbackStarved
    }

    /// @notice A job that is open, as the books have it.
    struct Live {
        bytes32 id;
        uint256 openedAt;
        uint256 setFrom;
        uint256 request; // index among those that were spent
        bytes terms; // encoded
        Course[] places;
        PlacedCommitment[] landed;
        uint256 passedAt; // R, once it was seen to have passed
        uint256 seen; // highest status
    }

    /// @notice What is known for good about a job that is settled.
    struct Settled {
        bytes32 id;
        uint8 status;
        uint8 outcome;
        uint8 agreeing;
        uint8 seats;
        uint8 quorum;
        bytes32 resultHash;
        bytes32 termsHash;
        uint256 request; // index among those that were spent
        bool isPending; // its callback failed
    }

    struct Limits {
        uint96 maxBond;
        uint32 minWindow;
        uint40 validUntil;
    }

    uint256 internal constant PROVIDERS = 9;
    uint256 internal constant KEYED = 2; // the first providers have keys, the others are contracts
    uint256 internal constant LIVE = 3;
    uint256 internal constant AGENT = 0xA6E7;
    uint256 internal constant ENOUGH = 300_000; // gas for the witness

    address[] internal providers;
    address[] internal requesters;
    address[] internal accounts; // everybody whose balance can change
    address internal agent = vm.addr(AGENT);
    address internal stranger = address(0x57);
    address internal bank = address(0xBA);
    CallbackWitness internal witness;
    CallbackWitness.Mood internal mood;
    TestToken[2] internal tokens;
    uint96[2] internal units = [uint96(1000), uint96(2 ** 70)];

    Live[LIVE] internal live;
    Settled[] internal settledJobs;
    Request[] internal spent; // requests that were opened
    mapping(address token => uint256) internal held;
    mapping(address token => uint256) internal burnt;
    mapping(address token => uint256) internal escrow;
    mapping(address token => uint256) internal fed;
    mapping(address token => mapping(address account => uint256)) internal free;
    mapping(address token => mapping(address account => uint256)) internal locked;
    mapping(address provider => mapping(address token => mapping(uint32 number => uint256))) internal quarantine;
    mapping(address provider => mapping(uint32 number => bool)) internal condemned;
    mapping(address provider => Probation) internal probations;
    mapping(address provider => mapping(Verdict => uint256)) internal verdicts;
    mapping(address provider => mapping(address token => Limits)) internal limits;
    mapping(Breach => uint256) public breaches;
    mapping(address token => uint256) private _burntSeen;
    /// @dev Whether the last action settled a job with a fault.
    bool public justFaulted;
    uint256 public actions;
    uint256 private _calls;

    /// @dev Everybody is funded in both tokens; one counts in thousands, the other fills the words of the ledger.
    function setUp() public override {
        if (address(market) != address(0)) return;
        vm.warp(START);
        market = deploy(300, 7 days);
        for (uint256 i; i < PROVIDERS; ++i) providers.push(i < KEYED ? provider(i) : address(new Wallet()));
        witness = new CallbackWitness(market);
        requesters = [requester, address(new Wallet()), providers[PROVIDERS - 1]];
        for (uint256 i; i < PROVIDERS; ++i) accounts.push(providers[i]);
        accounts.push(requesters[0]);
        accounts.push(requesters[1]);
        accounts.push(carrier);
        accounts.push(stranger);
        accounts.push(agent);
        for (uint256 t; t < 2; ++t) {
            tokens[t] = new TestToken("Test", "TST", t == 0 ? 6 : 18);
            tokens[t].mint(bank, type(uint128).max);
            vm.prank(bank);
            tokens[t].approve(address(market), type(uint256).max);
            for (uint256 i; i < PROVIDERS + 2; ++i) _deposit(t, accounts[i], units[t] << 20);
        }
    }

    function _deposit(uint256 t, address account, uint96 amount) internal {
        address token_ = address(tokens[t]);
        bool allowed = held[token_] + amount <= type(uint96).max && account != address(0) && account != address(market);
        bool done = _call(bank, abi.encodeCall(market.deposit, (token_, account, amount)));
        _expect(Breach.Deposit, done, allowed);
        if (!done) return;
        held[token_] += amount;
        free[token_][account] += amount;
    }

    // Calls

    /// @dev Begins an action. The runner likes small and special numbers; hashed, every bit of them decides something.
    function _begin(uint256 seed) internal returns (uint256) {
        ++actions;
        justFaulted = false;
        return uint256(keccak256(abi.encode(seed)));
    }

    /// @dev A call of the market by `caller`. Whether it went through is all that matters. One of the others, in turn, is watched: only
    /// an opening may take from the free balance of somebody who does not call, since its panel has signed.
    function _call(address caller, bytes memory data) internal returns (bool done) {
        return _callWith(caller, data, gasleft());
    }

    function _callWith(address caller, bytes memory data, uint256 gas_) internal returns (bool done) {
        uint256 turn = ++_calls;
        address other = accounts[turn % accounts.length];
        address token_ = address(tokens[(turn / accounts.length) % 2]);
        (uint96 before, ) = market.accountOf(token_, other);
        vm.prank(caller);
        (done, ) = address(market).call{gas: gas_}(data);
        (uint96 after_, ) = market.accountOf(token_, other);
        if (after_ < before && other != caller && bytes4(data) != market.open.selector)
            ++breaches[Breach.StrangersMoney];
    }

    /// @dev Notes a call that the market accepted or refused against the page.
    function _expect(Breach breach, bool found, bool expected) internal {
        if (found != expected) ++breaches[breach];
    }

    function _mayActFor(address caller, address account, address token_) internal view returns (bool) {
        return caller == account || (caller == agent && clock < limits[account][token_].validUntil);
    }

    /// @dev Whether a signature over a set counts: what was in force when the job was opened cannot be taken back.
    function _mayHaveSigned(
        address signer,
        address account,
        address token_,
        uint256 openedAt
    ) internal view returns (bool) {
        return signer == account || (signer == agent && openedAt < limits[account][token_].validUntil);
    }

    function onProbation(address account) internal view returns (bool) {
        return JobModel.lasts(probations[account], clock);
    }

    // Books of jobs

    function _history(Live storage job) internal view returns (History memory history) {
        history.terms = abi.decode(job.terms, (Terms));
        (history.openedAt, history.setFrom) = (job.openedAt, job.setFrom);
        history.places = job.places;
    }

    function _store(Live storage job, Course[] memory places) internal {
        for (uint256 i; i < places.length; ++i) job.places[i] = places[i];
    }

    /// @dev What a settlement does, row by row, in the books; then what it did to the money, measured at the market.
    function _settle(Live storage job, History memory history, address caller, uint256 before) internal {
        Terms memory terms = history.terms;
        Ending memory ending = history.endingOf();
        uint256 penalties;
        for (uint256 i; i < terms.places.length; ++i) {
            address account = terms.places[i].provider;
            Verdict verdict = ending.verdicts[i];
            if (history.places[i].isVoid && account != caller && _gained(terms.token, account)) {
                ++breaches[Breach.EquivocatorGained];
            }
            if (verdict != Verdict.Declined || terms.flags & 2 != 0) {
                locked[terms.token][account] -= terms.bond;
                if (ending.burnt[i]) burnt[terms.token] += terms.bond;
                else if (!ending.quarantined[i]) free[terms.token][account] += terms.bond;
                if (ending.burnt[i] || ending.quarantined[i]) penalties += terms.bond;
            }
            free[terms.token][account] += ending.paid[i];
            _judge(account, verdict, history.openedAt, terms.token, terms.bond);
        }
        free[terms.token][caller] += terms.carrierFee;
        free[terms.token][terms.requester] += ending.refund;
        uint256 escrowed = JobModel.escrowOf(terms);
        escrow[terms.token] -= escrowed;
        // Whatever the verdicts: all accounts together gain the escrow and lose the penalties, so no penalty went to anybody.
        if (_wealth(terms.token) + penalties != before + escrowed) ++breaches[Breach.PenaltyEnriched];
        bool isPending = terms.callback != address(0) && !_succeeds(terms.callbackGas);
        if (terms.callback != address(0) && !isPending && !_hasGas(terms.callbackGas))
            ++breaches[Breach.CallbackStarved];
        settledJobs.push(
            Settled({
                id: job.id,
                status: uint8(ending.accepted ? JobStatus.Accepted : JobStatus.Inconclusive),
                outcome: ending.outcome,
                agreeing: uint8(ending.agreeing),
                seats: terms.seats,
                quorum: terms.quorum,
                resultHash: ending.resultHash,
                termsHash: keccak256(abi.encode(terms)),
                request: job.request,
                isPending: isPending
            })
        );
        delete live[_slotOf(job)];
    }

    /// @dev Whether an account has more at the market than in the books of before.
    function _gained(address token_, address account) private view returns (bool) {
        (uint96 free_, uint96 locked_) = market.accountOf(token_, account);
        return uint256(free_) + locked_ > free[token_][account] + locked[token_][account];
    }

    /// @dev Whether the witness, in its mood, lets a callback with this gas succeed.
    function _succeeds(uint256 gas_) internal view returns (bool) {
        return gas_ >= ENOUGH && (mood == CallbackWitness.Mood.Fine || mood == CallbackWitness.Mood.Reenters);
    }

    /// @dev What a callback tries if it re-enters: to settle its own job again, and to be told once more.
    function _prime(bytes32 id, bytes memory terms, Request memory request) internal {
        if (mood != CallbackWitness.Mood.Reenters) return;
        bytes memory first;
        if (terms.length != 0) first = abi.encodeCall(market.settle, (id, abi.decode(terms, (Terms))));
        witness.set(mood, first, abi.encodeCall(market.retryCallback, (request)));
    }

    /// @dev Whether the last callback got what it was promised, up to what entering it costs.
    function _hasGas(uint256 promised) internal view returns (bool) {
        uint256 given = witness.given();
        return given <= promised && given + 1000 >= promised;
    }

    function _slotOf(Live storage job) private view returns (uint256 slot) {
        while (live[slot].id != job.id) ++slot;
    }

    function _judge(address account, Verdict verdict, uint256 openedAt, address token_, uint256 bond) private {
        ++verdicts[account][verdict];
        (Probation memory after_, uint32 failed) = JobModel.afterVerdict(probations[account], verdict, openedAt, clock);
        if (failed != 0) condemned[account][failed] = true;
        probations[account] = after_;
        if (verdict != Verdict.Fault) return;
        quarantine[account][token_][after_.number] += bond;
        justFaulted = true;
    }

    /// @dev Free and locked money of everybody, at the market.
    function _wealth(address token_) internal view returns (uint256 sum) {
        for (uint256 i; i < accounts.length; ++i) {
            (uint96 free_, uint96 locked_) = market.accountOf(token_, accounts[i]);
            sum += uint256(free_) + locked_;
        }
    }

    /// @dev Notes what a job shows of itself after an action.
    function _look(Live storage job) internal {
        if (job.id == 0) return;
        (JobStatus found, uint40 start, ) = market.statusOf(job.id, abi.decode(job.terms, (Terms)));
        if (uint256(found) < job.seen) ++breaches[Breach.StatusWentBack];
        job.seen = uint256(found);
        if (job.passedAt != 0 && start != job.passedAt) ++breaches[Breach.RevealMoved];
        if (clock >= start) job.passedAt = start;
    }

    /// @dev Looks at every job, and at what was burnt.
    function _lookAround() internal {
        for (uint256 i; i < LIVE; ++i) _look(live[i]);
        for (uint256 t; t < 2; ++t) {
            uint256 found = market.burnt(address(tokens[t]));
            if (found < _burntSeen[address(tokens[t])]) ++breaches[Breach.BurntFell];
            _burntSeen[address(tokens[t])] = found;
        }
    }
}
