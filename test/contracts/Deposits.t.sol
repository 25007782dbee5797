// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {MarketTest} from "./support/MarketTest.sol";
import {Slots} from "./support/VmStorage.sol";
import {WeirdToken} from "./support/WeirdTokens.sol";
import {ILedger} from "../../contracts/interfaces/ILedger.sol";

/// @notice A token that takes from the market while it pays it.
contract TakingToken is ERC20 {
    uint256 public taken;

    constructor() ERC20("Taking", "T") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function take(uint256 amount) external {
        taken = amount;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (taken != 0 && from != address(0) && to.code.length != 0) super._update(to, address(0xdead), taken);
    }
}

/// @notice Deposits upon deposits: what arrives is counted, from whichever door. Branches: Deposits.tree.
contract DepositsTest is MarketTest {
    WeirdToken private odd;

    function setUp() public override {
        super.setUp();
        odd = new WeirdToken();
        odd.mint(address(this), 10_000);
        odd.approve(address(market), type(uint256).max);
    }

    function oddFree(address account) private view returns (uint96 free) {
        (free, ) = market.accountOf(address(odd), account);
    }

    function test_DepositsAddUp() public {
        opened(2, 2, 0, 0);
        fund(provider(0), 7);
        fund(provider(0), 8);
        same(freeOf(provider(0)), FUNDS - BOND + 15, "free");
        same(lockedOf(provider(0)), BOND, "locked stays");
    }

    /// An account is one word: free in the lowest 96 bits, locked above; the totals held and burnt alike.
    function test_AccountsAreOneWord() public {
        opened(2, 2, 0, 0);
        same(wordOf(provider(0)), uint256(FUNDS - BOND) | (uint256(BOND) << 96), "free and locked");
        same(Slots.read(address(market), Slots.find(address(market), key(address(token)))), 17 * FUNDS, "held");
    }

    function key(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function wordOf(address owner) private view returns (uint256 found) {
        for (uint256 variable; variable < 32 && found == 0; ++variable) {
            bytes32 inner = keccak256(abi.encode(key(address(token)), variable));
            found = Slots.read(address(market), keccak256(abi.encode(key(owner), inner)));
        }
    }

    /// Both doors are one: neither lets a token in while the other is open.
    function test_DoorsAreGuardedTogether() public {
        bytes memory deposit = abi.encodeCall(market.deposit, (address(odd), provider(0), 1));
        bytes memory withPermit = abi.encodeCall(
            market.depositWithPermit,
            (address(odd), provider(0), 1, 0, 0, bytes32(0), bytes32(0))
        );
        bytes memory withdraw = abi.encodeCall(market.withdraw, (address(odd), address(odd), 0));
        market.deposit(address(odd), address(this), 100);
        bytes[3] memory outer = [deposit, withPermit, abi.encodeCall(market.withdraw, (address(odd), address(1), 1))];
        bytes[3] memory inner = [deposit, withPermit, withdraw];
        odd.mint(address(odd), 100);
        vm.prank(address(odd));
        odd.approve(address(market), type(uint256).max);
        for (uint256 i; i < 3; ++i) {
            for (uint256 j; j < 3; ++j) {
                odd.reenter(market, inner[j]);
                (bool success, bytes memory reason) = address(market).call(outer[i]);
                check(!success, "refused");
                same(
                    bytes32(bytes4(reason)),
                    bytes32(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                    "by the guard"
                );
            }
        }
        same(oddFree(address(this)), 100, "nothing moved");
    }

    /// What is missing is named, also when the balance shrinks below what it was.
    function test_ShortfallIsNamed() public {
        TakingToken taking = new TakingToken();
        taking.mint(address(this), 1000);
        taking.approve(address(market), type(uint256).max);
        market.deposit(address(taking), address(this), 100);
        taking.take(30);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnexpectedTransfer.selector, taking, 20, 50));
        market.deposit(address(taking), address(this), 50);
        taking.take(80);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnexpectedTransfer.selector, taking, 0, 50));
        market.deposit(address(taking), address(this), 50);
        taking.take(50);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UnexpectedTransfer.selector, taking, 0, 50));
        market.deposit(address(taking), address(this), 50);
    }
}
