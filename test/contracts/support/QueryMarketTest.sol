// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Answer, QuestionStatus, Quote} from "../../../contracts/types/Question.sol";
import {IQueryMarket} from "../../../contracts/interfaces/IQueryMarket.sol";
import {MoodyVerifier} from "../harness/MoodyVerifier.sol";
import {TestToken} from "../tokens/TestToken.sol";
import {ProofVectors} from "./ProofVectors.sol";
import {Vm} from "./Vm.sol";

/// @notice A query market with a token, a dataset and funded parties, and a verifier that says what it is told to. Typed data is hashed
/// here on its own, from the text of docs/protocol, as a witness of the contract's.
abstract contract QueryMarketTest {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 internal constant P = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint40 internal constant START = 1_800_000_000;
    uint96 internal constant FUNDS = 1_000_000;
    uint96 internal constant PRICE = 1000;
    uint96 internal constant BOND = 500;
    uint32 internal constant WINDOW = 1000;
    uint32 internal constant GRACE = 5000;
    uint256 internal constant ROOT = 4711;
    bytes32 internal constant DEFINITION = keccak256("definition");
    uint256 internal constant PROVIDER_KEY = 0xA000;
    uint256 internal constant RIVAL_KEY = 0xA001;
    uint256 internal constant AGENT_KEY = 0xA002;

    IQueryMarket internal market;
    TestToken internal token;
    MoodyVerifier internal verifier;
    bytes32 internal dataset;
    address internal asker = vm.addr(0xB0B);
    address internal provider = vm.addr(PROVIDER_KEY);
    address internal rival = vm.addr(RIVAL_KEY);
    address internal agent = vm.addr(AGENT_KEY);
    address internal publisher = address(0x9B);
    address internal stranger = address(0x57);
    /// @dev The clock: `block.timestamp` may be cached by the optimizer of a test, this is not.
    uint256 internal clock = START;
    uint256 internal queries;

    function setUp() public virtual {
        vm.warp(START);
        market = deploy(300, 7 days, deployPoseidon());
        token = new TestToken("Test", "TST", 6);
        verifier = new MoodyVerifier();
        fund(asker, FUNDS);
        fund(provider, FUNDS);
        fund(rival, FUNDS);
        vm.prank(provider);
        dataset = market.registerDataset(DEFINITION, GRACE, publisher);
        vm.prank(provider);
        market.publishRoot(dataset, ROOT);
    }

    /// @dev From the artifact: so a test does not compile the market into itself.
    function deploy(uint32 minWindow, uint32 maxWindow, address poseidon2) internal returns (IQueryMarket deployed) {
        bytes memory code = vm.getCode("QueryMarket.sol:QueryMarket");
        return IQueryMarket(create(bytes.concat(code, abi.encode(minWindow, maxWindow, poseidon2))));
    }

    function deployPoseidon() internal returns (address) {
        return create(ProofVectors.POSEIDON2);
    }

    function create(bytes memory code) internal returns (address deployed) {
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    // Parties

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
        goTo(clock + time);
    }

    function goTo(uint256 time) internal {
        clock = time;
        vm.warp(clock);
    }

    // Quotes

    function freshQuery() internal returns (uint256) {
        return uint256(keccak256(abi.encode("query", ++queries))) >> 8;
    }

    function quoteFor(uint256 query) internal view returns (Quote memory) {
        return
            Quote({
                asker: asker,
                provider: provider,
                query: query,
                dataset: dataset,
                root: ROOT,
                verifier: address(verifier),
                verifierCodeHash: address(verifier).codehash,
                token: address(token),
                price: PRICE,
                bond: BOND,
                window: WINDOW,
                expiry: uint40(clock + 100)
            });
    }

    function digestOf(Quote memory quote) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Quorate"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        bytes32 typeHash = keccak256(
            bytes.concat(
                "Quote(address asker,address provider,uint256 query,bytes32 dataset,uint256 root,address verifier,",
                "bytes32 verifierCodeHash,address token,uint96 price,uint96 bond,uint32 window,uint40 expiry)"
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, keccak256(abi.encode(typeHash, quote))));
    }

    function signature(uint256 key, Quote memory quote) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(quote));
        return abi.encodePacked(r, s, v);
    }

    // Moves

    function askBy(uint256 key, Quote memory quote) internal returns (bytes32 id) {
        bytes memory signed = signature(key, quote);
        vm.prank(quote.asker);
        return market.ask(quote, signed);
    }

    function ask(Quote memory quote) internal returns (bytes32 id) {
        return askBy(PROVIDER_KEY, quote);
    }

    function asked() internal returns (Quote memory quote) {
        quote = quoteFor(freshQuery());
        ask(quote);
    }

    function noProof() internal pure returns (uint256[8] memory proof) {}

    function answer(Quote memory quote, uint256 cipher, uint256 nullifier) internal {
        vm.prank(stranger);
        market.answer(quote, cipher, nullifier, noProof());
    }

    function answerOf(Quote memory quote, uint256 cipher, uint256 nullifier) internal pure returns (Answer memory) {
        return Answer({quote: quote, cipher: cipher, nullifier: nullifier, proof: noProof()});
    }

    function statusOf(Quote memory quote) internal view returns (QuestionStatus status) {
        (status, , ) = market.questionOf(quote.provider, quote.query);
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

    function same(QuestionStatus found, QuestionStatus expected, string memory claim) internal pure {
        same(uint256(found), uint256(expected), claim);
    }

    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + (value % (high - low + 1));
    }
}
