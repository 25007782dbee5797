// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Answer, QuestionStatus, Quote} from "../../../contracts/types/Question.sol";
import {QueryMarketTest} from "../support/QueryMarketTest.sol";

/// @notice What the query market does with any input. States are those of docs/protocol/queries.md.
contract QueryFuzzTest is QueryMarketTest {
    Quote[3] private open_;

    function setUp() public override {
        super.setUp();
        for (uint256 i; i < 3; ++i) open_[i] = asked();
    }

    function testFuzz_DigestsAreThoseOfThePage(Quote memory quote) public view {
        same(market.quoteDigest(quote), digestOf(quote), "digest");
    }

    function testFuzz_QuotesAreAskedByTheRules(
        uint256 query,
        uint32 window,
        uint40 expiry,
        uint96 price,
        uint96 bond
    ) public {
        Quote memory quote = quoteFor(query % 2 == 0 ? query : P - 2 + ((query / 2) % 4));
        if (window % 2 == 0) window %= 8 days;
        quote.window = window;
        quote.expiry = uint40(expiry % 2 == 0 ? expiry : clock + (expiry % 5) - 2);
        (quote.price, quote.bond) = (price % (2 * FUNDS), bond % (2 * FUNDS));
        (uint96 mine, uint96 theirs) = (freeOf(asker), freeOf(provider));
        bool allowed = quote.query != 0 && quote.query < P && quote.expiry > clock;
        allowed = allowed && window >= market.minWindow() && window <= market.maxWindow();
        allowed = allowed && quote.price <= mine && quote.bond <= theirs;
        for (uint256 i; i < open_.length; ++i) allowed = allowed && quote.query != open_[i].query; // a question is asked once
        bytes memory signed = signature(PROVIDER_KEY, quote);
        vm.prank(asker);
        try market.ask(quote, signed) {
            check(allowed, "refused");
            same(freeOf(asker), mine - quote.price, "price");
            same(freeOf(provider), theirs - quote.bond, "bond");
            (QuestionStatus status, uint40 deadline, ) = market.questionOf(provider, quote.query);
            same(status, QuestionStatus.Pending, "pending");
            same(deadline, clock + window, "deadline");
        } catch {
            check(!allowed, "accepted");
        }
    }

    function testFuzz_QuoteAgentsAreLimited(uint96 bond, uint32 window, uint40 until, uint256 later) public {
        Quote memory quote = quoteFor(freshQuery());
        if (bond % 2 == 0) bond %= 2 * BOND;
        if (window % 2 == 0) window %= 2 * WINDOW;
        until = uint40(clock + (until % 90));
        vm.prank(provider);
        market.authorize(agent, address(token), bond, window, until);
        skip(later % 99);
        bytes memory signed = signature(AGENT_KEY, quote);
        bool allowed = clock < until && BOND <= bond && WINDOW >= window;
        vm.prank(asker);
        try market.ask(quote, signed) {
            check(allowed, "refused");
        } catch {
            check(!allowed, "accepted");
        }
    }

    function testFuzz_DatasetsBelongToWhoRegisters(
        address owner,
        bytes32 definition,
        uint32 grace,
        address other
    ) public {
        if (owner == provider || owner == address(0)) owner = stranger;
        vm.prank(owner);
        bytes32 id = market.registerDataset(definition, grace, other);
        same(id, keccak256(abi.encode(owner, definition)), "id");
        (address owner_, uint32 grace_, address publisher_, uint256 root) = market.datasetOf(id);
        same(owner_, owner, "provider");
        same(grace_, grace, "grace");
        same(publisher_, other, "publisher");
        same(root, 0, "no root yet");
        vm.prank(owner);
        vm.expectRevert();
        market.registerDataset(definition, grace, other);
        if (other != owner) {
            vm.prank(other);
            vm.expectRevert();
            market.setPublisher(id, other);
        }
        vm.prank(owner);
        market.setPublisher(id, stranger);
        (, , publisher_, ) = market.datasetOf(id);
        same(publisher_, stranger, "publisher afterwards");
    }

    function testFuzz_OnlyPublishersMoveRoots(uint256 caller, uint256 root, bool revokes) public {
        address account = [provider, publisher, stranger, asker][caller % 4];
        root =
            root % 4 == 0
                ? P - 2 + ((root / 4) % 4)
                : root % 4 == 1
                    ? ROOT
                    : root;
        bool may = account == provider || account == publisher;
        vm.prank(account);
        try market.publishRoot(dataset, root) {
            check(may && root != 0 && root < P && root != ROOT, "refused");
            (uint40 publishedAt, , , bool askable) = market.rootOf(dataset, root);
            same(publishedAt, clock, "published");
            check(askable, "askable");
        } catch {
            check(!may || root == 0 || root >= P || root == ROOT, "accepted");
            if (root != ROOT) return;
        }
        if (!revokes) return;
        vm.prank(account);
        try market.revokeRoot(dataset, root) {
            check(may, "refused");
            (, , bool revoked, bool askable) = market.rootOf(dataset, root);
            check(revoked && !askable, "revoked");
        } catch {
            check(!may, "accepted");
        }
    }

    function testFuzz_AnswersComeInTimeAndRange(uint256 cipher, uint256 nullifier, uint256 later) public {
        Quote memory quote = open_[0];
        cipher = cipher % 4 == 0 ? P - 2 + ((cipher / 4) % 4) : cipher;
        nullifier = nullifier % 4 == 0 ? P - 2 + ((nullifier / 4) % 4) : nullifier;
        goTo(START + (later % (2 * WINDOW)));
        bool allowed = cipher < P && nullifier < P && clock <= START + WINDOW;
        vm.prank(stranger);
        try market.answer(quote, cipher, nullifier, noProof()) {
            check(allowed, "refused");
            check(market.isUsed(provider, nullifier), "used");
            check(!market.isUsed(rival, nullifier), "not another's");
            (uint32 answered, uint32 expired) = market.recordOf(provider);
            same(answered, 1, "one answer");
            same(expired, 0, "no expiry");
        } catch {
            check(!allowed, "accepted");
            check(!market.isUsed(provider, nullifier), "not used");
        }
    }

    function testFuzz_BatchesTakeWhatIsFit(uint256 seed) public {
        Answer[] memory answers = new Answer[](3);
        bool[3] memory taken; // by question
        bool[4] memory used;
        uint256 count;
        for (uint256 i; i < 3; ++i) {
            uint256 which = (seed >> (8 * i)) % 3;
            uint256 nullifier = 1 + ((seed >> (32 + 8 * i)) % 3);
            bool isInRange = (seed >> (64 + 8 * i)) % 4 != 0;
            answers[i] = answerOf(open_[which], isInRange ? i : P, nullifier);
            if (!isInRange || taken[which] || used[nullifier]) continue;
            (taken[which], used[nullifier]) = (true, true);
            ++count;
        }
        uint96 before = freeOf(provider);
        market.answerBatch(answers);
        (uint32 answered, ) = market.recordOf(provider);
        same(answered, count, "answered");
        same(freeOf(provider), before + count * (uint256(PRICE) + BOND), "paid");
        for (uint256 i; i < 3; ++i) {
            same(statusOf(open_[i]), taken[i] ? QuestionStatus.Answered : QuestionStatus.Pending, "status");
        }
    }

    function testFuzz_QuestionsExpireAfterTheirDeadline(uint256 later, uint256 caller) public {
        Quote memory quote = open_[1];
        goTo(START + (later % (2 * WINDOW)));
        address account = [provider, stranger, asker, agent][caller % 4];
        bool allowed = clock > START + WINDOW || account == provider;
        uint96 before = freeOf(asker);
        vm.prank(account);
        try market.expire(quote) {
            check(allowed, "refused");
            same(freeOf(asker), before + PRICE + BOND, "price and bond");
            same(lockedOf(provider), 2 * BOND, "the bonds of the others");
            (, uint32 expired) = market.recordOf(provider);
            same(expired, 1, "one expiry");
        } catch {
            check(!allowed, "accepted");
        }
    }

    function testFuzz_PoseidonIsAsked(uint256 k, bool holds) public {
        Quote memory quote = open_[2];
        k %= P;
        check(market.poseidon2() != address(0), "a contract");
        (bool success, bytes memory data) = market.poseidon2().staticcall(
            abi.encodeWithSignature("poseidon(uint256[2])", [k, quote.query])
        );
        check(success, "hashed");
        uint256 pad = abi.decode(data, (uint256));
        answer(quote, addmod(pad, holds ? 1 : 0, P), 1);
        same(market.answerOf(provider, quote.query, k) ? 1 : 0, holds ? 1 : 0, "opened");
    }
}
