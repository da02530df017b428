//! A panic: of a stage, which the screen shows as it shows anything, and of the screen, which the pipeline survives.

use polytape::demo::{World, WorldConfig};
use rustix::process::Signal;

use super::rig::{Rig, lines, stage};
use super::rows_go_on;
use crate::support::process::{Workplace, until};
use crate::support::tables::compare_fills;

const FILLS: u64 = 2_000;

#[test]
fn of_a_stage_leaves_the_screen_as_it_is_and_no_row_out() {
    let place = Workplace::new("").with_bug(Some("stage-panics"));
    let mut rig = Rig::demo(&place, &["--fills", &FILLS.to_string()]);
    rig.shows("1 Stages");
    rig.press("4");
    rig.shows("panicked: planted: the stage panics");
    let panicked = rig.until("it is a line of the log, and nothing else", |screen| {
        let lines = lines(screen);
        let of_it: Vec<&String> = lines.iter().filter(|line| line.contains("panicked")).collect();
        of_it.iter().all(|line| line.starts_with('│') && line.contains("write-trades"))
            && lines[0].starts_with(" polytape main")
            && lines[39].contains("q quit")
    });
    println!("shown after {panicked:?}");
    until(super::SOON, "all rows are there", || place.count("trades") == FILLS);
    rig.press("1");
    rig.until("the stage is back", |screen| {
        let shown = stage(screen, "write-trades");
        shown.contains("IDLE") || shown.contains("RUN")
    });
    let frames = rig.look(|picture| picture.frames);
    rig.until_picture("frames go on", |picture| picture.frames > frames + 1);
    rig.look(|picture| {
        assert!(picture.screen().alternate_screen() && picture.screen().hide_cursor());
        let since = String::from_utf8_lossy(&picture.between).into_owned();
        assert_eq!(since, "", "nothing is written between frames");
    });
    rig.press("q");
    rig.shows("Leave?");
    rig.press("s");
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();

    let world = World::new(WorldConfig { fills: Some(FILLS), ..WorldConfig::default() });
    let blocks = world.config().first_block..=world.last_fill_block().unwrap();
    let difference = compare_fills(&place.store().unwrap(), &world, blocks);
    assert!(difference.is_none(), "{difference:#?}");
}

#[test]
fn of_the_screen_gives_the_terminal_back_and_the_pipeline_goes_on() {
    let place = Workplace::new("").with_bug(Some("screen-panics"));
    let mut rig = Rig::demo(&place, &[]);
    rig.shows("1 Stages");
    rows_go_on(&place);
    rig.resize((100, 30));
    rig.until("the screen is gone", |screen| !screen.alternate_screen());
    rig.until_picture("a line says so", |picture| {
        picture.count(b"the screen failed (it panicked; the log says where): the pipeline continues without it") == 1
    });
    rig.assert_restored();
    rows_go_on(&place);
    assert_eq!(rig.ended(), None);
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();
    rig.look(|picture| assert_eq!(picture.count(b"RUST_BACKTRACE"), 0));
}
