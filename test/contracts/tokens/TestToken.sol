// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Test token
/// @notice ERC-20 with permit that anybody may mint. For local chains and tests only: it is worth nothing by construction.
contract TestToken is ERC20, ERC20Permit {
    uint8 private immutable _decimals;

    /// @param name name, also of the permit's signing domain
    /// @param symbol ticker
    /// @param decimals_ digits of the display unit
    constructor(string memory name, string memory symbol, uint8 decimals_) ERC20(name, symbol) ERC20Permit(name) {
        _decimals = decimals_;
    }

    /// @notice Makes `amount` base units out of nothing for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @inheritdoc ERC20
    function decimals() public view override returns (uint8) {
        return _decimals;
    }
}
