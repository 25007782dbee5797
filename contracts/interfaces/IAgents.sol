// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Agents of providers
/// @notice Hot keys that sign for a provider within limits: offers and commitments at a job market, quotes at a query market. They never
/// touch money. A place of a job and a question are alike here: each has a bond and a window.
interface IAgents {
    /// @notice `provider` set the limits of `agent` for what is paid in `token`; `validUntil` not in the future revokes.
    /// @param provider whose bonds are at stake
    /// @param agent the hot key
    /// @param token of price and bond
    /// @param maxBondPerSeat highest bond of a place or question that the agent may sign for, base units
    /// @param minCommitWindow shortest commit window, or window of a question, that the agent may sign for, seconds
    /// @param validUntil the authorization is in force before this time, unix s
    event AgentAuthorized(
        address indexed provider,
        address indexed agent,
        address indexed token,
        uint96 maxBondPerSeat,
        uint32 minCommitWindow,
        uint40 validUntil
    );

    /// @notice Authorizes `agent` to act for the caller in what is paid in `token`, in place of what was set before.
    /// @dev Revoking (`validUntil` zero or past) is the only revocation of what the agent has signed: it holds for `open`, `ask` and
    /// for commitments from then on, not for places and questions that are open already, nor for sets of commitments of jobs that are. An
    /// authorization in force ends now at the earliest, one that has ended stays ended when it did.
    ///
    /// Warning: `maxBondPerSeat` bounds each place and question, not their sum. An agent can bind the caller's whole free balance in
    /// `token`, at any price, and whoever has its key can lose every bond that it binds.
    /// @param agent the hot key
    /// @param token of price and bond
    /// @param maxBondPerSeat highest bond of a place or question that the agent may sign for, base units
    /// @param minCommitWindow shortest commit window, or window of a question, that the agent may sign for, seconds
    /// @param validUntil the authorization is in force before this time, unix s
    function authorize(
        address agent,
        address token,
        uint96 maxBondPerSeat,
        uint32 minCommitWindow,
        uint40 validUntil
    ) external;

    /// @notice The limits of an agent, all zero if none were set.
    /// @dev They are returned as they were set, also after `validUntil`; see {authorize} for when an authorization ends.
    /// @param provider whose agent it is
    /// @param agent the hot key
    /// @param token of price and bond
    /// @return maxBondPerSeat highest bond of a place or question that the agent may sign for, base units
    /// @return minCommitWindow shortest commit window, or window of a question, that the agent may sign for, seconds
    /// @return validUntil the authorization is in force before this time, unix s
    function authorizationOf(
        address provider,
        address agent,
        address token
    ) external view returns (uint96 maxBondPerSeat, uint32 minCommitWindow, uint40 validUntil);
}
