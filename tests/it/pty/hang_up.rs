//! A terminal that dies takes nothing with it, and costs nothing.

use std::time::Duration;

use rustix::process::Signal;

use super::rig::{Rig, SOON, demo, line};
use super::rows_go_on;
use crate::support::process::{Workplace, until};

/// So much of a core more than before is still the same.
const NOISE: Duration = Duration::from_millis(50);

/// Processor time in the quietest of some seconds: what comes in bursts is the work that is done, and whoever spins does
/// so in every one of them.
fn cpu(rig: &Rig) -> Duration {
    let seconds = (0..5).map(|_| {
        let before = rig.cpu();
        std::thread::sleep(Duration::from_secs(1));
        rig.cpu() - before
    });
    seconds.min().unwrap()
}

fn survives(mut rig: Rig, place: &Workplace) {
    rig.until("it has caught up", |screen| line(screen, "polygon head").contains(" 0 behind"));
    let before = cpu(&rig);
    rig.hang_up();
    rows_go_on(place);
    let after = cpu(&rig);
    println!("{before:?} of processor time in the quietest of five seconds before, {after:?} after");
    assert!(after < before + NOISE, "{before:?} before and {after:?} after");
    rows_go_on(place);
    assert!(logged(place).contains("the screen is gone ("), "{}", logged(place));

    assert_eq!(rig.ended(), None);
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
    assert!(!logged(place).contains("panicked"), "{}", logged(place));
}

/// The log, which nobody sees on a screen any more.
fn logged(place: &Workplace) -> String {
    let files = std::fs::read_dir(place.data_dir().join("logs")).unwrap();
    files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn the_pipeline_goes_on_when_its_terminal_hangs_up() {
    let place = Workplace::new("");
    let rig = Rig::demo(&place, &[]);
    survives(rig, &place);
}

/// Nothing tells that the terminal is gone but that it cannot be written to.
#[test]
fn and_when_nobody_tells_that_it_did() {
    let place = Workplace::new("");
    let rig = Rig::start_without_signals(&demo(&place, &[]), &place);
    survives(rig, &place);
}

/// `--no-tui` on a terminal writes its log there.
#[test]
fn without_a_screen_as_well() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &["--no-tui"]);
    until(SOON, "rows arrive", || place.count("trades") > 0);
    rig.hang_up();
    rows_go_on(&place);
    let used = cpu(&rig);
    println!("{used:?} of processor time in the quietest of five seconds");
    assert!(used < Duration::from_millis(500), "{used:?}");
    assert!(logged(&place).contains("the terminal hung up: the pipeline continues without it"), "{}", logged(&place));
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
    assert!(!logged(&place).contains("panicked"), "{}", logged(&place));
}

/// Whoever waited for its keys is not there any more.
#[test]
fn after_the_screen_has_panicked_as_well() {
    let place = Workplace::new("").with_bug(Some("screen-panics"));
    let mut rig = Rig::demo(&place, &[]);
    rig.shows("1 Stages");
    rig.resize((100, 30));
    rig.until("the screen is gone", |screen| !screen.alternate_screen());
    rig.hang_up();
    rows_go_on(&place);
    let used = cpu(&rig);
    println!("{used:?} of processor time in the quietest of five seconds");
    assert!(used < Duration::from_millis(500), "{used:?}");
    rig.signal(Signal::TERM);
    assert_eq!(rig.wait(), Ok(0));
}
