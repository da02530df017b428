//! Gamma lists the positions of markets that trade on both protocols in the wrong order, or those of another market.

use std::collections::HashMap;

use polytape::demo::{Faults, TradeRow};

use crate::cli::{place, serve, world};
use crate::support::tables::{compare_trades, markets, trades};
use crate::support::written::SOON;

const UNTIL_CAUGHT_UP: [&str; 4] = ["--no-tui", "--until-caught-up", "--timeout", "30s"];

/// Runs a store beside a Gamma that lies, then beside one that does not.
async fn never_joined_to_the_wrong_market(seed: u64, lie: Faults) {
    let world = world(seed, 400);
    let server = serve(&world).await;
    let head = server.head();
    server.freeze_at(head);
    let blocks = world.config().first_block..=world.finalized(head);
    let truth = world.oracle(blocks.clone(), head);
    let both: Vec<_> =
        truth.markets.iter().filter(|row| !row.token_ids.is_empty() && !row.position_ids.is_empty()).collect();
    let is_at_stake = |row: &&TradeRow| both.iter().any(|market| market.position_ids.contains(&row.token_id));
    let at_stake = truth.trades.iter().filter(is_at_stake).count();
    assert!(both.len() == 2 && at_stake > 20, "{at_stake} fills of the positions of {} markets", both.len());

    server.faults().set(lie);
    let place = place(&server.url());
    let ended = place.run(&UNTIL_CAUGHT_UP, SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let key = |row: &TradeRow| (row.transaction_hash.clone(), row.log_index);
    let right: HashMap<_, _> = truth.trades.iter().map(|row| (key(row), row)).collect();
    let found = trades(&place.store().unwrap());
    assert_eq!(found.len(), right.len());
    let is_wrong = |row: &&TradeRow| {
        let right = right[&key(row)];
        let told = |row: &TradeRow| (row.market_id.clone(), row.outcome.clone(), row.nonusdc_side.clone());
        !row.market_id.is_empty() && told(row) != told(right)
    };
    let wrong: Vec<_> = found.iter().filter(is_wrong).collect();
    assert!(
        wrong.is_empty(),
        "{} of {at_stake} fills were joined to the wrong market or outcome: {:?}",
        wrong.len(),
        wrong[0]
    );
    for market in markets(&place.store().unwrap()) {
        let right = truth.markets.iter().find(|row| row.id == market.id).unwrap();
        let is_subset = market.position_ids.iter().all(|position| right.position_ids.contains(position));
        assert!(is_subset, "market {} has positions that are not its own: {:?}", market.id, market.position_ids);
    }

    server.faults().calm();
    let ended = place.run(&UNTIL_CAUGHT_UP, SOON);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let difference = compare_trades(&place.store().unwrap(), &world, blocks, head);
    assert!(difference.is_none(), "{difference:#?}");
}

/// Row 24: the position of the one outcome stands in the place of the other.
#[tokio::test(flavor = "multi_thread")]
async fn positions_in_the_wrong_order_join_no_fill_to_the_wrong_outcome() {
    never_joined_to_the_wrong_market(24, Faults { swapped_positions: true, ..Faults::default() }).await;
}

/// Row 24: two markets list each other's positions.
#[tokio::test(flavor = "multi_thread")]
async fn positions_of_another_market_join_no_fill_to_it() {
    never_joined_to_the_wrong_market(25, Faults { exchanged_positions: true, ..Faults::default() }).await;
}
