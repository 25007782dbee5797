// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Accounts of a market
/// @notice Deposits, withdrawals and balances. An account has, for each token, a free balance, which its owner may withdraw at any
/// time, and a locked one, which bonds the owner's places. Amounts are in base units of the token.
/// @dev For every token, exactly: `held == Σ free + Σ locked + Σ escrow + Σ quarantine + burnt <= balanceOf(market)`.
/// Burnt money stays in the contract for good and is counted.
///
/// Warning: tokens that reach the market by a bare transfer, without {deposit}, belong to no account and are lost.
interface ILedger {
    /// @notice `payer` paid `amount` into the free balance of `account`.
    /// @param token ERC-20 token
    /// @param account who was credited
    /// @param payer who paid
    /// @param amount base units
    event Deposited(address indexed token, address indexed account, address payer, uint96 amount);
    /// @notice `account` took `amount` out of its free balance and sent it to `to`.
    /// @param token ERC-20 token
    /// @param account whose balance it was
    /// @param to who received the tokens
    /// @param amount base units
    event Withdrawn(address indexed token, address indexed account, address to, uint96 amount);

    /// @notice The free balance of `account` does not cover `required`.
    /// @param token ERC-20 token
    /// @param account whose balance it is
    /// @param free its free balance, base units
    /// @param required what the call needs, base units
    error InsufficientFree(address token, address account, uint96 free, uint256 required);
    /// @notice The token moved another amount than it was asked to, for example because it takes a fee.
    /// @param token ERC-20 token
    /// @param received by how much the market's balance rose, zero if it fell, base units
    /// @param expected the amount of the deposit, base units
    error UnexpectedTransfer(address token, uint256 received, uint256 expected);
    /// @notice The contract owns less of the token than it owes, for example because the token shrinks balances.
    /// @param token ERC-20 token
    /// @param balance what the market owns after the transfer, base units
    /// @param held what it would hold with this deposit, base units
    error BalanceBelowHeld(address token, uint256 balance, uint256 held);
    /// @notice The market cannot hold more than `maximum` of one token.
    /// @param token ERC-20 token
    /// @param held what the market would hold with this deposit, base units
    /// @param maximum base units
    error HeldAboveMaximum(address token, uint256 held, uint256 maximum);
    /// @notice Money sent to this address would be lost.
    /// @param account zero, or the market
    error UselessAddress(address account);

    /// @notice Pays `amount` from the caller into the free balance of `account`.
    /// @dev Requirements:
    /// - the caller has approved the market for `amount`;
    /// - `account` is neither zero nor the market;
    /// - exactly `amount` arrives, and the market then owns at least what it holds for its accounts;
    /// - the market holds at most `2^96 - 1` base units of the token.
    ///
    /// Warning: only `account` can take the money out again. And the market has no say over the token: if it shrinks balances or freezes
    /// the market later, withdrawals fail.
    /// @param token ERC-20 token
    /// @param account who is credited
    /// @param amount base units
    function deposit(address token, address account, uint96 amount) external;

    /// @notice Like {deposit}, with an ERC-2612 permit by the caller in the same transaction.
    /// @dev Requirements: those of {deposit}, where the permit is the approval.
    ///
    /// A permit that fails is tolerated, because anybody may have used it first: then its allowance is there, and
    /// without an allowance the transfer fails.
    ///
    /// Warning: as for {deposit}, only `account` can take the money out again.
    /// @param token ERC-20 token with permit
    /// @param account who is credited
    /// @param amount base units, also the value of the permit
    /// @param deadline of the permit, unix s
    /// @param v of the permit's signature
    /// @param r of the permit's signature
    /// @param s of the permit's signature
    function depositWithPermit(
        address token,
        address account,
        uint96 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// @notice Sends `amount` of the caller's free balance to `to`.
    /// @dev Requirements:
    /// - the caller's free balance is at least `amount`;
    /// - `to` is neither zero nor the market.
    ///
    /// Warning: nothing else about `to` is checked. What goes to a contract that cannot move the token is lost.
    /// @param token ERC-20 token
    /// @param to who receives the tokens
    /// @param amount base units
    function withdraw(address token, address to, uint96 amount) external;

    /// @notice Balances of an account.
    /// @param token ERC-20 token
    /// @param owner of the account
    /// @return free what the owner may withdraw, base units
    /// @return locked what bonds the owner's places in open jobs, base units
    function accountOf(address token, address owner) external view returns (uint96 free, uint96 locked);

    /// @notice What the market holds of a token for accounts, escrows, quarantine, and burnt.
    /// @param token ERC-20 token
    /// @return everything that was deposited and not withdrawn, base units
    function held(address token) external view returns (uint96);

    /// @notice What was burnt of a token, in total.
    /// @param token ERC-20 token
    /// @return late bonds and quarantine that were burnt, part of {held}, base units
    function burnt(address token) external view returns (uint96);
}
