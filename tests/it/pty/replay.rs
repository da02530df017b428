//! A replay from the keyboard.

use polytape::demo::TradeRow;

use super::committed;
use super::rig::{Rig, line, lines};
use crate::support::process::{Workplace, until};
use crate::support::tables::trades;

const CTRL_U: &str = "\x15";

/// The complete rows up to a block.
fn rows(place: &Workplace, end: u64) -> Vec<TradeRow> {
    let is_complete = |row: &TradeRow| row.version == 2 && row.block_number.cast_unsigned() <= end;
    trades(&place.store().unwrap()).into_iter().filter(is_complete).collect()
}

#[test]
fn shows_what_it_would_do_and_does_it_without_changing_a_row() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &[]);
    rig.until("it has caught up", |screen| line(screen, "polygon head").contains(" 0 behind"));
    until(super::SOON, "markets are known", || place.count("trades WHERE version = 2") > 1_000);
    let end = *committed(&place.store().unwrap()).end();

    rig.press("B");
    rig.shows("Nothing has changed yet");
    rig.press(CTRL_U);
    rig.press("100s\r");
    rig.shows("would do");
    let before = rows(&place, end);
    assert!(before.len() > 500, "only {} rows", before.len());
    rig.press("\r");
    rig.hides("would do");
    rig.until("it is done", |screen| {
        lines(screen)
            .iter()
            .any(|line| line.contains("○ done") && line.contains(" ingest-fills") && line.contains("100%"))
    });
    let moved = rig.look(|picture| line(picture.screen(), "○ done"));
    let moved: u64 =
        moved.split("100%").nth(1).unwrap().split_whitespace().next().unwrap().replace(',', "").parse().unwrap();
    println!("{moved} rows were replayed, {} of them were looked at", before.len());
    assert!(moved > 500, "only {moved} rows");

    // A row that became complete meanwhile is no row that changed.
    let after = rows(&place, end);
    let missing = before.iter().filter(|row| !after.contains(row)).count();
    assert_eq!(missing, 0, "rows changed");
}
