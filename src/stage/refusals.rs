//! When bad entries are no more their own fault: a stage whose every entry is bad stops, rather than empty its stream into the
//! dead letters.
//!
//! Somebody who has looked at it may say that they are bad all the same (`skip`): then those that the stage has in hand
//! become dead letters, whatever their number, and it counts anew behind them.

use super::StageError;

/// So many refused rows or damaged entries, none accepted between them, are not their own fault.
const MOST: usize = 16;

/// How many in a row were no good, and whether that matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Refusals {
    in_a_row: usize,
    are_skipped: bool,
}

impl Refusals {
    /// What is in hand shall become dead letters as far as it is bad.
    pub(super) const fn skip(&mut self) {
        self.are_skipped = true;
    }

    /// Whether somebody has said so.
    pub(super) const fn are_skipped(self) -> bool {
        self.are_skipped
    }

    /// One was good.
    pub(super) const fn good(&mut self) {
        self.in_a_row = 0;
    }

    /// So many more were bad; an error where that is no more the fault of each of them.
    pub(super) fn bad(&mut self, more: usize, reason: impl FnOnce() -> String) -> Result<(), StageError> {
        self.in_a_row += more;
        if more > 0 && self.in_a_row >= MOST && !self.are_skipped {
            return Err(StageError::AllRefused { count: self.in_a_row, reason: reason() });
        }
        Ok(())
    }

    /// How it goes on behind what was in hand.
    #[must_use]
    pub(super) fn settled(self) -> Self {
        if self.are_skipped { Self::default() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_in_a_row_end_it_unless_they_are_skipped() {
        let mut refusals = Refusals::default();
        refusals.bad(MOST - 1, String::new).unwrap();
        refusals.good();
        refusals.bad(MOST - 1, String::new).unwrap();
        let error = refusals.bad(1, || "r".into()).unwrap_err();
        assert!(matches!(error, StageError::AllRefused { count: MOST, .. }), "{error}");
        refusals.skip();
        refusals.bad(1_000, String::new).unwrap();
        let mut behind = refusals.settled();
        behind.bad(MOST - 1, String::new).unwrap();
        assert!(behind.bad(1, String::new).is_err(), "what comes behind is another matter");
    }
}
