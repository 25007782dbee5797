// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantSuite} from "./InvariantSuite.sol";
import {QueryClaims} from "./QueryClaims.sol";
import {QueryActions} from "./QueryActions.sol";

/// @notice What the runner calls: plays questions, keeps books, and never reverts.
contract QueryHandler is QueryClaims {}

/// @notice What holds after any history. The numbers are those of README.md one folder up, which says each in words.
contract QueryInvariantsTest is InvariantSuite {
    QueryHandler private handler;

    function setUp() public {
        handler = QueryHandler(deploy("QueryInvariants.t.sol:QueryHandler"));
        handler.setUp();
    }

    /// @notice The calls that the runner makes; what is here twice comes twice as often.
    function targetSelectors() external view returns (FuzzSelector[] memory) {
        bytes4[16] memory selectors = [
            handler.askOne.selector,
            handler.askOne.selector,
            handler.askOne.selector,
            handler.answerOne.selector,
            handler.answerOne.selector,
            handler.answerMany.selector,
            handler.expireOne.selector,
            handler.bringOtherQuote.selector,
            handler.registerOne.selector,
            handler.changePublisher.selector,
            handler.publishOne.selector,
            handler.revokeOne.selector,
            handler.depositSome.selector,
            handler.withdrawSome.selector,
            handler.authorizeAgent.selector,
            handler.passTime.selector
        ];
        bytes4[] memory list = new bytes4[](selectors.length);
        for (uint256 i; i < list.length; ++i) list[i] = selectors[i];
        return only(address(handler), list);
    }

    function targetContracts() external view returns (address[] memory) {
        return only(address(handler));
    }

    /// @notice All of them after each call, for the long run: one history serves every claim.
    function invariant_All() public {
        invariant_60_MoneyOfQuestionsIsConserved();
        invariant_61_HeldOfQuestionsMovesByDeposits();
        invariant_62_FreeBalancesFollowTheQuestions();
        invariant_63_LockedMoneyHasItsQuestion();
        invariant_64_QuestionsBurnNothing();
        invariant_65_OnlyTheOwnerSpendsOnQuestions();
        invariant_66_DepositsForQuestionsFollowThePage();
        invariant_67_WithdrawalsFromQuestionsFollowThePage();
        invariant_68_LimitsOfQuoteAgentsAreTheirProviders();
        invariant_69_QuoteAgentsStayWithinLimits();
        invariant_70_AskingFollowsThePage();
        invariant_71_AQueryIsAskedOnce();
        invariant_72_RevokedRootsAreNotAsked();
        invariant_73_AnsweringFollowsThePage();
        invariant_74_BatchesFollowThePage();
        invariant_75_OnlyAYesPays();
        invariant_76_NoAnswerIsLate();
        invariant_77_ExpiringFollowsThePage();
        invariant_78_NoStrangerExpiresEarly();
        invariant_79_OtherQuotesAreRefused();
        invariant_80_QuestionsAreThoseOfThePage();
        invariant_81_UnaskedIsUnknown();
        invariant_82_ANullifierIsUsedOnce();
        invariant_83_NothingElseUsesNullifiers();
        invariant_84_RecordsAreExact();
        invariant_85_AnswersNeedAnswers();
        invariant_86_RegisteringFollowsThePage();
        invariant_87_PublishersAreSetByProviders();
        invariant_88_PublishingFollowsThePage();
        invariant_89_RevokingFollowsThePage();
        invariant_90_DatasetsAreThoseOfThePage();
        invariant_91_RootsAreThoseOfThePage();
        invariant_92_CurrentRootsAreGood();
        // What must always be possible changes the state, so each begins with what the handler left.
        uint256 id = vm.snapshotState();
        invariant_93_AskedStaysAnswerable();
        _undo(id);
        invariant_94_StrangersExpireEverything();
        _undo(id);
        invariant_95_AskersAndProvidersTakeOutWhatIsFree();
        _undo(id);
    }

    function invariant_60_MoneyOfQuestionsIsConserved() public view {
        handler.checkConservation();
    }

    function invariant_61_HeldOfQuestionsMovesByDeposits() public view {
        handler.checkHeld();
    }

    function invariant_62_FreeBalancesFollowTheQuestions() public view {
        handler.checkFree();
    }

    function invariant_63_LockedMoneyHasItsQuestion() public view {
        handler.checkLocked();
    }

    function invariant_64_QuestionsBurnNothing() public view {
        handler.checkNothingBurnt();
    }

    function invariant_65_OnlyTheOwnerSpendsOnQuestions() public view {
        handler.checkBreach(QueryActions.Breach.StrangersMoney, "OnlyTheOwnerSpendsOnQuestions");
    }

    function invariant_66_DepositsForQuestionsFollowThePage() public view {
        handler.checkBreach(QueryActions.Breach.Deposit, "DepositsForQuestionsFollowThePage");
    }

    function invariant_67_WithdrawalsFromQuestionsFollowThePage() public view {
        handler.checkBreach(QueryActions.Breach.Withdraw, "WithdrawalsFromQuestionsFollowThePage");
    }

    function invariant_68_LimitsOfQuoteAgentsAreTheirProviders() public view {
        handler.checkLimits();
    }

    function invariant_69_QuoteAgentsStayWithinLimits() public view {
        handler.checkBreach(QueryActions.Breach.AgentBeyondLimits, "QuoteAgentsStayWithinLimits");
    }

    function invariant_70_AskingFollowsThePage() public view {
        handler.checkBreach(QueryActions.Breach.Ask, "AskingFollowsThePage");
    }

    function invariant_71_AQueryIsAskedOnce() public view {
        handler.checkBreach(QueryActions.Breach.AskedTwice, "AQueryIsAskedOnce");
    }

    function invariant_72_RevokedRootsAreNotAsked() public view {
        handler.checkBreach(QueryActions.Breach.RevokedAsked, "RevokedRootsAreNotAsked");
    }

    function invariant_73_AnsweringFollowsThePage() public view {
        handler.checkBreach(QueryActions.Breach.Answer, "AnsweringFollowsThePage");
    }

    function invariant_74_BatchesFollowThePage() public view {
        handler.checkBreach(QueryActions.Breach.Batch, "BatchesFollowThePage");
    }

    function invariant_75_OnlyAYesPays() public view {
        handler.checkBreach(QueryActions.Breach.PaidWithoutYes, "OnlyAYesPays");
    }

    function invariant_76_NoAnswerIsLate() public view {
        handler.checkBreach(QueryActions.Breach.LateAnswer, "NoAnswerIsLate");
    }

    function invariant_77_ExpiringFollowsThePage() public view {
        handler.checkBreach(QueryActions.Breach.Expire, "ExpiringFollowsThePage");
    }

    function invariant_78_NoStrangerExpiresEarly() public view {
        handler.checkBreach(QueryActions.Breach.EarlyExpiry, "NoStrangerExpiresEarly");
    }

    function invariant_79_OtherQuotesAreRefused() public view {
        handler.checkBreach(QueryActions.Breach.OtherQuote, "OtherQuotesAreRefused");
    }

    function invariant_80_QuestionsAreThoseOfThePage() public view {
        handler.checkQuestions();
    }

    function invariant_81_UnaskedIsUnknown() public view {
        handler.checkUnasked();
    }

    function invariant_82_ANullifierIsUsedOnce() public view {
        handler.checkNullifiers();
    }

    function invariant_83_NothingElseUsesNullifiers() public view {
        handler.checkUnusedNullifiers();
    }

    function invariant_84_RecordsAreExact() public view {
        handler.checkRecords();
    }

    function invariant_85_AnswersNeedAnswers() public view {
        handler.openAnswers();
    }

    function invariant_86_RegisteringFollowsThePage() public view {
        handler.checkBreach(QueryActions.Breach.Register, "RegisteringFollowsThePage");
    }

    function invariant_87_PublishersAreSetByProviders() public view {
        handler.checkBreach(QueryActions.Breach.SetPublisher, "PublishersAreSetByProviders");
    }

    function invariant_88_PublishingFollowsThePage() public view {
        handler.checkBreach(QueryActions.Breach.Publish, "PublishingFollowsThePage");
    }

    function invariant_89_RevokingFollowsThePage() public view {
        handler.checkBreach(QueryActions.Breach.Revoke, "RevokingFollowsThePage");
    }

    function invariant_90_DatasetsAreThoseOfThePage() public view {
        handler.checkDatasets();
    }

    function invariant_91_RootsAreThoseOfThePage() public view {
        handler.checkRoots();
    }

    function invariant_92_CurrentRootsAreGood() public view {
        handler.checkCurrentRoots();
    }

    function invariant_93_AskedStaysAnswerable() public {
        handler.answerPending();
    }

    function invariant_94_StrangersExpireEverything() public {
        handler.expireAll();
    }

    function invariant_95_AskersAndProvidersTakeOutWhatIsFree() public {
        handler.emptyAccount();
    }
}
