// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QueryMarketTest} from "./support/QueryMarketTest.sol";
import {Slots} from "./support/VmStorage.sol";
import {MoodyVerifier} from "./harness/MoodyVerifier.sol";
import {Answer, AnswerFault, QuestionStatus, Quote} from "../../contracts/types/Question.sol";
import {IAnswerVerifier} from "../../contracts/interfaces/IAnswerVerifier.sol";
import {IPoseidon2} from "../../contracts/interfaces/IPoseidon.sol";
import {IQueryMarket} from "../../contracts/interfaces/IQueryMarket.sol";

/// @notice Questions word by word, counters and amounts at their edges. Branches: QueryWords.tree.
contract QueryWordsTest is QueryMarketTest {
    /// @dev The word of a question of `provider`.
    function word(uint256 query) private view returns (uint256 found) {
        for (uint256 variable; variable < 32; ++variable) {
            bytes32 inner = keccak256(abi.encode(provider, variable));
            found = Slots.read(address(market), keccak256(abi.encode(query, inner)));
            if (found != 0) return found;
        }
    }

    function test_QuestionIsOneWord() public {
        (Quote memory quote, Quote memory other) = (asked(), asked());
        // The last bit that is kept is one.
        while ((uint256(digestOf(quote)) >> 48) & 1 == 0) quote = asked();
        uint256 digest = (uint256(digestOf(quote)) >> 48) << 48;
        same(word(quote.query), digest | ((clock + WINDOW) << 2) | 1, "pending");
        answer(quote, P - 1, 1);
        same(word(quote.query), ((P - 1) << 2) | 2, "answered");
        skip(WINDOW + 1);
        market.expire(other);
        same(word(other.query), 3, "expired");
        (, uint40 deadline, uint256 cipher) = market.questionOf(provider, other.query);
        check(deadline == 0 && cipher == 0, "nothing is kept");
    }

    function test_OtherQuoteDoesNotExpireIt() public {
        Quote memory quote = asked();
        skip(WINDOW + 1);
        ++quote.bond;
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.QuoteMismatch.selector, digestOf(quote)));
        market.expire(quote);
    }

    /// What opens to neither 0 nor 1 was not the key.
    function test_OnlyBitsAreAnswers() public {
        for (uint256 opened; opened < 4; ++opened) {
            Quote memory quote = asked();
            uint256 pad = IPoseidon2(market.poseidon2()).poseidon([uint256(5), quote.query]);
            answer(quote, addmod(pad, opened, P), 10 + opened);
            if (opened > 1) {
                vm.expectRevert(abi.encodeWithSelector(IQueryMarket.WrongKey.selector, provider, quote.query));
                market.answerOf(provider, quote.query, 5);
            } else {
                check(market.answerOf(provider, quote.query, 5) == (opened == 1), "the bit");
            }
        }
    }

    function test_CountersStopAtTheirHighest() public {
        answer(asked(), 1, 1);
        bytes32 slot = Slots.find(address(market), bytes32(uint256(uint160(provider))));
        uint256 other = (Slots.read(address(market), slot) >> 64) << 64;
        Slots.write(address(market), slot, other | type(uint64).max);
        (Quote memory first, Quote memory second) = (asked(), asked());
        answer(first, 1, 2);
        skip(WINDOW + 1);
        market.expire(second);
        (uint32 answered, uint32 expired) = market.recordOf(provider);
        same(answered, type(uint32).max, "answered");
        same(expired, type(uint32).max, "expired");
    }

    /// One provider may lock nearly all money there is: 96 bits are enough for it.
    function test_HugeBondIsLockedWhole() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.bond = type(uint96).max - 3 * FUNDS;
        fund(provider, quote.bond - FUNDS);
        ask(quote);
        same(lockedOf(provider), quote.bond, "locked");
        same(freeOf(provider), 0, "nothing is free");
        answer(quote, 1, 1);
        same(lockedOf(provider), 0, "released");
        same(freeOf(provider), uint256(quote.bond) + PRICE, "free");
    }

    /// The verifier sees what was not skipped, and no more; a fault is named before the other verifier is.
    function test_VerifierSeesNoSkippedItem() public {
        MoodyVerifier twin = new MoodyVerifier();
        Quote memory foreign = quoteFor(freshQuery());
        foreign.verifier = address(twin);
        Answer[] memory answers = new Answer[](4);
        answers[0] = answerOf(foreign, 7, 1); // never asked
        answers[1] = answerOf(asked(), 8, 2);
        answers[2] = answerOf(foreign, 9, 3); // never asked, and of another verifier
        answers[3] = answerOf(asked(), 10, 4);
        uint256[8][] memory proofs = new uint256[8][](2);
        uint256[4][] memory signals = new uint256[4][](2);
        signals[0] = [8, 2, ROOT, answers[1].quote.query];
        signals[1] = [10, 4, ROOT, answers[3].quote.query];
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.AnswerSkipped(digestOf(foreign), AnswerFault.NotPending);
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.AnswerSkipped(digestOf(foreign), AnswerFault.NotPending);
        vm.expectCall(address(verifier), abi.encodeCall(IAnswerVerifier.verifyProofs, (proofs, signals)));
        market.answerBatch(answers);
        same(statusOf(answers[3].quote), QuestionStatus.Answered, "answered");
    }

    function test_NoRootIsNoRoot() public view {
        (uint40 publishedAt, uint40 supersededAt, bool revoked, bool askable) = market.rootOf(dataset, 0);
        check(publishedAt == 0 && supersededAt == 0 && !revoked && !askable, "the first root supersedes nothing");
    }
}
