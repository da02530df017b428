//! The conformance suite of warehouses.
//!
//! A warehouse joins it by a [`Rig`] and a line `conformance!(TheRig);`. Nothing here knows what is behind the trait.

use std::sync::Arc;
use std::time::SystemTime;

use polytape::flow::TableId;
use polytape::model::{Amount, DeadLetter, Exchange, Fill, NonUsdcSide, Resolution, Side, TokenId, Trade, U256};
use polytape::warehouse::{
    Checkpoint, CommandRecord, JobRecord, JobState, RowCounts, Warehouse, WarehouseError, WriteRows,
};
use rusqlite::types::Value;

pub use super::goldsky_conformance::*;
pub use super::market_conformance::*;

/// A row: its columns by name, but `ingested_at`.
pub type Columns = Vec<(String, Value)>;

/// A warehouse, and what somebody else can do to it.
pub trait Rig: Sized {
    /// One with nothing in it.
    fn new() -> Self;
    /// A handle to it.
    fn warehouse(&self) -> Arc<dyn Warehouse>;
    /// As a new process finds it.
    fn restart(&mut self);
    /// The rows of a table as a reader sees them, in the order of their identity.
    fn rows(&self, table: &str) -> Vec<Columns>;
    /// All trades are deleted behind everybody's back.
    fn delete_trades(&self);
    /// All trades are as a polytape wrote them that knew no version 3.
    fn as_of_before(&self);
    /// From now on a trade with this log index is refused.
    fn refuse(&self, log_index: u32);
}

pub fn trade(transaction: u8, log_index: u32, resolution: Resolution) -> Trade {
    let fill = Fill {
        block_number: 90_840_326,
        log_index,
        timestamp: 1_784_965_486,
        transaction_hash: [transaction; 32].into(),
        source_id: String::new(),
        order_hash: [2; 32].into(),
        exchange: Some(Exchange::CtfV1),
        token_id: TokenId(U256::MAX),
        maker: [3; 20].into(),
        taker: Exchange::CtfV1.address(),
        side: Side::Buy,
        usd: Amount::from_micros(7_434_000).unwrap(),
        shares: Amount::from_micros(17_700_000).unwrap(),
        fee: Amount::from_micros(1_770_000).unwrap(),
        match_log_index: Some(log_index),
        outcome_slot: None,
    };
    Trade { fill, resolution }
}

fn token() -> Resolution {
    Resolution::Token { condition_id: "0xc0".into(), outcome: "Yes".into() }
}

fn market() -> Resolution {
    let (condition_id, outcome, market_id) = ("0xc0".into(), "Up".into(), "42".into());
    Resolution::Market { condition_id, outcome, market_id, side: NonUsdcSide(1) }
}

fn letter(position: &str, first_seen: i64) -> DeadLetter {
    let text = String::from;
    let (source, stage, reason) = (text("polygon"), text("ingest-fills"), text("side is 2"));
    DeadLetter { source, position: text(position), stage, reason, raw: b"{\n\n}".to_vec(), first_seen }
}

pub fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub async fn a_trade_is_written_column_by_column<R: Rig>() {
    let store = R::new();
    store.warehouse().write_rows(&[trade(1, 1357, market())]).await.unwrap();
    let hash = |byte: &str, times| text(&format!("0x{}", byte.repeat(times)));
    let expected = [
        ("timestamp", Value::Integer(1_784_965_486)),
        ("block_number", Value::Integer(90_840_326)),
        ("log_index", Value::Integer(1357)),
        ("transaction_hash", hash("01", 32)),
        ("order_hash", hash("02", 32)),
        ("source_id", text("")),
        ("exchange", text("ctf_v1")),
        ("token_id", text("115792089237316195423570985008687907853269984665640564039457584007913129639935")),
        ("condition_id", text("0xc0")),
        ("market_id", text("42")),
        ("outcome", text("Up")),
        ("nonusdc_side", text("token1")),
        ("maker", hash("03", 20)),
        ("taker", text("0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e")),
        ("maker_direction", text("BUY")),
        ("taker_direction", text("SELL")),
        ("price", Value::Real(0.42)),
        ("usd_amount", text("7.434000")),
        ("token_amount", text("17.700000")),
        ("fee_amount", text("1.770000")),
        ("fee_unit", text("shares")),
        ("is_taker_row", Value::Integer(1)),
        ("version", Value::Integer(3)),
        ("match_log_index", Value::Integer(1357)),
        ("outcome_slot", Value::Null),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(store.rows("trades"), [expected]);
}

pub async fn writing_again_changes_nothing<R: Rig>() {
    let store = R::new();
    let warehouse: Arc<dyn Warehouse> = store.warehouse();
    let trades = [trade(1, 1, Resolution::Unknown), trade(1, 2, token()), trade(2, 1, market())];
    warehouse.write_rows(&trades).await.unwrap();
    let before = store.rows("trades");
    assert_eq!(before.len(), 3, "fills of one transaction are told apart by their log index");
    for _ in 0..5 {
        warehouse.write_rows(&trades).await.unwrap();
        warehouse.write_rows(&trades[1..]).await.unwrap();
    }
    assert_eq!(store.rows("trades"), before);
    assert_eq!(warehouse.row_counts().await.unwrap(), RowCounts::default().with(TableId::Trades, 3.into()));
}

pub async fn a_poorer_row_never_wins<R: Rig>() {
    let unnamed = Resolution::Market {
        condition_id: "0xc0".into(),
        outcome: "".into(),
        market_id: "42".into(),
        side: NonUsdcSide(1),
    };
    let versions = [Resolution::Unknown, token(), unnamed, market()];
    let (store, expected, mut pairs) = (R::new(), R::new(), Vec::new());
    for later in &versions {
        for earlier in &versions {
            let (richer, poorer) =
                if earlier.version() > later.version() { (earlier, later) } else { (later, earlier) };
            let of_pair = |resolution: &Resolution| [trade(pairs.len() as u8, 1, resolution.clone())];
            store.warehouse().write_rows(&of_pair(earlier)).await.unwrap();
            store.warehouse().write_rows(&of_pair(later)).await.unwrap();
            expected.warehouse().write_rows(&of_pair(richer)).await.unwrap();
            pairs.push((poorer, richer));
        }
    }
    let (found, expected) = (store.rows("trades"), expected.rows("trades"));
    assert_eq!(found.len(), pairs.len());
    for ((found, expected), (poorer, richer)) in found.iter().zip(&expected).zip(pairs) {
        assert_eq!(found, expected, "{poorer:?} won over {richer:?}");
    }
}

pub async fn a_row_that_was_deleted_can_be_written_again<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let trades = [trade(1, 1, token()), trade(1, 2, token())];
    warehouse.write_rows(&trades).await.unwrap();
    let before = store.rows("trades");
    store.delete_trades();
    warehouse.write_rows(&trades).await.unwrap();
    assert_eq!(store.rows("trades"), before);
}

pub async fn large_batches_and_empty_ones_are_written_whole<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let trades: Vec<Trade> = (0..12_345).map(|log_index| trade(1, log_index, Resolution::Unknown)).collect();
    warehouse.write_rows(&trades).await.unwrap();
    warehouse.write_rows::<Trade>(&[]).await.unwrap();
    warehouse.write_rows::<DeadLetter>(&[]).await.unwrap();
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 12_345);
    assert_eq!(store.rows("trades").len(), 12_345);
}

pub async fn the_newest_rows_come_first<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    let trades: Vec<Trade> = (0..5).map(|log_index| trade(1, log_index, token())).collect();
    warehouse.write_rows(&trades).await.unwrap();
    let newest = warehouse.newest_trades(2).await.unwrap();
    assert_eq!(newest.iter().map(|line| line.log_index).collect::<Vec<_>>(), [4, 3]);
    assert_eq!((newest[0].usd_amount.as_str(), newest[0].price), ("7.434000", Some(0.42)));
}

pub async fn a_dead_letter_keeps_its_first_sight_and_its_bytes<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    warehouse.write_rows(&[letter("0x1:1", 100), letter("0x1:2", 100)]).await.unwrap();
    let before = store.rows("dead_letters");
    assert_eq!(before[0][4], ("raw".into(), Value::Blob(b"{\n\n}".to_vec())));
    warehouse.write_rows(&[letter("0x1:1", 200)]).await.unwrap();
    assert_eq!(store.rows("dead_letters"), before);
    assert_eq!(warehouse.row_counts().await.unwrap(), RowCounts::default().with(TableId::DeadLetters, 2.into()));
}

pub async fn a_refused_row_is_told_apart_from_a_failing_store<R: Rig>() {
    let store = R::new();
    let warehouse = store.warehouse();
    store.refuse(7);
    let refused = warehouse.write_rows(&[trade(1, 6, token()), trade(1, 7, token())]).await.unwrap_err();
    assert!(matches!(&refused, WarehouseError::Rows(reason) if !reason.is_empty()), "{refused}");
    assert_eq!(warehouse.row_counts().await.unwrap()[TableId::Trades], 0, "a batch is written whole or not at all");
    warehouse.write_rows(&[trade(1, 6, token())]).await.unwrap();
}

pub async fn a_checkpoint_is_kept_for_each_pipeline_and_source<R: Rig>() {
    let mut store = R::new();
    let warehouse = store.warehouse();
    let checkpoint = |watermark: &str| {
        let text = str::to_owned;
        Checkpoint { world: text("chain:137"), start: text("{}"), watermark: text(watermark) }
    };
    assert_eq!(warehouse.checkpoint("main", "polygon").await.unwrap(), None);
    warehouse.set_checkpoint("main", "polygon", &checkpoint("1")).await.unwrap();
    warehouse.set_checkpoint("other", "polygon", &checkpoint("2")).await.unwrap();
    warehouse.set_checkpoint("main", "polygon", &checkpoint("3")).await.unwrap();
    drop(warehouse);
    store.restart();
    let warehouse = store.warehouse();
    assert_eq!(warehouse.checkpoint("main", "polygon").await.unwrap(), Some(checkpoint("3")));
    assert_eq!(warehouse.checkpoint("other", "polygon").await.unwrap(), Some(checkpoint("2")));
    assert_eq!(warehouse.checkpoint("main", "sqd").await.unwrap(), None);
}

pub async fn what_was_asked_for_is_kept<R: Rig>() {
    let mut rig = R::new();
    let warehouse = rig.warehouse();
    assert!(warehouse.desired_states("main").await.unwrap().is_empty());
    warehouse.set_desired_state("main", "write-trades", "pause").await.unwrap();
    warehouse.set_desired_state("main", "write-trades", "run").await.unwrap();
    warehouse.set_desired_state("main", "resolver", "stop").await.unwrap();
    warehouse.set_desired_state("other", "resolver", "pause").await.unwrap();
    rig.restart();
    let states = rig.warehouse().desired_states("main").await.unwrap();
    let expected = [("write-trades", "run"), ("resolver", "stop")];
    assert_eq!(states, expected.map(|(stage, state)| (stage.to_owned(), state.to_owned())).into());
}

pub async fn replays_are_kept_until_they_have_ended_and_a_few_longer<R: Rig>() {
    let mut rig = R::new();
    let warehouse = rig.warehouse();
    let job = |id: &str, state, started_at| JobRecord {
        id: id.into(),
        stage: "write-trades".into(),
        begin: "1-0".into(),
        until: "9-0".into(),
        cursor: String::new(),
        total: u64::from(u32::MAX) + 7,
        done: 3,
        moved: 2,
        state,
        reason: "it\nis \"so\"".into(),
        started_at,
        ended_at: (state != JobState::Running).then_some(started_at + 10),
    };
    let all = [
        job("a", JobState::Done, 1),
        job("b", JobState::Running, 2),
        job("c", JobState::Failed, 3),
        job("d", JobState::Cancelled, 4),
    ];
    for job in &all {
        warehouse.set_job("main", job).await.unwrap();
    }
    warehouse.set_job("other", &job("e", JobState::Running, 5)).await.unwrap();
    rig.restart();
    let warehouse = rig.warehouse();
    assert_eq!(warehouse.jobs("main", 9).await.unwrap(), all);
    let ids = |jobs: Vec<JobRecord>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(ids(warehouse.jobs("main", 2).await.unwrap()), ["b", "c", "d"]);
    warehouse.set_job("main", &JobRecord { done: 5, ..all[1].clone() }).await.unwrap();
    assert_eq!(warehouse.jobs("main", 0).await.unwrap()[0].done, 5);
}

pub async fn commands_are_kept_for_a_while<R: Rig>() {
    let rig = R::new();
    let warehouse = rig.warehouse();
    let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let command = |number: i64| CommandRecord {
        at: now + number,
        id: format!("{number:08x}"),
        user: "ann".into(),
        tty: if number == 1 { "/dev/pts/1".into() } else { String::new() },
        pid: u32::try_from(number).unwrap(),
        command: "pause write-trades".into(),
        outcome: "done".into(),
        said: "it's \"paused\" \\ now".into(),
    };
    let all = [1, 2, 3].map(command);
    warehouse.add_commands("main", &all[..2]).await.unwrap();
    // What did not hear of it comes again.
    warehouse.add_commands("main", &all).await.unwrap();
    warehouse.add_commands("other", &[command(9)]).await.unwrap();
    assert_eq!(warehouse.commands("main", 9).await.unwrap(), all);
    assert_eq!(warehouse.commands("main", 2).await.unwrap(), all[1..], "the newest");
}

/// Every test of the suite on one rig, each as a test of its own, or one after the other by `conformance!(calls TheRig)`.
macro_rules! conformance {
    ($rig:ty) => {
        conformance!(tests $rig);
    };
    (tests $rig:ty: $($test:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::conformance::$test::<$rig>().await;
            }
        )*
    };
    (calls $rig:ty: $($test:ident)*) => {
        $(
            println!("{}", stringify!($test));
            super::conformance::$test::<$rig>().await;
        )*
    };
    ($how:ident $rig:ty) => {
        conformance!($how $rig:
            a_trade_is_written_column_by_column
            writing_again_changes_nothing
            a_poorer_row_never_wins
            a_row_that_was_deleted_can_be_written_again
            large_batches_and_empty_ones_are_written_whole
            the_newest_rows_come_first
            a_dead_letter_keeps_its_first_sight_and_its_bytes
            a_refused_row_is_told_apart_from_a_failing_store
            a_checkpoint_is_kept_for_each_pipeline_and_source
            what_was_asked_for_is_kept
            replays_are_kept_until_they_have_ended_and_a_few_longer
            commands_are_kept_for_a_while
            a_market_is_written_column_by_column
            the_later_description_of_a_market_stays
            a_token_is_found_in_the_market_that_lists_it
            what_is_to_be_resolved_is_known
            a_row_that_was_complete_before_names_counted_stays_so
            only_what_was_read_leaves_the_list
            resolving_completes_rows_and_never_makes_one_poorer
            the_match_and_the_slot_of_a_row_stay
            many_rows_of_one_token_are_resolved
            the_newest_rows_show_their_market
            goldskys_trades_have_a_table_of_their_own
            goldskys_trades_are_completed_as_all_others
            of_both_the_chain_is_preferred_second_by_second
        );
    };
}
pub(crate) use conformance;
