//! What the screen costs where there is nothing to show.

use std::time::Duration;

use super::rig::{Rig, stage};
use crate::support::process::{Workplace, until};

/// How long it is measured.
const WHILE: Duration = Duration::from_secs(5);

/// How often processor time is measured, at most.
const WINDOWS: usize = 4;

#[test]
fn a_frozen_screen_writes_nothing_and_a_frame_is_one_write() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &[]);
    rig.shows("1 Stages");
    super::rows_go_on(&place);
    let freeze = |rig: &mut Rig| {
        rig.press(" ");
        rig.shows("FROZEN");
        rig.look(|picture| (picture.raw.len(), picture.frames))
    };
    let (bytes, frames) = freeze(&mut rig);
    std::thread::sleep(WHILE);
    assert_eq!(rig.look(|picture| picture.raw.len()) - bytes, 0, "bytes written over {WHILE:?}");

    let (writes, written) = rig.written_by("screen");
    rig.press(" ");
    rig.until_picture("frames go on", |picture| picture.frames > frames + 5);
    let (more_bytes, more_frames) = freeze(&mut rig);
    std::thread::sleep(Duration::from_millis(500));
    let (frames, bytes) = (more_frames - frames, (more_bytes - bytes) as u64);
    let (more_writes, more_written) = rig.written_by("screen");
    // What does not go to the terminal are numbers of eight bytes, by which the runtime wakes itself.
    let wakes = (more_written - written - bytes) / 8;
    let writes = more_writes - writes - wakes;
    println!("{frames} frames of {bytes} bytes took {writes} writes, and there were {wakes} wake-ups");
    assert_eq!(frames, writes);
}

#[test]
fn an_idle_screen_costs_next_to_no_processor_time() {
    let place = Workplace::new("");
    let rig = Rig::demo(&place, &["--fills", "500"]);
    rig.shows("1 Stages");
    until(super::SOON, "all rows are there", || place.count("trades") == 500);
    rig.until("the stages are idle", |screen| {
        stage(screen, "write-trades").contains("IDLE") && stage(screen, "resolver").contains("IDLE")
    });
    let is_little = |used: Duration| used < WHILE / 200;
    let mut windows = (0..WINDOWS).map(|_| {
        let (before, bytes) = (rig.cpu_of("screen"), rig.look(|picture| (picture.raw.len(), picture.frames)));
        std::thread::sleep(WHILE);
        let used = rig.cpu_of("screen") - before;
        let after = rig.look(|picture| (picture.raw.len(), picture.frames));
        let (bytes, frames) = (after.0 - bytes.0, after.1 - bytes.1);
        println!("{used:?} of processor time, {bytes} bytes in {frames} frames over {WHILE:?}");
        used
    });
    // Other work on the machine can only add to it, so the least counts.
    let mut least = Duration::MAX;
    while !is_little(least)
        && let Some(used) = windows.next()
    {
        least = least.min(used);
    }
    assert!(is_little(least), "{least:?} over {WHILE:?}");
}
