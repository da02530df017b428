//! Blocks, time, and where a bounded world ends.

use std::time::Duration;

use super::*;

#[test]
fn the_same_seed_is_the_same_world() {
    let (one, two, other) = (world(7, None), world(7, None), world(8, None));
    assert_eq!(one.chain_id(), two.chain_id());
    assert_ne!(one.chain_id(), other.chain_id());
    for number in [FIRST, FIRST + 1, FIRST + 77, FIRST + 18_000_000] {
        let block = one.block(number);
        assert_eq!(block, two.block(number));
        assert_eq!(block, one.block(number), "at every call");
        assert_ne!(block, other.block(number));
        assert_eq!(one.truth(number..=number), two.truth(number..=number));
    }
}

#[test]
fn blocks_are_linked_and_indexes_rise() {
    let world = world(7, None);
    for number in FIRST..FIRST + 300 {
        let block = world.block(number);
        assert_eq!(world.block(number + 1).parent_hash, block.hash);
        let places: Vec<_> = block.events.iter().map(|e| (e.transaction_index, e.log_index)).collect();
        assert!(places.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 < pair[1].1));
        let hashes = tally(&block.events, |e| (e.transaction_index, e.transaction_hash));
        let transactions = tally(&block.events, |e| e.transaction_index);
        assert_eq!(hashes.len(), transactions.len(), "one hash a transaction");
    }
}

#[test]
fn a_bounded_world_holds_exactly_its_fills() {
    for fills in [0, 1, 2, 4_321] {
        let world = world(9, Some(fills));
        let last = world.last_fill_block().unwrap();
        let truth = world.truth(0..=u64::MAX);
        assert_eq!(truth.trades.len() as u64, fills);
        let counted: usize = (FIRST..=last).map(|number| world.block(number).fills()).sum();
        assert_eq!(counted as u64, fills);
        assert_eq!(world.block(last + 1).logs() + world.block(FIRST - 1).logs(), 0);
    }
}

#[test]
fn short_blocks_share_a_second() {
    let config = WorldConfig { block_time: Duration::from_millis(50), ..WorldConfig::default() };
    let genesis = config.genesis_ms;
    let world = World::new(config);
    let seconds = tally(FIRST..FIRST + 100, |number| world.block(*number).timestamp);
    assert_eq!(seconds.into_values().collect::<Vec<_>>(), [20; 5]);

    assert_eq!(world.head_at(genesis - 1), FIRST);
    assert_eq!(world.head_at(genesis + 49), FIRST);
    assert_eq!(world.head_at(genesis + 50), FIRST + 1);
    assert_eq!(world.finalized(FIRST + 10), FIRST + 7);
    assert_eq!(world.finalized(FIRST + 1), FIRST);
    let steps = (0..9).map(|ahead| world.finalized_in_steps(FIRST + ahead, 2) - FIRST);
    assert_eq!(steps.collect::<Vec<_>>(), [0, 0, 0, 0, 0, 2, 2, 4, 4]);
}
