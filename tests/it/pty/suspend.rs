//! Ctrl-Z, and a shell that lets it go on.

use std::process::Command;

use rustix::process::Pid;

use super::rig::{Rig, Stray, USUAL, demo, line, lines};
use super::rows_go_on;
use crate::support::process::{Workplace, until};

const CTRL_Z: &str = "\x1a";
const PROMPT: &str = "ready>";

/// Whether the last line that is not empty is the prompt.
fn at_prompt(screen: &vt100::Screen) -> bool {
    !screen.alternate_screen()
        && lines(screen).iter().rfind(|line| !line.trim().is_empty()).is_some_and(|line| line.trim() == PROMPT)
}

/// The state that the system has for a process: `T` is stopped.
fn state(pid: Pid) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.trim().chars().next()
}

#[test]
fn a_shell_gets_its_terminal_back_and_lets_it_go_on() {
    let place = Workplace::new("");
    let mut shell = Command::new("sh");
    shell.arg("-i").env("PS1", format!("{PROMPT} ")).env_remove("POLYTAPE_PLANTED_BUG");
    let mut rig = Rig::start(&shell, USUAL, &place);
    rig.until("the shell is ready", at_prompt);
    let before = rig.modes();

    let demo = demo(&place, &[]);
    let words = [demo.get_program()].into_iter().chain(demo.get_args());
    let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    rig.press(&format!("{}\n", words.join(" ")));
    rig.until("the overview shows", |screen| {
        screen.alternate_screen() && line(screen, "polygon head").contains(" 0 behind")
    });
    assert_ne!(rig.modes(), before, "the terminal is raw");
    let children = format!("/proc/{0}/task/{0}/children", rig.pid());
    let child = Stray(Pid::from_raw(std::fs::read_to_string(children).unwrap().trim().parse().unwrap()).unwrap());

    for _ in 0..2 {
        rig.press(CTRL_Z);
        rig.until("the shell is ready again", |screen| at_prompt(screen) && screen.contents().contains("Stopped"));
        assert_eq!(rig.modes(), before);
        rig.look(|picture| assert!(!picture.screen().hide_cursor() && !picture.screen().bracketed_paste()));
        assert_eq!(state(child.0), Some('T'));

        rig.press("fg\n");
        rig.until("the overview is painted again", |screen| {
            let lines = lines(screen);
            screen.alternate_screen()
                && lines[0].starts_with(" polytape main")
                && lines[39].contains("q quit")
                && lines[5].contains("1 Stages")
                && screen.hide_cursor()
        });
        rig.press("2");
        rig.shows("STREAM / GROUP");
        rig.press("1");
        rig.shows("1 Stages");
    }
    rows_go_on(&place);

    rig.press("q");
    rig.shows("Leave?");
    rig.press("s");
    rig.until("the shell is ready at the end", at_prompt);
    assert_eq!(rig.modes(), before);
    assert_eq!(state(child.0), None, "it has ended");
    child.has_ended();
    rig.press("echo code $?\n");
    rig.shows("code 0");
    rig.press("exit\n");
    assert_eq!(rig.wait(), Ok(0));
}

#[test]
fn who_leads_its_session_says_that_nobody_could_let_it_go_on() {
    let place = Workplace::new("");
    let mut rig = Rig::demo(&place, &[]);
    rig.shows("1 Stages");
    rig.press(CTRL_Z);
    rig.until("the last line says so", |screen| lines(screen)[39].contains("it leads its session"));
    assert_ne!(state(rig.pid()), Some('T'));
    let frames = rig.look(|picture| (picture.frames, picture.screen().alternate_screen()));
    assert!(frames.1);
    until(super::SOON, "frames go on", || rig.look(|picture| picture.frames) > frames.0);
    rows_go_on(&place);
}
