// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QueryMarketTest} from "./support/QueryMarketTest.sol";
import {MortgageDesk} from "../../contracts/examples/MortgageDesk.sol";
import {IPoseidon1, IPoseidon2, IPoseidon6} from "../../contracts/interfaces/IPoseidon.sol";
import {Quote} from "../../contracts/types/Question.sol";
import {IQueryMarket} from "../../contracts/interfaces/IQueryMarket.sol";

/// @notice Stands for both hashes: what matters here is that every word counts. Proofs with the real ones are in test/integration/queries.
contract AnyHash is IPoseidon1, IPoseidon6 {
    function poseidon(uint256[1] calldata words) external pure returns (uint256) {
        return uint256(keccak256(abi.encode(words))) >> 8;
    }

    function poseidon(uint256[6] calldata words) external pure returns (uint256) {
        return uint256(keccak256(abi.encode(words))) >> 8;
    }
}

/// @notice The example of a contract that acts on an answer. Branches: MortgageDesk.tree.
contract MortgageDeskTest is QueryMarketTest {
    uint256 private constant PERSON = 4242;
    uint256 private constant KEY = 5;
    address private constant APPLICANT = address(0xA99);
    MortgageDesk private desk;
    AnyHash private hasher;

    function setUp() public override {
        super.setUp();
        hasher = new AnyHash();
        desk = deskWith(1000);
        vm.prank(asker);
        desk.register(APPLICANT, PERSON);
    }

    function deskWith(uint40 maxAge) private returns (MortgageDesk) {
        MortgageDesk.Policy memory policy = MortgageDesk.Policy({
            market: market,
            lender: asker,
            provider: provider,
            verifier: address(verifier),
            attribute: 7,
            minimum: 50_000,
            maxAge: maxAge
        });
        return new MortgageDesk(policy, hasher, hasher);
    }

    function opening() private view returns (MortgageDesk.Opening memory) {
        return MortgageDesk.Opening({nonce: 9, subjectRef: 11, asOf: uint40(clock), k: KEY});
    }

    /// @dev Asks the desk's question about the applicant and has it answered.
    function answered(MortgageDesk.Opening memory about, bool isHigh) private returns (uint256 query) {
        query = desk.queryFor(PERSON, about);
        Quote memory quote = quoteFor(query);
        ask(quote);
        uint256 pad = IPoseidon2(market.poseidon2()).poseidon([about.k, query]);
        answer(quote, addmod(pad, isHigh ? 1 : 0, P), query >> 1);
    }

    function refuses(address applicant, MortgageDesk.Opening memory about, bytes memory error_) private {
        vm.expectRevert(error_);
        desk.approve(applicant, about);
    }

    function test_QueryIsMadeOfEverything() public view {
        bytes32 context = keccak256(
            abi.encode(block.chainid, address(market), provider, asker, address(verifier), uint128(9))
        );
        uint256 params = 50_000 | (uint256(type(uint64).max) << 64) | (uint256(clock) << 128);
        uint256[6] memory words = [uint256(context) >> 8, 11, PERSON, 7, params, hasher.poseidon([KEY])];
        same(desk.queryFor(PERSON, opening()), hasher.poseidon(words), "query");
    }

    function test_LenderRegisters() public {
        vm.expectEmit(true, true, true, true, address(desk));
        emit MortgageDesk.ApplicantRegistered(stranger, (1 << 248) - 1);
        vm.prank(asker);
        desk.register(stranger, (1 << 248) - 1);
        same(desk.personOf(stranger), (1 << 248) - 1, "registered");
        vm.expectRevert(abi.encodeWithSelector(MortgageDesk.NotLender.selector, address(this)));
        desk.register(stranger, 1);
        uint256[2] memory persons = [uint256(0), 1 << 248];
        for (uint256 i; i < 2; ++i) {
            vm.prank(asker);
            vm.expectRevert(abi.encodeWithSelector(MortgageDesk.PersonOutOfRange.selector, persons[i]));
            desk.register(stranger, persons[i]);
        }
    }

    function test_TrueAnswerApprovesOnce() public {
        uint256 query = answered(opening(), true);
        check(!desk.isApproved(APPLICANT), "not yet");
        vm.expectEmit(true, true, true, true, address(desk));
        emit MortgageDesk.LoanApproved(APPLICANT, query);
        desk.approve(APPLICANT, opening());
        check(desk.isApproved(APPLICANT), "approved");
        refuses(APPLICANT, opening(), abi.encodeWithSelector(MortgageDesk.AlreadyApproved.selector, APPLICANT));
    }

    function test_OtherAnswersApproveNobody() public {
        uint256 query = answered(opening(), false);
        refuses(APPLICANT, opening(), abi.encodeWithSelector(MortgageDesk.IncomeTooLow.selector, query));
        refuses(stranger, opening(), abi.encodeWithSelector(MortgageDesk.UnknownApplicant.selector, stranger));
        MortgageDesk.Opening memory other = opening();
        ++other.nonce;
        query = desk.queryFor(PERSON, other);
        refuses(APPLICANT, other, abi.encodeWithSelector(IQueryMarket.NotAnswered.selector, provider, query, uint8(0)));
        check(!desk.isApproved(APPLICANT), "nobody");
    }

    function test_DatesAreBounded() public {
        MortgageDesk.Opening memory about = opening();
        answered(about, true);
        for (uint256 i; i < 2; ++i) {
            about.asOf = i == 0 ? uint40(clock - 1001) : uint40(clock + 1);
            refuses(
                APPLICANT,
                about,
                abi.encodeWithSelector(MortgageDesk.DateOutOfRange.selector, about.asOf, clock - 1000, clock)
            );
        }
        skip(1000);
        about.asOf = START;
        desk.approve(APPLICANT, about);
        check(desk.isApproved(APPLICANT), "as old as it may be");
    }

    function test_AnyAgeMayBeAllowed() public {
        desk = deskWith(type(uint40).max);
        vm.prank(asker);
        desk.register(APPLICANT, PERSON);
        MortgageDesk.Opening memory about = opening();
        about.asOf = 0;
        answered(about, true);
        desk.approve(APPLICANT, about);
        check(desk.isApproved(APPLICANT), "from the beginning of time");
    }
}
