//! What the predecessor did wrong, one test for each: none of it happens here.
//!
//! It lost nine to twelve percent of the fills on a cold start, without any fault of the world around it.

use std::collections::BTreeSet;
use std::time::Duration;

use polytape::broker::{Broker, CursorCommit, Layout, NewEntry, Retention, Stream};
use polytape::demo::Faults;
use polytape::flow::StreamId;
use polytape::model::{Collateral, Exchange, derive_token_id};
use serde_json::{Value, json};

use crate::support::logs::Sell;
use crate::support::process::until;
use crate::support::store::Store;
use crate::support::tables::compare_fills;
use crate::support::written::{FIRST, SOON, UNTIL_CAUGHT_UP, Written, condition, market, token};

/// It went on behind the last timestamp, and so dropped the rest of the second in which a page ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_ends_within_a_second_loses_nothing_of_it() {
    let world = crate::cli::world(5, 200);
    let server = crate::cli::serve(&world).await;
    server.faults().set(Faults { max_rows: Some(25), ..Faults::default() });
    let end = server.head();
    server.freeze_at(end);
    let place = crate::cli::place(&server.url());
    assert_eq!(place.run(&UNTIL_CAUGHT_UP, SOON).code, Some(0));
    let (first, last) = (world.config().first_block, world.finalized(end));
    let seconds: BTreeSet<u64> = (first..=last).map(|block| world.block(block).timestamp).collect();
    let rows = world.truth(first..=last).trades.len();
    assert!(rows / seconds.len() > 500, "{rows} rows in {} seconds, in pages of 25", seconds.len());
    let difference = compare_fills(&place.store().unwrap(), &world, first..=last);
    assert!(difference.is_none(), "{difference:#?}");
}

/// It loaded its table of markets at the start, and sent the fills of newer markets to a stream that nobody reads.
#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_appears_after_its_fills_gets_them() {
    let written = Written::new(&[Sell::of(token(7), FIRST, 1)], []).await;
    let running = written.place.start(&["--no-tui"]);
    let versions = || written.column("trades", "version", "block_number");
    until(SOON, "the fill lands without its market", || versions().first().is_some_and(|version| version == "0"));
    written.catalogue.add(market(7, 0));
    until(SOON, "its row is completed", || versions().first().is_some_and(|version| version == "3"));
    assert_eq!(written.column("trades", "market_id", "block_number")[0], "1007");
    assert_eq!(written.place.count("dead_letters"), 0);
    running.kill();
}

/// Its key was the transaction and the order, so that different fills were merged.
#[tokio::test(flavor = "multi_thread")]
async fn fills_that_differ_in_their_place_only_are_different_fills() {
    let sells = [1, 2, 3].map(|log_index| Sell::of(token(7), FIRST, log_index));
    let written = Written::new(&sells, []).await;
    written.read();
    assert_eq!(written.column("trades", "log_index", "block_number, log_index"), ["1", "2", "3", "0"]);
}

/// It trimmed what was not pending as if that were read.
#[tokio::test(flavor = "multi_thread")]
async fn trimming_leaves_what_nobody_has_read() {
    let store = Store::new();
    let broker = store.broker();
    let stream = Stream::of(StreamId::Trades);
    let group = stream.group("trade_writers");
    let layout = Layout { groups: vec![group.clone()], cursors: vec!["c".into()] };
    broker.begin(&layout, &[("c".into(), "0".into())]).await.unwrap();
    for number in 0..10u8 {
        let entry = NewEntry { stream: stream.clone(), body: vec![number] };
        let advance = CursorCommit { key: "c".into(), expected: number.to_string(), next: (number + 1).to_string() };
        broker.append(vec![entry], advance).await.unwrap();
    }
    let mut reader = broker.reader(&group).await.unwrap();
    let read = reader.read(4, 1 << 20, Duration::ZERO).await.unwrap();
    broker.acknowledge(&group, read[..2].iter().map(|delivery| delivery.id).collect()).await.unwrap();
    broker
        .trim(&stream, std::slice::from_ref(&group), Retention { age: Duration::ZERO, bytes: 0, full: 0 })
        .await
        .unwrap();
    assert_eq!(broker.stream(&stream).await.unwrap().events, 8, "only what was acknowledged has gone");
    let rest = reader.read(99, 1 << 20, Duration::ZERO).await.unwrap();
    assert_eq!(rest.iter().map(|delivery| delivery.body[0]).collect::<Vec<_>>(), [4, 5, 6, 7, 8, 9]);
}

/// It read its pending entries again on every loop, so that each batch was inserted up to eight times.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_warehouse_gets_each_row_once() {
    let setting = crate::pipeline::Setting::new(3_000).await;
    setting.warehouse.slow_down(Duration::from_millis(200));
    let pipeline = setting.start();
    setting.finish(pipeline).await;
    assert_eq!(setting.warehouse.trades_written(), 3_000, "rows that were sent to it");
}

/// A market without a date stopped its writer for good.
#[tokio::test(flavor = "multi_thread")]
async fn a_date_that_is_null_or_none_stops_nothing() {
    let mut markets: Vec<Value> = (1..=6).map(|number| market(number, number)).collect();
    for (number, date) in [(1, Value::Null), (2, json!("")), (3, json!("soon")), (4, json!(5))] {
        for field in ["createdAt", "endDate", "closedTime", "updatedAt"] {
            markets[number][field] = date.clone();
        }
    }
    let written = Written::new(&[], markets).await;
    written.read();
    assert_eq!(written.column("markets", "id", "id"), ["1001", "1002", "1003", "1004", "1005", "1006"]);
    assert_eq!(written.place.count("dead_letters"), 0);
}

/// It paged by offset, and never saw a market that appeared in the middle.
#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_appears_in_the_middle_is_seen() {
    let written = Written::new(&[], [1, 3, 5, 7, 9, 11].map(|number| market(number, number))).await;
    let running = written.place.start(&["--no-tui"]);
    let ids = || written.column("markets", "id", "id");
    until(SOON, "the first pass is complete", || ids().len() == 6);
    // One that is older than most, and was listed just now; and one that is newer than all.
    let late = Value::Object(
        market(6, 6)
            .as_object()
            .unwrap()
            .clone()
            .into_iter()
            .chain([("updatedAt".into(), json!("2026-07-25T00:00:00Z"))])
            .collect(),
    );
    written.catalogue.add(late);
    written.catalogue.add(market(20, 0));
    until(SOON, "both are seen", || ids().len() == 8);
    running.kill();
}

/// A market with a list that was null was dropped.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_null_drops_nothing() {
    let mut without = market(7, 0);
    for field in ["outcomes", "clobTokenIds", "events", "tags", "outcomePrices"] {
        without[field] = Value::Null;
    }
    let mut underived = market(8, 1);
    underived["clobTokenIds"] = Value::Null;
    let written = Written::new(&[Sell::of(token(8), FIRST, 1)], [without, underived]).await;
    written.read();
    assert_eq!(written.column("markets", "id", "id"), ["1007", "1008"]);
    let market_of_fill = &written.column("trades", "market_id", "block_number")[0];
    assert_eq!(market_of_fill, "1008", "its tokens follow from its condition");
}

/// It counted in floats, which have no room for an amount above 2^53.
#[tokio::test(flavor = "multi_thread")]
async fn an_amount_above_two_to_the_53_is_exact() {
    let amounts = [(1 << 53) + 1, 9_007_199_254_740_993, 99_999_999_999_999_999_999_999_999_999_999_999_999];
    let sells: Vec<Sell> = (0u64..)
        .zip(amounts)
        .map(|(log_index, amount)| Sell { shares: amount, usd: amount, ..Sell::of(token(7), FIRST, log_index) })
        .collect();
    let written = Written::new(&sells, []).await;
    written.read();
    for column in ["usd_amount", "token_amount"] {
        let found = written.column("trades", column, "block_number, log_index");
        assert_eq!(found[..3], ["9007199254.740993", "9007199254.740993", "99999999999999999999999999999999.999999"]);
    }
}

/// It took the flag from the keys `negRiskAugmented` and `negRiskOther`, which say something else.
#[tokio::test(flavor = "multi_thread")]
async fn the_neg_risk_flag_is_read_from_its_own_key() {
    let with = |mut market: Value, flags: Value| {
        market.as_object_mut().unwrap().extend(flags.as_object().unwrap().clone());
        market
    };
    let markets = [
        with(market(1, 0), json!({ "negRisk": true, "negRiskOther": false })),
        with(market(2, 0), json!({ "negRiskAugmented": true, "negRiskOther": true })),
    ];
    let wrapped = derive_token_id(condition(1), 1, Collateral::NegRiskWrapped);
    let sell = Sell { exchange: Exchange::NegRiskV2, ..Sell::of(wrapped, FIRST, 1) };
    let written = Written::new(&[sell], markets).await;
    written.read();
    assert_eq!(written.column("markets", "neg_risk", "id"), ["1", "0"]);
    assert_eq!(written.column("trades", "market_id", "block_number")[0], "1001", "whose token was derived");
    assert_eq!(written.column("trades", "outcome", "block_number")[0], "No");
}

/// It knew two of the five contracts, and one of the two layouts.
#[tokio::test(flavor = "multi_thread")]
async fn all_five_contracts_are_read() {
    let sells: Vec<Sell> = (0u64..)
        .zip(Exchange::ALL)
        .map(|(log_index, exchange)| Sell { exchange, ..Sell::of(token(7), FIRST, log_index) })
        .collect();
    let written = Written::new(&sells, []).await;
    written.read();
    let found = written.column("trades", "exchange", "block_number, log_index");
    assert_eq!(found[..5], ["ctf_v1", "neg_risk_v1", "ctf_v2", "neg_risk_v2", "v3"]);
}

/// It took silence for having caught up, and went quiet when Polymarket moved to new contracts.
#[tokio::test(flavor = "multi_thread")]
async fn silence_is_not_taken_for_having_caught_up() {
    let world = crate::cli::world(6, 40_000);
    let server = crate::cli::serve(&world).await;
    server.freeze_at(world.config().first_block + 100);
    let place = crate::cli::place(&server.url());
    let ended = place.run(&["--no-tui", "--until-caught-up", "--timeout", "2s"], SOON);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("the source is frozen"), "{}", ended.stderr);
}
