// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {IJobMarket} from "../../../contracts/interfaces/IJobMarket.sol";
import {IWindows} from "../../../contracts/interfaces/IWindows.sol";
import {JobStatus, OfferFault, Opening, Request, SignedOffer} from "../../../contracts/types/Job.sol";

/// @notice Attacks by the choice of a panel and by its members together.
contract PanelAttacks is AttackTest {
    /// Attack: A requester with two puppets convicts an honest third, to have its bond.
    /// Market: The bond goes to quarantine, nobody gains a unit; three alignments bring it back.
    function test_attack_PuppetRequesterFramesThird() public {
        Case memory job = opened(3, 2, 0, 0);
        uint256 before = wealth(requester) + wealth(provider(0)) + wealth(provider(1)) + escrowOf(job.terms);
        for (uint8 i; i < 3; ++i) commit(job, i, 1, i == 2 ? ANSWER : OTHER);
        reveal(job, list(0, 1));
        this.revealedBy(requester, job, 2);
        uint256 gained = wealth(requester) + wealth(provider(0)) + wealth(provider(1));
        same(gained, before, "the coalition has what it had");
        same(quarantined(provider(2), 1), BOND, "the bond is kept");
        skip(1);
        for (uint256 i; i < 3; ++i) playWithShadow(opened(2, 2, 0, 1), ANSWER);
        claim(provider(2), 1);
        check(freeOf(provider(2)) >= FUNDS, "and comes back");
    }

    function revealedBy(address by, Case memory job, uint8 place) external {
        Opening[] memory openings = new Opening[](1);
        openings[0] = votes[job.id][place];
        vm.prank(by);
        market.reveal(job.id, job.terms, placed[job.id], openings);
    }

    /// Attack: The requester gives one provider the right key and the others garbage, to have the honest one convicted.
    /// Market: A computed answer is held against computed answers only, never against reports.
    function test_attack_GarbageKeysFrameTheHonest() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 3, 0);
        commit(job, 2, 3, 0);
        revealAll(job);
        same(wealth(provider(0)), FUNDS + PRICE / 10, "bond and call-out fee");
        same(market.standingOf(provider(0)).faults, 0, "no mark");
    }

    /// Attack: Puppets block the decision, so that the requester reads the results of the others for free.
    /// Market: Whoever computed has its call-out fee, and nothing is accepted that could be shown.
    function test_attack_PuppetsForceInconclusive() public {
        Case memory job = opened(3, 2, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 3, 0);
        commit(job, 2, 1, OTHER);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "blocked");
        same(wealth(provider(0)), FUNDS + PRICE / 10, "the honest seat has its call-out fee");
        check(wealth(requester) <= FUNDS - PRICE / 10, "the requester paid it");
    }

    /// Attack: With a quorum above the majority, a puppet blocks by a wrong answer and risks nothing.
    /// Market: Against more than half of the seats it is at fault, decided or not.
    function test_attack_BlockingPuppetRisksNothing() public {
        Case memory job = opened(3, 3, 0, 0);
        play(job, answers(ANSWER, ANSWER, OTHER));
        sameStatus(status(job), JobStatus.Inconclusive, "blocked");
        same(wealth(provider(2)), FUNDS - BOND, "at the price of a bond");
        same(quarantined(provider(2), 1), BOND, "in quarantine");
    }

    /// Attack: One provider takes two seats through two agents.
    /// Market: A provider holds one place of a job.
    function test_attack_DuplicateProviderThroughTwoAgents() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        authorize(0, BOND, WINDOW, type(uint40).max);
        vm.prank(provider(0));
        market.authorize(vm.addr(0xA9E8), address(token), BOND, WINDOW, type(uint40).max);
        job.offers[1].provider = provider(0);
        signOffer(job, 0, AGENT);
        signOffer(job, 1, 0xA9E8);
        namesBadOffer(job, 1, OfferFault.DuplicateProvider);
    }

    /// Attack: The requester sits on its own panel.
    /// Market: It is refused by name.
    function test_attack_RequesterOnItsOwnPanel() public {
        Request memory request = requestFor(2, 2, 0, 0);
        request.requester = provider(0);
        namesBadOffer(caseOf(request), 0, OfferFault.ProviderIsRequester);
    }

    /// Attack: A shadow's vote decides what the seats did not.
    /// Market: Shadows have no weight.
    function test_attack_ShadowOutvotesSeats() public {
        Case memory job = opened(2, 2, 0, 1);
        commit(job, 2, 1, ANSWER);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, OTHER);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "one weighted vote each");
        same(market.standingOf(provider(1)).faults, 0, "nobody is convicted by a shadow");
    }

    /// Attack: Two of five convict the third after the other two were kept from the chain.
    /// Market: The majority is one of all seats, not of those who came.
    function test_attack_MinorityConvicts() public {
        Case memory job = opened(5, 3, 0, 0);
        commit(job, 0, 1, OTHER);
        commit(job, 1, 1, OTHER);
        commit(job, 2, 1, ANSWER);
        goTo(START + WINDOW);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "two of five decide nothing");
        same(market.standingOf(provider(2)).faults, 0, "and convict nobody");
        same(wealth(provider(2)), FUNDS + (PRICE + 2) / 10, "bond and call-out fee");
    }

    /// Attack: A bare majority passes where the requester asked for more.
    /// Market: Nothing is accepted below the quorum.
    function test_attack_MajorityBelowQuorum() public {
        Case memory job = opened(3, 3, 0, 0);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        commit(job, 2, 3, 0);
        revealAll(job);
        sameStatus(status(job), JobStatus.Inconclusive, "two of the three that are needed");
    }

    /// Attack: A request asks for a quorum of one, or of half of the seats, so that each side can win.
    /// Market: A quorum is a majority of two or more.
    function test_attack_QuorumOfAMinority() public {
        Case memory job = caseOf(requestFor(4, 2, 0, 0));
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadQuorum.selector, 4, 2));
        market.open(job.request, 0, job.offers);
    }

    /// Attack: The requester puts a provider that offered to be a shadow on a seat with weight.
    /// Market: The roles are signed.
    function test_attack_RoleForcedOnProvider() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        job.offers[1].roles = 4;
        signOffer(job, 1, keyOf(1));
        namesBadOffer(job, 1, OfferFault.RoleNotAccepted);
    }

    /// Attack: Somebody opens a job in the name, and with the money, of another.
    /// Market: Only the requester opens.
    function test_attack_StrangerOpensWithMyMoney() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        vm.prank(attacker);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotRequester.selector, attacker, requester));
        market.open(job.request, 0, job.offers);
    }

    /// Attack: A requester opens the same signed offers again after the settlement, to lock their bonds once more.
    /// Market: A job id opens once for ever.
    function test_attack_JobOpenedAgain() public {
        Case memory job = opened(2, 2, 0, 0);
        play(job, answers(ANSWER, ANSWER));
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobAlreadyOpened.selector, job.id));
        market.open(job.request, 0, job.offers);
    }

    /// Attack: A request with bits beyond its fields has a second id, under which its offers are opened twice.
    /// Market: Such calldata is refused.
    function test_attack_DirtyRequestWords() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        bytes memory words = abi.encode(job.request);
        // `seats` is the tenth of the words.
        words[9 * 32] = 0x01;
        bytes32 second = requestDigest(words);
        SignedOffer[] memory offers = new SignedOffer[](2);
        for (uint256 i; i < 2; ++i) offers[i] = offerBy(second, i, PRICE);
        bytes memory data = abi.encodeCall(market.open, (job.request, 0, offers));
        data[4 + 9 * 32] = 0x01;
        vm.prank(requester);
        (bool success, ) = address(market).call(data);
        check(!success, "dirty calldata is refused");
        open(job);
    }

    /// Attack: A requester gives seconds for hours of work, so that honest seats are late.
    /// Market: Windows have a least length, the same for everybody.
    function test_attack_TinyWindows() public {
        Request memory request = requestFor(2, 2, 0, 0);
        request.commitWindow = 299;
        Case memory job = caseOf(request);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IWindows.WindowOutOfRange.selector, 299, 300, 7 days));
        market.open(job.request, 0, job.offers);
    }

    /// Attack: A panel so large that no block has the gas to settle it, and all its money is stuck.
    /// Market: At most sixteen places.
    function test_attack_PanelTooLargeToSettle() public {
        Request memory request = requestFor(9, 5, 4, 4);
        Case memory job;
        job.request = request;
        job.id = requestDigest(request);
        job.offers = new SignedOffer[](17);
        for (uint256 i; i < 17; ++i) job.offers[i] = offerBy(job.id, i, PRICE);
        fund(provider(16), FUNDS);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.TooManyPlaces.selector, 17, 16));
        market.open(job.request, 4, job.offers);
    }

    /// Attack: A provider on probation takes a seat with weight.
    /// Market: It is a shadow until its probation ends, unless the request accepts it.
    function test_attack_ProbationerTakesASeat() public {
        fault();
        skip(1);
        namesBadOffer(caseOf(requestFor(3, 2, 0, 0)), 2, OfferFault.OnProbation);
    }

    /// Attack: Whoever settles brings other terms, with itself as the requester or at other prices.
    /// Market: The terms are compared with the hash on record.
    function test_attack_ForeignTerms() public {
        Case memory job = opened(2, 2, 0, 0);
        // The terms of a job are on record in one place until somebody commits, and in another from then on.
        Case memory committed = opened(2, 2, 0, 0);
        commit(committed, 0, 1, ANSWER);
        goTo(START + WINDOW + REVEAL);
        refusesForeign(job);
        refusesForeign(committed);
    }

    function refusesForeign(Case memory job) private {
        job.terms.requester = attacker;
        vm.expectRevert(
            abi.encodeWithSelector(IJobMarket.TermsMismatch.selector, job.id, keccak256(abi.encode(job.terms)))
        );
        this.settled(job);
    }

    function settled(Case memory job) external {
        market.settle(job.id, job.terms);
    }
}
