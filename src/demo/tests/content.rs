//! What happens in the blocks, and whether logs and truth tell the same story.

use std::collections::BTreeSet;

use super::super::{Price, TradeRow};
use super::*;
use crate::demo::chain::render;
use crate::demo::fills::matching::{Defect, Event, Intent};
use crate::model::{self, Exchange, Fill, Layout, Resolution, Side, decode_order_filled};

const BLOCKS: u64 = 1_200;

fn events(world: &World) -> Vec<Event> {
    (FIRST..FIRST + BLOCKS).flat_map(|number| world.block(number).events).collect()
}

/// The fills of each match: makers first, the taker order's last.
fn matches(events: &[Event]) -> Vec<Vec<Intent>> {
    let mut found = Vec::new();
    let mut makers: Vec<Intent> = Vec::new();
    for intent in events.iter().map(|event| &event.intent).filter(|intent| intent.defect.is_none()) {
        if intent.taker == intent.exchange.address() {
            let mut rows = std::mem::take(&mut makers);
            rows.push(intent.clone());
            found.push(rows);
        } else if makers.is_empty() || makers[0].taker == intent.taker {
            makers.push(intent.clone());
        } else {
            makers = vec![intent.clone()]; // a `fillOrder` came before
        }
    }
    found
}

#[test]
fn everything_that_happens_on_polygon_happens_here() {
    let world = world(42, None);
    let events = events(&world);
    assert_eq!(tally(&events, |e| e.intent.exchange).len(), 5);
    let v3 = |intent: &Intent| world.wallets().market(intent.market).tokens[intent.outcome].word[0];
    let modules = tally(events.iter().filter(|e| e.intent.exchange == Exchange::V3), |e| v3(&e.intent));
    assert_eq!(modules.into_keys().collect::<Vec<_>>(), [1, 2, 3]);

    let some = |what: &str, test: &dyn Fn(&Intent) -> bool| {
        assert!(events.iter().any(|event| event.intent.defect.is_none() && test(&event.intent)), "{what}");
    };
    some("taker rows", &|i| i.taker == i.exchange.address());
    some("fillOrder", &|i| world.wallets().operators.contains(&i.taker));
    some("no shares", &|i| i.shares == 0);
    some("no dollars", &|i| i.usd == 0 && i.shares > 0);
    some("more than a float counts", &|i| i.shares > 1 << 53);
    some("V1 fee in shares", &|i| i.exchange == Exchange::CtfV1 && i.side == Side::Buy && i.fee > 0);
    some("V3 fee in dollars", &|i| i.exchange == Exchange::V3 && i.side == Side::Buy && i.fee > 0);

    let defects: BTreeSet<Defect> = events.iter().filter_map(|event| event.intent.defect).collect();
    assert_eq!(defects.len(), 4, "{defects:?}");
    let orders = tally(&events, |e| (e.transaction_hash, e.intent.order_hash));
    assert!(orders.values().any(|count| *count > 1), "an order twice in a transaction");
    let across = tally(orders.keys(), |(_, order)| *order);
    assert!(across.values().any(|count| *count > 2), "an order over transactions");
    let exchanges = tally(&events, |e| (e.transaction_hash, e.intent.exchange));
    assert!(exchanges.len() > tally(&events, |e| e.transaction_hash).len(), "a transaction of two exchanges");
}

#[test]
fn the_amounts_of_a_match_add_up() {
    let matches = matches(&events(&world(42, None)));
    let (mut kinds, mut surpluses, mut rare) = ([0; 3], BTreeSet::new(), 0);
    for rows in &matches {
        let (taker, makers) = rows.split_last().unwrap();
        assert!((1..=4).contains(&makers.len()), "{makers:?}");
        assert!(makers.iter().all(|maker| maker.exchange == taker.exchange && maker.taker == taker.maker));
        let shares: u128 = makers.iter().map(|maker| maker.shares).sum();
        let usd: u128 = makers.iter().map(|maker| maker.usd).sum();
        // In a mint or merge a pair of shares is a dollar.
        let is_complementary = makers[0].outcome == taker.outcome;
        let usd = if is_complementary { usd } else { shares - usd };
        let side = if is_complementary { taker.side.opposite() } else { taker.side };
        assert_eq!(makers[0].side, side);
        kinds[match (is_complementary, taker.side) {
            (true, _) => 0,
            (false, Side::Buy) => 1,
            (false, Side::Sell) => 2,
        }] += 1;
        if (shares, usd) != (taker.shares, taker.usd) {
            assert_eq!(taker.exchange.layout(), Layout::V1, "only V1 tells a refund, or gives out a donation");
            let (more_shares, more_usd) = (taker.shares > shares, taker.usd > usd);
            assert!(more_shares != more_usd && taker.shares >= shares && taker.usd >= usd, "more on one side");
            surpluses.insert((taker.side as u8, more_usd));
            rare += 1;
        }
    }
    assert_eq!(surpluses.len(), 4, "refunds and donations of buyers and sellers");
    assert!(rare * 100 < matches.len(), "{rare} of {}", matches.len());
    assert!(kinds.iter().all(|count| *count > 100), "complementary, mint, merge: {kinds:?}");
}

#[test]
fn one_log_in_1500_is_broken_unless_that_is_off() {
    let world = world(5, None);
    let truth = world.truth(FIRST..=FIRST + 999);
    let (good, bad) = (truth.trades.len(), truth.dead_letters.len());
    assert!((900..2_400).contains(&(good / bad)), "{bad} of {good}");
    let clean = World::new(WorldConfig { seed: 5, bad_logs: false, ..WorldConfig::default() });
    assert!(clean.truth(FIRST..=FIRST + 999).dead_letters.is_empty());
}

#[test]
fn rows_sort_by_the_chain_and_are_unique() {
    let trades = world(5, None).truth(FIRST..=FIRST + 99).trades;
    assert!(trades.is_sorted());
    assert_eq!(tally(&trades, |row| (row.transaction_hash.clone(), row.log_index)).len(), trades.len());
}

/// polytape's decoder reads every log as the truth has it, and refuses every broken one.
#[test]
fn the_decoder_agrees_with_the_truth() {
    let world = world(42, None);
    let truth = world.truth(FIRST..=FIRST + BLOCKS - 1);
    let (mut rows, mut letters) = (truth.trades.iter(), truth.dead_letters.iter());
    for number in FIRST..FIRST + BLOCKS {
        let block = world.block(number);
        let logs: Vec<Vec<u8>> = block
            .events
            .iter()
            .map(|event| {
                let mut json = Vec::new();
                render::log(&mut json, world.wallets(), &block, event, true);
                json
            })
            .collect();
        let decoded = |json: &Vec<u8>| {
            let (log, timestamp) = read_log(&serde_json::from_slice(json).unwrap());
            decode_order_filled(&log, timestamp).ok()
        };
        let fills: Vec<Fill> = logs.iter().filter_map(decoded).collect();
        let of_match = model::matches(&fills).log_indexes();
        for (event, json) in block.events.iter().zip(logs) {
            let Some(fill) = decoded(&json) else {
                assert!(event.intent.defect.is_some(), "{event:?}");
                assert_eq!(letters.next().unwrap().raw, json);
                continue;
            };
            let row = rows.next().unwrap();
            let resolution = Resolution::of_fill(&fill);
            let read = TradeRow {
                timestamp: fill.timestamp.cast_signed(),
                block_number: fill.block_number.cast_signed(),
                log_index: fill.log_index.into(),
                transaction_hash: format!("{:#x}", fill.transaction_hash),
                order_hash: format!("{:#x}", fill.order_hash),
                source_id: fill.source_id.clone(),
                exchange: fill.exchange_label().into(),
                token_id: fill.token_id.to_string(),
                condition_id: resolution.condition_id().into(),
                market_id: resolution.market_id().into(),
                outcome: resolution.outcome().into(),
                nonusdc_side: resolution.nonusdc_side(),
                maker: format!("{:#x}", fill.maker),
                taker: format!("{:#x}", fill.taker),
                maker_direction: fill.side.to_string(),
                taker_direction: fill.side.opposite().to_string(),
                price: fill.price().map(Price::new),
                usd_amount: fill.usd.to_string(),
                token_amount: fill.shares.to_string(),
                fee_amount: fill.fee.to_string(),
                fee_unit: fill.fee_unit().label().into(),
                is_taker_row: fill.is_taker_row(),
                version: resolution.version().into(),
                match_log_index: of_match.get(&fill.log_index).map(|index| (*index).into()),
                outcome_slot: fill.outcome_slot.map(Into::into),
            };
            assert_eq!(&read, row);
        }
    }
    assert_eq!((rows.next(), letters.next()), (None, None));
}

#[test]
fn logs_have_the_shape_of_real_ones() {
    let world = world(42, None);
    let block = (FIRST..).map(|number| world.block(number)).find(|block| block.logs() > 3).unwrap();
    for event in &block.events {
        let mut json = Vec::new();
        render::log(&mut json, world.wallets(), &block, event, true);
        let log: Value = serde_json::from_slice(&json).unwrap();
        let text = String::from_utf8(json).unwrap();
        let keys = ["address", "topics", "data", "blockNumber", "transactionHash", "transactionIndex", "blockHash"];
        let keys = keys.into_iter().chain(["blockTimestamp", "logIndex", "removed"]);
        let places: Vec<_> = keys.map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "in the order of a real node: {text}");
        assert_eq!(log.as_object().unwrap().len(), 10);
        let layout_words = if event.intent.exchange.layout() == Layout::V1 { 5 } else { 7 };
        assert_eq!(log["data"].as_str().unwrap().len(), 2 + layout_words * 64, "{text}");
        let market = world.wallets().market(event.intent.market);
        let token = &market.tokens[event.intent.outcome];
        assert_eq!(word(&token.decimal), B256::from(token.word));
    }
}
