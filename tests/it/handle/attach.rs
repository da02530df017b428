//! The screen over the socket.

use super::{Headless, SOON};
use crate::pty::rig::{Rig, USUAL, stage};
use crate::support::process::{bare_command, until};

fn attach(one: &Headless, more: &[&str]) -> Rig {
    let mut command = bare_command();
    command.arg("attach").args(more).arg("--data-dir").arg(one.place.data_dir());
    command.arg("--config").arg(one.place.config_file());
    Rig::start(&command, USUAL, &one.place)
}

/// Moves to `write-trades`.
fn select(rig: &mut Rig) {
    rig.press("jjjj");
    rig.until("write-trades is selected", |screen| stage(screen, "write-trades").contains('▶'));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_screens_show_one_pipeline_and_leave_it_running() {
    let one = Headless::start("").await;
    let (mut first, mut second) = (attach(&one, &[]), attach(&one, &[]));
    for rig in [&first, &second] {
        rig.shows("1 Stages");
        rig.shows("write-trades");
    }
    // What one of them does the other one sees.
    select(&mut first);
    first.press("P");
    until(SOON, "it is paused", || one.state("write-trades") == "PAUS");
    second.shows("PAUS");
    first.press("q");
    first.shows("Leave?");
    first.press("\r");
    assert_eq!(first.wait(), Ok(0));
    first.assert_restored();
    let said = first.lines().join("\n");
    assert!(said.contains("the pipeline goes on as pid") && said.contains("polytape attach --data-dir"), "{said}");
    // Twice Ctrl-C leaves this screen, and no more.
    second.press("\x03");
    second.shows("Leave?");
    second.press("\x03");
    assert_eq!(second.wait(), Ok(0));
    assert_eq!(one.state("write-trades"), "PAUS", "it runs, as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_only_looks_steers_nothing() {
    let one = Headless::start("").await;
    let mut rig = attach(&one, &["--read-only"]);
    rig.shows("write-trades");
    select(&mut rig);
    rig.press("P");
    rig.shows("--read-only");
    assert_ne!(one.state("write-trades"), "PAUS");
    rig.press("q");
    rig.shows("Leave?");
    rig.look(|picture| assert!(!picture.screen().contents().contains("finish what is in hand")));
    rig.press("d");
    assert_eq!(rig.wait(), Ok(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_that_ends_ends_its_screens_with_a_word() {
    let one = Headless::start("").await;
    let mut rig = attach(&one, &[]);
    rig.shows("write-trades");
    one.ask(&["stop", "--wait"]).succeeded();
    assert_eq!(rig.wait(), Ok(1));
    rig.assert_restored();
    assert!(rig.lines().join("\n").contains("the connection to the running polytape was lost"));
}
