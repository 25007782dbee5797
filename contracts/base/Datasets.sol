// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {FIELD_MODULUS} from "../types/Question.sol";
import {IQueryMarket} from "../interfaces/IQueryMarket.sol";

/// @title Datasets of providers and their roots
/// @notice Who publishes what, and which roots may be asked about. A root stands for all records of a dataset at a time.
abstract contract Datasets is IQueryMarket {
    /// @dev Two words, and the current root. The first is all that `ask` reads.
    struct Dataset {
        address provider;
        uint32 grace;
        address publisher;
        uint256 root;
    }

    /// @dev One word.
    struct Root {
        uint40 publishedAt;
        uint40 supersededAt;
        bool revoked;
    }

    mapping(bytes32 dataset => Dataset) private _datasets;
    mapping(bytes32 dataset => mapping(uint256 root => Root)) private _roots;

    /// @inheritdoc IQueryMarket
    function registerDataset(bytes32 definition, uint32 grace, address publisher) external returns (bytes32 dataset) {
        // Check:
        dataset = keccak256(abi.encode(msg.sender, definition));
        if (_datasets[dataset].provider != address(0)) revert DatasetExists(dataset);
        // Effect:
        _datasets[dataset] = Dataset({provider: msg.sender, grace: grace, publisher: publisher, root: 0});
        emit DatasetRegistered({
            dataset: dataset,
            provider: msg.sender,
            definition: definition,
            grace: grace,
            publisher: publisher
        });
    }

    /// @inheritdoc IQueryMarket
    function setPublisher(bytes32 dataset, address publisher) external {
        // Check:
        _requireProvider(dataset, msg.sender);
        // Effect:
        _datasets[dataset].publisher = publisher;
        emit PublisherSet({dataset: dataset, publisher: publisher});
    }

    /// @inheritdoc IQueryMarket
    function publishRoot(bytes32 dataset, uint256 root) external {
        // Check:
        uint256 current = _requirePublisher(dataset).root;
        if (root == 0 || root >= FIELD_MODULUS) revert RootOutOfRange(root);
        if (root == current) revert RootIsCurrent(dataset, root);
        if (_roots[dataset][root].revoked) revert RootIsRevoked(dataset, root);
        // Effect:
        if (current != 0) _roots[dataset][current].supersededAt = uint40(block.timestamp);
        _roots[dataset][root] = Root({publishedAt: uint40(block.timestamp), supersededAt: 0, revoked: false});
        _datasets[dataset].root = root;
        emit RootPublished({dataset: dataset, root: root});
    }

    /// @inheritdoc IQueryMarket
    function revokeRoot(bytes32 dataset, uint256 root) external {
        // Check:
        uint256 current = _requirePublisher(dataset).root;
        Root storage found = _roots[dataset][root];
        if (found.publishedAt == 0) revert UnknownRoot(dataset, root);
        if (found.revoked) revert RootIsRevoked(dataset, root);
        // Effect:
        found.revoked = true;
        if (root == current) {
            found.supersededAt = uint40(block.timestamp);
            _datasets[dataset].root = 0;
        }
        emit RootRevoked({dataset: dataset, root: root});
    }

    /// @inheritdoc IQueryMarket
    function datasetOf(
        bytes32 dataset
    ) external view returns (address provider, uint32 grace, address publisher, uint256 root) {
        Dataset storage found = _datasets[dataset];
        return (found.provider, found.grace, found.publisher, found.root);
    }

    /// @inheritdoc IQueryMarket
    function rootOf(
        bytes32 dataset,
        uint256 root
    ) external view returns (uint40 publishedAt, uint40 supersededAt, bool revoked, bool askable) {
        Root memory found = _roots[dataset][root];
        return (found.publishedAt, found.supersededAt, found.revoked, _isAskable(found, _datasets[dataset].grace));
    }

    /// @dev Fails unless `provider` may be asked about this root of the dataset.
    function _requireAskable(bytes32 dataset, address provider, uint256 root) internal view {
        uint32 grace = _requireProvider(dataset, provider);
        Root memory found = _roots[dataset][root];
        if (!_isAskable(found, grace)) {
            revert RootNotAskable(dataset, root, found.publishedAt, found.supersededAt, found.revoked);
        }
    }

    /// @dev Fails unless the dataset is registered by `found`. Returns its grace.
    function _requireProvider(bytes32 dataset, address found) private view returns (uint32 grace) {
        Dataset storage entry = _datasets[dataset];
        address provider;
        (provider, grace) = (entry.provider, entry.grace);
        if (provider == address(0)) revert UnknownDataset(dataset);
        if (found != provider) revert NotDatasetProvider(dataset, found, provider);
    }

    /// @dev Fails unless the dataset is registered and the caller its provider or publisher.
    function _requirePublisher(bytes32 dataset) private view returns (Dataset storage entry) {
        entry = _datasets[dataset];
        address provider = entry.provider;
        if (provider == address(0)) revert UnknownDataset(dataset);
        if (msg.sender != provider && msg.sender != entry.publisher) revert NotPublisher(dataset, msg.sender);
    }

    function _isAskable(Root memory root, uint32 grace) private view returns (bool) {
        if (root.publishedAt == 0 || root.revoked) return false;
        return root.supersededAt == 0 || block.timestamp <= uint256(root.supersededAt) + grace;
    }
}
