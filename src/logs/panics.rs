//! Panics are logged, not printed: a screen may own the terminal.

use std::panic::{self, PanicHookInfo};

use crate::failure::panic_text;

/// Logs every panic from now on, with its thread and place, and prints none. What catches it goes on as before.
pub fn log_panics() {
    panic::set_hook(Box::new(log));
}

/// A panic in here would end the process at once, so that there is nothing in it that can.
fn log(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let location = info.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(thread, location, "panicked: {}", panic_text(info.payload()));
}
