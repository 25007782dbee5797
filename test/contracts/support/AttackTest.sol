// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {MarketTest} from "./MarketTest.sol";
import {IJobMarket} from "../../../contracts/interfaces/IJobMarket.sol";
import {
    BadOffer,
    CarriedCommitment,
    CommitmentFault,
    JobStatus,
    OfferFault,
    Opening,
    OpeningFault,
    PlacedCommitment
} from "../../../contracts/types/Job.sol";

/// @notice What attackers of the job market do, and how their failure shows.
abstract contract AttackTest is MarketTest {
    uint256 internal constant AGENT = 0xA9E7;
    address internal agent = vm.addr(AGENT);
    address internal attacker = address(0xBAD);

    /// @dev All that an account has in the market.
    function wealth(address account) internal view returns (uint256) {
        return uint256(freeOf(account)) + lockedOf(account);
    }

    function quarantined(address account, uint32 number) internal view returns (uint96 amount) {
        (amount, ) = market.quarantineOf(account, address(token), number);
    }

    function claim(address account, uint32 number) internal {
        market.claimQuarantine(account, address(token), number);
    }

    function authorize(uint256 index, uint96 bond, uint32 window, uint40 until) internal {
        vm.prank(provider(index));
        market.authorize(agent, address(token), bond, window, until);
    }

    // Opening

    /// @dev Both the view and the call name the one bad offer.
    function namesBadOffer(Case memory job, uint8 place, OfferFault cause) internal {
        BadOffer[] memory bad = market.checkOffers(job.request, job.request.spares, job.offers);
        same(bad.length, 1, "one bad offer is found");
        same(bad[0].place, place, "at its place");
        same(uint256(bad[0].fault), uint256(cause), "with its cause");
        vm.prank(job.request.requester);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.BadOffers.selector, bad));
        market.open(job.request, job.request.spares, job.offers);
    }

    function signOffer(Case memory job, uint256 place, uint256 key) internal view {
        job.offers[place].signature = signature(key, offerDigest(job.id, job.offers[place]));
    }

    // Signatures that name less than they should: what a market would take that does not look at the rest.

    /// @dev Typed data under another domain.
    function digestUnder(uint256 chain, address verifying, bytes32 structHash) internal pure returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Quorate"),
                keccak256("1"),
                chain,
                verifying
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function commitmentStruct(bytes32 jobId, address account, bytes32 commitment) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("SignedCommitment(bytes32 jobId,address provider,bytes32 commitment)");
        return keccak256(abi.encode(typeHash, jobId, account, commitment));
    }

    /// @dev The other signature of the same key over the same digest.
    function highS(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        return abi.encodePacked(r, order - uint256(s), v == 27 ? uint8(28) : uint8(27));
    }

    /// @dev The same signature in 64 bytes, EIP-2098.
    function compact(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, uint256(s) | (uint256(v - 27) << 255));
    }

    // Voting

    function isIn(uint16 set, uint8 place) internal pure returns (bool) {
        return (set >> place) & 1 != 0;
    }

    function hasCommitted(Case memory job, uint8 place) internal view returns (bool) {
        return isIn(market.jobState(job.id).committed, place);
    }

    function hasOpened(Case memory job, uint8 place) internal view returns (bool) {
        return isIn(market.jobState(job.id).opened, place);
    }

    function refusesCommitment(Case memory job, uint8 place, CommitmentFault cause) internal {
        vm.prank(job.terms.places[place].provider);
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.CommitmentRefused.selector, job.id, place, cause));
        market.commit(job.id, job.terms, place, keccak256("one more"));
    }

    function needsStatus(Case memory job, JobStatus found, JobStatus required) internal {
        vm.expectRevert(abi.encodeWithSelector(IJobMarket.WrongStatus.selector, job.id, found, required));
    }

    /// @dev One signed commitment, carried by anybody.
    function carry(Case memory job, uint8 place, bytes32 commitment, bytes memory signed) internal {
        CarriedCommitment[] memory items = new CarriedCommitment[](1);
        items[0] = CarriedCommitment({place: place, commitment: commitment, signature: signed});
        vm.prank(attacker);
        market.commitBySig(job.id, job.terms, items);
    }

    function carriesNothing(Case memory job, uint8 place, bytes32 commitment, bytes memory signed) internal {
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.CommitmentSkipped(job.id, place, CommitmentFault.BadSignature);
        carry(job, place, commitment, signed);
        check(!hasCommitted(job, place), "no commitment stands");
    }

    /// @dev One opening by anybody.
    function openVote(Case memory job, Opening memory vote) internal {
        Opening[] memory openings = new Opening[](1);
        openings[0] = vote;
        vm.prank(attacker);
        market.reveal(job.id, job.terms, placed[job.id], openings);
    }

    function opensNothing(Case memory job, Opening memory vote) internal {
        vm.expectEmit(true, true, true, true, address(market));
        emit IJobMarket.OpeningSkipped(job.id, vote.place, OpeningFault.WrongOpening);
        openVote(job, vote);
        check(!hasOpened(job, vote.place), "nothing is opened");
    }

    /// @dev All places commit to computed answers, and all are opened.
    function play(Case memory job, bytes32[] memory cast) internal {
        for (uint8 place; place < cast.length; ++place) commit(job, place, 1, cast[place]);
        revealAll(job);
    }

    function answers(bytes32 a, bytes32 b) internal pure returns (bytes32[] memory list_) {
        list_ = new bytes32[](2);
        (list_[0], list_[1]) = (a, b);
    }

    function answers(bytes32 a, bytes32 b, bytes32 c) internal pure returns (bytes32[] memory list_) {
        list_ = new bytes32[](3);
        (list_[0], list_[1], list_[2]) = (a, b, c);
    }

    /// @dev Seats 0 and 1 agree, the shadow at place 2 votes before them.
    function playWithShadow(Case memory job, bytes32 shadow) internal {
        commit(job, 2, 1, shadow);
        commit(job, 0, 1, ANSWER);
        commit(job, 1, 1, ANSWER);
        revealAll(job);
    }

    /// @dev A fault of provider 2, as a shadow.
    function fault() internal {
        playWithShadow(opened(2, 2, 0, 1), OTHER);
    }

    /// @dev A commitment that is put on the list for revealing, beside the helpers of the base.
    function note(Case memory job, uint8 place, bytes32 commitment) internal {
        placed[job.id].push(PlacedCommitment({place: place, commitment: commitment}));
    }
}
