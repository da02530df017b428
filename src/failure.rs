//! What kind of failure an error is, which decides what the one who meets it does.

use std::any::Any;

/// The four classes of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Passing: do the same again after a while. A busy node, a full disk, a rate limit.
    Retry,
    /// The connection is no good any more: open a new one, then do the same again.
    Reconnect,
    /// Something that should be there is not: put it back, then do the same again.
    Repair,
    /// The same input will always fail the same way: doing it again is of no use.
    Deterministic,
}

/// What a panic says of itself.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}
