// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    Request,
    SignedOffer,
    Terms,
    CarriedCommitment,
    PlacedCommitment,
    Opening,
    PlaceResult,
    BadOffer,
    JobStatus,
    Place
} from "../types/Job.sol";

interface IJobMarket {
    event JobAnnounced(bytes32 indexed jobId, address indexed requester, Request request);
    event JobOpened(bytes32 indexed jobId, address indexed requester, Request request, uint8 spares, Place[] places, bytes[] keyWraps);
    event CommitmentPlaced(bytes32 indexed jobId, uint8 place, bytes32 commitment);
    event CommitmentSkipped(bytes32 indexed jobId, uint8 place, uint8 cause);
    event SeatDeclined(bytes32 indexed jobId, address indexed provider, uint8 place);
    event SparePromoted(bytes32 indexed jobId, address indexed provider, uint8 spare, uint8 seat, uint40 deadline);
    event CommitmentOpened(bytes32 indexed jobId, uint8 place, uint8 outcome, bytes32 resultHash, bytes32 salt);
    event OpeningSkipped(bytes32 indexed jobId, uint8 place, uint8 cause);
    event JobSettled(
        bytes32 indexed jobId,
        JobStatus status,
        uint8 outcome,
        bytes32 resultHash,
        address carrier,
        uint96 refunded,
        uint96 burnt,
        PlaceResult[] results
    );

    function announce(Request calldata request) external;
    function open(Request calldata request, uint8 spares, SignedOffer[] calldata offers) external returns (bytes32 jobId);
    function checkOffers(Request calldata request, uint8 spares, SignedOffer[] calldata offers) external view returns (BadOffer[] memory);
    function commit(bytes32 jobId, Terms calldata terms, uint8 place, bytes32 commitment) external;
    function commitBySig(bytes32 jobId, Terms calldata terms, CarriedCommitment[] calldata commitments) external;
    function decline(bytes32 jobId, Terms calldata terms, uint8 place) external;
    function promote(bytes32 jobId, Terms calldata terms) external;
    function reveal(bytes32 jobId, Terms calldata terms, PlacedCommitment[] calldata commitments, Opening[] calldata openings) external;
    function settle(bytes32 jobId, Terms calldata terms) external;
    function verifyResult(bytes32 jobId, bytes32 resultKey, bytes calldata result) external view returns (bool);
}
