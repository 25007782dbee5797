// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that can be told to misbehave, for tests that deploy artifacts
contract FickleToken is ERC20 {
    /// @notice Taken from whoever receives, at each transfer.
    uint256 public fee;

    constructor() ERC20("Fickle", "F") {}

    /// @notice Makes `amount` base units out of nothing for `to`.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice From now on every transfer costs its receiver `fee_`.
    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    /// @notice A rebase downwards.
    function shrink(address account, uint256 amount) external {
        _burn(account, amount);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        bool isTransfer = from != address(0) && to != address(0);
        if (isTransfer && fee != 0) super._update(to, address(0xdead), fee);
    }
}
