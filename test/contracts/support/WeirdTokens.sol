// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";

/// @notice A token that misbehaves on demand.
contract WeirdToken is ERC20 {
    uint256 public fee; // taken from what arrives
    ILedger public target; // re-entered during transfers
    bytes public payload;

    constructor() ERC20("Weird", "W") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function reenter(ILedger target_, bytes calldata payload_) external {
        (target, payload) = (target_, payload_);
    }

    /// @notice A rebase downwards.
    function shrink(address account, uint256 amount) external {
        _burn(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from == address(0) || to == address(0)) return;
        if (fee != 0) super._update(to, address(0xdead), fee);
        if (address(target) != address(0)) {
            (bool success, bytes memory data) = address(target).call(payload);
            if (!success) {
                assembly {
                    revert(add(data, 32), mload(data))
                }
            }
        }
    }
}

/// @notice A token whose transfers answer with nothing, or with false.
contract OldToken {
    mapping(address => uint256) public balanceOf;
    bool public lies;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function setLies(bool lies_) external {
        lies = lies_;
    }

    function transferFrom(address from, address to, uint256 amount) external {
        _move(from, to, amount);
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        if (lies) {
            assembly {
                mstore(0, 0)
                return(0, 32)
            }
        }
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        assembly {
            return(0, 0)
        }
    }
}

/// @notice A token whose issuer blocks accounts: they neither send nor receive.
contract BlocklistToken is ERC20 {
    mapping(address account => bool) public isBlocked;

    error Blocked(address account);

    constructor() ERC20("Blocklist", "B") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[from]) revert Blocked(from);
        if (isBlocked[to]) revert Blocked(to);
        super._update(from, to, value);
    }
}

/// @notice A token that calls its receivers, as ERC-777 does.
contract HookToken is ERC20 {
    constructor() ERC20("Hook", "H") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from == address(0) || to.code.length == 0) return;
        // Receivers without the hook are fine.
        // solhint-disable-next-line avoid-low-level-calls
        (bool success, ) = to.call(abi.encodeCall(HookReceiver.tokensReceived, (value)));
        success;
    }
}

/// @notice Withdraws once more whenever tokens arrive.
contract HookReceiver {
    ILedger private immutable _market;
    address private immutable _token;

    constructor(ILedger market, address token) {
        (_market, _token) = (market, token);
    }

    function withdraw(uint96 amount) external {
        _market.withdraw(_token, address(this), amount);
    }

    function tokensReceived(uint256 value) external {
        if (msg.sender == _token) _market.withdraw(_token, address(this), uint96(value));
    }
}

/// @notice A token with any number of decimals.
contract DecimalsToken is ERC20 {
    uint8 private immutable _decimals;

    constructor(uint8 decimals_) ERC20("Decimals", "D") {
        _decimals = decimals_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}
