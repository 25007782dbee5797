// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IJobCallback} from "../interfaces/IJobCallback.sol";
import {IJobMarket} from "../interfaces/IJobMarket.sol";
import {JobStatus, OUTCOME_OK} from "../types/Job.sol";

/// @title A contract that acts on a result
/// @notice Sponsors put up a prize for whom a computation names: the judge of a contest, the rating of entries, a draw. The function of
/// the job returns an address as `abi.encode(winner)`; whoever shows result and result key has the prize paid. Named as the
/// callback of the job, the payout learns at once when there will be no winner, and sponsors need not wait for their deadline.
/// @dev Warning: a result is what a quorum of the job's panel agreed on. A sponsor puts up money for one job id, and answers for trusting
/// its request, panel and requester. Whoever calls {pay} publishes result and result key, for ever.
contract ResultPayout is IJobCallback {
    using SafeERC20 for IERC20;

    /// @notice A prize.
    /// @param token of the prize
    /// @param amount in base units of the token; zero when there is none, or none any more
    /// @param refundableAt when the sponsor may take it back whatever became of the job, unix s
    struct Prize {
        IERC20 token;
        uint96 amount;
        uint40 refundableAt;
    }

    /// @notice Where jobs are settled. Nobody else is believed.
    IJobMarket public immutable market;
    /// @notice The prize that a sponsor put up for a job.
    mapping(bytes32 jobId => mapping(address sponsor => Prize prize)) public prizeOf;
    /// @notice Whether the market has said that the job will never have a result.
    mapping(bytes32 jobId => bool) public isWithoutResult;

    /// @notice A sponsor has put up a prize.
    /// @param jobId the job that names the winner
    /// @param sponsor who pays
    /// @param token of the prize
    /// @param amount in base units
    /// @param refundableAt unix s
    event PrizePutUp(
        bytes32 indexed jobId,
        address indexed sponsor,
        address indexed token,
        uint96 amount,
        uint40 refundableAt
    );
    /// @notice A prize is paid.
    /// @param jobId the job that named the winner
    /// @param sponsor who paid
    /// @param winner who got it
    /// @param amount in base units
    event PrizePaid(bytes32 indexed jobId, address indexed sponsor, address indexed winner, uint96 amount);
    /// @notice A sponsor has taken a prize back.
    /// @param jobId the job that named nobody
    /// @param sponsor who put it up
    /// @param amount in base units
    event PrizeReturned(bytes32 indexed jobId, address indexed sponsor, uint96 amount);
    /// @notice The job has ended without a result: its prizes may be taken back.
    /// @param jobId the job
    event ResultMissing(bytes32 indexed jobId);

    /// @notice Only the market tells of settlements.
    /// @param caller who called
    error NotMarket(address caller);
    /// @notice A prize is more than nothing.
    error NoAmount();
    /// @notice A sponsor has one prize for a job at a time.
    /// @param jobId the job
    /// @param sponsor who put it up
    error PrizeExists(bytes32 jobId, address sponsor);
    /// @notice There is no such prize, or none any more.
    /// @param jobId the job
    /// @param sponsor that was named
    error NoPrize(bytes32 jobId, address sponsor);
    /// @notice Less arrived than was sent: with such a token one sponsor would live on the prize of another.
    /// @param token of the prize
    /// @param received base units that arrived
    /// @param sent base units that left the sponsor
    error UnexpectedTransfer(address token, uint256 received, uint256 sent);
    /// @notice This is not the accepted result of the job, or not with this key.
    /// @param jobId the job
    error NotTheResult(bytes32 jobId);
    /// @notice A winner is named by 32 bytes: an address that is not zero.
    /// @param jobId the job
    error NoWinner(bytes32 jobId);
    /// @notice The job may still name a winner.
    /// @param jobId the job
    /// @param refundableAt unix s
    error TooEarly(bytes32 jobId, uint40 refundableAt);

    /// @param market_ where jobs are settled
    constructor(IJobMarket market_) {
        market = market_;
    }

    /// @notice Puts up a prize for whom the job names. The token has to be approved for this contract.
    /// @dev Requirements: an amount; no prize of the caller for this job yet; all of it arrives.
    /// @param jobId the job, known before it is opened: it is the digest of the request
    /// @param token without a fee on transfer
    /// @param amount in base units
    /// @param refundableAt when it may be taken back in any case, unix s; leave time for the job and for whoever shows the result
    function putUp(bytes32 jobId, IERC20 token, uint96 amount, uint40 refundableAt) external {
        // Check:
        if (amount == 0) revert NoAmount();
        if (prizeOf[jobId][msg.sender].amount != 0) revert PrizeExists(jobId, msg.sender);
        // Effect:
        prizeOf[jobId][msg.sender] = Prize({token: token, amount: amount, refundableAt: refundableAt});
        emit PrizePutUp(jobId, msg.sender, address(token), amount, refundableAt);
        // Interaction:
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        // Check: prizes lie in one heap.
        if (received != amount) revert UnexpectedTransfer(address(token), received, amount);
    }

    /// @notice Pays a prize to the winner that the result names. Anybody may call.
    /// @dev Requirements: a prize; the accepted result of the job, and its key; it names somebody.
    /// @param jobId the job
    /// @param sponsor whose prize
    /// @param resultKey of the job, known to its parties
    /// @param result what the function returned
    function pay(bytes32 jobId, address sponsor, bytes32 resultKey, bytes calldata result) external {
        // Check:
        Prize memory prize = _prize(jobId, sponsor);
        if (!market.verifyResult(jobId, resultKey, result)) revert NotTheResult(jobId);
        uint256 word = result.length == 32 ? uint256(bytes32(result)) : 0;
        if (word == 0 || word >> 160 != 0) revert NoWinner(jobId);
        address winner = address(uint160(word)); // fits: compared above
        // Effect:
        delete prizeOf[jobId][sponsor];
        emit PrizePaid({jobId: jobId, sponsor: sponsor, winner: winner, amount: prize.amount});
        // Interaction:
        prize.token.safeTransfer(winner, prize.amount);
    }

    /// @notice Takes the caller's prize back.
    /// @dev Requirements: a prize; the job has ended without a result, or the prize is refundable by now.
    /// @param jobId the job
    function takeBack(bytes32 jobId) external {
        // Check:
        Prize memory prize = _prize(jobId, msg.sender);
        if (!isWithoutResult[jobId] && block.timestamp < prize.refundableAt) {
            revert TooEarly(jobId, prize.refundableAt);
        }
        // Effect:
        delete prizeOf[jobId][msg.sender];
        emit PrizeReturned({jobId: jobId, sponsor: msg.sender, amount: prize.amount});
        // Interaction:
        prize.token.safeTransfer(msg.sender, prize.amount);
    }

    /// @inheritdoc IJobCallback
    /// @dev Needs 60,000 gas. A settlement with a result changes nothing here: {pay} asks the market itself.
    function onJobSettled(bytes32 jobId, JobStatus status, uint8 outcome, bytes27) external {
        if (msg.sender != address(market)) revert NotMarket(msg.sender);
        if (status == JobStatus.Accepted && outcome == OUTCOME_OK) return;
        isWithoutResult[jobId] = true;
        emit ResultMissing({jobId: jobId});
    }

    function _prize(bytes32 jobId, address sponsor) private view returns (Prize memory prize) {
        prize = prizeOf[jobId][sponsor];
        if (prize.amount == 0) revert NoPrize(jobId, sponsor);
    }
}
