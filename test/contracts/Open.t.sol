// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";
import {IWindows} from "../../contracts/interfaces/IWindows.sol";
import {JobMarket} from "../../contracts/JobMarket.sol";
import {Request, SignedOffer, BadOffer, JobStatus, OfferFault} from "../../contracts/types/Job.sol";
import {ILedger} from "../../contracts/interfaces/ILedger.sol";
import {Wallet} from "./support/Wallets.sol";

/// @notice Announce, open, offers, agents and ERC-1271 accounts: rows A1 and A2. Branches: Open.tree.
contract OpenTest is MarketTest {
    uint256 private constant AGENT = 0xA9E7;

    function refuses(Case memory job, uint8 place, OfferFault fault) private {
        BadOffer[] memory bad = new BadOffer[](1);
        bad[0] = BadOffer({place: place, fault: fault});
        BadOffer[] memory found = market.checkOffers(job.request, job.request.spares, job.offers);
        same(found.length, 1, "checkOffers finds it");
        same(found[0].place, place, "place");
        same(uint256(found[0].fault), uint256(fault), "fault");
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadOffers.selector, bad));
        market.open(job.request, job.request.spares, job.offers);
    }

    function accepts(Case memory job) private {
        same(market.checkOffers(job.request, job.request.spares, job.offers).length, 0, "checkOffers is content");
        fillTerms(job);
        open(job);
        sameStatus(status(job), JobStatus.Committing, "S1: open");
    }

    function signBy(Case memory job, uint256 place, uint256 key) private view {
        job.offers[place].signature = signature(key, offerDigest(job.id, job.offers[place]));
    }

    /// A1
    function test_AnnounceEmitsTheRequest() public {
        Request memory request = requestFor(3, 2, 1, 1);
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.JobAnnounced(requestDigest(request), requester, request);
        vm.prank(requester);
        market.announce(request);
        same(market.jobIdOf(request), requestDigest(request), "the job id is the digest");
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotRequester.selector, address(this), requester));
        market.announce(request);
    }

    /// A2, S0, S1
    function test_OpenEscrowsLocksAndEmits() public {
        Case memory job = caseOf(requestFor(2, 2, 1, 1));
        sameStatus(status(job), JobStatus.None, "S0");
        bytes[] memory wraps = new bytes[](4);
        for (uint256 i; i < 4; ++i) wraps[i] = job.offers[i].keyWrap;
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.JobOpened(job.id, requester, job.request, 1, job.terms.places, wraps);
        open(job);
        same(freeOf(requester), FUNDS - escrowOf(job.terms), "escrow");
        for (uint256 i; i < 4; ++i) same(lockedOf(provider(i)), BOND, "bond");
        same(market.jobState(job.id).openedAt, START, "openedAt");
        same(
            market.commitmentChainOf(job.id, keccak256(abi.encode(job.terms))),
            job.id,
            "the chain begins with the job id"
        );
    }

    /// A2: fewer spares and shadows than the request allows.
    function test_OpenWithFewerSparesAndShadows() public {
        Case memory job = caseOf(requestFor(2, 2, 2, 2));
        SignedOffer[] memory offers = new SignedOffer[](3);
        for (uint256 i; i < 3; ++i) offers[i] = job.offers[i];
        job.offers = offers;
        vm.prank(requester);
        market.open(job.request, 1, offers);
        job.request.spares = 1;
        fillTerms(job);
        sameStatus(status(job), JobStatus.Committing, "one spare, no shadow");
    }

    /// A2: once per job id, for ever.
    function test_JobIdOpensOnce() public {
        Case memory job = opened(2, 2, 0, 0);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.JobAlreadyOpened.selector, job.id));
        market.open(job.request, 0, job.offers);
    }

    function test_OnlyTheRequesterOpens() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.NotRequester.selector, address(this), requester));
        market.open(job.request, 0, job.offers);
    }

    /// A2: the last second before the expiry is in time, the expiry is late.
    function test_RequestExpires() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        for (uint256 i; i < 2; ++i) {
            job.offers[i].expiry = type(uint40).max;
            signBy(job, i, keyOf(i));
        }
        goTo(job.request.expiry);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.RequestExpired.selector, job.id, job.request.expiry));
        market.open(job.request, 0, job.offers);
        goTo(job.request.expiry - 1);
        accepts(job);
    }

    function test_EscrowMustBeCovered() public {
        Request memory request = requestFor(2, 2, 0, 0);
        request.carrierFee = FUNDS;
        Case memory job = caseOf(request);
        vm.prank(requester);
        vm.expectRevert(
            abi.encodeWithSelector(ILedger.InsufficientFree.selector, token, requester, FUNDS, escrowOf(job.terms))
        );
        market.open(job.request, 0, job.offers);
    }

    /// Sums beyond 96 bits are refused, not wrapped.
    function test_HugeEscrowDoesNotOverflow() public {
        Request memory request = requestFor(2, 2, 0, 0);
        (request.priceCeiling, request.carrierFee) = (type(uint96).max, type(uint96).max);
        Case memory job = caseOf(request);
        for (uint256 i; i < 2; ++i) job.offers[i] = offerBy(job.id, i, type(uint96).max);
        vm.prank(requester);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILedger.InsufficientFree.selector,
                token,
                requester,
                FUNDS,
                3 * uint256(type(uint96).max)
            )
        );
        market.open(job.request, 0, job.offers);
    }

    function unsound(Request memory request, bytes memory reason) private {
        Case memory job = caseOf(request);
        vm.prank(requester);
        vm.expectRevert(reason);
        market.open(request, request.spares, job.offers);
        vm.prank(requester);
        vm.expectRevert(reason);
        market.announce(request);
        vm.expectRevert(reason);
        market.checkOffers(request, request.spares, job.offers);
    }

    function test_UnsoundRequestsAreRefused() public {
        unsound(requestFor(3, 1, 0, 0), abi.encodeWithSelector(IJobMarket.BadQuorum.selector, 3, 1));
        unsound(requestFor(1, 1, 0, 0), abi.encodeWithSelector(IJobMarket.BadQuorum.selector, 1, 1));
        unsound(requestFor(2, 3, 0, 0), abi.encodeWithSelector(IJobMarket.BadQuorum.selector, 2, 3));
        unsound(requestFor(4, 2, 0, 0), abi.encodeWithSelector(IJobMarket.BadQuorum.selector, 4, 2));
        unsound(requestFor(9, 5, 4, 4), abi.encodeWithSelector(IJobMarket.TooManyPlaces.selector, 17, 16));

        Request memory request = requestFor(2, 2, 0, 0);
        request.calloutBps = 5001;
        unsound(request, abi.encodeWithSelector(IJobMarket.ShareAboveMaximum.selector, 5001, 5000));
        request = requestFor(2, 2, 0, 0);
        request.standbyBps = 10_001;
        unsound(request, abi.encodeWithSelector(IJobMarket.ShareAboveMaximum.selector, 10_001, 10_000));
        request = requestFor(2, 2, 0, 0);
        request.commitWindow = 299;
        unsound(request, abi.encodeWithSelector(IWindows.WindowOutOfRange.selector, 299, 300, 7 days));
        request = requestFor(2, 2, 0, 0);
        request.revealWindow = 7 days + 1;
        unsound(request, abi.encodeWithSelector(IWindows.WindowOutOfRange.selector, 7 days + 1, 300, 7 days));
        request = requestFor(2, 2, 0, 0);
        request.encryptionKey = 0;
        unsound(request, abi.encodeWithSelector(IJobMarket.ZeroEncryptionKey.selector));
        request = requestFor(2, 2, 0, 0);
        request.flags = 4;
        unsound(request, abi.encodeWithSelector(IJobMarket.UnknownFlags.selector, 4, 3));
        request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas) = (address(market), 1_000_001);
        unsound(
            request,
            abi.encodeWithSelector(IJobMarket.BadCallbackGas.selector, address(market), 1_000_001, 1_000_000)
        );
        request = requestFor(2, 2, 0, 0);
        request.callbackGas = 1;
        unsound(request, abi.encodeWithSelector(IJobMarket.BadCallbackGas.selector, address(0), 1, 1_000_000));
    }

    function test_PanelSize() public {
        Case memory job = caseOf(requestFor(2, 2, 1, 1));
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.TooManySpares.selector, 2, 1));
        market.open(job.request, 2, job.offers);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadPanelSize.selector, 4, 2, 3));
        market.open(job.request, 0, job.offers);
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadPanelSize.selector, 0, 3, 4));
        market.open(job.request, 1, new SignedOffer[](0));
    }

    // Offers

    function test_BadOffers() public {
        Case memory job = caseOf(requestFor(2, 2, 1, 1));
        job.offers[1] = offerBy(job.id, 0, PRICE);
        refuses(job, 1, OfferFault.DuplicateProvider);

        job = caseOf(requestFor(2, 2, 1, 1));
        job.offers[2].price += 1;
        refuses(job, 2, OfferFault.BadSignature);

        job = caseOf(requestFor(2, 2, 1, 1));
        job.offers[0] = offerBy(job.id, 0, 2 * PRICE + 1);
        refuses(job, 0, OfferFault.PriceAboveCeiling);

        job = caseOf(requestFor(2, 2, 1, 1));
        job.offers[3].encryptionKey = 0;
        signBy(job, 3, keyOf(3));
        refuses(job, 3, OfferFault.ZeroKey);

        job = caseOf(requestFor(2, 2, 1, 1));
        job.offers[1].expiry = uint40(clock);
        signBy(job, 1, keyOf(1));
        refuses(job, 1, OfferFault.Expired);

        job = caseOf(requestFor(2, 2, 1, 1));
        job.offers[0].provider = requester;
        signBy(job, 0, 0xB0B);
        refuses(job, 0, OfferFault.ProviderIsRequester);

        job = caseOf(requestFor(2, 2, 1, 1));
        vm.prank(provider(1));
        market.withdraw(address(token), provider(1), FUNDS - BOND + 1);
        refuses(job, 1, OfferFault.BondExceedsFree);
    }

    function test_RolesAreHeeded() public {
        uint8[4] memory roles = [uint8(6), 6, 5, 3]; // all but seat, seat, spare, shadow
        for (uint8 i; i < 4; ++i) {
            Case memory job = caseOf(requestFor(2, 2, 1, 1));
            job.offers[i].roles = roles[i];
            signBy(job, i, keyOf(i));
            refuses(job, i, OfferFault.RoleNotAccepted);
        }
        Case memory exact = caseOf(requestFor(2, 2, 1, 1));
        (exact.offers[0].roles, exact.offers[1].roles, exact.offers[2].roles, exact.offers[3].roles) = (1, 1, 2, 4);
        for (uint256 i; i < 4; ++i) signBy(exact, i, keyOf(i));
        accepts(exact);
    }

    /// All bad offers are named at once.
    function test_EveryBadOfferIsNamed() public {
        Case memory job = caseOf(requestFor(3, 2, 0, 0));
        job.offers[0].price += 1;
        job.offers[2] = offerBy(job.id, 2, 5 * PRICE);
        BadOffer[] memory bad = new BadOffer[](2);
        bad[0] = BadOffer({place: 0, fault: OfferFault.BadSignature});
        bad[1] = BadOffer({place: 2, fault: OfferFault.PriceAboveCeiling});
        vm.prank(requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadOffers.selector, bad));
        market.open(job.request, 0, job.offers);
    }

    /// An offer for another job, market or chain is no offer.
    function test_OffersAreBoundToTheJob() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        Case memory other = caseOf(requestFor(2, 2, 0, 0));
        job.offers[0] = other.offers[0];
        refuses(job, 0, OfferFault.BadSignature);
    }

    function test_OffersAreBoundToTheChain() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        vm.chainId(1);
        BadOffer[] memory bad = market.checkOffers(job.request, 0, job.offers);
        same(bad.length, 2, "both signatures are for another chain");
    }

    /// EIP-2098 compact, high s, wrong length and empty signatures are refused.
    function test_OnlyOneFormOfSignature() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        bytes32 digest = offerDigest(job.id, job.offers[0]);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keyOf(0), digest);
        job.offers[0].signature = abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
        refuses(job, 0, OfferFault.BadSignature);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        job.offers[0].signature = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        refuses(job, 0, OfferFault.BadSignature);
        job.offers[0].signature = abi.encodePacked(r, s, v, uint8(0));
        refuses(job, 0, OfferFault.BadSignature);
        job.offers[0].signature = "";
        refuses(job, 0, OfferFault.BadSignature);
        job.offers[0].signature = abi.encodePacked(r, s, v);
        accepts(job);
    }

    // Agents

    function authorize(uint96 bond, uint32 window, uint40 until) private {
        vm.prank(provider(0));
        market.authorize(vm.addr(AGENT), address(token), bond, window, until);
    }

    function test_AgentSignsWithinItsLimits() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        signBy(job, 0, AGENT);
        refuses(job, 0, OfferFault.BadSignature);
        authorize(BOND - 1, WINDOW, type(uint40).max);
        refuses(job, 0, OfferFault.BondBeyondAgent);
        authorize(BOND, WINDOW + 1, type(uint40).max);
        refuses(job, 0, OfferFault.WindowBeyondAgent);
        authorize(BOND, WINDOW, uint40(clock));
        refuses(job, 0, OfferFault.AgentExpired);
        authorize(BOND, WINDOW, type(uint40).max);
        authorize(0, 0, 0);
        refuses(job, 0, OfferFault.AgentExpired);
        authorize(BOND, WINDOW, uint40(clock + 1));
        (uint96 bond, uint32 window, uint40 until) = market.authorizationOf(
            provider(0),
            vm.addr(AGENT),
            address(token)
        );
        check(bond == BOND && window == WINDOW && until == clock + 1, "limits are shown");
        accepts(job);
    }

    function test_AgentActsForItsProviderAndTokenOnly() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        authorize(BOND, WINDOW, type(uint40).max);
        signBy(job, 1, AGENT);
        refuses(job, 1, OfferFault.BadSignature);
        vm.prank(provider(1));
        market.authorize(vm.addr(AGENT), address(0x70CE), BOND, 0, type(uint40).max);
        refuses(job, 1, OfferFault.BadSignature);
    }

    // ERC-1271

    function walletCase() private returns (Case memory job, Wallet wallet) {
        wallet = new Wallet();
        fund(address(wallet), FUNDS);
        job = caseOf(requestFor(2, 2, 0, 0));
        job.offers[0].provider = address(wallet);
        job.offers[0].signature = hex"1234";
        fillTerms(job);
    }

    function test_WalletsAnswers() public {
        (Case memory job, Wallet wallet) = walletCase();
        for (uint256 mood = uint256(Wallet.Mood.WrongMagic); mood <= uint256(Wallet.Mood.Bomb); ++mood) {
            wallet.set(Wallet.Mood(mood));
            BadOffer[] memory found = market.checkOffers(job.request, 0, job.offers);
            if (Wallet.Mood(mood) == Wallet.Mood.Bomb) continue; // the magic value, then a lot of nothing
            same(found.length, 1, "not the magic value");
        }
        wallet.set(Wallet.Mood.AcceptLong);
        same(market.checkOffers(job.request, 0, job.offers).length, 0, "one word is read");
        wallet.set(Wallet.Mood.Accept);
        accepts(job);
    }

    /// A gas burner costs at most 100k gas, a return bomb next to nothing.
    function test_WalletsCannotBurnTheGas() public {
        (Case memory job, Wallet wallet) = walletCase();
        wallet.set(Wallet.Mood.Burn);
        uint256 gas = gasleft();
        market.checkOffers(job.request, 0, job.offers);
        check(gas - gasleft() < 200_000, "bounded gas");
        wallet.set(Wallet.Mood.Bomb);
        gas = gasleft();
        market.checkOffers(job.request, 0, job.offers);
        check(gas - gasleft() < 200_000, "bounded return data");
    }

    /// ECDSA first, whatever code the account has.
    function test_KeyOfAnAccountWithCodeSigns() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        vm.etch(provider(0), hex"fe");
        accepts(job);
    }

    /// An agent beyond its limits may still have the account's own word.
    function test_WalletOverrulesAgentLimits() public {
        (Case memory job, Wallet wallet) = walletCase();
        wallet.run(
            address(market),
            abi.encodeCall(market.authorize, (vm.addr(AGENT), address(token), 0, 0, type(uint40).max))
        );
        signBy(job, 0, AGENT);
        wallet.set(Wallet.Mood.WrongMagic);
        refuses(job, 0, OfferFault.BondBeyondAgent);
        wallet.set(Wallet.Mood.Accept);
        accepts(job);
    }

    function test_WindowsOfTheMarket() public {
        deploy(1, 1);
        refusesWindows(0, 1);
        refusesWindows(301, 300);
        refusesWindows(300, 7 days + 1);
        vm.chainId(1);
        refusesWindows(299, 300);
        JobMarket real = deploy(300, 7 days);
        same(real.minWindow(), 300, "min");
        same(real.maxWindow(), 7 days, "max");
    }

    function deployFor(uint32 minWindow, uint32 maxWindow) external returns (JobMarket) {
        return deploy(minWindow, maxWindow);
    }

    function refusesWindows(uint32 minWindow, uint32 maxWindow) private {
        vm.expectPartialRevert(IWindows.MarketWindowsOutOfRange.selector);
        this.deployFor(minWindow, maxWindow);
    }
}
