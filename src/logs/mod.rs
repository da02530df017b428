//! The log: every event becomes one [`LogRecord`], which goes to everybody who shows or keeps it.
//!
//! `tracing` event, [`RecordLayer`], then the [`LogRing`] (searched by the screen), tui-logger (drawn by the screen), a
//! daily [`FileLog`], and stderr. Nothing here may hold up the pipeline: what goes to a disk or a terminal goes through a
//! bounded queue that drops and counts, what is kept in memory is bounded. Nothing here knows a stage, a source or the
//! screen.

mod daily;
mod file;
mod files;
mod form;
mod human;
mod layer;
mod outlets;
mod panics;
mod record;
mod ring;
mod sink;
mod stderr;
mod tui;

#[cfg(test)]
mod tests;

pub use daily::Bounds;
pub use file::{FileError, FileLog};
pub use files::files_in;
pub use human::{date, line, printable, text, time_of_day};
pub use layer::RecordLayer;
pub use outlets::Logs;
pub use panics::log_panics;
pub use record::{LogRecord, MAX_TEXT};
pub use ring::{LogCounts, LogRing};
pub use sink::Sink;
pub use stderr::{StderrGate, StderrLog, StderrStyle};
pub use tui::TuiLog;
