//! The part of the conformance suite that is about markets and the trades that wait for one.

use std::collections::BTreeSet;

use polytape::flow::TableId;
use polytape::model::{
    Collateral, ConditionId, Event, Market, NonUsdcSide, RawJson, Resolution, TokenId, Trade, U256, derive_token_id,
};
use polytape::warehouse::{RowCounts, UnresolvedEntry, Warehouse, WriteRows, WrittenMarket};
use rusqlite::types::Value;

use super::conformance::{Columns, Rig, text, trade};

const CONDITION: [u8; 32] = [7; 32];

fn token(outcome: u8) -> TokenId {
    derive_token_id(CONDITION.into(), outcome, Collateral::UsdcE)
}

pub fn market(id: &str, version: u64) -> Market {
    let text = str::to_owned;
    Market {
        id: text(id),
        condition_id: Some(ConditionId::Ctf(CONDITION.into())),
        question: text("Will \"it\"\nrain? ☔"),
        slug: text("rain"),
        outcomes: vec![text("Up"), text("Down")],
        token_ids: vec![token(0), token(1)],
        position_ids: vec![TokenId(U256::from(5))],
        neg_risk: true,
        event: Event { id: text("17"), slug: text("weather"), title: text("Weather") },
        tags: vec![text("Rain"), text("All")],
        created_at: Some(1_784_851_200),
        end_at: None,
        closed_at: Some(-1),
        active: true,
        closed: false,
        volume: text("79945.98005599984"),
        liquidity: text(""),
        raw: RawJson::pack("{\n\n}"),
        version,
    }
}

/// A trade of a token, of which nothing is known but what `resolution` says.
fn of_token(transaction: u8, token_id: TokenId, resolution: Resolution) -> Trade {
    let mut trade = trade(transaction, 1, resolution);
    trade.fill.token_id = token_id;
    trade.fill.block_number += u64::from(transaction);
    trade
}

pub fn found(market_id: &str, side: u8) -> Resolution {
    Resolution::Market {
        condition_id: ConditionId::Ctf(CONDITION.into()).to_string().into(),
        outcome: ["Up", "Down"][usize::from(side - 1)].into(),
        market_id: market_id.into(),
        side: NonUsdcSide(side),
    }
}

/// The taker row of its match and its slot, of each row.
fn columns_that_stay(rows: &[Columns]) -> Vec<[Value; 2]> {
    let value = |row: &Columns, name: &str| row.iter().find(|(column, _)| column == name).unwrap().1.clone();
    rows.iter().map(|row| ["match_log_index", "outcome_slot"].map(|name| value(row, name))).collect()
}

pub async fn the_match_and_the_slot_of_a_row_stay<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    // Listed first, and the second on chain; a position, whose id tells it; one that only its row tells; and one that nobody does.
    let position = TokenId((U256::ONE << 248) | (U256::from(9) << 120) | U256::ONE);
    let (listed, told, foreign) = (token(1), TokenId(U256::from(77)), TokenId(U256::from(78)));
    let row = |transaction: u8, token, slot, index| {
        let mut row = of_token(transaction, token, Resolution::Unknown);
        (row.fill.match_log_index, row.fill.outcome_slot) = (index, slot);
        row
    };
    let rows = [
        row(1, listed, None, Some(7)),
        row(2, position, None, None),
        row(3, told, Some(1), Some(9)),
        row(4, foreign, None, Some(5)),
    ];
    warehouse.write_rows(&rows).await.unwrap();
    let (null, integer) = (Value::Null, Value::Integer);
    let before =
        [[integer(7), null.clone()], [null.clone(), integer(1)], [integer(9), integer(1)], [integer(5), null.clone()]];
    assert_eq!(columns_that_stay(&store.rows("trades")), before);

    let known = [listed, position, told, foreign].map(|token| (token, found("7", 1)));
    assert_eq!(resolve(warehouse.as_ref(), &known).await, 4);
    let [_, of_position, of_told, of_foreign] = before;
    let after = [[integer(7), integer(1)], of_position, of_told, of_foreign];
    assert_eq!(columns_that_stay(&store.rows("trades")), after, "as the condition proves it");
    // As they come again from what carries neither.
    let poorer = rows.map(|mut row| {
        (row.fill.match_log_index, row.fill.outcome_slot) = (None, None);
        row
    });
    warehouse.write_rows(&poorer).await.unwrap();
    assert_eq!(columns_that_stay(&store.rows("trades")), after);
}

async fn resolution(warehouse: &dyn Warehouse, token: TokenId) -> Option<Resolution> {
    warehouse.resolutions(&[token]).await.unwrap().remove(&token)
}

/// All of the list, by pages of so many tokens.
async fn listed(warehouse: &dyn Warehouse, tokens: u32) -> Vec<UnresolvedEntry> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = warehouse.unresolved_tokens(after.as_ref(), tokens).await.unwrap();
        assert!(tokens_of(&page.entries).len() <= tokens as usize);
        all.extend(page.entries);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn tokens_of(entries: &[UnresolvedEntry]) -> BTreeSet<TokenId> {
    entries.iter().map(|entry| entry.token).collect()
}

pub async fn unresolved(warehouse: &dyn Warehouse) -> BTreeSet<TokenId> {
    tokens_of(&listed(warehouse, 100).await)
}

/// As the resolver does it: by all that is on the list, which is then removed as far as it is done.
pub async fn resolve(warehouse: &dyn Warehouse, known: &[(TokenId, Resolution)]) -> u64 {
    let entries = listed(warehouse, 3).await;
    let rows = warehouse.resolve(known, &entries).await.unwrap();
    let still = warehouse.still_unresolved(&entries).await.unwrap();
    let done: Vec<_> = entries.into_iter().filter(|entry| !still.contains(&entry.token)).collect();
    warehouse.remove_unresolved(&done).await.unwrap();
    rows
}

pub async fn a_market_is_written_column_by_column<R: Rig>() {
    let store = R::new();
    store.warehouse().write_rows(&[market("3047949", 9)]).await.unwrap();
    let list = |items: &[&str]| text(&serde_json::to_string(items).unwrap());
    let integer = Value::Integer;
    let expected = [
        ("id", text("3047949")),
        ("condition_id", text(&format!("0x{}", "07".repeat(32)))),
        ("question", text("Will \"it\"\nrain? ☔")),
        ("slug", text("rain")),
        ("outcomes", list(&["Up", "Down"])),
        ("token_ids", list(&[&token(0).to_string(), &token(1).to_string()])),
        ("position_ids", list(&["5"])),
        ("neg_risk", integer(1)),
        ("event_id", text("17")),
        ("event_slug", text("weather")),
        ("event_title", text("Weather")),
        ("tags", list(&["Rain", "All"])),
        ("created_at", integer(1_784_851_200)),
        ("end_at", Value::Null),
        ("closed_at", integer(-1)),
        ("active", integer(1)),
        ("closed", integer(0)),
        ("volume", text("79945.98005599984")),
        ("liquidity", text("")),
        ("raw", Value::Blob(RawJson::pack("{\n\n}").as_packed().to_vec())),
        ("version", integer(9)),
        ("lasting_hash", integer(market("3047949", 9).lasting_hash().cast_signed())),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(store.rows("markets"), [expected]);
}

pub async fn the_later_description_of_a_market_stays<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let named = |version, question: &str| Market { question: question.into(), ..market("7", version) };
    let question = || store.rows("markets")[0].iter().find(|(name, _)| name == "question").unwrap().1.clone();
    for (version, said, stays) in [(5, "a", "a"), (4, "b", "a"), (5, "c", "c"), (6, "d", "d"), (0, "e", "d")] {
        warehouse.write_rows(&[named(version, said)]).await.unwrap();
        assert_eq!(question(), text(stays), "{said}");
    }
    let written = warehouse.written_markets(&["7".into(), "8".into()]).await.unwrap();
    let expected = WrittenMarket { lasting_hash: named(6, "d").lasting_hash(), version: 6 };
    assert_eq!(written.into_iter().collect::<Vec<_>>(), [("7".to_owned(), expected)]);
    let rows = RowCounts::default().with(TableId::Markets, 1.into());
    assert_eq!(warehouse.row_counts().await.unwrap(), rows);
    warehouse.write_rows(&[named(9, "in"), named(8, "one"), named(10, "batch")]).await.unwrap();
    assert_eq!(question(), text("batch"));
}

pub async fn a_token_is_found_in_the_market_that_lists_it<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    assert_eq!(resolution(&*warehouse, token(0)).await, None);
    warehouse.write_rows(&[market("100", 1)]).await.unwrap();
    assert_eq!(resolution(&*warehouse, token(0)).await, Some(found("100", 1)));
    assert_eq!(resolution(&*warehouse, token(1)).await, Some(found("100", 2)));
    assert_eq!(resolution(&*warehouse, TokenId(U256::from(5))).await.unwrap().market_id(), "100", "a position");
    assert_eq!(resolution(&*warehouse, token(2)).await, None);

    warehouse.write_rows(&[market("99", 1)]).await.unwrap();
    assert_eq!(resolution(&*warehouse, token(1)).await, Some(found("99", 2)), "the smaller id tells, as a number");
    let without = Market { token_ids: vec![], ..market("99", 2) };
    warehouse.write_rows(&[without]).await.unwrap();
    assert_eq!(resolution(&*warehouse, token(1)).await, Some(found("100", 2)), "it does not list it any more");
}

pub async fn what_is_to_be_resolved_is_known<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let combo = ConditionId::Position({
        let mut id = [0; 31];
        (id[0], id[1], id[18]) = (3, 9, 3);
        id
    });
    let position: ConditionId = format!("0x01{}0002{}0007", "ab".repeat(16), "00".repeat(10)).parse().unwrap();
    let known = |condition: ConditionId| Resolution::Token {
        condition_id: condition.to_string().into(),
        outcome: "Yes".into(),
    };
    let (nine, ten) = (TokenId(U256::from(9)), TokenId(U256::from(10)));
    let rows = [
        of_token(1, nine, Resolution::Unknown),
        of_token(2, ten, Resolution::Unknown),
        of_token(3, nine, Resolution::Unknown),
        of_token(4, position.position(0).unwrap(), known(position)),
        of_token(5, combo.position(0).unwrap(), known(combo)),
        of_token(6, token(0), found("7", 1)),
    ];
    warehouse.write_rows(&rows).await.unwrap();
    let position = position.position(0).unwrap();
    let expected = BTreeSet::from([nine, ten, position]);
    assert_eq!(unresolved(&*warehouse).await, expected, "what is complete is not there, and no combo");
    assert_eq!(tokens_of(&listed(&*warehouse, 1).await), expected, "page by page");
    let newest = warehouse.newest_unresolved(100).await.unwrap();
    assert_eq!(tokens_of(&newest), expected);
    assert_eq!(tokens_of(&warehouse.newest_unresolved(1).await.unwrap()).len(), 1);

    // A market that does not name its outcome is no end of it.
    let unnamed = |token| {
        let Resolution::Market { condition_id, market_id, side, .. } = found("7", 1) else { unreachable!() };
        (token, Resolution::Market { condition_id, outcome: "".into(), market_id, side })
    };
    assert_eq!(resolve(&*warehouse, &[unnamed(nine), unnamed(position)]).await, 3);
    assert_eq!(unresolved(&*warehouse).await, expected);
    assert_eq!(resolve(&*warehouse, &[unnamed(nine), (nine, found("7", 1))]).await, 2);
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::from([ten, position]));
    warehouse.write_rows(&rows).await.unwrap();
    assert_eq!(resolve(&*warehouse, &[]).await, 0, "the rows that came again are poorer than those that are there");
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::from([ten, position]), "and the list gets over it");
}

/// Rows of before the market's name counted, and what may replace them.
pub async fn a_row_that_was_complete_before_names_counted_stays_so<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    warehouse.write_rows(&[of_token(1, token(0), found("7", 1))]).await.unwrap();
    store.as_of_before();
    let old = store.rows("trades");
    assert_eq!(old[0].iter().find(|(name, _)| name == "version").unwrap().1, Value::Integer(2));
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::new());
    warehouse.write_rows(&[of_token(1, token(0), Resolution::Unknown)]).await.unwrap();
    assert_eq!(resolve(&*warehouse, &[(token(0), found("8", 1))]).await, 0, "nothing is rewritten for it");
    assert_eq!(store.rows("trades"), old);
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::new());
}

/// The resolver reads the list, then rows; a writer comes in between.
pub async fn only_what_was_read_leaves_the_list<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let row = |transaction| of_token(transaction, token(0), Resolution::Unknown);
    warehouse.write_rows(&[row(1)]).await.unwrap();
    let known = [(token(0), found("7", 1))];
    let read = listed(&*warehouse, 9).await;
    assert_eq!(warehouse.resolve(&known, &read).await.unwrap(), 1);
    warehouse.write_rows(&[row(2)]).await.unwrap();
    warehouse.remove_unresolved(&read).await.unwrap();
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::from([token(0)]), "the row that came in between is waited for");
    // Somebody who died behind the completion left this; another removes what both have read.
    let read = listed(&*warehouse, 9).await;
    assert_eq!(warehouse.resolve(&known, &read).await.unwrap(), 1);
    let other = listed(&*warehouse, 9).await;
    warehouse.remove_unresolved(&read).await.unwrap();
    warehouse.remove_unresolved(&other).await.unwrap();
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::new());
    assert!(store.rows("trades").iter().all(|row| row.contains(&("version".into(), Value::Integer(3)))));
    let newest = warehouse.newest_unresolved(9).await.unwrap();
    assert_eq!(newest, [], "what is removed is not new either");
}

pub async fn resolving_completes_rows_and_never_makes_one_poorer<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let rows = [1, 2, 3].map(|transaction| of_token(transaction, token(0), Resolution::Unknown));
    let other = of_token(4, token(1), found("7", 2));
    warehouse.write_rows(&rows).await.unwrap();
    warehouse.write_rows(std::slice::from_ref(&other)).await.unwrap();
    let partly = Resolution::Token { condition_id: "0xc0".into(), outcome: "Yes".into() };
    let warehouse = &*warehouse;
    assert_eq!(resolve(warehouse, &[(token(0), partly.clone()), (token(1), partly.clone())]).await, 3);
    assert_eq!(resolve(warehouse, &[(token(0), partly.clone())]).await, 0, "it knew that already");
    assert_eq!(resolve(warehouse, &[(token(0), found("7", 1))]).await, 3);
    assert_eq!(resolve(warehouse, &[(token(0), found("8", 1)), (token(0), partly)]).await, 0);
    assert_eq!(unresolved(warehouse).await, BTreeSet::new());

    let after = store.rows("trades");
    warehouse.write_rows(&rows).await.unwrap();
    assert_eq!(store.rows("trades"), after, "a poorer row that comes again never wins");
    let direct = R::new();
    let complete = rows.map(|mut row| {
        row.fill.outcome_slot = Some(0);
        Trade { resolution: found("7", 1), ..row }
    });
    direct.warehouse().write_rows(&complete).await.unwrap();
    direct.warehouse().write_rows(&[other]).await.unwrap();
    assert_eq!(after, direct.rows("trades"), "and a completed row is as one that was complete at once");
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 4);
}

pub async fn many_rows_of_one_token_are_resolved<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let mut rows: Vec<Trade> = (0..12_001).map(|log_index| trade(1, log_index, Resolution::Unknown)).collect();
    let first = token(0);
    rows.iter_mut().for_each(|row| row.fill.token_id = first);
    warehouse.write_rows(&rows).await.unwrap();
    let others: Vec<(TokenId, Resolution)> = (0..500).map(|n| (TokenId(U256::from(n)), found("7", 1))).collect();
    let all = [others, vec![(token(0), found("7", 1))]].concat();
    assert_eq!(resolve(&*warehouse, &all).await, 12_001);
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::new());
}

pub async fn the_newest_rows_show_their_market<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    warehouse.write_rows(&[of_token(1, token(0), found("7", 1)), of_token(2, token(1), found("7", 2))]).await.unwrap();
    let questions = || async {
        let lines = warehouse.newest_trades(9).await.unwrap();
        lines.into_iter().map(|line| (line.outcome, line.question)).collect::<Vec<_>>()
    };
    let line = |outcome: &str, question: &str| (outcome.to_owned(), question.to_owned());
    assert_eq!(questions().await, [line("Down", ""), line("Up", "")], "the market is not there yet");
    warehouse.write_rows(&[market("7", 1)]).await.unwrap();
    let question = market("7", 1).question;
    assert_eq!(questions().await, [line("Down", &question), line("Up", &question)]);
}
