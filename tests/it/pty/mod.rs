//! The screen as its user meets it: the binary on a pseudo-terminal, keys, signals, and terminals that die.

mod budget;
mod hang_up;
mod keys;
mod leave;
mod panics;
mod pause;
mod plain;
mod replay;
mod resize;
pub mod rig;
mod start;
mod suspend;
mod waits;

use rusqlite::Connection;
use serde_json::Value;
use std::ops::RangeInclusive;

use crate::support::process::{Workplace, until};
use rig::SOON;

/// Waits until more rows have arrived, twice.
#[track_caller]
fn rows_go_on(place: &Workplace) {
    for _ in 0..2 {
        let rows = place.count("trades");
        until(SOON, "rows go on to arrive", || place.count("trades") > rows);
    }
}

/// The blocks all of whose rows are in the tables.
pub fn committed(store: &Connection) -> RangeInclusive<u64> {
    let position = |column: &str| -> u64 {
        let sql = format!("SELECT {column} FROM checkpoints WHERE source = 'polygon'");
        let text: String = store.query_row(&sql, [], |row| row.get(0)).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["block"].as_u64().unwrap()
    };
    position("start")..=position("watermark") - 1
}
