// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {BadOffer, OfferFault, Request, SignedOffer} from "../../../contracts/types/Job.sol";
import {JobState} from "../../../contracts/types/JobState.sol";
import {JobModel} from "../invariants/JobModel.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice What `announce`, `checkOffers` and `open` do with any input. Rows A1 and A2.
contract OpenFuzzTest is MarketTest {
    /// @dev Numbers of a request; small ones come often, since the fuzzer bounds them here.
    struct Numbers {
        uint8 seats;
        uint8 quorum;
        uint8 spares;
        uint8 shadows;
        uint16 calloutBps;
        uint16 standbyBps;
        uint32 commitWindow;
        uint32 revealWindow;
        uint32 flags;
        uint32 callbackGas;
    }

    function testFuzz_RequestsAreSoundOrRefused(
        Numbers memory n,
        bool hasCallback,
        bytes32 key,
        address caller
    ) public {
        Request memory request = requestFor(0, 0, 0, 0);
        n.seats %= 20;
        n.quorum %= 20;
        n.spares %= 12;
        n.shadows %= 12;
        n.flags %= 8;
        n.calloutBps %= 10_000;
        n.standbyBps %= 20_000;
        n.callbackGas %= 2_000_000;
        if (n.callbackGas % 2 == 0) n.callbackGas = 0;
        if (n.commitWindow % 2 == 0) n.commitWindow %= 8 days;
        if (n.revealWindow % 2 == 0) n.revealWindow %= 8 days;
        (request.seats, request.quorum, request.spares, request.shadows) = (n.seats, n.quorum, n.spares, n.shadows);
        (request.calloutBps, request.standbyBps) = (n.calloutBps, n.standbyBps);
        (request.commitWindow, request.revealWindow) = (n.commitWindow, n.revealWindow);
        (request.flags, request.callbackGas, request.encryptionKey) = (n.flags, n.callbackGas, key);
        if (hasCallback) request.callback = address(token); // any code
        if (uint160(caller) % 8 != 0) caller = requester;
        vm.prank(caller);
        try market.announce(request) {
            check(isSound(n, hasCallback) && key != 0 && caller == requester, "refused when unsound");
        } catch {
            check(!isSound(n, hasCallback) || key == 0 || caller != requester, "taken when sound");
        }
    }

    function isSound(Numbers memory n, bool hasCallback) private pure returns (bool) {
        if (n.quorum < 2 || n.quorum > n.seats || 2 * uint256(n.quorum) <= n.seats) return false;
        if (uint256(n.seats) + n.spares + n.shadows > 16) return false;
        if (n.calloutBps > 5000 || n.standbyBps > 10_000 || n.flags > 3) return false;
        if (n.commitWindow < 300 || n.commitWindow > 7 days || n.revealWindow < 300 || n.revealWindow > 7 days)
            return false;
        return n.callbackGas <= (hasCallback ? 1_000_000 : 0);
    }

    function testFuzz_TheJobIdIsTheDigest(Request memory request) public view {
        same(market.jobIdOf(request), requestDigest(request), "digest");
    }

    function testFuzz_EachFieldMovesTheJobId(Request memory request, uint256 field, uint8 change) public view {
        bytes32 before = market.jobIdOf(request);
        bytes memory words = abi.encode(request);
        uint256 bit = uint256(change) % 8; // the lowest bits fit into every field
        field %= 22;
        assembly {
            let word := add(words, add(0x20, mul(field, 0x20)))
            mstore(word, xor(mload(word), shl(bit, 1)))
        }
        check(market.jobIdOf(abi.decode(words, (Request))) != before, "another request is another job");
    }

    /// @dev One field of one offer of a good panel is made what the fuzzer wants.
    function testFuzz_OffersAreJudgedByThePage(uint256 field, uint256 value, uint256 place) public {
        Case memory job = caseOf(requestFor(2, 2, 1, 1));
        (field, place) = (field % 6, place % 4);
        SignedOffer memory offer = job.offers[place];
        bool good;
        OfferFault fault;
        if (field == 0) {
            offer.price = uint96(value);
            (good, fault) = (offer.price <= 2 * PRICE, OfferFault.PriceAboveCeiling);
        } else if (field == 1) {
            offer.roles = uint8(value);
            uint8 role =
                place < 2
                    ? 1
                    : place == 2
                        ? 2
                        : 4;
            (good, fault) = (offer.roles & role != 0, OfferFault.RoleNotAccepted);
        } else if (field == 2) {
            offer.expiry = uint40(value % 2 == 0 ? value : clock + (value % 5) - 2);
            (good, fault) = (offer.expiry > clock, OfferFault.Expired);
        } else if (field == 3) {
            offer.encryptionKey = bytes32(value % 4 == 0 ? 0 : value);
            (good, fault) = (value % 4 != 0, OfferFault.ZeroKey);
        } else if (field == 4) {
            uint256 other = value % 5; // the last one is no provider of the panel
            offer.provider = other == 4 ? provider(9) : job.offers[other].provider;
            good = other >= place; // itself, a later one, or nobody of the panel
            (fault, place) = (OfferFault.DuplicateProvider, place);
            if (other < 4 && other > place) (good, place) = (false, other); // the later of two is the duplicate
            offer.signature = signature(keyOf(other == 4 ? 9 : other), offerDigest(job.id, offer));
        } else {
            offer.provider = requester;
            fault = OfferFault.ProviderIsRequester;
        }
        if (field < 4) offer.signature = signature(keyOf(place), offerDigest(job.id, offer));
        BadOffer[] memory bad = market.checkOffers(job.request, 1, job.offers);
        if (good) return same(bad.length, 0, "a good offer");
        same(bad.length, 1, "one bad offer");
        same(bad[0].place, place, "its place");
        same(uint256(bad[0].fault), uint256(fault), "its fault");
    }

    function testFuzz_ChangedOffersAreNotSigned(uint256 field, uint96 change, uint256 place) public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        place %= 2;
        SignedOffer memory offer = job.offers[place];
        field %= 4;
        if (field == 0) offer.price = uint96(bound(change, 0, PRICE - 1));
        if (field == 1) offer.encryptionKey = keccak256(abi.encode(change));
        if (field == 2) offer.roles = 3;
        if (field == 3) offer.expiry = uint40(clock + 101 + (change % 1000));
        BadOffer[] memory bad = market.checkOffers(job.request, 0, job.offers);
        same(bad.length, 1, "one bad offer");
        same(uint256(bad[0].fault), uint256(OfferFault.BadSignature), "not signed");
    }

    function testFuzz_AgentsSignWithinTheirLimits(uint96 bond, uint32 window, uint40 until, uint40 later) public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        if (bond % 2 == 0) bond %= 2 * BOND;
        if (window % 2 == 0) window %= 2 * WINDOW;
        until = uint40(clock + 1 + (until % 90)); // what was never in force is no agent
        vm.prank(provider(0));
        market.authorize(carrier, address(token), bond, window, until);
        vm.prank(provider(0));
        market.authorize(vm.addr(0xA6E7), address(token), bond, window, until);
        job.offers[0].signature = signature(0xA6E7, offerDigest(job.id, job.offers[0]));
        skip(later % 99);
        BadOffer[] memory bad = market.checkOffers(job.request, 0, job.offers);
        bool good = clock < until && BOND <= bond && WINDOW >= window;
        same(bad.length, good ? 0 : 1, "within the limits");
        if (good) return;
        OfferFault fault = OfferFault.WindowBeyondAgent;
        if (BOND > bond) fault = OfferFault.BondBeyondAgent;
        if (clock >= until) fault = OfferFault.AgentExpired;
        same(uint256(bad[0].fault), uint256(fault), "fault");
    }

    function testFuzz_OpeningEscrowsAndLocksExactly(
        uint96[5] memory prices,
        uint16 standbyBps,
        uint96 bond,
        uint96 fee
    ) public {
        Request memory request = requestFor(3, 2, 1, 1);
        request.priceCeiling = FUNDS / 8;
        request.standbyBps = uint16(standbyBps % 10_001);
        (request.bond, request.carrierFee) = (bond % (FUNDS + 1), fee % (FUNDS / 8));
        Case memory job = caseOf(request);
        for (uint256 i; i < 5; ++i) job.offers[i] = offerBy(job.id, i, prices[i] % (FUNDS / 8 + 1));
        fillTerms(job);
        open(job);
        uint256 escrow = JobModel.escrowOf(job.terms);
        same(escrow, escrowOf(job.terms), "the page");
        same(freeOf(requester), FUNDS - escrow, "escrow");
        for (uint256 i; i < 5; ++i) {
            same(freeOf(provider(i)), FUNDS - request.bond, "free");
            same(lockedOf(provider(i)), request.bond, "locked");
        }
        JobState memory state = market.jobState(job.id);
        same(uint256(state.phase), 1, "open");
        same(state.openedAt, clock, "now");
        same(market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))), job.id, "an empty chain");
        vm.prank(requester);
        vm.expectRevert();
        market.open(job.request, 1, job.offers);
    }
}
