//! The end: by a dialog, by Ctrl-C, by a signal.

use rustix::process::Signal;

use super::rig::{Rig, SOON};
use crate::support::process::{Workplace, until};

const CTRL_C: &str = "\x03";

/// One that has written rows.
fn running(place: &Workplace) -> Rig {
    let rig = Rig::demo(place, &[]);
    rig.shows("1 Stages");
    until(SOON, "rows arrive", || place.count("trades") > 0);
    rig
}

#[test]
fn the_dialog_asks_first_and_then_it_ends_well() {
    let place = Workplace::new("");
    let mut rig = running(&place);
    for stay in ["\x1b", "c", "q"] {
        rig.press("q");
        rig.shows("Leave?");
        rig.press(stay);
        rig.hides("Leave?");
    }
    rig.press("q");
    rig.shows("Leave?");
    rig.press("s");
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();
}

/// A demo is made anew each time: there is nothing to lose.
#[test]
fn enter_is_enough_in_the_demo() {
    let place = Workplace::new("");
    let mut rig = running(&place);
    rig.press("q");
    rig.shows("Leave?");
    rig.press("\r");
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();
}

#[test]
fn ctrl_c_twice_is_meant() {
    let place = Workplace::new("");
    let mut rig = running(&place);
    rig.press(CTRL_C);
    rig.shows("Leave?");
    rig.press(CTRL_C);
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();
}

#[test]
fn a_signal_ends_it_as_well() {
    let place = Workplace::new("");
    let mut rig = running(&place);
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();
    rig.look(|picture| assert!(picture.screen().contents().contains("draining")));
}

/// Somebody holds the store, so that nothing in hand can be finished.
#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Workplace::new("");
    let mut rig = running(&place);
    let store = rusqlite::Connection::open(place.data_dir().join("polytape.db")).unwrap();
    store.busy_timeout(SOON).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Blocks go on, and somebody has some in hand.
    rig.until("there is something in hand", |screen| {
        super::rig::line(screen, "polygon head").split_whitespace().any(|word| ["2", "3", "4", "5"].contains(&word))
    });
    rig.signal(Signal::TERM);
    rig.until("it says that it drains", |screen| !screen.alternate_screen() && screen.contents().contains("draining"));
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(1));
    rig.assert_restored();
}
