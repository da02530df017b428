//! The end: by a dialog, by Ctrl-C, by a signal.

use rustix::process::{Pid, Signal, getsid, kill_process, test_kill_process};

use super::rig::{Rig, SOON, Stray, USUAL};
use crate::cli::{place, serve, world};
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

/// Somebody holds the store while there is much to do, so that what is in hand cannot be finished.
#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &["--rate", "600"]);
    rig.shows("1 Stages");
    until(SOON, "rows arrive", || place.count("trades") > 0);
    let store = rusqlite::Connection::open(place.data_dir().join("polytape.db")).unwrap();
    store.busy_timeout(SOON).unwrap();
    store.execute_batch("BEGIN IMMEDIATE").unwrap();
    rig.signal(Signal::TERM);
    rig.until("it says that it drains", |screen| !screen.alternate_screen() && screen.contents().contains("draining"));
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(1));
    rig.assert_restored();
}

/// Its terminal ends with it, as that of `ssh host polytape` does.
#[tokio::test(flavor = "multi_thread")]
async fn detached_it_goes_on_in_a_session_of_its_own() {
    let server = serve(&world(1, 200)).await;
    let place = place(&server.url());
    let mut rig = Rig::start(&place.command(&["run"]), USUAL, &place);
    rig.shows("1 Stages");
    until(SOON, "rows arrive", || place.count("trades") > 0);
    rig.press("q");
    rig.shows("Detach");
    rig.press("d");
    assert_eq!(rig.wait(), Ok(0));
    rig.assert_restored();
    let said = rig.lines().into_iter().rfind(|line| line.contains("continues without a screen, pid ")).unwrap();
    assert!(rig.lines().concat().contains("polytape attach --data-dir"), "{said}");
    let pid = said.split("pid ").nth(1).unwrap().split(';').next().unwrap().parse().unwrap();
    let detached = Stray(Pid::from_raw(pid).unwrap());

    super::rows_go_on(&place);
    assert_eq!(getsid(Some(detached.0)), Ok(detached.0));
    kill_process(detached.0, Signal::TERM).unwrap();
    until(SOON, "it ends", || test_kill_process(detached.0).is_err());
    detached.has_ended();
}
