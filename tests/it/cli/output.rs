//! Whoever reads the output may go away, or stop reading: the pipeline goes on and still ends well.

use std::io::{BufRead, BufReader, PipeReader, Write, pipe};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::SOON;
use crate::support::process::{Workplace, until};

/// A pipe holds no more than this until somebody reads.
const PIPE: usize = 64 << 10;

/// A demo without end.
struct Demo {
    place: Workplace,
    child: Child,
}

impl Demo {
    fn start(outputs: impl FnOnce(&mut Command)) -> Self {
        let place = Workplace::new("");
        let mut command = place.command(&["--demo", "--rate", "600"]);
        command.stdin(Stdio::null());
        outputs(&mut command);
        let child = command.spawn().unwrap();
        Self { place, child }
    }

    fn assert_goes_on(&mut self) {
        for _ in 0..3 {
            let rows = self.place.count("trades");
            until(SOON, "rows go on to arrive", || self.place.count("trades") > rows + 500);
        }
        assert!(self.child.try_wait().unwrap().is_none());
    }

    fn assert_ends_well(mut self) {
        let killed = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let mut status = None;
        until(Duration::from_secs(15), "it ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        assert_eq!(status.unwrap().code(), Some(0));
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `head -1`
fn read_a_line_and_go(from: PipeReader) {
    let mut line = String::new();
    BufReader::new(from).read_line(&mut line).unwrap();
    assert!(line.ends_with('\n'), "{line:?}");
}

/// `polytape --demo 2>/dev/null | head -1`
#[test]
fn stdout_may_close() {
    let (reader, writer) = pipe().unwrap();
    let mut demo = Demo::start(|command| {
        command.stdout(writer).stderr(Stdio::null());
    });
    read_a_line_and_go(reader);
    demo.assert_goes_on();
    demo.assert_ends_well();
}

/// `polytape --demo 2>&1 | head -1`
#[test]
fn stdout_and_stderr_may_close() {
    let (reader, writer) = pipe().unwrap();
    let mut demo = Demo::start(|command| {
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
    });
    read_a_line_and_go(reader);
    demo.assert_goes_on();
    demo.assert_ends_well();
}

/// `polytape --demo | less`, and nobody scrolls.
#[test]
fn stdout_may_be_full() {
    let (_reader, mut writer) = pipe().unwrap();
    writer.write_all(&[b'\n'; PIPE]).unwrap();
    let mut demo = Demo::start(|command| {
        command.stdout(writer).stderr(Stdio::null());
    });
    demo.assert_goes_on();
    demo.assert_ends_well();
}

/// A terminal that is held with Ctrl-S.
#[test]
fn stderr_may_be_full() {
    let (_reader, mut writer) = pipe().unwrap();
    writer.write_all(&[b'\n'; PIPE]).unwrap();
    let mut demo = Demo::start(|command| {
        command.stdout(Stdio::null()).stderr(writer);
    });
    demo.assert_goes_on();
    demo.assert_ends_well();
}
