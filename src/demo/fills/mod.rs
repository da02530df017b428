//! How many fills there are, and who trades what.

pub(super) mod matching;
pub(super) mod pace;
