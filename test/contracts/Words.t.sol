// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {MoodyCallback} from "./support/Callbacks.sol";
import {Slots} from "./support/VmStorage.sol";
import {Phase} from "../../contracts/types/JobState.sol";
import {Request, SignedOffer} from "../../contracts/types/Job.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";

/// @notice What is stored, hashed, read and logged word by word, as the comments of types/ draw it. Branches: Words.tree.
contract WordsTest is MarketTest {
    /// @dev Words of a request that are narrower than a word, and their widths in bits.
    uint8[19] private narrow = [0, 1, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 20, 20];
    uint8[19] private widths = [160, 160, 96, 96, 96, 8, 8, 8, 8, 16, 16, 32, 32, 32, 160, 32, 40, 40, 40];

    function word(bytes32 jobId) private view returns (uint256) {
        return Slots.read(address(market), Slots.find(address(market), jobId));
    }

    function test_FreshJobIsTimeAndHash() public {
        Case memory job = opened(3, 2, 2, 1);
        uint256 terms = uint256(keccak256(abi.encode(job.terms)));
        same(
            word(job.id),
            ((terms >> 48) << 48) | (clock << 8) | 4,
            "208 bits of the hash, 40 of the time, 8 of the phase"
        );
        same(market.jobState(job.id).openedAt, clock, "the time is shown");
        check(market.jobState(job.id).phase == Phase.Open, "and the phase");
        same(market.commitmentChainOf(job.id, bytes32(terms)), job.id, "the chain begins with the job");
        same(market.commitmentChainOf(job.id, bytes32(terms ^ (1 << 48))), 0, "of these terms only");
    }

    function test_OpenJobIsItsFacts() public {
        Case memory job = opened(3, 2, 2, 1);
        skip(1);
        decline(job, 0);
        promote(job);
        skip(1);
        for (uint8 place = 1; place < 4; ++place) commit(job, place, place == 2 ? 2 : 1, ANSWER);
        reveal(job, list(1, 2));
        uint256 expected = 1 | (0x0e << 40) | (0x01 << 56) | (0x06 << 72) | (0x08 << 88) | (0x10 << 104);
        expected |= (uint256(START) << 136) | (uint256(START + 2) << 176) | (uint256(START + 1) << 216);
        same(word(job.id), expected, "phase, sets of places, classes, times");
        same(market.jobState(job.id).classes, 0x10, "classes are shown");
        check(market.jobState(job.id).phase == Phase.Open, "and the phase");
    }

    function test_LastPlaceHasItsBits() public {
        Case memory job = opened(16, 9, 0, 0);
        decline(job, 0);
        for (uint8 place = 1; place < 16; ++place) commit(job, place, place == 15 ? 9 : 1, ANSWER);
        uint8[] memory all = new uint8[](14);
        for (uint8 i; i < 14; ++i) all[i] = i + 2;
        reveal(job, all);
        uint256 expected = 1 | (0xfffe << 40) | (0x01 << 56) | (0xfffc << 72) | (uint256(3) << 134);
        expected |= (uint256(START) << 136) | (uint256(START) << 176) | (uint256(START) << 216);
        same(word(job.id), expected, "no field runs into the next");
    }

    function test_SettledJobIsItsResult() public {
        Case memory job = opened(3, 2, 0, 0);
        for (uint8 place; place < 3; ++place) commit(job, place, 2, ANSWER);
        revealAll(job);
        uint256 hash = (uint256(ANSWER) >> 40) << 40;
        same(word(job.id), hash | (3 << 32) | (2 << 24) | (3 << 16) | (2 << 8) | 2, "accepted");
        same(market.jobState(job.id).outcome, 2, "outcome");
        check(market.jobState(job.id).phase == Phase.Accepted, "phase");
        same(bytes32(market.jobState(job.id).resultHash), bytes32(hash), "result hash");

        job = opened(2, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        revealAll(job);
        same(word(job.id), (2 << 24) | (2 << 16) | 3, "inconclusive");
        check(market.jobState(job.id).phase == Phase.Inconclusive, "phase");
    }

    function test_MarksHaveTheirBits() public {
        MoodyCallback target = new MoodyCallback();
        target.set(MoodyCallback.Mood.Reverts);
        Request memory request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas, request.flags) = (address(target), 100_000, 2);
        Case memory job = caseOf(request);
        open(job);
        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        revealSet(job, set, list(0));
        uint256 expected =
            1 | (1 << 8) | (0x03 << 40) | (0x01 << 72) | (uint256(START) << 136) | (uint256(START) << 176);
        same(word(job.id), expected, "by a set");
        skip(REVEAL);
        settle(job);
        same(word(job.id), (1 << 7) | (2 << 24) | (2 << 16) | 3, "the callback is pending");
        check(market.jobState(job.id).callbackPending, "and seen");
        target.set(MoodyCallback.Mood.Fine);
        market.retryCallback(request);
        same(word(job.id), (2 << 24) | (2 << 16) | 3, "and no longer");
    }

    /// A set clears what was opened by those that are no longer part of the vote, and nothing else.
    function test_SetKeepsTheOpeningsThatStand() public {
        Request memory request = requestFor(3, 2, 2, 1);
        request.flags = 2;
        Case memory job = caseOf(request);
        open(job);
        decline(job, 0);
        promote(job);
        commit(job, 1, 2, ANSWER);
        commit(job, 2, 3, 0);
        commit(job, 3, 7, ANSWER);
        reveal(job, list(1, 3));
        bytes32[] memory set = new bytes32[](6);
        set[0] = voteFor(job, 0, 1, ANSWER);
        (set[1], set[2]) = (placed[job.id][0].commitment, placed[job.id][1].commitment);
        skip(1);
        revealSet(job, set, new uint8[](0));
        uint256 expected = 1 | (1 << 8) | (0x07 << 40) | (0x02 << 72) | (uint256(1) << 106);
        expected |= (uint256(START) << 136) | (uint256(START) << 176) | (uint256(START) << 216);
        same(word(job.id), expected, "seat 1 is open, the spare is not; who declined is bound again");
    }

    /// What a job stored along its way is gone when it is settled.
    function test_SettledJobLeavesOneWord() public {
        Case memory job = opened(3, 2, 1, 0);
        for (uint8 place; place < 3; ++place) commit(job, place, 1, ANSWER);
        reveal(job, list(1));
        check(words(job.id) == 1, "a result hash waits");
        reveal(job, list(0, 2));
        same(words(job.id), 0, "none is left");
        same(market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))), 0, "no chain");
    }

    /// @dev Words of mappings from job and place.
    function words(bytes32 jobId) private view returns (uint256 found) {
        for (uint256 variable; variable < 32; ++variable) {
            bytes32 inner = keccak256(abi.encode(jobId, variable));
            for (uint256 place; place < 16; ++place) {
                if (Slots.read(address(market), keccak256(abi.encode(place, inner))) != 0) ++found;
            }
        }
    }

    /// The chain folds as `abi.encode` lays out: any bit of a commitment changes it.
    function test_ChainFoldsWholeWords() public {
        Case memory job = opened(2, 2, 0, 0);
        commit(job, 1, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        bytes32 chain = job.id;
        for (uint256 i; i < 2; ++i) {
            chain = keccak256(abi.encode(chain, placed[job.id][i].place, placed[job.id][i].commitment));
        }
        same(market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))), chain, "folded");
    }

    /// A field that does not fit is refused, as the compiler would; one that just fits is not.
    function test_FieldsOfARequestAreChecked() public {
        bytes memory data = abi.encode(requestFor(3, 2, 1, 1));
        for (uint256 i; i < narrow.length; ++i) {
            uint256 offset = 32 + 32 * uint256(narrow[i]);
            uint256 kept;
            assembly {
                kept := mload(add(data, offset))
            }
            put(data, offset, (uint256(1) << widths[i]) - 1);
            (bool success, bytes memory answer) = jobIdOf(data);
            check(success, "the highest value fits");
            same(abi.decode(answer, (bytes32)), requestDigest(data), "every word is part of the job id");
            for (uint256 bit = widths[i]; bit < 256; bit += bit == widths[i] ? 255 - bit : 1) {
                put(data, offset, uint256(1) << bit);
                (success, answer) = jobIdOf(data);
                check(!success && answer.length == 0, "one bit more does not");
            }
            put(data, offset, kept);
        }
    }

    function put(bytes memory data, uint256 offset, uint256 value) private pure {
        assembly {
            mstore(add(data, offset), value)
        }
    }

    function jobIdOf(bytes memory data) private view returns (bool, bytes memory) {
        return address(market).staticcall(bytes.concat(IJobMarket.jobIdOf.selector, data));
    }

    /// The event is exactly what the compiler would encode, whatever the lengths of the key wraps.
    function test_KeyWrapsOfAnyLengthAreLogged() public {
        Case memory job = caseOf(requestFor(3, 2, 2, 2));
        bytes[] memory wraps = new bytes[](7);
        uint8[7] memory lengths = [0, 1, 31, 32, 33, 64, 0];
        for (uint256 i; i < 7; ++i) {
            bytes memory wrap = new bytes(lengths[i]);
            for (uint256 byte_; byte_ < wrap.length; ++byte_) wrap[byte_] = 0xff;
            job.offers[i].keyWrap = wraps[i] = wrap;
        }
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.JobOpened(job.id, requester, job.request, 2, job.terms.places, wraps);
        open(job);
    }

    /// Terms with more places than a job can have are those of no job.
    function test_TermsBeyondSixteenPlacesAreNone() public {
        Case memory job = opened(2, 2, 0, 0);
        SignedOffer[] memory many = new SignedOffer[](17);
        for (uint256 i; i < 17; ++i) many[i] = job.offers[i % 2];
        job.offers = many;
        fillTerms(job);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.TermsMismatch.selector, job.id, bytes32(0)));
        market.statusOf(job.id, job.terms);
    }
}
