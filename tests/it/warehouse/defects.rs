//! What the planted defects ask of a store: each gives back what is in its way, and nothing else.

use polytape::model::{Resolution, Trade};
use polytape::warehouse::{Retract, WriteRows};

use super::conformance::trade;
use crate::support::clickhouse::Database;
use crate::support::store::Store;

fn known() -> Resolution {
    Resolution::Token { condition_id: "0xc0".into(), outcome: "Yes".into() }
}

async fn gives_back_what_knows_more(store: &(impl Retract + WriteRows)) {
    let places = [(1, 0), (1, 1), (2, 0)];
    let rich: Vec<Trade> = places.iter().map(|(hash, place)| trade(*hash, *place, known())).collect();
    store.write_rows(&rich).await.unwrap();
    store.retract_richer(&[trade(1, 1, Resolution::Unknown), rich[2].clone()]).await.unwrap();
    let mut left: Vec<u32> = store.newest_trades(9).await.unwrap().iter().map(|line| line.log_index).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 0], "one of them knew more");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_gives_back_what_knows_more() {
    gives_back_what_knows_more(&*Store::new().warehouse()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_gives_back_what_knows_more() {
    gives_back_what_knows_more(&*Database::new().warehouse()).await;
}
