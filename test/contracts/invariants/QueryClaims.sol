// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QuestionStatus, Quote} from "../../../contracts/types/Question.sol";
import {QueryActions} from "./QueryActions.sol";

/// @notice Compares the market with the books, and shows from any state what must always be possible. What these functions change is
/// never kept: the runner forgets what an invariant does.
abstract contract QueryClaims is QueryActions {
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
            uint256 sum;
            for (uint256 i; i < accounts.length; ++i) {
                (uint96 free_, uint96 locked_) = market.accountOf(token_, accounts[i]);
                sum += uint256(free_) + locked_;
            }
            for (uint256 i; i < pending.length; ++i) {
                Quote memory quote = questions[pending[i]].quote;
                if (quote.token == token_) sum += quote.price;
            }
            _is("held is the sum of its parts", market.held(token_), sum);
            _is("owned", tokens[t].balanceOf(address(market)), sum);
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

    function checkLocked() external view {
        uint256[2][PARTIES] memory bonds;
        for (uint256 i; i < pending.length; ++i) {
            Quote memory quote = questions[pending[i]].quote;
            for (uint256 party; party < PARTIES; ++party) {
                if (providers[party] == quote.provider)
                    bonds[party][quote.token == address(tokens[0]) ? 0 : 1] += quote.bond;
            }
        }
        for (uint256 t; t < 2; ++t) {
            for (uint256 i; i < accounts.length; ++i) {
                (, uint96 found) = market.accountOf(address(tokens[t]), accounts[i]);
                _is("locked", found, i < PARTIES ? bonds[i][t] : 0);
            }
        }
    }

    function checkNothingBurnt() external view {
        for (uint256 t; t < 2; ++t) _is("burnt", market.burnt(address(tokens[t])), 0);
    }

    function checkLimits() external view {
        for (uint256 t; t < 2; ++t) {
            for (uint256 i; i < PARTIES; ++i) {
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

    // Questions

    function checkQuestions() external view {
        for (uint256 i; i < questions.length; ++i) {
            Question memory mine = questions[i];
            (QuestionStatus found, uint40 deadline, uint256 cipher) = market.questionOf(
                mine.quote.provider,
                mine.quote.query
            );
            _is("status", uint256(found), uint256(mine.status));
            _is("deadline", deadline, mine.status == QuestionStatus.Pending ? mine.deadline : 0);
            _is("cipher", cipher, mine.cipher);
        }
    }

    /// @dev Questions that nobody asked, one provider and some queries in turn.
    function checkUnasked() external view {
        address account = providers[actions % PARTIES];
        for (uint256 i; i < 8; ++i) {
            uint256 query = 1 + ((actions / PARTIES + i) % 64);
            (QuestionStatus found, uint40 deadline, uint256 cipher) = market.questionOf(account, query);
            if (wasAsked[account][query]) continue;
            _is("status of what was not asked", uint256(found), 0);
            _is("deadline of what was not asked", deadline, 0);
            _is("cipher of what was not asked", cipher, 0);
        }
    }

    function checkNullifiers() external view {
        for (uint256 i; i < questions.length; ++i) {
            Question memory mine = questions[i];
            if (mine.status != QuestionStatus.Answered) continue;
            _is("used", market.isUsed(mine.quote.provider, mine.nullifier) ? 1 : 0, 1);
            for (uint256 j; j < i; ++j) {
                if (questions[j].status != QuestionStatus.Answered || questions[j].nullifier != mine.nullifier)
                    continue;
                _is("used twice", questions[j].quote.provider == mine.quote.provider ? 1 : 0, 0);
            }
        }
    }

    /// @dev Some nullifiers of a provider in turn.
    function checkUnusedNullifiers() external view {
        address account = providers[actions % PARTIES];
        for (uint256 i; i < 8; ++i) {
            uint256 nullifier = 1 + ((actions / PARTIES + i) % 96);
            _is("used", market.isUsed(account, nullifier) ? 1 : 0, used[account][nullifier] ? 1 : 0);
        }
    }

    function checkRecords() external view {
        for (uint256 i; i < PARTIES; ++i) {
            (uint32 answered_, uint32 expired_) = market.recordOf(providers[i]);
            _is("answered", answered_, answered[providers[i]]);
            _is("expired", expired_, expired[providers[i]]);
        }
    }

    // Datasets

    function checkDatasets() external view {
        for (uint256 i; i < datasets.length; ++i) {
            Dataset memory mine = datasets[i];
            (address provider_, uint32 grace, address publisher_, uint256 root) = market.datasetOf(mine.id);
            _is("provider", uint160(provider_), uint160(mine.provider));
            _is("grace", grace, mine.grace);
            _is("publisher", uint160(publisher_), uint160(mine.publisher));
            _is("current root", root, mine.root);
        }
    }

    function checkRoots() external view {
        for (uint256 i; i < datasets.length; ++i) {
            bytes32 id = datasets[i].id;
            for (uint256 root = ROOT; root < ROOT + ROOTS; ++root) {
                (uint40 publishedAt, uint40 supersededAt, bool revoked, bool askable) = market.rootOf(id, root);
                _is("published at", publishedAt, roots[id][root].publishedAt);
                _is("superseded at", supersededAt, roots[id][root].supersededAt);
                _is("revoked", revoked ? 1 : 0, roots[id][root].revoked ? 1 : 0);
                _is("askable", askable ? 1 : 0, isAskable(id, root) ? 1 : 0);
            }
        }
    }

    /// @dev From what the market says alone.
    function checkCurrentRoots() external view {
        for (uint256 i; i < datasets.length; ++i) {
            (, , , uint256 root) = market.datasetOf(datasets[i].id);
            if (root == 0) continue;
            (uint40 publishedAt, uint40 supersededAt, bool revoked, bool askable) = market.rootOf(datasets[i].id, root);
            _is("a current root was published", publishedAt == 0 ? 1 : 0, 0);
            _is("a current root is not superseded", supersededAt, 0);
            _is("a current root is not revoked", revoked ? 1 : 0, 0);
            _is("a current root is askable", askable ? 1 : 0, 1);
        }
    }

    // What must always be possible

    /// @dev A pending question in time is answered, whatever became of its root.
    function answerPending() external {
        for (uint256 i; i < pending.length; ++i) {
            Question memory mine = questions[pending[i]];
            if (clock > mine.deadline) continue;
            vm.prank(stranger);
            market.answer(mine.quote, 1, 1000 + i, noProof());
            (QuestionStatus found, , ) = market.questionOf(mine.quote.provider, mine.quote.query);
            _is("answered", uint256(found), uint256(QuestionStatus.Answered));
        }
    }

    /// @dev After every deadline a stranger expires every question; then no bond is locked and no price held.
    function expireAll() external {
        goTo(clock + 8 days);
        for (uint256 i; i < pending.length; ++i) {
            vm.prank(stranger);
            market.expire(questions[pending[i]].quote);
        }
        for (uint256 t; t < 2; ++t) {
            uint256 sum;
            for (uint256 i; i < accounts.length; ++i) {
                (uint96 free_, uint96 locked_) = market.accountOf(address(tokens[t]), accounts[i]);
                _is("locked for nothing", locked_, 0);
                sum += free_;
            }
            _is("held for nothing", market.held(address(tokens[t])), sum);
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

    /// @dev Without an answer there is nothing to open, for no key.
    function openAnswers() external view {
        for (uint256 i; i < questions.length; ++i) {
            Question memory mine = questions[i];
            if (mine.status == QuestionStatus.Answered) continue;
            try market.answerOf(mine.quote.provider, mine.quote.query, 1) {
                revert Broken("an answer without an answer", 1, 0);
            } catch {}
        }
    }
}
