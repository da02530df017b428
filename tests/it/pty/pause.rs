//! A pause outlives the process.

use polytape::demo::{World, WorldConfig};
use rustix::process::Signal;

use super::rig::{Rig, lines, stage};
use super::{committed, rows_go_on};
use crate::support::process::{Workplace, until};
use crate::support::tables::compare_fills;

/// Moves to `write-trades`.
fn select(rig: &mut Rig) {
    rig.press("jjjj");
    rig.until("write-trades is selected", |screen| stage(screen, "write-trades").contains('▶'));
}

fn is_paused(screen: &vt100::Screen) -> bool {
    let shown = stage(screen, "write-trades");
    shown.contains("PAUS") && !shown.contains(">")
}

/// What its stream holds for the stage and was not given to it.
fn lag(screen: &vt100::Screen) -> Option<u64> {
    let lines = lines(screen);
    let stream = lines.iter().find(|line| line.starts_with("│ trades "))?;
    stream.split_whitespace().nth(5)?.parse().ok()
}

#[test]
fn a_paused_stage_stays_paused_after_a_kill() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &[]);
    rig.shows("1 Stages");
    rows_go_on(&place);
    select(&mut rig);
    rig.press("P");
    rig.shows("write-trades is paused  (u takes it back)");
    rig.until("it is paused", is_paused);
    rig.kill();
    let rows = place.count("trades");

    let mut rig = Rig::demo(&place, &[]);
    rig.until("it is still paused", is_paused);
    rig.until("trades wait for it", |screen| lag(screen) > Some(100));
    assert!(rig.look(|picture| is_paused(picture.screen())));
    assert_eq!(place.count("trades"), rows);

    select(&mut rig);
    rig.press("P");
    rig.shows("write-trades runs");
    until(super::SOON, "what waited arrives", || place.count("trades") > rows + 100);
    rows_go_on(&place);
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();

    let (store, world) = (place.store().unwrap(), World::new(WorldConfig::default()));
    let blocks = committed(&store);
    let difference = compare_fills(&store, &world, blocks.clone());
    assert!(difference.missing.is_empty() && difference.altered.is_empty(), "{difference:#?}");
    let difference = compare_fills(&store, &world, *blocks.start()..=blocks.end() + 1_000);
    assert!(difference.extra.is_empty(), "{difference:#?}");
}
