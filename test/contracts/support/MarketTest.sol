// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {JobMarket} from "../../../contracts/JobMarket.sol";
import {
    SET_VOTES,
    Request,
    SignedOffer,
    Place,
    Terms,
    PlacedCommitment,
    Opening,
    SetSignature,
    JobStatus
} from "../../../contracts/types/Job.sol";
import {TestToken} from "../tokens/TestToken.sol";
import {Vm} from "./Vm.sol";

/// @notice A market with a token, funded parties, and builders for jobs. Typed data is hashed here on its own, from the text of
/// docs/protocol, as a witness of the contract's.
abstract contract MarketTest {
    /// @dev A job and what its panel keeps to itself.
    struct Case {
        Request request;
        bytes32 id;
        Terms terms;
        SignedOffer[] offers;
    }

    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint40 internal constant START = 1_800_000_000;
    uint96 internal constant FUNDS = 1_000_000;
    uint96 internal constant PRICE = 1000;
    uint96 internal constant BOND = 500;
    uint96 internal constant FEE = 7;
    uint32 internal constant WINDOW = 1000;
    uint32 internal constant REVEAL = 600;
    bytes32 internal constant ANSWER = keccak256("answer");
    bytes32 internal constant OTHER = keccak256("other answer");

    JobMarket internal market;
    TestToken internal token;
    address internal requester = vm.addr(0xB0B);
    address internal carrier = address(0xCA);
    uint256 internal nonce;
    /// @dev The clock: `block.timestamp` may be cached by the optimizer of a test, this is not.
    uint256 internal clock = START;

    /// @dev Commitments of each job in the order they landed, and the votes behind them.
    mapping(bytes32 jobId => PlacedCommitment[]) internal placed;
    mapping(bytes32 jobId => mapping(uint8 place => Opening)) internal votes;

    function setUp() public virtual {
        vm.warp(START);
        market = deploy(300, 7 days);
        token = new TestToken("Test", "TST", 6);
        fund(requester, FUNDS);
        for (uint256 i; i < 16; ++i) fund(provider(i), FUNDS);
    }

    /// @dev From the artifact: so a test does not compile the market into itself.
    function deploy(uint32 minWindow, uint32 maxWindow) internal returns (JobMarket deployed) {
        bytes memory code = bytes.concat(vm.getCode("JobMarket.sol:JobMarket"), abi.encode(minWindow, maxWindow));
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    // Parties

    function keyOf(uint256 index) internal pure returns (uint256) {
        return 0xA000 + index;
    }

    function provider(uint256 index) internal pure returns (address) {
        return vm.addr(keyOf(index));
    }

    function fund(address account, uint96 amount) internal {
        token.mint(account, amount);
        vm.prank(account);
        token.approve(address(market), amount);
        vm.prank(account);
        market.deposit(address(token), account, amount);
    }

    function freeOf(address account) internal view returns (uint96 free) {
        (free, ) = market.accountOf(address(token), account);
    }

    function lockedOf(address account) internal view returns (uint96 locked) {
        (, locked) = market.accountOf(address(token), account);
    }

    function skip(uint256 time) internal {
        clock += time;
        vm.warp(clock);
    }

    function goTo(uint256 time) internal {
        clock = time;
        vm.warp(clock);
    }

    // Typed data

    function typedDigest(bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Quorate"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function requestDigest(Request memory request) internal view returns (bytes32) {
        return requestDigest(abi.encode(request));
    }

    /// @dev Of the words of a request, whatever they hold.
    function requestDigest(bytes memory words) internal view returns (bytes32) {
        bytes32 typeHash = keccak256(
            bytes.concat(
                "Request(address requester,address token,bytes32 packageHash,bytes32 contentHash,bytes32 requirementsHash,",
                "bytes32 encryptionKey,uint96 priceCeiling,uint96 bond,uint96 carrierFee,uint8 seats,uint8 quorum,uint8 spares,",
                "uint8 shadows,uint16 calloutBps,uint16 standbyBps,uint32 commitWindow,uint32 revealWindow,uint32 flags,",
                "address callback,uint32 callbackGas,uint40 expiry,uint256 nonce)"
            )
        );
        return typedDigest(keccak256(bytes.concat(typeHash, words)));
    }

    function offerDigest(bytes32 jobId, SignedOffer memory offer) internal view returns (bytes32) {
        return
            typedDigest(
                keccak256(
                    abi.encode(
                        keccak256(
                            "Offer(bytes32 jobId,address provider,uint96 price,bytes32 encryptionKey,uint8 roles,uint40 expiry)"
                        ),
                        jobId,
                        offer.provider,
                        offer.price,
                        offer.encryptionKey,
                        offer.roles,
                        offer.expiry
                    )
                )
            );
    }

    function commitmentOf(bytes32 jobId, address account, Opening memory vote) internal view returns (bytes32) {
        return
            typedDigest(
                keccak256(
                    abi.encode(
                        keccak256(
                            "Commitment(bytes32 jobId,address provider,uint8 outcome,bytes32 resultHash,bytes32 salt)"
                        ),
                        jobId,
                        account,
                        vote.outcome,
                        vote.resultHash,
                        vote.salt
                    )
                )
            );
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signedCommitment(
        uint256 key,
        bytes32 jobId,
        address account,
        bytes32 commitment
    ) internal view returns (bytes memory) {
        return
            signature(
                key,
                typedDigest(
                    keccak256(
                        abi.encode(
                            keccak256("SignedCommitment(bytes32 jobId,address provider,bytes32 commitment)"),
                            jobId,
                            account,
                            commitment
                        )
                    )
                )
            );
    }

    /// @dev What the members of a set sign.
    function setDigest(bytes32 jobId, bytes32[] memory commitments) internal view returns (bytes32) {
        return
            typedDigest(
                keccak256(
                    abi.encode(
                        keccak256("CommitmentSet(bytes32 jobId,bytes32[] commitments)"),
                        jobId,
                        keccak256(abi.encodePacked(commitments))
                    )
                )
            );
    }

    /// @dev A signature over a set, packed as EIP-2098 says.
    function setSignature(uint256 key, bytes32 digest) internal pure returns (SetSignature memory packed) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        packed.r = r;
        packed.vs = bytes32(uint256(s) | (uint256(v - 27) << 255));
    }

    /// @dev Signatures of all members of a set, in the order of places.
    function setSignatures(
        Case memory job,
        bytes32[] memory commitments
    ) internal view returns (SetSignature[] memory signatures) {
        bytes32 digest = setDigest(job.id, commitments);
        uint256 members;
        for (uint256 place; place < commitments.length; ++place) if (commitments[place] != 0) ++members;
        signatures = new SetSignature[](members);
        uint256 next;
        for (uint256 place; place < commitments.length; ++place) {
            if (commitments[place] != 0) signatures[next++] = setSignature(keyOfProvider(job, place), digest);
        }
    }

    /// @dev The key of the provider of a place: those of {caseOf} are in the order of their numbers.
    function keyOfProvider(Case memory job, uint256 place) internal pure returns (uint256) {
        for (uint256 i; i < 16; ++i) if (provider(i) == job.terms.places[place].provider) return keyOf(i);
        revert("unknown provider");
    }

    // Builders

    function requestFor(
        uint8 seats,
        uint8 quorum,
        uint8 spares,
        uint8 shadows
    ) internal returns (Request memory request) {
        request.requester = requester;
        request.token = address(token);
        request.packageHash = keccak256("package");
        request.contentHash = keccak256("content");
        request.requirementsHash = keccak256("requirements");
        request.encryptionKey = keccak256("requester key");
        request.priceCeiling = 2 * PRICE;
        request.bond = BOND;
        request.carrierFee = FEE;
        (request.seats, request.quorum, request.spares, request.shadows) = (seats, quorum, spares, shadows);
        (request.calloutBps, request.standbyBps) = (1000, 250);
        (request.commitWindow, request.revealWindow) = (WINDOW, REVEAL);
        request.expiry = uint40(clock + 100);
        request.nonce = ++nonce;
    }

    /// @dev Offers by providers 0, 1, … for every place of the request.
    function caseOf(Request memory request) internal view returns (Case memory job) {
        job.request = request;
        job.id = requestDigest(request);
        uint256 places = uint256(request.seats) + request.spares + request.shadows;
        job.offers = new SignedOffer[](places);
        for (uint256 i; i < places; ++i) job.offers[i] = offerBy(job.id, i, PRICE + uint96(i));
        fillTerms(job);
    }

    function offerBy(bytes32 jobId, uint256 index, uint96 price) internal view returns (SignedOffer memory offer) {
        offer.provider = provider(index);
        offer.price = price;
        offer.encryptionKey = keccak256(abi.encode("key", index));
        offer.roles = 7;
        offer.expiry = uint40(clock + 100);
        offer.keyWrap = abi.encodePacked("wrap", index);
        offer.signature = signature(keyOf(index), offerDigest(jobId, offer));
    }

    function fillTerms(Case memory job) internal pure {
        Request memory request = job.request;
        job.terms = Terms({
            requester: request.requester,
            token: request.token,
            bond: request.bond,
            carrierFee: request.carrierFee,
            seats: request.seats,
            quorum: request.quorum,
            spares: request.spares,
            calloutBps: request.calloutBps,
            standbyBps: request.standbyBps,
            commitWindow: request.commitWindow,
            revealWindow: request.revealWindow,
            flags: request.flags,
            callback: request.callback,
            callbackGas: request.callbackGas,
            places: new Place[](job.offers.length)
        });
        for (uint256 i; i < job.offers.length; ++i) {
            job.terms.places[i] = Place({provider: job.offers[i].provider, price: job.offers[i].price});
        }
    }

    function open(Case memory job) internal {
        vm.prank(job.request.requester);
        market.open(job.request, job.request.spares, job.offers);
    }

    function opened(uint8 seats, uint8 quorum, uint8 spares, uint8 shadows) internal returns (Case memory job) {
        job = caseOf(requestFor(seats, quorum, spares, shadows));
        open(job);
    }

    /// @dev A job whose votes may come by a set.
    function openedForSets(uint8 seats, uint8 quorum, uint8 spares, uint8 shadows) internal returns (Case memory job) {
        Request memory request = requestFor(seats, quorum, spares, shadows);
        request.flags = SET_VOTES;
        job = caseOf(request);
        open(job);
    }

    /// @dev A job of two seats whose settlement is told.
    function openedWithCallback(address callback, uint32 callbackGas) internal returns (Case memory job) {
        Request memory request = requestFor(2, 2, 0, 0);
        (request.callback, request.callbackGas) = (callback, callbackGas);
        job = caseOf(request);
        open(job);
    }

    // Moves

    function voteFor(Case memory job, uint8 place, uint8 outcome, bytes32 hash) internal returns (bytes32 commitment) {
        Opening memory vote = Opening({
            place: place,
            outcome: outcome,
            resultHash: hash,
            salt: keccak256(abi.encode(job.id, place, "salt"))
        });
        votes[job.id][place] = vote;
        return commitmentOf(job.id, job.terms.places[place].provider, vote);
    }

    function commit(Case memory job, uint8 place, uint8 outcome, bytes32 hash) internal {
        bytes32 commitment = voteFor(job, place, outcome, hash);
        vm.prank(job.terms.places[place].provider);
        market.commit(job.id, job.terms, place, commitment);
        placed[job.id].push(PlacedCommitment({place: place, commitment: commitment}));
    }

    function decline(Case memory job, uint8 place) internal {
        vm.prank(job.terms.places[place].provider);
        market.decline(job.id, job.terms, place);
    }

    function promote(Case memory job) internal {
        market.promote(job.id, job.terms);
    }

    /// @dev The set of equal votes of some places, and nothing on chain.
    function setOf(
        Case memory job,
        uint8[] memory places,
        bytes32 hash
    ) internal returns (bytes32[] memory commitments) {
        commitments = new bytes32[](job.terms.places.length);
        for (uint256 i; i < places.length; ++i) commitments[places[i]] = voteFor(job, places[i], 1, hash);
    }

    /// @dev Brings a set with the openings of some of its members, the others closed.
    function revealSet(Case memory job, bytes32[] memory commitments, uint8[] memory opened_) internal {
        bytes32[] memory closed = new bytes32[](commitments.length);
        for (uint256 place; place < closed.length; ++place) closed[place] = commitments[place];
        for (uint256 i; i < opened_.length; ++i) closed[opened_[i]] = 0;
        Opening[] memory openings = openingsOf(job, opened_);
        SetSignature[] memory signatures = setSignatures(job, commitments);
        vm.prank(carrier);
        market.revealSet(job.id, job.terms, placed[job.id], closed, openings, signatures);
        // From now on the list is the set's.
        delete placed[job.id];
        for (uint8 place; place < commitments.length; ++place) {
            if (commitments[place] == 0) continue;
            placed[job.id].push(PlacedCommitment({place: place, commitment: commitments[place]}));
        }
    }

    /// @dev What opens the votes of some places.
    function openingsOf(Case memory job, uint8[] memory places) internal view returns (Opening[] memory openings) {
        openings = new Opening[](places.length);
        for (uint256 i; i < places.length; ++i) openings[i] = votes[job.id][places[i]];
    }

    function reveal(Case memory job, uint8[] memory places) internal {
        Opening[] memory openings = openingsOf(job, places);
        vm.prank(carrier);
        market.reveal(job.id, job.terms, placed[job.id], openings);
    }

    function revealAll(Case memory job) internal {
        PlacedCommitment[] memory landed = placed[job.id];
        uint8[] memory places = new uint8[](landed.length);
        for (uint256 i; i < landed.length; ++i) places[i] = landed[i].place;
        reveal(job, places);
    }

    function settle(Case memory job) internal {
        vm.prank(carrier);
        market.settle(job.id, job.terms);
    }

    function status(Case memory job) internal view returns (JobStatus found) {
        (found, , ) = market.statusOf(job.id, job.terms);
    }

    function revealAt(Case memory job) internal view returns (uint40 time) {
        (, time, ) = market.statusOf(job.id, job.terms);
    }

    function escrowOf(Terms memory terms) internal pure returns (uint256 escrow) {
        uint256 highest;
        for (uint256 i; i < terms.places.length; ++i) {
            uint256 price = terms.places[i].price;
            if (i >= uint256(terms.seats) + terms.spares) escrow += price;
            else if (price > highest) highest = price;
            if (i >= terms.seats && i < uint256(terms.seats) + terms.spares) {
                escrow += (price * terms.standbyBps) / 10_000;
            }
        }
        escrow += highest * terms.seats + terms.carrierFee;
    }

    // Assertions

    function check(bool condition, string memory claim) internal pure {
        require(condition, claim);
    }

    error NotEqual(string claim, uint256 found, uint256 expected);

    function same(uint256 found, uint256 expected, string memory claim) internal pure {
        if (found != expected) revert NotEqual(claim, found, expected);
    }

    function same(address found, address expected, string memory claim) internal pure {
        same(uint160(found), uint160(expected), claim);
    }

    function same(bytes32 found, bytes32 expected, string memory claim) internal pure {
        same(uint256(found), uint256(expected), claim);
    }

    function sameStatus(JobStatus found, JobStatus expected, string memory claim) internal pure {
        same(uint256(found), uint256(expected), claim);
    }

    function list(uint8 a) internal pure returns (uint8[] memory places) {
        places = new uint8[](1);
        places[0] = a;
    }

    function list(uint8 a, uint8 b) internal pure returns (uint8[] memory places) {
        places = new uint8[](2);
        (places[0], places[1]) = (a, b);
    }

    function list(uint8 a, uint8 b, uint8 c) internal pure returns (uint8[] memory places) {
        places = new uint8[](3);
        (places[0], places[1], places[2]) = (a, b, c);
    }

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (value % (high - low + 1));
    }
}
