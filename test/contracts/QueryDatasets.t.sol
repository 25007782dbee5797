// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {QueryMarketTest} from "./support/QueryMarketTest.sol";
import {IQueryMarket} from "../../contracts/interfaces/IQueryMarket.sol";

/// @notice Datasets and their roots. Branches: QueryDatasets.tree.
contract QueryDatasetsTest is QueryMarketTest {
    function root(
        uint256 value
    ) private view returns (uint40 published, uint40 superseded, bool revoked, bool askable) {
        return market.rootOf(dataset, value);
    }

    function publish(uint256 value) private {
        vm.prank(provider);
        market.publishRoot(dataset, value);
    }

    function isAskable(uint256 value) private view returns (bool askable) {
        (, , , askable) = root(value);
    }

    function test_RegisterDatasetStoresItsFacts() public {
        bytes32 definition = keccak256("another definition");
        bytes32 expected = keccak256(abi.encode(rival, definition));
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.DatasetRegistered(expected, rival, definition, 77, publisher);
        vm.prank(rival);
        same(market.registerDataset(definition, 77, publisher), expected, "id");
        (address owner, uint32 grace, address hotKey, uint256 current) = market.datasetOf(expected);
        same(owner, rival, "provider");
        same(grace, 77, "grace");
        same(hotKey, publisher, "publisher");
        same(current, 0, "no root yet");
    }

    function test_DatasetIsRegisteredOnce() public {
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.DatasetExists.selector, dataset));
        market.registerDataset(DEFINITION, 1, address(0));
        vm.prank(rival);
        check(market.registerDataset(DEFINITION, 1, address(0)) != dataset, "another provider, another dataset");
    }

    function test_UnknownDatasetHasNoFacts() public view {
        (address owner, uint32 grace, address hotKey, uint256 current) = market.datasetOf(bytes32(uint256(1)));
        same(uint256(uint160(owner)) + grace + uint160(hotKey) + current, 0, "nothing");
        (uint40 published, uint40 superseded, bool revoked, bool askable) = market.rootOf(bytes32(uint256(1)), ROOT);
        check(published == 0 && superseded == 0 && !revoked && !askable, "no root");
    }

    function test_OnlyTheProviderSetsThePublisher() public {
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.PublisherSet(dataset, stranger);
        vm.prank(provider);
        market.setPublisher(dataset, stranger);
        vm.prank(stranger);
        market.publishRoot(dataset, 1);
        vm.prank(publisher);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotPublisher.selector, dataset, publisher));
        market.publishRoot(dataset, 2);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotDatasetProvider.selector, dataset, stranger, provider));
        market.setPublisher(dataset, address(0));
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.UnknownDataset.selector, bytes32(0)));
        market.setPublisher(bytes32(0), address(0));
    }

    function test_PublishRootSupersedesTheOneBefore() public {
        skip(10);
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.RootPublished(dataset, 5);
        publish(5);
        (, , , uint256 current) = market.datasetOf(dataset);
        same(current, 5, "current");
        (uint40 published, uint40 superseded, bool revoked, bool askable) = root(ROOT);
        check(published == START && superseded == START + 10 && !revoked && askable, "superseded, in its grace");
        (published, superseded, revoked, askable) = root(5);
        check(published == START + 10 && superseded == 0 && !revoked && askable, "current");
    }

    function test_PublisherPublishesAndRevokes() public {
        vm.prank(publisher);
        market.publishRoot(dataset, 5);
        vm.prank(publisher);
        market.revokeRoot(dataset, 5);
        check(!isAskable(5), "revoked");
    }

    function test_PublishRootRefuses() public {
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.UnknownDataset.selector, bytes32(0)));
        market.publishRoot(bytes32(0), 1);
        vm.prank(rival);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotPublisher.selector, dataset, rival));
        market.publishRoot(dataset, 1);
        uint256[4] memory outside = [0, P, P + 1, type(uint256).max];
        for (uint256 i; i < outside.length; ++i) {
            vm.prank(provider);
            vm.expectRevert(abi.encodeWithSelector(IQueryMarket.RootOutOfRange.selector, outside[i]));
            market.publishRoot(dataset, outside[i]);
        }
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.RootIsCurrent.selector, dataset, ROOT));
        market.publishRoot(dataset, ROOT);
        publish(P - 1);
    }

    /// Nobody is a publisher where there is none.
    function test_DatasetWithoutPublisherHasOnlyItsProvider() public {
        vm.prank(provider);
        market.setPublisher(dataset, address(0));
        vm.prank(publisher);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotPublisher.selector, dataset, publisher));
        market.publishRoot(dataset, 1);
        publish(1);
    }

    function test_SupersededRootMayBePublishedAgain() public {
        publish(5);
        skip(GRACE + 1);
        check(!isAskable(ROOT), "beyond its grace");
        publish(ROOT);
        (uint40 published, uint40 superseded, bool revoked, bool askable) = root(ROOT);
        check(published == clock && superseded == 0 && !revoked && askable, "its times begin anew");
        (, superseded, , ) = root(5);
        same(superseded, clock, "the other is superseded");
    }

    function test_RevokedCurrentRootLeavesNone() public {
        skip(7);
        vm.expectEmit(true, true, true, true, address(market));
        emit IQueryMarket.RootRevoked(dataset, ROOT);
        vm.prank(provider);
        market.revokeRoot(dataset, ROOT);
        (, , , uint256 current) = market.datasetOf(dataset);
        same(current, 0, "none");
        (uint40 published, uint40 superseded, bool revoked, bool askable) = root(ROOT);
        check(published == START && superseded == START + 7 && revoked && !askable, "revoked");
        skip(1);
        publish(5);
        (, superseded, , ) = root(ROOT);
        same(superseded, START + 7, "what was revoked is not superseded once more");
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.RootIsRevoked.selector, dataset, ROOT));
        market.publishRoot(dataset, ROOT);
    }

    function test_RevokedSupersededRootEndsItsGrace() public {
        publish(5);
        check(isAskable(ROOT), "in its grace");
        skip(1);
        vm.prank(provider);
        market.revokeRoot(dataset, ROOT);
        check(!isAskable(ROOT), "ended");
        (, uint40 superseded, , ) = root(ROOT);
        same(superseded, START, "since when another is current");
        (, , , uint256 current) = market.datasetOf(dataset);
        same(current, 5, "the current one stays");
    }

    function test_RevokeRootRefuses() public {
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.UnknownDataset.selector, bytes32(0)));
        market.revokeRoot(bytes32(0), ROOT);
        vm.prank(rival);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.NotPublisher.selector, dataset, rival));
        market.revokeRoot(dataset, ROOT);
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.UnknownRoot.selector, dataset, 9));
        market.revokeRoot(dataset, 9);
        vm.prank(provider);
        market.revokeRoot(dataset, ROOT);
        vm.prank(provider);
        vm.expectRevert(abi.encodeWithSelector(IQueryMarket.RootIsRevoked.selector, dataset, ROOT));
        market.revokeRoot(dataset, ROOT);
    }

    /// A superseded root may be asked about until its grace is over, the last second included.
    function testFuzz_GraceEnds(uint32 grace, uint40 later) public {
        vm.prank(rival);
        bytes32 other = market.registerDataset(DEFINITION, grace, address(0));
        vm.prank(rival);
        market.publishRoot(other, 1);
        vm.prank(rival);
        market.publishRoot(other, 2);
        uint256 wait = bound(later, 0, 2 * uint256(grace) + 1);
        skip(wait);
        (, , , bool askable) = market.rootOf(other, 1);
        check(askable == (wait <= grace), "until the end of the grace");
        (, , , askable) = market.rootOf(other, 2);
        check(askable, "the current one always");
    }
}
