// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AttackTest} from "../support/AttackTest.sol";
import {ReentrantWallet, Wallet} from "../support/Wallets.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {BadOffer, OfferFault, Request} from "../../../contracts/types/Job.sol";

/// @notice Attacks on who signed what, and for what.
contract SignaturesAttacks is AttackTest {
    /// Attack: A signed commitment is carried to another job of the same provider.
    /// Market: The signature names its job; one that names none fits none.
    function test_attack_CommitmentReplayedOnAnotherJob() public {
        Case memory first = opened(2, 2, 0, 0);
        Case memory second = opened(2, 2, 0, 0);
        bytes32 commitment = voteFor(first, 0, 1, ANSWER);
        bytes memory signed = signedCommitment(keyOf(0), first.id, provider(0), commitment);
        carriesNothing(second, 0, commitment, signed);
        carriesNothing(second, 0, commitment, signedCommitment(keyOf(0), 0, provider(0), commitment));
        carry(first, 0, commitment, signed);
        check(hasCommitted(first, 0), "it stands where it belongs");
    }

    /// Attack: After a fork of the chain, a commitment signed on one side is carried to the other.
    /// Market: The domain names the chain as it is now, not as it was when the market was deployed.
    function test_attack_CommitmentReplayedOnAnotherChain() public {
        Case memory job = opened(2, 2, 0, 0);
        bytes32 commitment = voteFor(job, 0, 1, ANSWER);
        bytes memory signed = signedCommitment(keyOf(0), job.id, provider(0), commitment);
        vm.chainId(1);
        carriesNothing(job, 0, commitment, signed);
        vm.chainId(31_337);
        carry(job, 0, commitment, signed);
        check(hasCommitted(job, 0), "it stands where it belongs");
    }

    /// Attack: A commitment signed for one market is carried to another market on the same chain.
    /// Market: The domain names the contract; a signature that names none fits none.
    function test_attack_CommitmentReplayedOnAnotherContract() public {
        Case memory job = opened(2, 2, 0, 0);
        bytes32 commitment = voteFor(job, 0, 1, ANSWER);
        bytes32 structHash = commitmentStruct(job.id, provider(0), commitment);
        address other = address(deploy(300, 7 days));
        carriesNothing(job, 0, commitment, signature(keyOf(0), digestUnder(block.chainid, other, structHash)));
        carriesNothing(job, 0, commitment, signature(keyOf(0), digestUnder(block.chainid, address(0), structHash)));
    }

    /// Attack: A commitment is carried with the signature of somebody else.
    /// Market: It has to be by the provider, or by an agent in force.
    function test_attack_CommitmentSignedByAnother() public {
        Case memory job = opened(2, 2, 0, 0);
        bytes32 commitment = voteFor(job, 0, 1, ANSWER);
        carriesNothing(job, 0, commitment, signedCommitment(keyOf(1), job.id, provider(0), commitment));
    }

    /// Attack: A signed offer is opened in another job.
    /// Market: The signature names its job; one that names none fits none.
    function test_attack_OfferReplay() public {
        Case memory first = caseOf(requestFor(2, 2, 0, 0));
        Case memory second = caseOf(requestFor(2, 2, 0, 0));
        second.offers[1] = first.offers[1];
        namesBadOffer(second, 1, OfferFault.BadSignature);
        second.offers[1].signature = signature(keyOf(1), offerDigest(0, second.offers[1]));
        namesBadOffer(second, 1, OfferFault.BadSignature);
    }

    /// Attack: The requester lowers the price of a signed offer.
    /// Market: The price is signed.
    function test_attack_OfferPriceChanged() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        job.offers[1].price = 0;
        signOffer(job, 1, keyOf(1));
        job.offers[1].price = 1;
        namesBadOffer(job, 1, OfferFault.BadSignature);
    }

    /// Attack: An old offer is opened when prices have long changed.
    /// Market: An offer ends at its expiry.
    function test_attack_ExpiredOffer() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        job.offers[1].expiry = uint40(clock + 10);
        signOffer(job, 1, keyOf(1));
        skip(10);
        namesBadOffer(job, 1, OfferFault.Expired);
        goTo(clock - 1);
        open(job);
    }

    /// Attack: An offer of an agent is opened after its provider revoked the agent.
    /// Market: What an agent signed counts while the agent does.
    function test_attack_AgentRevokedBetweenOfferAndOpen() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        authorize(0, BOND, WINDOW, type(uint40).max);
        signOffer(job, 0, AGENT);
        same(market.checkOffers(job.request, 0, job.offers).length, 0, "good before");
        authorize(0, BOND, WINDOW, 0);
        namesBadOffer(job, 0, OfferFault.AgentExpired);
    }

    /// Attack: A key that was good for a month is used in the next.
    /// Market: An authorization ends at its time, for offers and commitments.
    function test_attack_ExpiredAgent() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        authorize(0, BOND, WINDOW, uint40(clock + 1));
        signOffer(job, 0, AGENT);
        skip(1);
        namesBadOffer(job, 0, OfferFault.AgentExpired);
    }

    /// Attack: The provider withdraws the bond between its offer and `open`, so that an unnamed place fails every try.
    /// Market: The offer is named, and the requester takes another one.
    function test_attack_WithdrawalBetweenOfferAndOpen() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        vm.prank(provider(1));
        market.withdraw(address(token), provider(1), FUNDS - BOND + 1);
        namesBadOffer(job, 1, OfferFault.BondExceedsFree);
    }

    /// Attack: The mirrored signature (high s) is a second form of the same offer or commitment.
    /// Market: It is refused.
    function test_attack_MalleableSignature() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        bytes memory good = job.offers[1].signature;
        job.offers[1].signature = highS(keyOf(1), offerDigest(job.id, job.offers[1]));
        namesBadOffer(job, 1, OfferFault.BadSignature);
        job.offers[1].signature = good;
        open(job);
        bytes32 commitment = voteFor(job, 0, 1, ANSWER);
        bytes32 digest = typedDigest(commitmentStruct(job.id, provider(0), commitment));
        carriesNothing(job, 0, commitment, highS(keyOf(0), digest));
    }

    /// Attack: The compact form of EIP-2098 is a second form of the same offer or commitment.
    /// Market: It is refused.
    function test_attack_CompactSignature() public {
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        bytes memory good = job.offers[1].signature;
        job.offers[1].signature = compact(keyOf(1), offerDigest(job.id, job.offers[1]));
        namesBadOffer(job, 1, OfferFault.BadSignature);
        job.offers[1].signature = good;
        open(job);
        bytes32 commitment = voteFor(job, 0, 1, ANSWER);
        bytes32 digest = typedDigest(commitmentStruct(job.id, provider(0), commitment));
        carriesNothing(job, 0, commitment, compact(keyOf(0), digest));
    }

    // Accounts with code

    function walletCase(address wallet) private returns (Case memory job) {
        fund(wallet, FUNDS);
        job = caseOf(requestFor(2, 2, 0, 0));
        job.offers[1].provider = wallet;
        job.offers[1].signature = hex"1234";
        fillTerms(job);
    }

    /// Attack: An ERC-1271 account burns all gas when it is asked, so that no panel with its offer can be checked.
    /// Market: It has 100,000 gas; its offer is named.
    function test_attack_Erc1271BurnsGas() public {
        Wallet wallet = new Wallet();
        Case memory job = walletCase(address(wallet));
        // The first to be asked: the other offer is still to be judged with what it leaves.
        (job.offers[0], job.offers[1]) = (job.offers[1], job.offers[0]);
        uint256 found = gasleft();
        market.checkOffers(job.request, 0, job.offers);
        uint256 needed = found - gasleft();
        wallet.set(Wallet.Mood.Burn);
        // What the market needs by itself and what it grants the account. All but a 64th of it would be gone.
        (bool success, bytes memory data) = address(market).call{gas: needed + 110_000}(
            abi.encodeCall(market.checkOffers, (job.request, 0, job.offers))
        );
        check(success, "there is gas left");
        BadOffer[] memory bad = abi.decode(data, (BadOffer[]));
        same(bad.length, 1, "named");
        same(bad[0].place, 0, "the burner");
    }

    /// Attack: An ERC-1271 account reverts when it is asked, to take the whole panel down without a name.
    /// Market: Its offer is named, the others are judged.
    function test_attack_Erc1271Reverts() public {
        Wallet wallet = new Wallet();
        Case memory job = walletCase(address(wallet));
        wallet.set(Wallet.Mood.Revert);
        (bool success, ) = address(market).staticcall(abi.encodeCall(market.checkOffers, (job.request, 0, job.offers)));
        check(success, "the others are judged");
        namesBadOffer(job, 1, OfferFault.BadSignature);
    }

    /// Attack: An ERC-1271 account accepts when the requester checks, and refuses when it opens.
    /// Market: It is asked again; it costs the requester one call and names itself.
    function test_attack_Erc1271ChangesItsMind() public {
        Wallet wallet = new Wallet();
        Case memory job = walletCase(address(wallet));
        same(market.checkOffers(job.request, 0, job.offers).length, 0, "it accepts");
        wallet.set(Wallet.Mood.WrongMagic);
        namesBadOffer(job, 1, OfferFault.BadSignature);
        wallet.set(Wallet.Mood.Accept);
        open(job);
        wallet.set(Wallet.Mood.WrongMagic);
        same(lockedOf(address(wallet)), BOND, "after opening, its mind is of no use to it");
    }

    /// Attack: An ERC-1271 account accepts a carried commitment in one state and refuses it in the next.
    /// Market: Commitments take signatures of keys only.
    function test_attack_Erc1271Commitment() public {
        Wallet wallet = new Wallet();
        Case memory job = walletCase(address(wallet));
        open(job);
        carriesNothing(job, 1, keccak256("commitment"), "anything");
    }

    /// Attack: An ERC-1271 account withdraws its bond while `open` asks it, after its balance was checked.
    /// Market: It is asked by a static call: it can change nothing.
    function test_attack_Erc1271Reenters() public {
        ReentrantWallet wallet = new ReentrantWallet();
        Case memory job = walletCase(address(wallet));
        wallet.prepare(address(market), abi.encodeCall(market.withdraw, (address(token), attacker, FUNDS)));
        vm.prank(requester);
        (bool success, ) = address(market).call(abi.encodeCall(market.open, (job.request, 0, job.offers)));
        check(success, "the job is open");
        same(lockedOf(address(wallet)), BOND, "the bond is locked");
        same(token.balanceOf(attacker), 0, "nothing left");
    }

    /// Attack: Sixteen accounts answer with a large memory each, to drive the gas of `open` beyond a block.
    /// Market: One word of an answer is read.
    function test_attack_ReturnBomb() public {
        Case memory job = caseOf(requestFor(9, 5, 4, 3));
        for (uint256 i; i < 16; ++i) {
            Wallet wallet = new Wallet();
            fund(address(wallet), BOND);
            wallet.set(Wallet.Mood.Bomb);
            job.offers[i].provider = address(wallet);
            job.offers[i].signature = "";
        }
        (bool success, ) = address(market).staticcall{gas: 5_000_000}(
            abi.encodeCall(market.checkOffers, (job.request, 4, job.offers))
        );
        check(success, "judged for little gas");
        same(market.checkOffers(job.request, 4, job.offers).length, 0, "all judged");
    }

    // A stolen key of an agent

    /// Attack: The thief of an agent's key locks the provider's whole balance as the bond of one seat.
    /// Market: The agent has a highest bond.
    function test_attack_StolenAgentKeyLocksAll() public {
        Request memory request = requestFor(2, 2, 0, 0);
        authorize(1, BOND, WINDOW, type(uint40).max);
        request.bond = BOND + 1;
        Case memory job = caseOf(request);
        signOffer(job, 1, AGENT);
        namesBadOffer(job, 1, OfferFault.BondBeyondAgent);
    }

    /// Attack: The thief of an agent's key sells seats with windows in which nobody can compute.
    /// Market: The agent has a least window.
    function test_attack_StolenAgentKeySellsShortWindows() public {
        Request memory request = requestFor(2, 2, 0, 0);
        authorize(1, BOND, WINDOW, type(uint40).max);
        request.commitWindow = WINDOW - 1;
        Case memory job = caseOf(request);
        signOffer(job, 1, AGENT);
        namesBadOffer(job, 1, OfferFault.WindowBeyondAgent);
    }

    /// Attack: The thief of an agent's key bonds money of another token than the agent was given.
    /// Market: An authorization is for one token.
    function test_attack_StolenAgentKeyTakesAnotherToken() public {
        vm.prank(provider(1));
        market.authorize(agent, address(0x70CE), BOND, 0, type(uint40).max);
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        signOffer(job, 1, AGENT);
        namesBadOffer(job, 1, OfferFault.BadSignature);
    }

    /// Attack: The thief of an agent's key takes the provider's money out.
    /// Market: An agent never moves money: what is withdrawn is the caller's own.
    function test_attack_StolenAgentKeyWithdraws() public {
        authorize(1, type(uint96).max, 0, type(uint40).max);
        vm.prank(agent);
        vm.expectRevert(abi.encodeWithSelector(ILedger.InsufficientFree.selector, address(token), agent, 0, FUNDS));
        market.withdraw(address(token), agent, FUNDS);
        same(freeOf(provider(1)), FUNDS, "untouched");
    }

    /// Attack: An agent of one provider signs for another.
    /// Market: It acts for whom authorized it.
    function test_attack_AgentOfAnother() public {
        authorize(0, BOND, 0, type(uint40).max);
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        signOffer(job, 1, AGENT);
        namesBadOffer(job, 1, OfferFault.BadSignature);
    }
}
