//! The log on stderr, behind a gate that is closed while a screen owns the terminal.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Level;
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};

use super::human::{printable, text};
use super::{form::rfc3339, record::LogRecord, sink::Sink};

/// Whether lines go to stderr. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct StderrGate(Arc<AtomicBool>);

impl Default for StderrGate {
    /// An open one.
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl StderrGate {
    /// Lines go to stderr from now on.
    pub fn open(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Nothing goes to stderr from now on, also of what is waiting to be written.
    pub fn close(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Whether lines go to stderr.
    pub fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// How a line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StderrStyle {
    /// For people, with or without colours.
    Human {
        /// Whether the level has a colour.
        colour: bool,
    },
    /// The same JSON as in the file.
    Json,
}

/// The log on stderr.
///
/// A terminal that is held or gone never holds up the pipeline: lines go through a bounded queue and are dropped where
/// that is full.
pub struct StderrLog {
    gate: StderrGate,
    style: StderrStyle,
    queue: NonBlocking,
}

impl StderrLog {
    /// Writes to `out`, which is stderr or stands before it, until the guard is dropped.
    pub fn new(out: impl Write + Send + 'static, gate: StderrGate, style: StderrStyle) -> (Self, WorkerGuard) {
        let (queue, guard) = tracing_appender::non_blocking(Gated { gate: gate.clone(), out });
        (Self { gate, style, queue }, guard)
    }
}

impl Sink for StderrLog {
    fn accept(&self, record: &LogRecord) {
        if !self.gate.is_open() {
            return;
        }
        let line = match self.style {
            StderrStyle::Json => record.json_line(),
            StderrStyle::Human { colour } => human(record, colour),
        };
        // The queue takes it or counts it.
        let _ = self.queue.clone().write_all(line.as_bytes());
    }
}

/// `2026-11-25T02:36:47.123Z  INFO write-trades message key=value`
fn human(record: &LogRecord, colour: bool) -> String {
    let (on, off) = match record.level {
        _ if !colour => ("", ""),
        Level::ERROR => ("\u{1b}[31m", "\u{1b}[0m"),
        Level::WARN => ("\u{1b}[33m", "\u{1b}[0m"),
        Level::INFO => ("\u{1b}[32m", "\u{1b}[0m"),
        _ => ("\u{1b}[34m", "\u{1b}[0m"),
    };
    let (at, level) = (rfc3339(record.at), record.level.as_str());
    format!("{at} {on}{level:>5}{off} {} {}\n", printable(record.origin()), text(record))
}

/// Lets through what comes while the gate is open: a line may have waited while it closed.
struct Gated<W> {
    gate: StderrGate,
    out: W,
}

impl<W: Write> Write for Gated<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.gate.is_open() { self.out.write(line) } else { Ok(line.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gate.is_open() { self.out.flush() } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parking_lot::Mutex;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn record(message: &str) -> LogRecord {
        LogRecord {
            at: 1_795_574_207_123,
            level: Level::WARN,
            stage: Some("resolver".into()),
            target: "polytape".into(),
            message: message.into(),
            fields: vec![("n".into(), "1".into())],
        }
    }

    fn written(style: StderrStyle, act: impl FnOnce(&StderrGate, &StderrLog)) -> String {
        let (out, gate) = (Written::default(), StderrGate::default());
        let (log, guard) = StderrLog::new(out.clone(), gate.clone(), style);
        act(&gate, &log);
        drop(guard);
        String::from_utf8(out.0.lock().clone()).unwrap()
    }

    #[test]
    fn is_written_for_people_and_for_programs() {
        let one = |style| written(style, |_, log| log.accept(&record("it\nwaits")));
        let plain = one(StderrStyle::Human { colour: false });
        assert_eq!(plain, "2026-11-25T02:36:47.123Z  WARN resolver it waits n=1\n");
        let coloured = one(StderrStyle::Human { colour: true });
        assert_eq!(coloured.replace("\u{1b}[33m", "").replace("\u{1b}[0m", ""), plain);
        assert!(coloured.contains("\u{1b}[33m WARN\u{1b}[0m"));
        assert_eq!(one(StderrStyle::Json), record("it\nwaits").json_line());
    }

    #[test]
    fn nothing_comes_through_a_closed_gate() {
        let lines = written(StderrStyle::Json, |gate, log| {
            gate.close();
            log.accept(&record("hidden"));
            gate.open();
            log.accept(&record("shown"));
        });
        assert!(lines.contains("shown") && !lines.contains("hidden"), "{lines}");

        let (out, gate) = (Written::default(), StderrGate::default());
        let mut waiting = Gated { gate: gate.clone(), out: out.clone() };
        gate.close();
        waiting.write_all(b"was waiting").unwrap();
        waiting.flush().unwrap();
        assert!(out.0.lock().is_empty());
    }
}
