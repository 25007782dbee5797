// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Answer, QuestionStatus, Quote} from "../../contracts/types/Question.sol";
import {MoodyVerifier} from "./harness/MoodyVerifier.sol";
import {QueryMarketTest} from "./support/QueryMarketTest.sol";

/// @notice Plays questions at random for {QueryInvariantsTest}. Calls never fail: what the market refuses is caught.
contract QueryHandler is QueryMarketTest {
    Quote[] private _quotes;
    /// @dev The highest status seen of each question.
    mapping(bytes32 id => uint256) private _seen;
    /// @dev Nullifiers that answers of each provider had.
    mapping(address provider => uint256[]) private _nullifiers;
    bool public wentBack;
    bool public stuck;
    bool public paidWrongly;
    /// @dev Prices of pending questions, and bonds of each provider's.
    uint256 public escrow;
    mapping(address provider => uint256) public bonds;
    uint256 public answered;
    uint256 public expired;

    constructor() {
        setUp();
    }

    /// @dev The runner may call it too: only the first call counts.
    function setUp() public override {
        if (address(market) != address(0)) return;
        super.setUp();
        vm.prank(rival);
        bytes32 theirs = market.registerDataset(DEFINITION, GRACE, publisher);
        vm.prank(rival);
        market.publishRoot(theirs, ROOT);
    }

    function providerAt(uint256 seed) private view returns (uint256 key, address account) {
        return seed % 3 == 0 ? (RIVAL_KEY, rival) : (PROVIDER_KEY, provider);
    }

    function askOne(uint256 seed) external {
        if (_quotes.length == 24) return;
        (uint256 key, address account) = providerAt(seed);
        // Few queries: the same one is asked at both, and again.
        Quote memory quote = quoteFor(1 + ((seed >> 8) % 16));
        quote.provider = account;
        quote.dataset = keccak256(abi.encode(account, DEFINITION));
        quote.price = uint96((seed >> 16) % (FUNDS / 4));
        quote.bond = uint96((seed >> 48) % (FUNDS / 4));
        quote.window = uint32(300 + ((seed >> 80) % 2000));
        bytes memory signed = signature(key, quote);
        vm.prank(asker);
        try market.ask(quote, signed) returns (bytes32 id) {
            _quotes.push(quote);
            escrow += quote.price;
            bonds[account] += quote.bond;
            _seen[id] = uint256(QuestionStatus.Pending);
        } catch {}
    }

    function answerOne(uint256 seed) external {
        if (_quotes.length == 0) return;
        Quote memory quote = _quotes[seed % _quotes.length];
        // Few nullifiers: many are used already.
        uint256 nullifier = 1 + ((seed >> 32) % 24);
        if ((seed >> 64) % 4 == 0) verifier.set(MoodyVerifier.Mood((seed >> 72) % 7));
        try market.answer(quote, seed % P, nullifier, noProof()) {
            if (verifier.mood() != MoodyVerifier.Mood.Yes) paidWrongly = true;
            _wasAnswered(quote, nullifier);
        } catch {}
        verifier.set(MoodyVerifier.Mood.Yes);
        look();
    }

    function answerMany(uint256 seed) external {
        if (_quotes.length == 0) return;
        Answer[] memory answers = new Answer[](1 + ((seed >> 8) % 4));
        bool[] memory wasPending = new bool[](answers.length);
        for (uint256 i; i < answers.length; ++i) {
            uint256 part = uint256(keccak256(abi.encode(seed, i)));
            answers[i] = answerOf(_quotes[part % _quotes.length], part % P, 1 + ((part >> 32) % 24));
            wasPending[i] = statusOf(answers[i].quote) == QuestionStatus.Pending;
        }
        try market.answerBatch(answers) {
            for (uint256 i; i < answers.length; ++i) {
                Quote memory quote = answers[i].quote;
                (, , uint256 cipher) = market.questionOf(quote.provider, quote.query);
                // The first item of a question that was taken; a later one of the same question was skipped.
                if (!wasPending[i] || _seen[digestOf(quote)] != uint256(QuestionStatus.Pending)) continue;
                if (statusOf(quote) != QuestionStatus.Answered || cipher != answers[i].cipher) continue;
                _wasAnswered(quote, answers[i].nullifier);
            }
        } catch {
            stuck = true; // nothing in a batch can fail it but the verifier
        }
        look();
    }

    function expireOne(uint256 seed) external {
        if (_quotes.length == 0) return;
        Quote memory quote = _quotes[seed % _quotes.length];
        bool byProvider = (seed >> 32) % 8 == 0;
        vm.prank(byProvider ? quote.provider : stranger);
        try market.expire(quote) {
            _wasExpired(quote);
        } catch {}
        look();
    }

    function moveRoots(uint256 seed) external {
        (, address account) = providerAt(seed);
        bytes32 id = keccak256(abi.encode(account, DEFINITION));
        vm.prank(publisher);
        try market.publishRoot(id, (seed >> 8) % 2 == 0 ? ROOT : ROOT + 1 + (seed % 5)) {} catch {}
    }

    function revokeOne(uint256 seed) external {
        (, address account) = providerAt(seed);
        vm.prank(publisher);
        try market.revokeRoot(keccak256(abi.encode(account, DEFINITION)), ROOT + 1 + ((seed >> 8) % 5)) {} catch {}
    }

    function withdrawSome(uint256 seed) external {
        (, address account) = providerAt(seed);
        uint96 amount = (uint96(seed >> 128) % (freeOf(account) + 1)) / 8;
        vm.prank(account);
        market.withdraw(address(token), stranger, amount);
    }

    function wait(uint256 seed) external {
        skip(seed % 700);
        look();
    }

    function _wasAnswered(Quote memory quote, uint256 nullifier) private {
        _nullifiers[quote.provider].push(nullifier);
        ++answered;
        _wasPaid(quote);
    }

    function _wasExpired(Quote memory quote) private {
        ++expired;
        _wasPaid(quote);
    }

    function _wasPaid(Quote memory quote) private {
        escrow -= quote.price;
        bonds[quote.provider] -= quote.bond;
        _seen[digestOf(quote)] = uint256(statusOf(quote));
    }

    /// @notice Compares every question with what was seen before: an end is for good, and nothing becomes unasked.
    function look() public {
        for (uint256 i; i < _quotes.length; ++i) {
            if (uint256(statusOf(_quotes[i])) != _seen[digestOf(_quotes[i])]) wentBack = true;
        }
    }

    // Sums

    function accounts() external view returns (uint256 sum) {
        sum = uint256(freeOf(asker)) + lockedOf(asker) + freeOf(stranger);
        sum += uint256(freeOf(provider)) + lockedOf(provider) + freeOf(rival) + lockedOf(rival);
    }

    function locksAreBonds() external view returns (bool) {
        return lockedOf(provider) == bonds[provider] && lockedOf(rival) == bonds[rival];
    }

    function held() external view returns (uint256) {
        return market.held(address(token));
    }

    function balance() external view returns (uint256) {
        return token.balanceOf(address(market));
    }

    function records() external view returns (uint256 answered_, uint256 expired_) {
        (uint32 a, uint32 b) = market.recordOf(provider);
        (uint32 c, uint32 d) = market.recordOf(rival);
        return (uint256(a) + c, uint256(b) + d);
    }

    /// @notice Whether a nullifier that was used is unused now, or was used twice.
    function forgotNullifiers() external view returns (bool) {
        return _forgot(provider) || _forgot(rival);
    }

    function _forgot(address account) private view returns (bool) {
        uint256[] storage list = _nullifiers[account];
        for (uint256 i; i < list.length; ++i) {
            if (!market.isUsed(account, list[i])) return true;
            for (uint256 j; j < i; ++j) if (list[i] == list[j]) return true;
        }
        return false;
    }

    /// @notice Whatever happened: after every deadline, a stranger expires every question. Returns how many stay pending.
    function finishAll() external returns (uint256 pending) {
        skip(8 days);
        for (uint256 i; i < _quotes.length; ++i) {
            if (statusOf(_quotes[i]) != QuestionStatus.Pending) continue;
            vm.prank(stranger);
            try market.expire(_quotes[i]) {
                _wasExpired(_quotes[i]);
            } catch {
                ++pending;
            }
        }
    }
}

/// @notice What holds after any history of questions. The numbers are those of README.md beside this file.
contract QueryInvariantsTest {
    QueryHandler private handler;

    error Broken(string claim, uint256 found, uint256 expected);

    function setUp() public {
        handler = new QueryHandler();
    }

    /// @notice The only contract that the runner may call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// 4. Conservation, exactly, and what is locked are the bonds of pending questions.
    function invariant_4_MoneyOfQuestionsIsConserved() public view {
        uint256 sum = handler.accounts() + handler.escrow();
        if (sum != handler.held()) revert Broken("held is the sum of its parts", handler.held(), sum);
        if (handler.held() != handler.balance()) revert Broken("owned", handler.balance(), handler.held());
        if (!handler.locksAreBonds()) revert Broken("locked are the bonds", 0, 1);
    }

    /// 5. A question that ended stays as it ended, and only a yes of the verifier answers it.
    function invariant_5_EndsAreForGood() public {
        handler.look();
        if (handler.wentBack()) revert Broken("a status went back", 1, 0);
        if (handler.paidWrongly()) revert Broken("paid without a yes", 1, 0);
        (uint256 answered, uint256 expired) = handler.records();
        if (answered != handler.answered()) revert Broken("answered", answered, handler.answered());
        if (expired != handler.expired()) revert Broken("expired", expired, handler.expired());
    }

    /// 6. A stranger can expire every question after its deadline, and nothing stays locked or escrowed.
    function invariant_6_EveryQuestionCanBeExpired() public {
        if (handler.stuck()) revert Broken("a batch failed", 1, 0);
        uint256 pending = handler.finishAll();
        if (pending != 0) revert Broken("questions stay pending", pending, 0);
        if (handler.escrow() != 0) revert Broken("escrow stays", handler.escrow(), 0);
        invariant_4_MoneyOfQuestionsIsConserved();
    }

    /// 7. A nullifier is used once per provider and stays used.
    function invariant_7_NullifiersStayUsed() public view {
        if (handler.forgotNullifiers()) revert Broken("a nullifier came twice", 1, 0);
    }
}
