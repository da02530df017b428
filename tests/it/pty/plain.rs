//! Where there is no screen: no terminal, one that can show nothing, or one that shall not.

use rustix::process::Signal;
use serde_json::Value;

use super::rig::{Rig, SOON, USUAL, demo};
use super::rows_go_on;
use crate::support::process::Workplace;

const ENTER: &[u8] = b"\x1b[?1049h";

/// It has no screen and has changed nothing of its terminal.
#[track_caller]
fn assert_plain(rig: &Rig) {
    assert_eq!(rig.modes(), rig.modes_before());
    rig.look(|picture| {
        assert_eq!(picture.count(ENTER), 0);
        assert_eq!(picture.frames, 0);
    });
}

#[test]
fn pipes_get_no_escape_sequence_and_the_log_is_json() {
    let place = Workplace::new("");
    let ended = place.run(&["--demo", "--fills", "500", "--until-caught-up"], SOON);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!ended.stdout.contains('\x1b') && !ended.stderr.contains('\x1b'), "{ended:?}");
    assert!(ended.stdout.contains("500 trades"), "{}", ended.stdout);
    for line in ended.stderr.lines() {
        let parsed: Result<Value, _> = serde_json::from_str(line);
        assert!(parsed.is_ok_and(|value| value.is_object()), "{line}");
    }
    assert!(ended.stderr.lines().count() > 5, "{}", ended.stderr);
}

#[test]
fn a_dumb_terminal_is_told_why_there_is_no_screen() {
    let place = Workplace::new("");
    let mut command = demo(&place, &[]);
    command.env("TERM", "dumb");
    let mut rig = Rig::start(&command, USUAL, &place);
    rig.until_picture("it says why", |picture| picture.count(b"this terminal (TERM=dumb) cannot show the screen") > 0);
    rows_go_on(&place);
    assert_plain(&rig);
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
    assert_plain(&rig);
    rig.look(|picture| assert_eq!(picture.count(b"cannot show the screen"), 1));
}

#[test]
fn no_tui_is_no_screen() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &["--no-tui"]);
    rows_go_on(&place);
    assert_plain(&rig);
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
    assert_plain(&rig);
}

#[test]
fn catching_up_shows_a_bar_and_a_report() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &["--fills", "20000", "--until-caught-up"]);
    assert_eq!(rig.wait(), Ok(0));
    assert_plain(&rig);
    rig.look(|picture| {
        assert!(picture.screen().contents().contains("20,000 trades"), "{}", picture.screen().contents());
        println!("the bar was painted {} times", picture.count(b" blocks, "));
    });
}
