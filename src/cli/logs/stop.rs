//! Why the printing of a log ends.

use std::io;

/// Why it ends before its end.
pub(super) enum Stop {
    /// The log cannot be read.
    Reading(io::Error),
    /// Stdout does not take it.
    Printing(io::Error),
}
