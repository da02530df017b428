//! Keys, and what they do to the picture.

use super::rig::{Rig, line, lines};
use super::rows_go_on;
use crate::support::process::Workplace;

/// One that shows its overview, with rows in it.
fn overview(place: &Workplace) -> Rig {
    let rig = Rig::demo(place, &[]);
    rig.until("rows are in the overview", |screen| line(screen, "polygon head").contains(" 0 behind"));
    rig
}

#[test]
fn numbers_choose_the_view() {
    let place = Workplace::new("");
    let mut rig = overview(&place);
    for (key, has, has_not) in [
        ("2", "STREAM / GROUP", "4 Logs"),
        ("3", "complete to ", "STREAM / GROUP"),
        ("4", "in memory", "complete to "),
        ("5", "EXCHANGE", "in memory"),
        ("1", "1 Stages", "EXCHANGE"),
    ] {
        rig.press(key);
        rig.until(&format!("{key} shows {has:?} and not {has_not:?}"), |screen| {
            let contents = screen.contents();
            contents.contains(has) && !contents.contains(has_not)
        });
    }
}

#[test]
fn help_alerts_and_the_palette_open_and_close() {
    let place = Workplace::new("");
    let mut rig = overview(&place);
    for (key, title) in [("?", "─ Help ─"), ("!", "─ Alerts ─"), (":", "─ Do ─")] {
        rig.press(key);
        rig.shows(title);
        rig.press("\x1b");
        rig.hides(title);
    }
    rig.press(":streams");
    rig.shows(": streams_");
    rig.press("\r");
    rig.shows("STREAM / GROUP");
    rig.press("\x1b");
    rig.shows("1 Stages");
}

#[test]
fn the_selection_moves_within_a_pane_and_between_panes() {
    let place = Workplace::new("");
    let mut rig = overview(&place);
    let is_at = |rig: &Rig, name: &str| {
        rig.until(&format!("{name} is selected"), |screen| {
            lines(screen).iter().any(|line| line.contains('▶') && line.contains(name))
        });
    };
    is_at(&rig, "ingest-fills");
    rig.press("j");
    is_at(&rig, "ingest-markets");
    rig.press("jk");
    is_at(&rig, "ingest-markets");
    rig.press("\r");
    rig.shows("reads markets from Gamma into stream:markets");
    // The next one, without closing.
    rig.press("j");
    rig.shows("makes trades of fills");
    rig.press("\x1b");
    rig.hides("makes trades of fills");

    rig.press("\t");
    is_at(&rig, "│▶markets ");
    rig.press("\r");
    rig.shows("STREAM / GROUP");
    rig.press("\x1b");
    rig.shows("1 Stages");

    rig.press("\x1b[Z");
    is_at(&rig, "process-trades");
    rig.press("z");
    rig.hides("2 Streams");
    assert!(rig.lines().iter().any(|line| line.contains("process-trades")));
    rig.press("z");
    rig.shows("2 Streams");
}

#[test]
fn a_frozen_picture_stands_still_while_rows_go_on() {
    let place = Workplace::new("");
    let mut rig = overview(&place);
    rig.press(" ");
    rig.shows("FROZEN");
    let frozen = rig.lines();
    rows_go_on(&place);
    assert_eq!(rig.lines()[1..], frozen[1..]);
    let rows = line_of(&frozen, "│ trades ");
    rig.press(" ");
    rig.hides("FROZEN");
    rig.until("the numbers go on", |screen| line(screen, "│ trades ") != rows);
}

fn line_of(lines: &[String], text: &str) -> String {
    lines.iter().find(|line| line.contains(text)).unwrap().clone()
}

#[test]
fn a_text_is_found_in_the_log() {
    let place = Workplace::new("");
    let mut rig = overview(&place);
    rig.press("4");
    rig.shows("in memory");
    rig.press("/first run");
    rig.shows("find first run_");
    rig.press("\r");
    rig.until("the one line that has it shows alone", |screen| {
        let contents = screen.contents();
        contents.contains("\"first run\", 1 of 1")
            && contents.contains("starting at block")
            && !contents.contains("to=RUN")
    });
    rig.press("\x1b");
    rig.shows("to=RUN");
    rig.press("/no line has this\r");
    rig.shows("no line in memory has it");
}
