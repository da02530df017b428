//! The part of the conformance suite that is about the trades of a subgraph, which have a table of their own.

use std::collections::BTreeSet;

use polytape::flow::TableId;
use polytape::model::{Exchange, GoldskyTrade, Resolution, TokenId, Trade, U256};
use polytape::warehouse::{RowCounts, WriteRows};
use rusqlite::types::Value;

use super::conformance::{Columns, Rig, text, trade};
use super::market_conformance::{found, resolve, unresolved};

/// Some second.
const SECOND: u64 = 1_684_965_486;

/// A row of the subgraph.
fn row(id: u8, second: u64, token: u64, resolution: Resolution) -> GoldskyTrade {
    let mut row = trade(id, 0, resolution);
    (row.fill.block_number, row.fill.timestamp) = (0, second);
    row.fill.source_id = format!("{}0x{id:02}_0x02", GoldskyTrade::PREFIX);
    row.fill.token_id = TokenId(U256::from(token));
    GoldskyTrade(row)
}

/// The values of a column.
fn column(rows: &[Columns], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row.iter().find(|(column, _)| column == name).unwrap().1.clone()).collect()
}

pub async fn goldskys_trades_have_a_table_of_their_own<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let rows = [row(1, SECOND, 7, found("7", 1)), row(2, SECOND, 7, Resolution::Unknown)];
    for _ in 0..3 {
        warehouse.write_rows(&rows).await.unwrap();
        let poorer =
            rows.clone().map(|GoldskyTrade(row)| GoldskyTrade(Trade { resolution: Resolution::Unknown, ..row }));
        warehouse.write_rows(&poorer).await.unwrap();
    }
    let ids = ["goldsky:0x01_0x02", "goldsky:0x02_0x02"].map(text);
    assert_eq!(column(&store.rows("trades_goldsky"), "source_id"), ids);
    assert_eq!(store.rows("trades"), Vec::<Columns>::new());
    assert_eq!(warehouse.row_counts().await.unwrap(), RowCounts::default().with(TableId::TradesGoldsky, 2.into()));
    let same = rows.map(|GoldskyTrade(row)| row);
    warehouse.write_rows(&same).await.unwrap();
    assert_eq!(store.rows("trades_goldsky"), store.rows("trades"), "column by column");
}

pub async fn goldskys_trades_are_completed_as_all_others<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let [both, own, unknown] = [7, 8, 9].map(|token| TokenId(U256::from(token)));
    let mut of_chain = trade(9, 1, Resolution::Unknown);
    of_chain.fill.token_id = both;
    warehouse.write_rows(&[of_chain]).await.unwrap();
    // Of months of which the chain has nothing, too.
    let rows: Vec<GoldskyTrade> = [(1, 7), (2, 7), (3, 8), (4, 9)]
        .map(|(id, token)| row(id, SECOND + 40 * 86_400 * u64::from(id), token, Resolution::Unknown))
        .into();
    warehouse.write_rows(&rows).await.unwrap();
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::from([both, own, unknown]));
    let newest = warehouse.newest_unresolved(9).await.unwrap();
    assert_eq!(newest.iter().map(|entry| entry.token).collect::<BTreeSet<_>>(), BTreeSet::from([both, own, unknown]));
    assert_eq!(resolve(&*warehouse, &[(both, found("7", 1)), (own, found("7", 2))]).await, 4);
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::from([unknown]));
    let versions = [3, 3, 3, 0].map(Value::Integer);
    assert_eq!(column(&store.rows("trades_goldsky"), "version"), versions);
    assert_eq!(column(&store.rows("trades"), "market_id"), [text("7")]);
    warehouse.write_rows(&rows).await.unwrap();
    assert_eq!(column(&store.rows("trades_goldsky"), "version"), versions, "a poorer row that comes again never wins");
    assert_eq!(resolve(&*warehouse, &[(both, found("7", 1)), (own, found("7", 2))]).await, 0);
    assert_eq!(unresolved(&*warehouse).await, BTreeSet::from([unknown]));
}

pub async fn of_both_the_chain_is_preferred_second_by_second<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let of_chain = |transaction, second, exchange| {
        let mut row = trade(transaction, 1, Resolution::Unknown);
        (row.fill.timestamp, row.fill.exchange) = (second, Some(exchange));
        row
    };
    let goldsky = [1, 2, 3, 4].map(|id| row(id, SECOND + u64::from(id), 7, Resolution::Unknown));
    warehouse.write_rows(&goldsky).await.unwrap();
    assert_eq!(store.rows("trades_all"), store.rows("trades_goldsky"), "the chain has nothing");
    let chain = [
        of_chain(11, SECOND, Exchange::CtfV1),
        of_chain(12, SECOND + 2, Exchange::CtfV1),
        of_chain(13, SECOND + 2, Exchange::CtfV1),
        of_chain(14, SECOND + 3, Exchange::NegRiskV1),
        // The subgraph knows nothing of these, so that nothing is known of V1 by them.
        of_chain(15, SECOND + 4, Exchange::CtfV2),
    ];
    for _ in 0..2 {
        warehouse.write_rows(&chain).await.unwrap();
    }
    let ids = column(&store.rows("trades_all"), "transaction_hash");
    let hash = |byte: u8| text(&format!("0x{}", format!("{byte:02x}").repeat(32)));
    assert_eq!(ids, [1, 4, 11, 12, 13, 14, 15].map(hash));
}
