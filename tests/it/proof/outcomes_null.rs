//! A market whose `outcomes` are null, for a while or for ever.

use std::time::Duration;

use polytape::demo::TradeRow;

use crate::support::outside;
use crate::support::process::Workplace;
use crate::support::tables::trades;

/// Row 20: a market with `outcomes: null` keeps `market_id` from its fills.
#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_does_not_name_its_outcomes_is_known_all_the_same() {
    let (world, server) = outside::busy(20, 1_500.0).await;
    let place = Workplace::new(&outside::config(&world, &server, ""));
    tokio::time::sleep(Duration::from_secs(6)).await;
    let end = server.head();
    server.freeze_at(end);
    let arguments = ["--no-tui", "--until-caught-up", "--timeout", "60s"];
    let ended = tokio::task::block_in_place(|| place.run(&arguments, Duration::from_secs(120)));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);

    let blocks = world.config().first_block..=world.finalized(end);
    let truth = world.oracle(blocks, end).trades;
    let unnamed: Vec<&TradeRow> = truth.iter().filter(|row| row.version == 2).collect();
    assert!(unnamed.len() > 50 && unnamed.iter().all(|row| row.outcome.is_empty()), "{}", unnamed.len());
    let found = trades(&place.store().unwrap());
    let id = |row: &TradeRow| (row.transaction_hash.clone(), row.log_index);
    let ids: std::collections::HashSet<_> = unnamed.iter().map(|row| id(row)).collect();
    let found: Vec<_> = found.into_iter().filter(|row| ids.contains(&id(row))).collect();
    let without = found.iter().filter(|row| row.market_id.is_empty()).count();
    assert_eq!(without, 0, "{without} of {} fills of a market with outcomes: null lack their market_id", found.len());
    assert!(found.iter().all(|row| row.version == 2 && !row.nonusdc_side.is_empty()));
    // And where the names came later they are there.
    let late = truth.iter().filter(|row| row.version == 3).count();
    assert!(late > 100);
}
