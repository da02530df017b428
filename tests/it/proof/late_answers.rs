//! A terminal that answers late what somebody else has asked it, on the line on which keys come.

use std::time::{Duration, Instant};

use crate::pty::rig::{Rig, SOON, lines, stage};
use crate::support::length::short_or_long;
use crate::support::process::Workplace;

/// What is between two parts of an answer that comes in two.
const BETWEEN: Duration = Duration::from_millis(15);

/// Within this the second part has followed, and nobody may have given the answer up.
const FOLLOWED: Duration = Duration::from_millis(70);

/// Longer than anybody waits for the end of an answer.
const GIVEN_UP: Duration = Duration::from_millis(400);

fn demo(place: &Workplace) -> Rig {
    let rig = Rig::demo(place, &[]);
    rig.shows("1 Stages");
    // What there was to catch up with may be over before the first look.
    rig.until("the stages run", |screen| {
        let writer = stage(screen, "write-trades");
        writer.contains("RUN") || writer.contains("IDLE")
    });
    rig
}

/// Where an answer is split: in a short form near both its ends and in its middle.
fn splits(answer: &[u8]) -> Vec<usize> {
    let length = answer.len();
    let mut splits = short_or_long(vec![0, 1, 2, length / 2, length - 2, length - 1], (0..length).collect());
    splits.dedup();
    splits
}

/// Sends an answer in two parts. False where this machine was busy elsewhere between them, so that it may have been given
/// up, and what came of it proves nothing.
fn sent(rig: &mut Rig, answer: &[u8], at: usize) -> bool {
    rig.until_read();
    let begin = Instant::now();
    rig.send(&answer[..at]);
    if at > 0 {
        std::thread::sleep(BETWEEN);
    }
    rig.send(&answer[at..]);
    rig.until_read();
    begin.elapsed() < FOLLOWED
}

/// Sends it so that it counts. What came of one that does not is closed, and `again` opens what is to be open.
fn send(rig: &mut Rig, answer: &[u8], at: usize, again: impl Fn(&mut Rig)) {
    while !sent(rig, answer, at) {
        for _ in 0..3 {
            std::thread::sleep(GIVEN_UP);
            rig.press("\x1b");
        }
        std::thread::sleep(GIVEN_UP);
        again(rig);
    }
}

/// Nothing happened: no stage changed, nothing is open, nobody is told to press anything again, and keys are keys.
#[track_caller]
fn assert_untouched(rig: &mut Rig, what: &str) {
    let within = |text: &str, rig: &Rig| {
        let begin = Instant::now();
        while begin.elapsed() < SOON / 3 {
            if rig.look(|picture| picture.screen().contents().contains(text)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    };
    rig.press("3");
    let heard = within("Tables", rig);
    rig.press("1");
    assert!(heard && within("1 Stages", rig), "keys are dead behind {what}:\n{}", rig.lines().join("\n"));
    let shown = rig.lines();
    let is_paused = |line: &String| line.starts_with('│') && (line.contains(" PAUS") || line.contains(">PAUS"));
    let paused: Vec<_> = shown.iter().filter(|line| is_paused(line)).collect();
    assert!(paused.is_empty(), "{what} paused a stage: {paused:?}");
    for open in ["Stop ", "Restart ", "Replay ", "Leave?", "press again", "is paused", "u takes it back"] {
        let opened = shown.iter().any(|line| line.contains(open));
        assert!(!opened, "{what} was taken for keys, {open:?} shows:\n{}", shown.join("\n"));
    }
}

/// Row 22: answers that are harmless members of their classes, whole and split, and the keys behind them.
#[track_caller]
fn steers_nothing(answers: &[(&str, &[u8])]) {
    let place = Workplace::new("");
    let mut rig = demo(&place);
    for (name, answer) in answers {
        for at in splits(answer) {
            send(&mut rig, answer, at, |_| {});
            assert_untouched(&mut rig, &format!("{name}, split at {at},"));
        }
    }
    rig.press("\x03");
    rig.shows("Leave?");
    rig.press("\x03");
    assert_eq!(rig.wait(), Ok(0));
}

#[test]
fn a_late_title_pauses_nothing() {
    steers_nothing(&[("a title", b"\x1b]lPX\x1b\\"), ("an icon's name", b"\x1b]LP\x07")]);
}

#[test]
fn a_late_version_opens_nothing() {
    steers_nothing(&[("a version", b"\x1bP>|XTerm(388)\x1b\\"), ("a unit", b"\x1bP!|00B00000\x1b\\")]);
}

#[test]
fn a_late_colour_or_message_is_no_key() {
    steers_nothing(&[
        ("a colour", b"\x1b]11;rgb:1e1e/1e1e/BBBB\x07"),
        ("graphics", b"\x1b_Gi=31;OK P\x1b\\"),
        ("a private message", b"\x1b^PXRB\x1b\\"),
    ]);
}

#[test]
fn late_reports_leave_keys_alive() {
    steers_nothing(&[
        ("attributes", b"\x1b[?64;1;2;6;9;15;18;21;22c"),
        ("more attributes", b"\x1b[>41;388;0c"),
        ("the cursor", b"\x1b[24;80R"),
        ("a mode", b"\x1b[?2026;2$y"),
        ("light or dark", b"\x1b[?997;1n"),
        ("a size", b"\x1b[8;40;120t"),
    ]);
}

/// Row 22: what is on somebody's clipboard is not typed into a form.
#[test]
fn a_late_clipboard_fills_no_form() {
    let place = Workplace::new("");
    let mut rig = demo(&place);
    let open = |rig: &mut Rig| {
        rig.press("B");
        rig.shows("Nothing has changed yet");
    };
    open(&mut rig);
    let answer = b"\x1b]52;c;NDVoUFg3\x1b\\";
    for at in splits(answer) {
        send(&mut rig, answer, at, open);
        // To the next field and back: by then all that was sent has been taken.
        rig.press("\t");
        rig.shows("now_");
        rig.press("\x1b[Z");
        rig.hides("now_");
        let shown = rig.lines();
        let field = shown.iter().find_map(|line| line.split_once("from ")?.1.split_once("age, time")).unwrap().0.trim();
        assert_eq!(field, "15m_", "the clipboard was typed, split at {at}");
    }
    rig.press("\x1b");
    rig.hides("Nothing has changed yet");
}

/// Row 22: an answer without an end is given up, and keys behind it are keys, first of all Ctrl-C.
#[test]
fn an_unfinished_answer_keeps_nobody_from_leaving() {
    let place = Workplace::new("");
    let mut rig = demo(&place);
    for (name, answer) in [
        ("a title", &b"\x1b]lnone"[..]),
        ("a version", b"\x1bP>|xterm"),
        ("a mode", b"\x1b[?2026;2$"),
        ("attributes", b"\x1b[?64;1;2"),
        ("a key", b"\x1b[1"),
        ("a paste", b"\x1b[200~some text"),
        ("a character", b"\xe6\x9d"),
    ] {
        rig.until_read();
        rig.send(answer);
        rig.until_read();
        std::thread::sleep(GIVEN_UP);
        assert_untouched(&mut rig, &format!("{name} without an end"));
        rig.send(answer);
        rig.until_read();
        rig.send(b"\x03");
        rig.shows("Leave?");
        rig.press("\x1b");
        rig.hides("Leave?");
    }
}

/// Row 22: a capital counts where it came alone.
#[test]
fn a_capital_among_other_bytes_pauses_nothing() {
    let place = Workplace::new("");
    let mut rig = demo(&place);
    for together in [&b"jkP"[..], b"Pjk", b"P\x1b[?2026;2$y", b"XX", b"\x1b[24;80RP"] {
        rig.until_read();
        std::thread::sleep(GIVEN_UP);
        rig.send(together);
        rig.shows("press again");
        let shown = rig.lines();
        let text = String::from_utf8_lossy(together).into_owned();
        assert!(!shown.iter().any(|line| line.contains("Stop ")), "{text:?} opened a question:\n{}", shown.join("\n"));
        // Said for some seconds, unless something else is.
        rig.press("y");
        rig.hides("press again");
        let paused = rig.look(|picture| lines(picture.screen()).iter().any(|line| line.contains("PAUS")));
        assert!(!paused, "{text:?} paused a stage:\n{}", rig.lines().join("\n"));
    }
    rig.press("P");
    rig.shows("is paused  (u takes it back)");
    rig.press("u");
    rig.shows("runs");
}
