//! A replay from the keyboard.

use polytape::demo::TradeRow;

use super::committed;
use super::rig::{Rig, line, lines};
use crate::support::process::{Workplace, until};
use crate::support::tables::trades;

const CTRL_U: &str = "\x15";

/// The complete rows up to a block.
fn rows(place: &Workplace, end: u64) -> Vec<TradeRow> {
    let is_complete = |row: &TradeRow| row.version == 3 && row.block_number.cast_unsigned() <= end;
    trades(&place.store().unwrap()).into_iter().filter(is_complete).collect()
}

#[test]
fn shows_what_it_would_do_and_does_it_without_changing_a_row() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &[]);
    rig.until("it has caught up", |screen| line(screen, "polygon head").contains(" 0 behind"));
    until(super::SOON, "markets are known", || place.count("trades WHERE version = 3") > 1_000);
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

/// What is shown of replays.
fn replay_line(screen: &vt100::Screen, word: &str) -> Option<String> {
    lines(screen).into_iter().find(|line| line.contains(word) && line.contains(" ingest-fills") && line.contains('%'))
}

#[test]
fn goes_on_after_a_kill_and_restores_what_was_deleted() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &[]);
    rig.until("it has caught up", |screen| line(screen, "polygon head").contains(" 0 behind"));
    until(super::SOON, "there are rows", || place.count("trades") > 5_000);
    let deleted = {
        let store = rusqlite::Connection::open(place.data_dir().join("polytape.db")).unwrap();
        store.busy_timeout(super::SOON).unwrap();
        store.execute("DELETE FROM trades WHERE log_index % 2 = 0", []).unwrap()
    };
    assert!(deleted > 1_000, "only {deleted} rows");
    rig.press("B");
    rig.shows("Nothing has changed yet");
    rig.press(CTRL_U);
    // So long that there is time to kill it, and so short that its end can be waited for.
    rig.press("60m\r");
    rig.shows("would do");
    rig.press("\r");
    rig.until("it is under way", |screen| {
        replay_line(screen, "REPL").is_some_and(|line| !line.contains(" 0%") && !line.contains("100%"))
    });
    rig.kill();

    let rig = Rig::demo(&place, &[]);
    rig.until("it goes on", |screen| replay_line(screen, "REPL").is_some());
    rig.until("it is done", |screen| replay_line(screen, "○ done").is_some());
    let store = place.store().unwrap();
    let world = polytape::demo::World::new(polytape::demo::WorldConfig::default());
    let blocks = committed(&store);
    let difference = crate::support::tables::compare_fills(&store, &world, blocks);
    assert!(difference.missing.is_empty() && difference.altered.is_empty(), "{difference:#?}");
}
