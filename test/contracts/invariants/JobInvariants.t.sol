// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {InvariantSuite} from "./InvariantSuite.sol";
import {JobClaims} from "./JobClaims.sol";
import {JobWorld} from "./JobWorld.sol";

/// @notice What the runner calls: plays jobs, keeps books, and never reverts.
contract JobHandler is JobClaims {}

/// @notice What holds after any history. The numbers are those of README.md one folder up, which says each in words.
contract JobInvariantsTest is InvariantSuite {
    JobHandler private handler;

    function setUp() public {
        handler = JobHandler(deploy("JobInvariants.t.sol:JobHandler"));
        handler.setUp();
    }

    /// @notice The calls that the runner makes; what is here twice comes twice as often.
    function targetSelectors() external view returns (FuzzSelector[] memory) {
        bytes4[34] memory selectors = [
            handler.playJob.selector,
            handler.playJob.selector,
            handler.playJob.selector,
            handler.playJob.selector,
            handler.voteBySet.selector,
            handler.voteBySet.selector,
            handler.openJob.selector,
            handler.openJob.selector,
            handler.commitOne.selector,
            handler.commitOne.selector,
            handler.commitSome.selector,
            handler.carryCommitments.selector,
            handler.declineOne.selector,
            handler.declineOne.selector,
            handler.declineOne.selector,
            handler.promoteSpares.selector,
            handler.promoteSpares.selector,
            handler.promoteSpares.selector,
            handler.revealSome.selector,
            handler.settleJob.selector,
            handler.setMood.selector,
            handler.retryCallback.selector,
            handler.bringOtherTerms.selector,
            handler.withdrawSome.selector,
            handler.depositSome.selector,
            handler.feed.selector,
            handler.claim.selector,
            handler.authorizeAgent.selector,
            handler.passTime.selector,
            handler.passTime.selector,
            handler.actAtAnEdge.selector,
            handler.actAtAnEdge.selector,
            handler.actAtAnEdge.selector,
            handler.actAtAnEdge.selector
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
        invariant_1_MoneyIsConserved();
        invariant_2_HeldIsOwned();
        invariant_3_HeldMovesByDepositsAndWithdrawals();
        invariant_4_FreeBalancesAreThoseOfThePage();
        invariant_5_LockedMoneyHasItsJob();
        invariant_6_BurntIsThatOfThePage();
        invariant_7_BurntOnlyGrows();
        invariant_8_PenaltiesEnrichNobody();
        invariant_9_OnlyTheOwnerSpends();
        invariant_10_DepositsFollowThePage();
        invariant_11_WithdrawalsFollowThePage();
        invariant_12_OpeningsFollowThePage();
        invariant_13_AJobOpensOnce();
        invariant_14_AgentsStayWithinLimits();
        invariant_15_LimitsAreTheirProviders();
        invariant_16_ProbationersSitAsShadows();
        invariant_17_CommitmentsFollowThePage();
        invariant_18_CarriedCommitmentsFollowThePage();
        invariant_19_DeclinesFollowThePage();
        invariant_20_PromotionsFollowThePage();
        invariant_21_RevealingFollowsThePage();
        invariant_22_SettlingFollowsThePage();
        invariant_23_ClaimsFollowThePage();
        invariant_24_OtherTermsAreRefused();
        invariant_25_OtherCommitmentsAreRefused();
        invariant_26_StatusIsThePrediction();
        invariant_27_StatusNeverGoesBack();
        invariant_28_RevealingNeverMoves();
        invariant_29_NothingIsCommittedAfterReveal();
        invariant_30_NothingIsPromotedAfterReveal();
        invariant_31_FactsAreThoseOfThePage();
        invariant_32_APlaceHasOneFate();
        invariant_33_ASeatHasOneCommitment();
        invariant_34_PromotionsAreThoseOfThePage();
        invariant_35_CommitmentsAreChained();
        invariant_36_ResultsAreThoseOfThePage();
        invariant_37_SettledFactsNeverChange();
        invariant_38_AnAcceptedResultHasItsQuorum();
        invariant_39_SetsFollowThePage();
        invariant_40_ASetLandsOnce();
        invariant_41_SetsAreAskedFor();
        invariant_42_NoSetIsLate();
        invariant_43_EquivocatorsNeverGain();
        invariant_44_CallbacksAreToldOnce();
        invariant_45_CallbacksSeeTheTruth();
        invariant_46_CallbacksComeAfterSettlement();
        invariant_47_CallbacksMoveNoMoney();
        invariant_48_CallbacksGetTheirGas();
        invariant_49_RetriesFollowThePage();
        invariant_50_CountersAreExact();
        invariant_51_ProbationsFollowThePage();
        invariant_52_ProbationsHaveTheirFaults();
        invariant_53_QuarantineIsThatOfThePage();
        // What must always be possible changes the state, so each begins with what the handler left.
        uint256 id = vm.snapshotState();
        invariant_54_StrangersSettleEverything();
        _undo(id);
        invariant_55_ThenNothingIsLockedOrEscrowed();
        _undo(id);
        invariant_56_EndedProbationsPayOut();
        _undo(id);
        invariant_57_EveryoneTakesOutWhatIsFree();
        _undo(id);
        invariant_58_TimeEndsEveryProbation();
        _undo(id);
        invariant_59_AlignmentsEndEveryProbation();
        _undo(id);
    }

    function invariant_1_MoneyIsConserved() public view {
        handler.checkConservation();
    }

    function invariant_2_HeldIsOwned() public view {
        handler.checkOwned();
    }

    function invariant_3_HeldMovesByDepositsAndWithdrawals() public view {
        handler.checkHeld();
    }

    function invariant_4_FreeBalancesAreThoseOfThePage() public view {
        handler.checkFree();
    }

    function invariant_5_LockedMoneyHasItsJob() public view {
        handler.checkLocked();
    }

    function invariant_6_BurntIsThatOfThePage() public view {
        handler.checkBurnt();
    }

    function invariant_7_BurntOnlyGrows() public view {
        handler.checkBreach(JobWorld.Breach.BurntFell, "BurntOnlyGrows");
    }

    function invariant_8_PenaltiesEnrichNobody() public view {
        handler.checkBreach(JobWorld.Breach.PenaltyEnriched, "PenaltiesEnrichNobody");
    }

    function invariant_9_OnlyTheOwnerSpends() public view {
        handler.checkBreach(JobWorld.Breach.StrangersMoney, "OnlyTheOwnerSpends");
    }

    function invariant_10_DepositsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.Deposit, "DepositsFollowThePage");
    }

    function invariant_11_WithdrawalsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.Withdraw, "WithdrawalsFollowThePage");
    }

    function invariant_12_OpeningsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.Open, "OpeningsFollowThePage");
    }

    function invariant_13_AJobOpensOnce() public view {
        handler.checkBreach(JobWorld.Breach.SecondOpening, "AJobOpensOnce");
    }

    function invariant_14_AgentsStayWithinLimits() public view {
        handler.checkBreach(JobWorld.Breach.AgentBeyondLimits, "AgentsStayWithinLimits");
    }

    function invariant_15_LimitsAreTheirProviders() public view {
        handler.checkLimits();
    }

    function invariant_16_ProbationersSitAsShadows() public view {
        handler.checkBreach(JobWorld.Breach.ProbationSeated, "ProbationersSitAsShadows");
    }

    function invariant_17_CommitmentsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.Commit, "CommitmentsFollowThePage");
    }

    function invariant_18_CarriedCommitmentsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.CarriedCommit, "CarriedCommitmentsFollowThePage");
    }

    function invariant_19_DeclinesFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.Decline, "DeclinesFollowThePage");
    }

    function invariant_20_PromotionsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.Promote, "PromotionsFollowThePage");
    }

    function invariant_21_RevealingFollowsThePage() public view {
        handler.checkBreach(JobWorld.Breach.Reveal, "RevealingFollowsThePage");
    }

    function invariant_22_SettlingFollowsThePage() public view {
        handler.checkBreach(JobWorld.Breach.Settle, "SettlingFollowsThePage");
    }

    function invariant_23_ClaimsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.Claim, "ClaimsFollowThePage");
    }

    function invariant_24_OtherTermsAreRefused() public view {
        handler.checkBreach(JobWorld.Breach.OtherTerms, "OtherTermsAreRefused");
    }

    function invariant_25_OtherCommitmentsAreRefused() public view {
        handler.checkBreach(JobWorld.Breach.OtherCommitments, "OtherCommitmentsAreRefused");
    }

    function invariant_26_StatusIsThePrediction() public view {
        handler.checkStatus();
    }

    function invariant_27_StatusNeverGoesBack() public view {
        handler.checkBreach(JobWorld.Breach.StatusWentBack, "StatusNeverGoesBack");
    }

    function invariant_28_RevealingNeverMoves() public view {
        handler.checkBreach(JobWorld.Breach.RevealMoved, "RevealingNeverMoves");
    }

    function invariant_29_NothingIsCommittedAfterReveal() public view {
        handler.checkBreach(JobWorld.Breach.CommitAfterReveal, "NothingIsCommittedAfterReveal");
    }

    function invariant_30_NothingIsPromotedAfterReveal() public view {
        handler.checkBreach(JobWorld.Breach.PromotionAfterReveal, "NothingIsPromotedAfterReveal");
    }

    function invariant_31_FactsAreThoseOfThePage() public view {
        handler.checkFacts();
    }

    function invariant_32_APlaceHasOneFate() public view {
        handler.checkFates();
    }

    function invariant_33_ASeatHasOneCommitment() public view {
        handler.checkOneCommitmentASeat();
    }

    function invariant_34_PromotionsAreThoseOfThePage() public view {
        handler.checkPromotions();
    }

    function invariant_35_CommitmentsAreChained() public view {
        handler.checkChains();
    }

    function invariant_36_ResultsAreThoseOfThePage() public view {
        handler.checkLastResult();
    }

    function invariant_37_SettledFactsNeverChange() public view {
        handler.checkOldResult();
    }

    function invariant_38_AnAcceptedResultHasItsQuorum() public view {
        handler.checkQuorums();
    }

    function invariant_39_SetsFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.RevealSet, "SetsFollowThePage");
    }

    function invariant_40_ASetLandsOnce() public view {
        handler.checkBreach(JobWorld.Breach.SecondSet, "ASetLandsOnce");
    }

    function invariant_41_SetsAreAskedFor() public view {
        handler.checkBreach(JobWorld.Breach.SetUnasked, "SetsAreAskedFor");
    }

    function invariant_42_NoSetIsLate() public view {
        handler.checkBreach(JobWorld.Breach.LateSet, "NoSetIsLate");
    }

    function invariant_43_EquivocatorsNeverGain() public view {
        handler.checkBreach(JobWorld.Breach.EquivocatorGained, "EquivocatorsNeverGain");
    }

    function invariant_44_CallbacksAreToldOnce() public view {
        handler.checkCallbacks();
    }

    function invariant_45_CallbacksSeeTheTruth() public view {
        handler.checkWitness();
    }

    function invariant_46_CallbacksComeAfterSettlement() public view {
        handler.checkSilence();
    }

    function invariant_47_CallbacksMoveNoMoney() public view {
        handler.checkBreach(JobWorld.Breach.CallbackMovedMoney, "CallbacksMoveNoMoney");
    }

    function invariant_48_CallbacksGetTheirGas() public view {
        handler.checkBreach(JobWorld.Breach.CallbackStarved, "CallbacksGetTheirGas");
    }

    function invariant_49_RetriesFollowThePage() public view {
        handler.checkBreach(JobWorld.Breach.RetryCallback, "RetriesFollowThePage");
    }

    function invariant_50_CountersAreExact() public view {
        handler.checkCounters();
    }

    function invariant_51_ProbationsFollowThePage() public view {
        handler.checkProbations();
    }

    function invariant_52_ProbationsHaveTheirFaults() public view {
        handler.checkCauses();
    }

    function invariant_53_QuarantineIsThatOfThePage() public view {
        handler.checkQuarantine();
    }

    function invariant_54_StrangersSettleEverything() public {
        handler.finishAll();
    }

    function invariant_55_ThenNothingIsLockedOrEscrowed() public {
        handler.finishAllAndCount();
    }

    function invariant_56_EndedProbationsPayOut() public {
        handler.claimAll();
    }

    function invariant_57_EveryoneTakesOutWhatIsFree() public {
        handler.emptyAccount();
    }

    function invariant_58_TimeEndsEveryProbation() public {
        handler.waitAndReturn();
    }

    function invariant_59_AlignmentsEndEveryProbation() public {
        handler.alignAndReturn();
    }
}
