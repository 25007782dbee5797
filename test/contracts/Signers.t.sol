// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./support/MarketTest.sol";
import {MoodyCallback} from "./support/Callbacks.sol";
import {
    BadOffer,
    CarriedCommitment,
    CommitmentFault,
    JobStatus,
    OfferFault,
    Opening,
    PlacedCommitment,
    Request,
    SetSignature
} from "../../contracts/types/Job.sol";
import {IJobMarket} from "../../contracts/interfaces/IJobMarket.sol";

/// @notice Accounts with code that sign or are called back, and signatures of nobody. Branches: Signers.tree.
contract SignersTest is MarketTest {
    address private constant WALLET = address(0x3A11E7);
    bytes32 private constant MAGIC = bytes32(bytes4(0x1626ba7e));

    /// @dev Whether the market takes an offer that an account with this code signs.
    function isTaken(bytes memory code) private returns (bool) {
        vm.etch(WALLET, code);
        Case memory job = caseOf(requestFor(2, 2, 0, 0));
        job.offers[0].provider = WALLET;
        job.offers[0].signature = hex"00";
        BadOffer[] memory bad = market.checkOffers(job.request, 0, job.offers);
        if (bad.length != 0) same(uint256(bad[0].fault), uint256(OfferFault.BadSignature), "fault");
        return bad.length == 0;
    }

    /// @dev PUSH32 magic, PUSH0, MSTORE, then PUSH1 size, PUSH0 and the operation.
    function answers(uint8 size, bytes1 operation) private pure returns (bytes memory) {
        return abi.encodePacked(hex"7f", MAGIC, hex"5f5260", size, hex"5f", operation);
    }

    function test_WholeWordIsAnAnswer() public {
        fund(WALLET, FUNDS);
        bytes1 returns_ = 0xf3;
        check(isTaken(answers(32, returns_)), "the magic word");
        check(isTaken(answers(33, returns_)), "and more");
        check(!isTaken(answers(31, returns_)), "not less");
        check(!isTaken(answers(0, returns_)), "not nothing");
    }

    function test_RevertIsNoAnswer() public {
        fund(WALLET, FUNDS);
        bytes1 reverts = 0xfd;
        check(!isTaken(answers(32, reverts)), "whatever it says");
    }

    function test_AccountGetsExactlyItsGas() public {
        fund(WALLET, FUNDS);
        // GAS, PUSH3, EQ, PUSH1 12, JUMPI, revert; JUMPDEST and the answer. GAS costs 2 itself.
        for (uint24 left = 99_997; left < 100_000; ++left) {
            bytes memory code = abi.encodePacked(hex"5a62", left, hex"14600c575f5ffd5b", answers(32, 0xf3));
            check(isTaken(code) == (left == 99_998), "100,000");
        }
    }

    /// A provider that authorizes the zero address, by a mistake, does not sign everything from then on.
    function test_NobodySignsForNobody() public {
        vm.prank(provider(0));
        market.authorize(address(0), address(token), type(uint96).max, 0, type(uint40).max);
        Request memory request = requestFor(2, 2, 0, 0);
        request.flags = 2;
        Case memory job = caseOf(request);
        bytes memory signed = job.offers[0].signature;
        job.offers[0].signature = new bytes(65);
        BadOffer[] memory bad = market.checkOffers(job.request, 0, job.offers);
        same(bad.length, 1, "an offer");
        same(uint256(bad[0].fault), uint256(OfferFault.BadSignature), "fault");
        job.offers[0].signature = signed;
        open(job);

        CarriedCommitment[] memory items = new CarriedCommitment[](1);
        items[0] = CarriedCommitment({place: 0, commitment: ANSWER, signature: new bytes(65)});
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentSkipped(job.id, 0, CommitmentFault.BadSignature);
        market.commitBySig(job.id, job.terms, items);

        bytes32[] memory set = setOf(job, list(0, 1), ANSWER);
        SetSignature[] memory signatures = setSignatures(job, set);
        (signatures[0].r, signatures[0].vs) = (0, 0);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.SetNotSigned.selector, job.id, 0, setDigest(job.id, set)));
        market.revealSet(job.id, job.terms, new PlacedCommitment[](0), set, new Opening[](0), signatures);
    }

    /// The gas that a settlement with a callback asks for, to the unit, and what it says it found.
    function test_CallbackNeedsItsGasAndAReserve() public {
        MoodyCallback target = new MoodyCallback();
        target.set(MoodyCallback.Mood.Reverts);
        Request memory request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas) = (address(target), 630_000);
        Case memory job = caseOf(request);
        open(job);
        for (uint8 place; place < 2; ++place) commit(job, place, 1, ANSWER);
        revealAll(job);
        check(market.jobState(job.id).callbackPending, "failed");
        target.set(MoodyCallback.Mood.Fine);
        uint256 enough = 640_000;
        while (true) {
            (bool success, bytes memory answer) = address(market).call{gas: enough}(
                abi.encodeCall(market.retryCallback, (request))
            );
            if (success) break;
            same(bytes32(bytes4(answer)), bytes32(IJobMarket.CallbackNeedsGas.selector), "too little");
            (bytes32 id, uint256 found, uint256 required) = decode(answer);
            same(id, job.id, "job");
            same(required, 630_000 + 10_000 + 15_000, "63/64 of what is left, and a reserve");
            check(found < required && found > 590_000, "found");
            // Just enough: what was found grows with what is given, one for one.
            enough += required - found;
        }
        check(target.gasGiven() > 629_000, "given");
        sameStatus(status(job), JobStatus.Accepted, "settled");
    }

    function decode(bytes memory answer) private pure returns (bytes32 id, uint256 found, uint256 required) {
        assembly {
            id := mload(add(answer, 0x24))
            found := mload(add(answer, 0x44))
            required := mload(add(answer, 0x64))
        }
    }
}
