// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAgents} from "../../../contracts/interfaces/IAgents.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {IWindows} from "../../../contracts/interfaces/IWindows.sol";
import {QueryMarketTest} from "../support/QueryMarketTest.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice A market as both markets are: accounts, agents, windows, many calls in one.
interface IAnyMarket is ILedger, IAgents, IWindows {
    function multicall(bytes[] calldata data) external returns (bytes[] memory results);
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        );
}

/// @notice What both markets share, for any input: each property holds of the job market and of the query market.
contract LedgerFuzzTest is MarketTest {
    IAnyMarket[2] private markets;
    address private owner = vm.addr(0xF00D);

    function setUp() public override {
        super.setUp();
        QueryMarketDoor door = new QueryMarketDoor();
        markets = [IAnyMarket(address(market)), IAnyMarket(door.deployed())];
        token.mint(owner, type(uint96).max);
        vm.prank(owner);
        token.approve(address(markets[1]), type(uint96).max);
        vm.prank(owner);
        token.approve(address(markets[0]), type(uint96).max);
    }

    function testFuzz_AccountsFollowDepositsAndWithdrawals(
        uint96 amount,
        uint96 out,
        bool which,
        address account
    ) public {
        IAnyMarket any = markets[which ? 1 : 0];
        bool useless = account == address(0) || account == address(any);
        uint256 before = any.held(address(token));
        bool fits = before + amount <= type(uint96).max;
        vm.prank(owner);
        try any.deposit(address(token), account, amount) {
            check(fits && !useless, "refused to nobody, or beyond what can be held");
        } catch {
            check(!fits || useless, "taken otherwise");
            return;
        }
        (uint96 free, uint96 locked) = any.accountOf(address(token), account);
        same(any.held(address(token)), before + amount, "held");
        uint256 has = free;
        check(has >= amount, "free");
        same(locked, 0, "nothing is locked");
        vm.prank(account);
        try any.withdraw(address(token), address(0xFEE), out) {
            check(out <= has, "only what is free");
        } catch {
            check(out > has, "all that is free");
            return;
        }
        (free, ) = any.accountOf(address(token), account);
        same(free, has - out, "free afterwards");
        same(token.balanceOf(address(0xFEE)), out, "received");
        same(any.held(address(token)), before + amount - out, "held afterwards");
        same(any.burnt(address(token)), 0, "nothing is burnt");
    }

    function testFuzz_PermitsPayExactly(uint96 amount, uint40 later, bool which, uint256 value) public {
        IAnyMarket any = markets[which ? 1 : 0];
        amount = uint96(bound(amount, 1, type(uint96).max / 2));
        value = value % 4 == 0 ? value >> 2 : amount; // now and then the permit is for something else
        uint256 deadline = clock + later;
        vm.prank(owner);
        token.approve(address(any), 0);
        bytes32 permit = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                address(any),
                value,
                token.nonces(owner),
                deadline
            )
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(
            0xF00D,
            keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), permit))
        );
        vm.prank(owner);
        try any.depositWithPermit(address(token), owner, amount, deadline, v, r, s) {
            same(value, amount, "the permit is for this amount");
            (uint96 free, ) = any.accountOf(address(token), owner);
            same(free, amount, "free");
        } catch {
            check(value != amount, "a good permit suffices");
        }
    }

    function testFuzz_LimitsAreWhatWasSet(address agent, uint96 bond, uint32 window, uint40 until, bool which) public {
        IAnyMarket any = markets[which ? 1 : 0];
        vm.prank(owner);
        any.authorize(agent, address(token), bond, window, until);
        (uint96 bond_, uint32 window_, uint40 until_) = any.authorizationOf(owner, agent, address(token));
        same(bond_, bond, "bond");
        same(window_, window, "window");
        if (until <= clock) until = 0; // there was none, so none has ended later
        same(until_, until, "until");
        (, , until_) = any.authorizationOf(agent, owner, address(token));
        same(until_, agent == owner ? until : 0, "not the other way round");
        (, , until_) = any.authorizationOf(owner, agent, address(market));
        same(until_, 0, "not for other tokens");
    }

    function testFuzz_ManyCallsAreOneAfterTheOther(uint96 first, uint96 second, bool which) public {
        IAnyMarket any = markets[which ? 1 : 0];
        (first, second) = (first / 4, second / 4);
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(ILedger.deposit, (address(token), owner, first));
        calls[1] = abi.encodeCall(ILedger.deposit, (address(token), address(0xACC), second));
        calls[2] = abi.encodeCall(ILedger.withdraw, (address(token), address(0xFEE), first / 2));
        vm.prank(owner);
        any.multicall(calls);
        (uint96 free, ) = any.accountOf(address(token), owner);
        same(free, first - first / 2, "the caller's account");
        (free, ) = any.accountOf(address(token), address(0xACC));
        same(free, second, "the other account");
        // One that fails undoes all.
        calls[2] = abi.encodeCall(ILedger.withdraw, (address(token), address(any), first / 2));
        vm.prank(owner);
        vm.expectRevert(abi.encodeWithSelector(ILedger.UselessAddress.selector, address(any)));
        any.multicall(calls);
    }

    function testFuzz_TheDomainIsOfChainAndContract(uint64 chainId, bool which) public {
        IAnyMarket any = markets[which ? 1 : 0];
        chainId = uint64(bound(chainId, 1, type(uint64).max));
        vm.chainId(chainId);
        (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chain,
            address contract_,
            bytes32 salt,

        ) = any.eip712Domain();
        same(uint8(fields), 0x0f, "name, version, chain and contract");
        same(keccak256(bytes(name)), keccak256("Quorate"), "name");
        same(keccak256(bytes(version)), keccak256("1"), "version");
        same(chain, chainId, "chain");
        same(contract_, address(any), "contract");
        same(salt, 0, "salt");
    }

    function testFuzz_WindowsOfAMarketAreInRange(uint32 minimum, uint32 maximum, uint64 chainId) public {
        if (minimum % 2 == 0) minimum %= 8 days;
        if (maximum % 2 == 0) maximum %= 8 days;
        chainId =
            chainId % 4 == 0
                ? 31_337
                : chainId % 4 == 1
                    ? 1337
                    : uint64(bound(chainId, 1, type(uint64).max));
        vm.chainId(chainId);
        uint32 lowest = chainId == 31_337 || chainId == 1337 ? 1 : 300;
        bool good = minimum >= lowest && maximum >= minimum && maximum <= 7 days;
        try this.deployed(minimum, maximum) returns (IWindows found) {
            check(good, "refused out of range");
            same(found.minWindow(), minimum, "minimum");
            same(found.maxWindow(), maximum, "maximum");
        } catch {
            check(!good, "taken in range");
        }
    }

    function deployed(uint32 minimum, uint32 maximum) external returns (IWindows) {
        return IWindows(address(deploy(minimum, maximum)));
    }
}

/// @notice Deploys a query market as its tests do.
contract QueryMarketDoor is QueryMarketTest {
    constructor() {
        market = deploy(300, 7 days, deployPoseidon());
    }

    function deployed() external view returns (address) {
        return address(market);
    }
}
