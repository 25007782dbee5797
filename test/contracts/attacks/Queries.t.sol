// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QueryMarketTest} from "../support/QueryMarketTest.sol";
import {MoodyVerifier} from "../harness/MoodyVerifier.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {IQueryMarket} from "../../../contracts/interfaces/IQueryMarket.sol";
import {SignerFault} from "../../../contracts/types/Agent.sol";
import {Answer, AnswerFault, QuestionStatus, Quote} from "../../../contracts/types/Question.sol";

/// @notice Attacks on the query market. What a proof says is the matter of circuits and verifiers; here a verifier says what it is
/// told to.
contract QueriesAttacks is QueryMarketTest {
    function refusesAsk(Quote memory quote, bytes memory error_) private {
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.prank(quote.asker);
        vm.expectRevert(error_);
        market.ask(quote, signed);
    }

    function refusesAnswer(Quote memory quote, uint256 cipher, uint256 nullifier, bytes memory error_) private {
        uint256[8] memory proof;
        vm.prank(stranger);
        vm.expectRevert(error_);
        market.answer(quote, cipher, nullifier, proof);
    }

    function notSigned(Quote memory quote, bytes memory signed) private {
        bytes32 id = market.quoteDigest(quote);
        vm.prank(quote.asker);
        vm.expectRevert(
            abi.encodeWithSelector(IQueryMarket.QuoteNotSigned.selector, id, provider, SignerFault.BadSignature)
        );
        market.ask(quote, signed);
    }

    function wealth(address account) private view returns (uint256) {
        return uint256(freeOf(account)) + lockedOf(account);
    }

    /// @dev A quote of the rival, for a dataset of its own.
    function rivalQuote(uint256 query) private returns (Quote memory quote) {
        quote = quoteFor(query);
        quote.provider = rival;
        vm.prank(rival);
        quote.dataset = market.registerDataset(DEFINITION, GRACE, address(0));
        vm.prank(rival);
        market.publishRoot(quote.dataset, ROOT);
    }

    // Who asks, and by which quote

    /// Attack: Somebody asks by the quote, and with the money, of another.
    /// Market: Only the asker of a quote asks.
    function test_attack_StrangerAsksWithMyMoney() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotAsker.selector, stranger, asker));
        market.ask(quote, signed);
    }

    /// Attack: A provider asks itself, to count answers that nobody wanted.
    /// Market: It is refused.
    function test_attack_ProviderAsksItself() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.asker = provider;
        refusesAsk(quote, abi.encodeWithSelector(IQueryMarket.ProviderIsAsker.selector, provider));
    }

    /// Attack: The asker makes a quote itself.
    /// Market: The provider, or its agent, has signed it.
    function test_attack_QuoteSignedByTheAsker() public {
        Quote memory quote = quoteFor(freshQuery());
        notSigned(quote, signature(0xB0B, quote));
    }

    /// Attack: After a fork of the chain, a quote signed on one side is asked on the other.
    /// Market: The domain names the chain as it is now.
    function test_attack_QuoteReplayedOnAnotherChain() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.chainId(1);
        notSigned(quote, signed);
    }

    /// Attack: A quote signed for one market is asked in another.
    /// Market: The domain names the contract; a signature that names none fits none.
    function test_attack_QuoteReplayedInAnotherMarket() public {
        Quote memory quote = quoteFor(freshQuery());
        IQueryMarket here = market;
        market = IQueryMarket(address(0));
        bytes memory universal = signature(PROVIDER_KEY, quote);
        market = here;
        notSigned(quote, universal);
    }

    /// Attack: An old quote is asked when its root or its price has long changed.
    /// Market: A quote ends at its expiry.
    function test_attack_ExpiredQuote() public {
        Quote memory quote = quoteFor(freshQuery());
        goTo(quote.expiry);
        refusesAsk(quote, abi.encodeWithSelector(IQueryMarket.QuoteExpired.selector, digestOf(quote), quote.expiry));
        goTo(quote.expiry - 1);
        ask(quote);
    }

    /// Attack: A rival asks itself the query of another, so that the other cannot be asked.
    /// Market: Questions are kept by provider and query.
    function test_attack_QuerySquatted() public {
        uint256 query = freshQuery();
        askBy(RIVAL_KEY, rivalQuote(query));
        Quote memory ours = quoteFor(query);
        bytes memory signed = signature(PROVIDER_KEY, ours);
        vm.prank(asker);
        (bool success, ) = address(market).call(abi.encodeCall(market.ask, (ours, signed)));
        check(success, "asked at its own provider");
        same(statusOf(ours), QuestionStatus.Pending, "pending");
    }

    /// Attack: A question that was answered is asked again, and its answer overwritten.
    /// Market: A query is asked once at a provider.
    function test_attack_AnswerOverwritten() public {
        Quote memory quote = asked();
        answer(quote, 77, 1);
        Quote memory again = quoteFor(quote.query);
        again.price = 0;
        refusesAsk(
            again,
            abi.encodeWithSelector(IQueryMarket.AlreadyAsked.selector, provider, quote.query, QuestionStatus.Answered)
        );
    }

    /// Attack: The modulus is added to a query, to ask the same thing twice.
    /// Market: A query is below the modulus.
    function test_attack_QueryPlusModulus() public {
        Quote memory quote = asked();
        Quote memory again = quoteFor(quote.query + P);
        refusesAsk(again, abi.encodeWithSelector(IQueryMarket.QueryOutOfRange.selector, quote.query + P));
    }

    // Roots and datasets

    /// Attack: A provider quotes for the dataset of another.
    /// Market: The provider of a quote is that of its dataset.
    function test_attack_ForeignDataset() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.provider = rival;
        bytes memory signed = signature(RIVAL_KEY, quote);
        vm.prank(asker);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotDatasetProvider.selector, dataset, rival, provider));
        market.ask(quote, signed);
    }

    /// Attack: A stranger publishes a root of records of its own making.
    /// Market: Only the provider and its publisher publish.
    function test_attack_StrangerPublishesRoot() public {
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotPublisher.selector, dataset, stranger));
        market.publishRoot(dataset, 666);
    }

    /// Attack: A stranger who stole the publisher's key names itself publisher for ever.
    /// Market: The publisher is named by the provider alone.
    function test_attack_PublisherNamesItself() public {
        vm.prank(publisher);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotDatasetProvider.selector, dataset, publisher, provider));
        market.setPublisher(dataset, stranger);
    }

    /// Attack: A question about records of long ago, which say something else than those of today.
    /// Market: A superseded root ends with its grace.
    function test_attack_StaleRoot() public {
        uint40 at = uint40(clock);
        vm.prank(provider);
        market.publishRoot(dataset, 8);
        goTo(clock + GRACE + 1);
        refusesAsk(
            quoteFor(freshQuery()),
            abi.encodeWithSelector(IQueryMarket.RootNotAskable.selector, dataset, ROOT, at, at, false)
        );
        goTo(clock - 1);
        ask(quoteFor(freshQuery()));
    }

    /// Attack: A question about records that were revoked.
    /// Market: A revoked root is asked no more, in no grace.
    function test_attack_RevokedRoot() public {
        uint40 at = uint40(clock);
        vm.prank(publisher);
        market.revokeRoot(dataset, ROOT);
        refusesAsk(
            quoteFor(freshQuery()),
            abi.encodeWithSelector(IQueryMarket.RootNotAskable.selector, dataset, ROOT, at, at, true)
        );
    }

    /// Attack: A revoked root is published once more.
    /// Market: Revoked is for ever.
    function test_attack_RevokedRootPublishedAgain() public {
        vm.prank(publisher);
        market.revokeRoot(dataset, ROOT);
        vm.prank(publisher);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.RootIsRevoked.selector, dataset, ROOT));
        market.publishRoot(dataset, ROOT);
    }

    /// Attack: After the question the provider swaps the root, to prove about other records.
    /// Market: What was asked is pinned by the digest of its quote; another quote answers nothing.
    function test_attack_RootSwappedAfterTheQuestion() public {
        Quote memory quote = asked();
        vm.prank(provider);
        market.publishRoot(dataset, 8);
        quote.root = 8;
        refusesAnswer(quote, 1, 1, abi.encodeWithSelector(IQueryMarket.QuoteMismatch.selector, digestOf(quote)));
    }

    // Verifiers

    /// Attack: The verifier of a quote is replaced by one that always says yes.
    /// Market: Its code hash is pinned: other code answers nothing.
    function test_attack_VerifierThatAlwaysSaysYes() public {
        MoodyVerifier strict = new MoodyVerifier();
        Quote memory quote = quoteFor(freshQuery());
        quote.verifier = address(strict);
        ask(quote);
        vm.etch(address(strict), address(new YesVerifier()).code);
        refusesAnswer(
            quote,
            1,
            1,
            abi.encodeWithSelector(
                IQueryMarket.VerifierChanged.selector,
                strict,
                address(strict).codehash,
                quote.verifierCodeHash
            )
        );
    }

    /// Attack: A quote names the code hash of a good verifier and the address of another.
    /// Market: The hash is compared when it is asked.
    function test_attack_VerifierUnderAnotherHash() public {
        address yes = address(new YesVerifier());
        Quote memory quote = quoteFor(freshQuery());
        quote.verifier = yes;
        refusesAsk(
            quote,
            abi.encodeWithSelector(IQueryMarket.VerifierChanged.selector, yes, yes.codehash, quote.verifierCodeHash)
        );
    }

    /// Attack: An account without code is the verifier: a call to it never fails.
    /// Market: A verifier has code.
    function test_attack_VerifierWithoutCode() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.verifier = stranger;
        quote.verifierCodeHash = stranger.codehash;
        refusesAsk(quote, abi.encodeWithSelector(IQueryMarket.VerifierWithoutCode.selector, stranger));
    }

    /// Attack: An answer passes since its verifier says something that is not no.
    /// Market: Yes is one word of one; everything else pays nothing.
    function test_attack_VerifierThatSaysNothing() public {
        Quote memory quote = asked();
        for (uint256 mood = 2; mood <= uint256(type(MoodyVerifier.Mood).max); ++mood) {
            verifier.set(MoodyVerifier.Mood(mood));
            vm.expectRevert(abi.encodeWithSelector(IQueryMarket.VerifierFailed.selector, verifier));
            market.answer{gas: 2_000_000}(quote, 1, 1, noProof());
        }
        same(lockedOf(provider), BOND, "still locked");
    }

    /// Attack: A proof that its verifier refuses is paid all the same.
    /// Market: No is no.
    function test_attack_WrongProof() public {
        Quote memory quote = asked();
        verifier.set(MoodyVerifier.Mood.No);
        refusesAnswer(quote, 1, 1, abi.encodeWithSelector(IQueryMarket.ProofRefused.selector, verifier));
    }

    /// Attack: A batch begins with a question of a verifier that says yes, which then speaks for those of a strict one.
    /// Market: A batch has one verifier; questions of others are skipped.
    function test_attack_YesManLeadsTheBatch() public {
        YesVerifier yes = new YesVerifier();
        verifier.set(MoodyVerifier.Mood.No);
        Quote memory first = quoteFor(freshQuery());
        (first.verifier, first.verifierCodeHash) = (address(yes), address(yes).codehash);
        ask(first);
        Quote memory strict = asked();
        Answer[] memory answers = new Answer[](2);
        answers[0] = answerOf(first, 1, 1);
        answers[1] = answerOf(strict, 1, 2);
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.AnswerSkipped(digestOf(strict), AnswerFault.OtherVerifier);
        market.answerBatch(answers);
        same(statusOf(strict), QuestionStatus.Pending, "not answered by the other");
    }

    /// Attack: Somebody answers one question of a batch first, so that the batch fails for all.
    /// Market: What is not open is skipped.
    function test_attack_PoisonedBatch() public {
        Quote memory first = asked();
        Quote memory second = asked();
        answer(first, 1, 1);
        Answer[] memory answers = new Answer[](2);
        answers[0] = answerOf(first, 1, 1);
        answers[1] = answerOf(second, 1, 2);
        (bool success, ) = address(market).call(abi.encodeCall(market.answerBatch, (answers)));
        check(success, "the batch goes on");
        same(statusOf(second), QuestionStatus.Answered, "the other is answered");
    }

    /// Attack: Two answers of one batch use one nullifier, before either is on record.
    /// Market: Each is on record before the next is looked at.
    function test_attack_NullifierTwiceInABatch() public {
        Quote memory first = asked();
        Quote memory second = asked();
        Answer[] memory answers = new Answer[](2);
        answers[0] = answerOf(first, 1, 5);
        answers[1] = answerOf(second, 1, 5);
        market.answerBatch(answers);
        same(statusOf(first), QuestionStatus.Answered, "the first");
        same(statusOf(second), QuestionStatus.Pending, "not the second");
    }

    /// Attack: A market is deployed with a hash of the deployer's making, which opens every cipher as it likes.
    /// Market: The hash is tried when the market is deployed.
    function test_attack_FakePoseidon() public {
        address fake = address(new FakeHash());
        bytes memory code = bytes.concat(
            vm.getCode("QueryMarket.sol:QueryMarket"),
            abi.encode(uint32(300), uint32(7 days), fake)
        );
        address deployed;
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        same(deployed, address(0), "not deployed");
    }

    // Nullifiers and ciphers

    /// Attack: A stranger answers itself from a dataset of its own, to use up the nullifiers of another.
    /// Market: Nullifiers are kept by provider.
    function test_attack_NullifierBurntByAStranger() public {
        Quote memory theirs = rivalQuote(freshQuery());
        askBy(RIVAL_KEY, theirs);
        answer(theirs, 1, 5);
        Quote memory ours = asked();
        (bool success, ) = address(market).call(abi.encodeCall(market.answer, (ours, 1, 5, noProof())));
        check(success, "it is not used up");
    }

    /// Attack: Two quotes are answered with one use of a record's budget.
    /// Market: A nullifier is used once; the second question is not paid.
    function test_attack_TwoQuotesForOneUse() public {
        answer(asked(), 1, 5);
        refusesAnswer(asked(), 1, 5, abi.encodeWithSelector(IQueryMarket.NullifierUsed.selector, provider, 5));
    }

    /// Attack: The modulus is added to a nullifier, to use it twice.
    /// Market: A nullifier is below the modulus.
    function test_attack_NullifierPlusModulus() public {
        answer(asked(), 1, 5);
        refusesAnswer(asked(), 1, 5 + P, abi.encodeWithSelector(IQueryMarket.NullifierOutOfRange.selector, 5 + P));
    }

    /// Attack: A cipher beyond the field spills into the status of its question, or opens to another answer.
    /// Market: A cipher is below the modulus.
    function test_attack_CipherPlusModulus() public {
        refusesAnswer(asked(), P + 1, 1, abi.encodeWithSelector(IQueryMarket.CipherOutOfRange.selector, P + 1));
    }

    /// Attack: Somebody without the key reads the bit, or shows another one.
    /// Market: Only the key opens the answer; every other one is refused, and so is the key plus the modulus.
    function test_attack_AnswerReadWithoutTheKey() public {
        Quote memory quote = asked();
        answer(quote, 77, 1);
        for (uint256 k; k < 4; ++k) {
            vm.expectRevert(abi.encodeWithSelector(IQueryMarket.WrongKey.selector, provider, quote.query));
            market.answerOf(provider, quote.query, k);
        }
    }

    // Time and money

    /// Attack: An answer comes after the deadline, when the asker relies on its money.
    /// Market: The deadline is the last second.
    function test_attack_LateAnswer() public {
        Quote memory quote = asked();
        goTo(clock + WINDOW + 1);
        uint40 deadline = uint40(clock - 1);
        refusesAnswer(
            quote,
            1,
            1,
            abi.encodeWithSelector(IQueryMarket.AnswerTooLate.selector, digestOf(quote), deadline)
        );
        goTo(deadline);
        answer(quote, 1, 1);
    }

    /// Attack: The asker ends its question early, for the bond of the provider.
    /// Market: Before the deadline is over only the provider can give up.
    function test_attack_AskerTakesTheBondEarly() public {
        Quote memory quote = asked();
        goTo(clock + WINDOW);
        vm.prank(asker);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotYetExpirable.selector, digestOf(quote), asker, clock));
        market.expire(quote);
    }

    /// Attack: A question is ended again and again, with price and bond each time.
    /// Market: An ended question is not pending.
    function test_attack_ExpiredTwice() public {
        Quote memory quote = asked();
        asked();
        goTo(clock + WINDOW + 1);
        market.expire(quote);
        vm.expectRevert(
            abi.encodeWithSelector(IQueryMarket.QuestionNotPending.selector, digestOf(quote), QuestionStatus.Expired)
        );
        market.expire(quote);
    }

    /// Attack: A question is ended under another quote for the same query, with a higher price and bond.
    /// Market: The quote is the one that was asked.
    function test_attack_ExpiredUnderAnotherQuote() public {
        Quote memory quote = asked();
        goTo(clock + WINDOW + 1);
        quote.price = FUNDS;
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.QuoteMismatch.selector, digestOf(quote)));
        market.expire(quote);
    }

    /// Attack: A provider takes back a quote for free when the answer does not suit it, and so tells the answer.
    /// Market: After `ask` the only ways out are the answer, or price and bond to the asker.
    function test_attack_FreeRefusal() public {
        Quote memory quote = asked();
        vm.prank(provider);
        market.expire(quote);
        same(wealth(provider), FUNDS - BOND, "the bond is lost");
        same(wealth(asker), FUNDS + BOND, "price and bond are the asker's");
    }

    /// Attack: A provider quotes more questions than it has bonds for, and leaves them all.
    /// Market: A bond is taken from the free balance.
    function test_attack_OneBondForManyQuestions() public {
        vm.prank(provider);
        market.withdraw(address(token), provider, FUNDS - BOND);
        asked();
        refusesAsk(
            quoteFor(freshQuery()),
            abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, provider, 0, BOND)
        );
    }

    /// Attack: The asker withdraws the price before the answer comes.
    /// Market: It is in escrow.
    function test_attack_PriceWithdrawn() public {
        Quote memory quote = asked();
        vm.prank(asker);
        vm.expectRevert(abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, asker, FUNDS - PRICE, FUNDS));
        market.withdraw(address(token), asker, FUNDS);
        answer(quote, 1, 1);
        same(wealth(provider), FUNDS + PRICE, "paid");
    }

    /// Attack: Whoever copies an answer from the pool and sends it first is paid for it.
    /// Market: The quote says who is paid, not the sender.
    function test_attack_CopiedAnswer() public {
        Quote memory quote = asked();
        answer(quote, 1, 1);
        same(wealth(stranger), 0, "the sender has nothing");
        same(wealth(provider), FUNDS + PRICE, "the provider is paid");
    }
}

/// @notice Says yes to everything.
contract YesVerifier {
    fallback() external {
        assembly {
            mstore(0, 1)
            return(0, 32)
        }
    }
}

/// @notice Hashes everything to one.
contract FakeHash {
    function poseidon(uint256[2] calldata) external pure returns (uint256) {
        return 1;
    }
}
