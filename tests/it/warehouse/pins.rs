//! Servers and profiles that change under a running process.

use polytape::failure::FailureClass;
use polytape::model::{Resolution, Trade};
use polytape::warehouse::{AnyBatch, Batch, ClickhouseConfig, ClickhouseWarehouse, Inspection, Tables, WriteRows};

use super::conformance::trade;
use crate::support::clickhouse::Database;
use crate::support::gateway::{Gate, Gateway};
use crate::support::restriction::Restriction;

fn trades() -> Vec<Trade> {
    let of_token = Resolution::Token { condition_id: "0xc0".into(), outcome: "Yes".into() };
    (0..3).map(|log_index| trade(1, log_index, of_token.clone())).collect()
}

/// A server from before `deduplicate_insert` is replaced by one that accepts `insert_deduplicate = 0` and does nothing by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_sent_anew_where_it_went_to_a_newer_server_than_its_pins_are_for() {
    let database = Database::new();
    let gateway = Gateway::to(&database.config().url).await;
    gateway.set(Gate::Hides("deduplicate_insert"));
    let warehouse = ClickhouseWarehouse::new(ClickhouseConfig { url: gateway.url(), ..database.config() });
    // Somebody has switched on what the schema switches off.
    database.execute("ALTER TABLE trades MODIFY SETTING non_replicated_deduplication_window = 1000");
    let batch = Batch::from(trades());
    let count = || database.number("SELECT count() FROM trades FINAL");
    warehouse.write(AnyBatch::from(&batch)).await.unwrap();
    assert_eq!(count(), 3);
    database.execute("ALTER TABLE trades DELETE WHERE 1");
    warehouse.write(AnyBatch::from(&batch)).await.unwrap();
    assert_eq!(count(), 0, "the test of the test: by the old pins the newer server remembers the batch");
    gateway.set(Gate::Open);
    warehouse.write(AnyBatch::from(&batch)).await.unwrap();
    assert_eq!(count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_changes_is_noticed_and_what_it_forbids_is_said() {
    let database = Database::own();
    let warehouse = database.warehouse();
    warehouse.write_rows(&trades()).await.unwrap();
    database.engine().restrict(&Restriction::fixed(&[("async_insert", "1")]));
    let error = warehouse.write_rows(&trades()).await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic, "{error}");
    assert!(error.to_string().contains("user default: setting async_insert is 1 and may not be changed"), "{error}");
    // One that is good enough needs no new process.
    database.engine().restrict(&Restriction::fixed(&[("async_insert", "0")]));
    warehouse.write_rows(&trades()).await.unwrap();
    database.engine().restrict(&Restriction::fixed(&[("limit", "3")]));
    let error = warehouse.row_counts().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::Deterministic, "{error}");
    assert!(error.to_string().contains("Setting limit should not be changed"), "{error}");
}
