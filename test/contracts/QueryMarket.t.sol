// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QueryMarketTest} from "./support/QueryMarketTest.sol";
import {ProofVectors} from "./support/ProofVectors.sol";
import {Wallet} from "./support/Wallets.sol";
import {SignerFault} from "../../contracts/types/Agent.sol";
import {Answer, AnswerFault, QuestionStatus, Quote} from "../../contracts/types/Question.sol";
import {ILedger} from "../../contracts/interfaces/ILedger.sol";
import {IQueryMarket} from "../../contracts/interfaces/IQueryMarket.sol";
import {IWindows} from "../../contracts/interfaces/IWindows.sol";
import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {MoodyVerifier} from "./harness/MoodyVerifier.sol";
import {IAnswerVerifier} from "../../contracts/interfaces/IAnswerVerifier.sol";

/// @notice Questions, answers and their money. Branches: QueryMarket.tree.
contract QueryMarketUnitTest is QueryMarketTest {
    function refuses(Quote memory quote, bytes memory error_) private {
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.prank(quote.asker);
        vm.expectRevert(error_);
        market.ask(quote, signed);
    }

    function refusesSigner(Quote memory quote, bytes memory signed, SignerFault cause) private {
        bytes memory error_ = abi.encodeWithSelector(
            IQueryMarket.QuoteNotSigned.selector,
            digestOf(quote),
            quote.provider,
            cause
        );
        vm.prank(quote.asker);
        vm.expectRevert(error_);
        market.ask(quote, signed);
    }

    function refusesAnswer(Quote memory quote, uint256 cipher, uint256 nullifier, bytes memory error_) private {
        vm.expectRevert(error_);
        market.answer(quote, cipher, nullifier, noProof());
    }

    // Deployment

    function deployFor(uint32 minWindow, uint32 maxWindow, address poseidon2) external returns (IQueryMarket) {
        return deploy(minWindow, maxWindow, poseidon2);
    }

    function test_DeploymentChecksTheHash() public {
        same(market.minWindow(), 300, "min");
        same(market.maxWindow(), 7 days, "max");
        check(market.poseidon2().code.length != 0, "hash");
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotPoseidon.selector, stranger));
        this.deployFor(300, 7 days, stranger);
        address wrong = address(new WrongHash());
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotPoseidon.selector, wrong));
        this.deployFor(300, 7 days, wrong);
    }

    function test_DeploymentBoundsTheWindows() public {
        address poseidon2 = market.poseidon2();
        vm.chainId(1);
        vm.expectPartialRevert(IWindows.MarketWindowsOutOfRange.selector);
        this.deployFor(299, 7 days, poseidon2);
        vm.expectPartialRevert(IWindows.MarketWindowsOutOfRange.selector);
        this.deployFor(300, 7 days + 1, poseidon2);
        vm.expectPartialRevert(IWindows.MarketWindowsOutOfRange.selector);
        this.deployFor(301, 300, poseidon2);
        vm.chainId(31_337);
        vm.expectPartialRevert(IWindows.MarketWindowsOutOfRange.selector);
        this.deployFor(0, 7 days, poseidon2);
        this.deployFor(1, 1, poseidon2);
    }

    // Asking

    function test_AskEscrowsThePriceAndLocksTheBond() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes32 id = digestOf(quote);
        same(market.quoteDigest(quote), id, "digest");
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.QuestionAsked(id, provider, asker, quote, uint40(clock + WINDOW));
        same(ask(quote), id, "id");
        same(freeOf(asker), FUNDS - PRICE, "escrowed");
        same(freeOf(provider), FUNDS - BOND, "not free");
        same(lockedOf(provider), BOND, "locked");
        (QuestionStatus status, uint40 deadline, uint256 cipher) = market.questionOf(provider, quote.query);
        same(status, QuestionStatus.Pending, "status");
        same(deadline, clock + WINDOW, "deadline");
        same(cipher, 0, "no cipher");
    }

    function test_OnlyTheAskerAsks() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotAsker.selector, stranger, asker));
        market.ask(quote, signed);
    }

    function test_NobodyAsksItself() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.asker = provider;
        refuses(quote, abi.encodeWithSelector(IQueryMarket.ProviderIsAsker.selector, provider));
    }

    function test_QuoteExpires() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.expiry = uint40(clock);
        refuses(quote, abi.encodeWithSelector(IQueryMarket.QuoteExpired.selector, digestOf(quote), clock));
        quote.expiry = uint40(clock + 1);
        ask(quote);
    }

    function test_WindowStaysInTheMarketsRange() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.window = 299;
        refuses(quote, abi.encodeWithSelector(IWindows.WindowOutOfRange.selector, 299, 300, 7 days));
        quote.window = 7 days + 1;
        refuses(quote, abi.encodeWithSelector(IWindows.WindowOutOfRange.selector, 7 days + 1, 300, 7 days));
        quote.window = 7 days;
        ask(quote);
        quote = quoteFor(freshQuery());
        quote.window = 300;
        ask(quote);
    }

    function test_DatasetIsTheProviders() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.dataset = keccak256("nobody's");
        refuses(quote, abi.encodeWithSelector(IQueryMarket.UnknownDataset.selector, quote.dataset));
        vm.prank(rival);
        quote.dataset = market.registerDataset(DEFINITION, GRACE, address(0));
        vm.prank(rival);
        market.publishRoot(quote.dataset, ROOT);
        refuses(
            quote,
            abi.encodeWithSelector(IQueryMarket.NotDatasetProvider.selector, quote.dataset, provider, rival)
        );
    }

    function test_RootIsAskable() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.root = 9;
        refuses(quote, abi.encodeWithSelector(IQueryMarket.RootNotAskable.selector, dataset, 9, 0, 0, false));
        quote.root = ROOT;
        vm.prank(provider);
        market.publishRoot(dataset, 9);
        skip(GRACE);
        quote.expiry = uint40(clock + 100);
        ask(quote);
        skip(1);
        quote = quoteFor(freshQuery());
        refuses(
            quote,
            abi.encodeWithSelector(IQueryMarket.RootNotAskable.selector, dataset, ROOT, START, START, false)
        );
        quote.root = 9;
        vm.prank(publisher);
        market.revokeRoot(dataset, 9);
        refuses(quote, abi.encodeWithSelector(IQueryMarket.RootNotAskable.selector, dataset, 9, START, clock, true));
    }

    function test_VerifierHasTheCodeOfTheQuote() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes32 found = quote.verifierCodeHash;
        quote.verifierCodeHash = keccak256("other code");
        refuses(
            quote,
            abi.encodeWithSelector(IQueryMarket.VerifierChanged.selector, verifier, found, quote.verifierCodeHash)
        );
        // Neither the hash of nothing nor that of an account without code stands for a verifier.
        quote.verifier = address(0x1234);
        quote.verifierCodeHash = 0;
        refuses(quote, abi.encodeWithSelector(IQueryMarket.VerifierWithoutCode.selector, quote.verifier));
        quote.verifier = asker;
        quote.verifierCodeHash = keccak256("");
        refuses(quote, abi.encodeWithSelector(IQueryMarket.VerifierWithoutCode.selector, asker));
    }

    function test_QueryIsAFieldElement() public {
        uint256[4] memory outside = [0, P, P + 1, type(uint256).max];
        for (uint256 i; i < outside.length; ++i) {
            refuses(quoteFor(outside[i]), abi.encodeWithSelector(IQueryMarket.QueryOutOfRange.selector, outside[i]));
        }
        ask(quoteFor(1));
        ask(quoteFor(P - 1));
    }

    function test_QueryIsAskedOncePerProvider() public {
        Quote memory quote = asked();
        bytes memory again = abi.encodeWithSelector(
            IQueryMarket.AlreadyAsked.selector,
            provider,
            quote.query,
            QuestionStatus.Pending
        );
        refuses(quote, again);
        Quote memory other = quoteFor(quote.query);
        other.price = 2;
        refuses(other, again);
        answer(quote, 1, 1);
        again = abi.encodeWithSelector(
            IQueryMarket.AlreadyAsked.selector,
            provider,
            quote.query,
            QuestionStatus.Answered
        );
        refuses(other, again);
        quote = asked();
        vm.prank(provider);
        market.expire(quote);
        again = abi.encodeWithSelector(
            IQueryMarket.AlreadyAsked.selector,
            provider,
            quote.query,
            QuestionStatus.Expired
        );
        refuses(quoteFor(quote.query), again);
    }

    /// A query that a rival provider answers too is another question.
    function test_RivalDoesNotSquatAQuery() public {
        uint256 query = freshQuery();
        Quote memory theirs = quoteFor(query);
        theirs.provider = rival;
        vm.prank(rival);
        theirs.dataset = market.registerDataset(DEFINITION, GRACE, address(0));
        vm.prank(rival);
        market.publishRoot(theirs.dataset, ROOT);
        askBy(RIVAL_KEY, theirs);
        Quote memory ours = quoteFor(query);
        ask(ours);
        answer(theirs, 1, 1);
        same(statusOf(ours), QuestionStatus.Pending, "untouched");
        answer(ours, 2, 1);
        same(lockedOf(provider) + lockedOf(rival), 0, "both are done");
    }

    function test_StrangersSignNothing() public {
        Quote memory quote = quoteFor(freshQuery());
        refusesSigner(quote, signature(RIVAL_KEY, quote), SignerFault.BadSignature);
        refusesSigner(quote, "", SignerFault.BadSignature);
        bytes memory signed = signature(PROVIDER_KEY, quote);
        refusesSigner(quote, bytes.concat(signed, hex"00"), SignerFault.BadSignature);
        // High s: the other signature of the same key over the same digest.
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PROVIDER_KEY, digestOf(quote));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory high = abi.encodePacked(r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
        refusesSigner(quote, high, SignerFault.BadSignature);
    }

    /// Every field of a quote is signed.
    function testFuzz_ChangedQuoteIsNotSigned(uint256 field, uint256 change) public {
        Quote memory quote = quoteFor(freshQuery());
        bytes memory signed = signature(PROVIDER_KEY, quote);
        change = bound(change, 1, 50);
        field = bound(field, 0, 5);
        if (field == 0) quote.query += change;
        if (field == 1) quote.price += uint96(change);
        if (field == 2) quote.bond += uint96(change);
        if (field == 3) quote.window += uint32(change);
        if (field == 4) quote.expiry += uint40(change);
        if (field == 5) (quote.token, quote.price, quote.bond) = (address(uint160(change)), 0, 0);
        refusesSigner(quote, signed, SignerFault.BadSignature);
    }

    /// The same, for the fields that are checked before the signature.
    function test_ForeignPartsAreNotSigned() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.prank(provider);
        market.publishRoot(dataset, 8);
        quote.root = 8;
        refusesSigner(quote, signed, SignerFault.BadSignature);
        quote.root = ROOT;
        quote.asker = rival;
        refusesSigner(quote, signed, SignerFault.BadSignature);
        quote.asker = asker;
        MoodyVerifier twin = new MoodyVerifier();
        quote.verifier = address(twin);
        refusesSigner(quote, signed, SignerFault.BadSignature);
    }

    function authorize(uint96 maxBond, uint32 minWindow, uint40 validUntil) private {
        vm.prank(provider);
        market.authorize(agent, address(token), maxBond, minWindow, validUntil);
    }

    function test_AgentSignsWithinItsLimits() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes memory signed = signature(AGENT_KEY, quote);
        refusesSigner(quote, signed, SignerFault.BadSignature);
        authorize(BOND - 1, WINDOW, uint40(clock + 10));
        refusesSigner(quote, signed, SignerFault.BondBeyondAgent);
        authorize(BOND, WINDOW + 1, uint40(clock + 10));
        refusesSigner(quote, signed, SignerFault.WindowBeyondAgent);
        authorize(BOND, WINDOW, uint40(clock));
        refusesSigner(quote, signed, SignerFault.AgentExpired);
        authorize(BOND, WINDOW, uint40(clock + 1));
        askBy(AGENT_KEY, quote);
        same(lockedOf(provider), BOND, "the provider's bond");
        quote = quoteFor(freshQuery());
        (quote.token, quote.price, quote.bond) = (address(0x70), 0, 0);
        refusesSigner(quote, signature(AGENT_KEY, quote), SignerFault.BadSignature);
    }

    function walletQuote(Wallet wallet) private returns (Quote memory quote) {
        quote = quoteFor(freshQuery());
        quote.provider = address(wallet);
        quote.dataset = keccak256(abi.encode(address(wallet), DEFINITION));
        quote.bond = 0;
    }

    function test_AccountsWithCodeSign() public {
        Wallet wallet = new Wallet();
        wallet.run(address(market), abi.encodeCall(market.registerDataset, (DEFINITION, GRACE, address(0))));
        bytes32 owned = keccak256(abi.encode(address(wallet), DEFINITION));
        wallet.run(address(market), abi.encodeCall(market.publishRoot, (owned, ROOT)));
        for (uint256 mood; mood <= uint256(type(Wallet.Mood).max); ++mood) {
            wallet.set(Wallet.Mood(mood));
            Quote memory quote = walletQuote(wallet);
            // The bomb begins with the magic value; one word of it is read.
            if (mood <= uint256(Wallet.Mood.AcceptLong) || mood == uint256(Wallet.Mood.Bomb)) {
                vm.prank(asker);
                market.ask(quote, "anything");
            } else {
                refusesSigner(quote, "anything", SignerFault.BadSignature);
            }
        }
    }

    function test_BalancesCoverPriceAndBond() public {
        Quote memory quote = quoteFor(freshQuery());
        quote.price = FUNDS + 1;
        refuses(
            quote,
            abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, asker, FUNDS, uint256(FUNDS) + 1)
        );
        quote.price = FUNDS;
        quote.bond = FUNDS + 1;
        refuses(
            quote,
            abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, provider, FUNDS, uint256(FUNDS) + 1)
        );
        quote.bond = FUNDS;
        ask(quote);
        same(uint256(freeOf(asker)) + freeOf(provider), 0, "to the last unit");
    }

    function test_FreeQuestionsNeedNoAccount() public {
        Quote memory quote = quoteFor(freshQuery());
        (quote.token, quote.price, quote.bond) = (address(0x70), 0, 0);
        ask(quote);
        answer(quote, 1, 1);
        same(statusOf(quote), QuestionStatus.Answered, "answered");
    }

    /// A quote with everything wrong is refused for one thing after the other, in the order of the interface.
    function test_ChecksComeInOrder() public {
        Quote memory quote = quoteFor(0);
        quote.asker = provider;
        quote.expiry = 1;
        quote.window = 1;
        quote.dataset = 0;
        quote.root = 9;
        quote.verifier = address(0x1234);
        quote.price = FUNDS + 1;
        vm.expectPartialRevert(IQueryMarket.NotAsker.selector);
        market.ask(quote, "");
        expectInOrder(quote, IQueryMarket.ProviderIsAsker.selector);
        quote.asker = asker;
        expectInOrder(quote, IQueryMarket.QuoteExpired.selector);
        quote.expiry = type(uint40).max;
        expectInOrder(quote, IWindows.WindowOutOfRange.selector);
        quote.window = WINDOW;
        expectInOrder(quote, IQueryMarket.UnknownDataset.selector);
        quote.dataset = dataset;
        expectInOrder(quote, IQueryMarket.RootNotAskable.selector);
        quote.root = ROOT;
        expectInOrder(quote, IQueryMarket.VerifierWithoutCode.selector);
        quote.verifier = address(verifier);
        quote.verifierCodeHash = 0;
        expectInOrder(quote, IQueryMarket.VerifierChanged.selector);
        quote.verifierCodeHash = address(verifier).codehash;
        expectInOrder(quote, IQueryMarket.QueryOutOfRange.selector);
        quote.query = asked().query;
        expectInOrder(quote, IQueryMarket.AlreadyAsked.selector);
        quote.query = freshQuery();
        expectInOrder(quote, IQueryMarket.QuoteNotSigned.selector);
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.prank(asker);
        vm.expectPartialRevert(ILedger.InsufficientFree.selector);
        market.ask(quote, signed);
    }

    function expectInOrder(Quote memory quote, bytes4 selector) private {
        vm.prank(quote.asker);
        vm.expectPartialRevert(selector);
        market.ask(quote, "");
    }

    /// Deposit and question in one transaction.
    function test_MulticallAsksWithFreshMoney() public {
        token.mint(asker, PRICE);
        vm.prank(asker);
        token.approve(address(market), PRICE);
        vm.prank(asker);
        market.withdraw(address(token), asker, FUNDS);
        Quote memory quote = quoteFor(freshQuery());
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(market.deposit, (address(token), asker, PRICE));
        calls[1] = abi.encodeCall(market.ask, (quote, signature(PROVIDER_KEY, quote)));
        vm.prank(asker);
        Multicall(address(market)).multicall(calls);
        same(freeOf(asker), 0, "escrowed");
        same(statusOf(quote), QuestionStatus.Pending, "asked");
    }

    // Answering

    function test_AnswerPaysTheProvider() public {
        Quote memory quote = asked();
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.QuestionAnswered(digestOf(quote), provider, asker, quote.query, 77, 88);
        answer(quote, 77, 88);
        same(freeOf(provider), FUNDS + PRICE, "paid");
        same(lockedOf(provider), 0, "released");
        same(freeOf(asker), FUNDS - PRICE, "spent");
        same(freeOf(stranger), 0, "whoever carries gets nothing");
        (QuestionStatus status, uint40 deadline, uint256 cipher) = market.questionOf(provider, quote.query);
        same(status, QuestionStatus.Answered, "status");
        check(deadline == 0 && cipher == 77, "cipher");
        check(market.isUsed(provider, 88) && !market.isUsed(rival, 88) && !market.isUsed(provider, 77), "used");
        (uint32 answered, uint32 expired) = market.recordOf(provider);
        check(answered == 1 && expired == 0, "record");
    }

    function test_AnswerUntilTheDeadline() public {
        (Quote memory quote, Quote memory other) = (asked(), asked());
        uint40 deadline = uint40(clock + WINDOW);
        goTo(deadline);
        answer(quote, 1, 1);
        goTo(deadline + 1);
        refusesAnswer(
            other,
            1,
            2,
            abi.encodeWithSelector(IQueryMarket.AnswerTooLate.selector, digestOf(other), deadline)
        );
    }

    function test_OnlyPendingQuestionsAreAnswered() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes32 id = digestOf(quote);
        bytes4 selector = IQueryMarket.QuestionNotPending.selector;
        refusesAnswer(quote, 1, 1, abi.encodeWithSelector(selector, id, QuestionStatus.None));
        ask(quote);
        answer(quote, 1, 1);
        refusesAnswer(quote, 1, 2, abi.encodeWithSelector(selector, id, QuestionStatus.Answered));
        quote = asked();
        vm.prank(provider);
        market.expire(quote);
        refusesAnswer(quote, 1, 2, abi.encodeWithSelector(selector, digestOf(quote), QuestionStatus.Expired));
    }

    /// No field of the quote can be another one than was asked.
    function testFuzz_OtherQuotesAreRefused(uint256 field, uint256 change) public {
        Quote memory quote = asked();
        change = bound(change, 1, 100);
        field = bound(field, 0, 8);
        if (field == 0) quote.asker = stranger;
        if (field == 1) quote.dataset = bytes32(change);
        if (field == 2) quote.root += change;
        if (field == 3) quote.verifier = address(uint160(change));
        if (field == 4) quote.token = address(uint160(change));
        if (field == 5) quote.price += uint96(change);
        if (field == 6) quote.bond += uint96(change);
        if (field == 7) quote.window += uint32(change);
        if (field == 8) quote.expiry += uint40(change);
        bytes memory error_ = abi.encodeWithSelector(IQueryMarket.QuoteMismatch.selector, digestOf(quote));
        refusesAnswer(quote, 1, 1, error_);
        skip(WINDOW + 1);
        vm.expectRevert(error_);
        market.expire(quote);
    }

    function test_SignalsAreFieldElements() public {
        Quote memory quote = asked();
        uint256[3] memory outside = [P, P + 1, type(uint256).max];
        for (uint256 i; i < outside.length; ++i) {
            bytes4 selector = IQueryMarket.CipherOutOfRange.selector;
            refusesAnswer(quote, outside[i], outside[i], abi.encodeWithSelector(selector, outside[i]));
            selector = IQueryMarket.NullifierOutOfRange.selector;
            refusesAnswer(quote, 1, outside[i], abi.encodeWithSelector(selector, outside[i]));
        }
        answer(quote, 0, 0);
        answer(asked(), P - 1, P - 1);
    }

    function test_NullifierIsUsedOncePerProvider() public {
        Quote memory quote = asked();
        answer(quote, 1, 5);
        quote = asked();
        refusesAnswer(quote, 1, 5, abi.encodeWithSelector(IQueryMarket.NullifierUsed.selector, provider, 5));
        answer(quote, 1, 6);
    }

    /// A dataset of one's own does not burn the nullifiers of another provider.
    function test_StrangersBurnNoNullifiers() public {
        Quote memory theirs = quoteFor(freshQuery());
        theirs.provider = rival;
        vm.prank(rival);
        theirs.dataset = market.registerDataset(DEFINITION, GRACE, address(0));
        vm.prank(rival);
        market.publishRoot(theirs.dataset, ROOT);
        Quote memory ours = asked();
        askBy(RIVAL_KEY, theirs);
        answer(theirs, 1, 5);
        answer(ours, 1, 5);
        same(statusOf(ours), QuestionStatus.Answered, "not burnt");
    }

    function test_VerifierKeepsItsCode() public {
        Quote memory quote = asked();
        vm.etch(address(verifier), address(token).code);
        refusesAnswer(
            quote,
            1,
            1,
            abi.encodeWithSelector(
                IQueryMarket.VerifierChanged.selector,
                verifier,
                address(token).codehash,
                quote.verifierCodeHash
            )
        );
        vm.etch(address(verifier), "");
        bytes32 none = address(verifier).codehash;
        refusesAnswer(
            quote,
            1,
            1,
            abi.encodeWithSelector(IQueryMarket.VerifierChanged.selector, verifier, none, quote.verifierCodeHash)
        );
    }

    function test_VerifierSaysYesOrNothingIsPaid() public {
        Quote memory quote = asked();
        Answer[] memory answers = new Answer[](1);
        answers[0] = answerOf(quote, 1, 1);
        for (uint256 mood = 1; mood <= uint256(type(MoodyVerifier.Mood).max); ++mood) {
            verifier.set(MoodyVerifier.Mood(mood));
            bytes4 selector =
                mood == uint256(MoodyVerifier.Mood.No)
                    ? IQueryMarket.ProofRefused.selector
                    : IQueryMarket.VerifierFailed.selector;
            bytes memory error_ = abi.encodeWithSelector(selector, verifier);
            vm.expectRevert(error_);
            market.answer{gas: 2_000_000}(quote, 1, 1, noProof());
            vm.expectRevert(error_);
            market.answerBatch{gas: 2_000_000}(answers);
            same(statusOf(quote), QuestionStatus.Pending, "still pending");
            check(!market.isUsed(provider, 1), "not used");
            same(lockedOf(provider), BOND, "still locked");
        }
        verifier.set(MoodyVerifier.Mood.Yes);
        answer(quote, 1, 1);
    }

    /// Root and query come from the quote that was asked, the points from the caller.
    function test_VerifierSeesWhatWasAsked() public {
        Quote memory quote = asked();
        uint256[8] memory proof = [uint256(1), 2, 3, 4, 5, 6, 7, 8];
        uint256[2][2] memory b = [[uint256(3), 4], [uint256(5), 6]];
        uint256[4] memory signals = [77, 88, ROOT, quote.query];
        vm.expectCall(
            address(verifier),
            abi.encodeCall(IAnswerVerifier.verifyProof, ([uint256(1), 2], b, [uint256(7), 8], signals))
        );
        market.answer(quote, 77, 88, proof);
        Answer[] memory answers = new Answer[](1);
        answers[0] = Answer({quote: asked(), cipher: 9, nullifier: 10, proof: proof});
        uint256[8][] memory proofs = new uint256[8][](1);
        proofs[0] = proof;
        uint256[4][] memory all = new uint256[4][](1);
        all[0] = [9, 10, ROOT, answers[0].quote.query];
        vm.expectCall(address(verifier), abi.encodeCall(IAnswerVerifier.verifyProofs, (proofs, all)));
        market.answerBatch(answers);
    }

    /// What was asked stays answerable, whatever becomes of its root.
    function test_QuestionOutlivesItsRoot() public {
        (Quote memory quote, Quote memory other) = (asked(), asked());
        vm.prank(provider);
        market.publishRoot(dataset, 9);
        answer(quote, 1, 1);
        vm.prank(provider);
        market.revokeRoot(dataset, ROOT);
        answer(other, 1, 2);
        same(statusOf(other), QuestionStatus.Answered, "answered");
    }

    /// The word of a question keeps every cipher whole.
    function testFuzz_CiphersAreKept(uint256 cipher, uint256 nullifier) public {
        (cipher, nullifier) = (cipher % P, nullifier % P);
        Quote memory quote = asked();
        answer(quote, cipher, nullifier);
        (QuestionStatus status, , uint256 kept) = market.questionOf(provider, quote.query);
        same(status, QuestionStatus.Answered, "status");
        same(kept, cipher, "cipher");
        check(market.isUsed(provider, nullifier), "used");
    }

    function testFuzz_MoneyIsExact(uint96 price, uint96 bond, uint32 window, bool answered) public {
        Quote memory quote = quoteFor(freshQuery());
        quote.price = uint96(bound(price, 0, FUNDS));
        quote.bond = uint96(bound(bond, 0, FUNDS));
        quote.window = uint32(bound(window, 300, 7 days));
        ask(quote);
        uint256 held = market.held(address(token));
        if (answered) {
            goTo(clock + quote.window);
            answer(quote, 1, 1);
            same(freeOf(provider), uint256(FUNDS) + quote.price, "paid");
            same(freeOf(asker), uint256(FUNDS) - quote.price, "spent");
        } else {
            goTo(clock + quote.window + 1);
            market.expire(quote);
            same(freeOf(provider), uint256(FUNDS) - quote.bond, "bond lost");
            same(freeOf(asker), uint256(FUNDS) + quote.bond, "price and bond");
        }
        same(lockedOf(provider), 0, "nothing locked");
        same(market.held(address(token)), held, "held");
    }

    // Batches

    function test_BatchSkipsWhatCannotBe() public {
        Quote[] memory quotes = new Quote[](4);
        for (uint256 i; i < 4; ++i) quotes[i] = asked();
        Quote memory late = quoteFor(freshQuery());
        late.window = 300;
        ask(late);
        skip(301);
        answer(quotes[3], 1, 50);
        MoodyVerifier twin = new MoodyVerifier();
        Quote memory foreign = quoteFor(freshQuery());
        foreign.verifier = address(twin);
        ask(foreign);
        MoodyVerifier doomed = new MoodyVerifier();
        Quote memory changed = quoteFor(freshQuery());
        changed.verifier = address(doomed);
        ask(changed);
        vm.etch(address(doomed), address(token).code);

        Answer[] memory answers = new Answer[](12);
        answers[0] = answerOf(changed, 1, 1);
        answers[1] = answerOf(quotes[0], 10, 1);
        answers[2] = answerOf(quotes[3], 1, 2); // answered
        answers[3] = answerOf(quoteFor(quotes[1].query), 1, 2); // another quote
        answers[4] = answerOf(late, 1, 2);
        answers[5] = answerOf(quotes[1], P, 2);
        answers[6] = answerOf(quotes[1], 1, P);
        answers[7] = answerOf(quotes[1], 1, 50); // used before
        answers[8] = answerOf(quotes[1], 1, 1); // used in this batch
        answers[9] = answerOf(foreign, 1, 2);
        answers[10] = answerOf(quotes[1], 11, 2);
        answers[11] = answerOf(quotes[1], 12, 3); // answered in this batch
        AnswerFault[12] memory causes;
        causes[0] = AnswerFault.VerifierChanged;
        causes[2] = AnswerFault.NotPending;
        causes[3] = AnswerFault.OtherQuote;
        causes[4] = AnswerFault.TooLate;
        causes[5] = AnswerFault.CipherOutOfRange;
        causes[6] = AnswerFault.NullifierOutOfRange;
        causes[7] = AnswerFault.NullifierUsed;
        causes[8] = AnswerFault.NullifierUsed;
        causes[9] = AnswerFault.OtherVerifier;
        causes[11] = AnswerFault.NotPending;
        for (uint256 i; i < 12; ++i) {
            Quote memory quote = answers[i].quote;
            vm.expectEmit(true, true, true, true, address(market));
            if (i == 1 || i == 10) {
                emit IQueryMarket.QuestionAnswered(
                    digestOf(quote),
                    provider,
                    asker,
                    quote.query,
                    answers[i].cipher,
                    answers[i].nullifier
                );
            } else {
                emit IQueryMarket.AnswerSkipped(digestOf(quote), causes[i]);
            }
        }
        uint256 before = freeOf(provider);
        market.answerBatch(answers);
        same(freeOf(provider), before + 2 * (uint256(PRICE) + BOND), "paid for two");
        (, , uint256 cipher) = market.questionOf(provider, quotes[1].query);
        same(cipher, 11, "the first that could be");
        same(statusOf(foreign), QuestionStatus.Pending, "untouched");
        (uint32 answered, ) = market.recordOf(provider);
        same(answered, 3, "record");
    }

    /// Nothing to ask the verifier about is no failure.
    function test_BatchOfNothingDoesNothing() public {
        verifier.set(MoodyVerifier.Mood.Reverts);
        market.answerBatch(new Answer[](0));
        Answer[] memory answers = new Answer[](1);
        answers[0] = answerOf(quoteFor(freshQuery()), 1, 1);
        market.answerBatch(answers);
        (uint32 answered, ) = market.recordOf(provider);
        same(answered, 0, "nothing");
    }

    // Expiring

    function test_StrangerExpiresAfterTheDeadline() public {
        Quote memory quote = asked();
        bytes32 id = digestOf(quote);
        uint40 deadline = uint40(clock + WINDOW);
        goTo(deadline);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotYetExpirable.selector, id, stranger, deadline));
        market.expire(quote);
        goTo(deadline + 1);
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.QuestionExpired(id, provider, asker, quote.query, false);
        vm.prank(stranger);
        market.expire(quote);
        same(freeOf(asker), FUNDS + BOND, "price and bond");
        same(freeOf(provider), FUNDS - BOND, "bond lost");
        same(lockedOf(provider), 0, "not locked");
        (uint32 answered, uint32 expired) = market.recordOf(provider);
        check(answered == 0 && expired == 1, "record");
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.QuestionNotPending.selector, id, QuestionStatus.Expired));
        market.expire(quote);
    }

    function test_ProviderExpiresEarly() public {
        Quote memory quote = asked();
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.QuestionExpired(digestOf(quote), provider, asker, quote.query, true);
        vm.prank(provider);
        market.expire(quote);
        same(freeOf(asker), FUNDS + BOND, "price and bond, also early");
        quote = asked();
        skip(WINDOW + 1);
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.QuestionExpired(digestOf(quote), provider, asker, quote.query, false);
        vm.prank(provider);
        market.expire(quote);
    }

    function test_AgentExpiresEarlyWhileInForce() public {
        Quote memory quote = asked();
        bytes memory error_ = abi.encodeWithSelector(
            IQueryMarket.NotYetExpirable.selector,
            digestOf(quote),
            agent,
            clock + WINDOW
        );
        vm.prank(agent);
        vm.expectRevert(error_);
        market.expire(quote);
        authorize(0, type(uint32).max, uint40(clock));
        vm.prank(agent);
        vm.expectRevert(error_);
        market.expire(quote);
        // The limits are about signing; giving up costs what is locked already.
        authorize(0, type(uint32).max, uint40(clock + 1));
        vm.prank(agent);
        market.expire(quote);
        same(statusOf(quote), QuestionStatus.Expired, "expired");
        // The asker is no party that may give up.
        quote = asked();
        vm.prank(asker);
        vm.expectPartialRevert(IQueryMarket.NotYetExpirable.selector);
        market.expire(quote);
    }

    function test_OnlyPendingQuestionsExpire() public {
        Quote memory quote = quoteFor(freshQuery());
        bytes32 id = digestOf(quote);
        bytes4 selector = IQueryMarket.QuestionNotPending.selector;
        vm.expectRevert(abi.encodeWithSelector(selector, id, QuestionStatus.None));
        market.expire(quote);
        ask(quote);
        answer(quote, 1, 1);
        skip(WINDOW + 1);
        vm.expectRevert(abi.encodeWithSelector(selector, id, QuestionStatus.Answered));
        market.expire(quote);
    }

    // Reading

    function poseidon(uint256 left, uint256 right) private view returns (uint256 digest) {
        (bool success, bytes memory data) = market.poseidon2().staticcall(
            abi.encodeWithSignature("poseidon(uint256[2])", [left, right])
        );
        check(success, "hash");
        digest = abi.decode(data, (uint256));
    }

    function testFuzz_OnlyTheKeyOpensTheAnswer(uint256 k, uint256 other, bool holds) public {
        (k, other) = (k >> 8, other % P);
        Quote memory quote = asked();
        answer(quote, addmod(poseidon(k, quote.query), holds ? 1 : 0, P), 1);
        check(market.answerOf(provider, quote.query, k) == holds, "opened");
        if (other != k) {
            vm.expectRevert(abi.encodeWithSelector(IQueryMarket.WrongKey.selector, provider, quote.query));
            market.answerOf(provider, quote.query, other);
        }
        // The hash alone would take it.
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.WrongKey.selector, provider, quote.query));
        market.answerOf(provider, quote.query, k + P);
    }

    function test_OnlyAnswersAreOpened() public {
        bytes4 selector = IQueryMarket.NotAnswered.selector;
        Quote memory quote = quoteFor(freshQuery());
        vm.expectRevert(abi.encodeWithSelector(selector, provider, quote.query, QuestionStatus.None));
        market.answerOf(provider, quote.query, 1);
        ask(quote);
        vm.expectRevert(abi.encodeWithSelector(selector, provider, quote.query, QuestionStatus.Pending));
        market.answerOf(provider, quote.query, 1);
        vm.prank(provider);
        market.expire(quote);
        vm.expectRevert(abi.encodeWithSelector(selector, provider, quote.query, QuestionStatus.Expired));
        market.answerOf(provider, quote.query, 1);
    }

    // Real proofs

    function realQuote(string memory name, uint256[4] memory signals) private returns (Quote memory quote) {
        quote = quoteFor(signals[3]);
        quote.verifier = create(vm.getCode(name));
        quote.verifierCodeHash = quote.verifier.codehash;
        quote.root = signals[2];
        (, , , uint256 current) = market.datasetOf(dataset);
        if (current != quote.root) {
            vm.prank(provider);
            market.publishRoot(dataset, quote.root);
        }
        ask(quote);
    }

    function test_RealProofsAreAccepted() public {
        (uint256[4] memory signals, uint256[8] memory proof) = ProofVectors.proven(0);
        Quote memory quote = realQuote("SealedAnswerVerifier.sol:SealedAnswerVerifier", signals);
        market.answer(quote, signals[0], signals[1], proof);
        same(statusOf(quote), QuestionStatus.Answered, "sealed answer");
        (signals, proof) = ProofVectors.proven(4);
        quote = realQuote("ScorecardVerifier.sol:ScorecardVerifier", signals);
        market.answer(quote, signals[0], signals[1], proof);
        same(statusOf(quote), QuestionStatus.Answered, "scorecard");
    }

    /// A proof serves the signals it was made for, and no others.
    function testFuzz_RealProofsBindTheirSignals(uint256 which, uint256 change) public {
        (uint256[4] memory signals, uint256[8] memory proof) = ProofVectors.proven(0);
        which = bound(which, 0, 4);
        change = bound(change, 1, P - 1);
        if (which < 4) signals[which] = addmod(signals[which], change, P);
        else proof[change % 8] = addmod(proof[change % 8], change, P);
        if (signals[2] == 0 || signals[3] == 0) return;
        Quote memory quote = realQuote("SealedAnswerVerifier.sol:SealedAnswerVerifier", signals);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.ProofRefused.selector, quote.verifier));
        market.answer{gas: 1_000_000}(quote, signals[0], signals[1], proof);
    }

    /// Any choice of good proofs holds as a batch, and none with one wrong word at any place.
    function testFuzz_BatchesBindEveryWord(uint256 choice, uint256 place, uint256 change) public {
        IAnswerVerifier real = IAnswerVerifier(create(vm.getCode("SealedAnswerVerifier.sol:SealedAnswerVerifier")));
        uint256 count = 1 + (choice % 4);
        uint256[8][] memory proofs = new uint256[8][](count);
        uint256[4][] memory signals = new uint256[4][](count);
        // The first four are of this circuit.
        for (uint256 i; i < count; ++i) (signals[i], proofs[i]) = ProofVectors.proven((choice >> (8 * i + 8)) % 4);
        check(real.verifyProofs(proofs, signals), "good proofs");
        place = place % (12 * count);
        change = bound(change, 1, P - 1);
        (uint256 which, uint256 word) = (place / 12, place % 12);
        if (word < 8) proofs[which][word] = addmod(proofs[which][word], change, P);
        else signals[which][word - 8] = addmod(signals[which][word - 8], change, P);
        check(!real.verifyProofs{gas: 2_000_000}(proofs, signals), "one wrong word");
    }
}

/// @notice Hashes to something else.
contract WrongHash {
    function poseidon(uint256[2] calldata) external pure returns (uint256) {
        return 1;
    }
}
