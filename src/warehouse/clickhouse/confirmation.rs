//! What tells that an insert has arrived.

/// How it is known that rows have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmation {
    /// By ClickHouse's answer, which shows the id of the attempt.
    ByAnswer,
    /// By reading every batch back: something in between takes the id out of the answers, or puts another in.
    ByReadingBack,
}
